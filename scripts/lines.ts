/**
 * A one-way pipe, read line by line.
 *
 * In the article: os.fdopen(rpipe).readline()[:-1], and both processes close the end of the pipe
 * that they do not use. Here LineReader makes lines of the bytes. There is nothing to close:
 * Deno.Command gives the child its write end and no read end, and once the child has started the
 * parent keeps no write end. That matters. Had the parent kept one, it would wait for ever for
 * end of file, which comes only when nobody can write any more.
 *
 *     deno run --allow-run scripts/lines.ts
 *
 * @module
 */
import { describeStatus, startChild } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { flag, parseOptions, seconds, wholeNumber } from "../lib/options.ts";
import { Failure, print, run } from "../lib/script.ts";

const HELP = `Usage: lines.ts [--count 3] [--interval 1]

A one-way pipe, read line by line: a child writes a message and a newline now
and then, the parent prints each line as it comes.

Options:
  --count N      how many messages; 0: until interrupted (default 3)
  --interval SECONDS
                 the time between two messages (default 1)
  --child        be the child: write the messages to stdout
  -h, --help     show this text

Example:
  deno run --allow-run scripts/lines.ts --count 5 --interval 0.2`;

const MESSAGE = "how are you";

async function child(count: number, interval: number) {
  // stdout is the pipe, so the greeting goes to stderr.
  console.error(`hello from child ${Deno.pid}`);
  for (let sent = 0; count === 0 || sent < count; sent++) {
    if (sent > 0) await new Promise((resolve) => setTimeout(resolve, interval * 1000));
    await print(MESSAGE);
  }
}

await run("lines", async () => {
  const { options } = parseOptions(HELP, {
    count: wholeNumber(3),
    interval: seconds(1),
    child: flag(),
  });
  const { count, interval } = options;
  if (options.child) return await child(count, interval);

  const command = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", import.meta.url],
      ...["--child", `--count=${count}`, `--interval=${interval}`],
    ],
    stdin: "null",
    stdout: "piped",
  });
  const writer = startChild(command, "deno");
  await print(`hello from parent ${Deno.pid} ${writer.pid}`);

  let received = 0;
  for await (const line of new LineReader(writer.stdout)) {
    await print(line);
    if (line === MESSAGE) received++;
  }

  // The loop ended because the pipe did; what the child thinks of it is in its exit status.
  const status = await writer.status;
  if (!status.success) throw new Failure(`the child ${describeStatus(status)}`, status.code);
  if (count > 0 && received !== count) {
    throw new Failure(`${count} messages were sent and ${received} came`);
  }
});
