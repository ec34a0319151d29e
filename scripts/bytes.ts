/**
 * A one-way pipe, read as raw chunks of bytes.
 *
 * In the article: os.pipe(), os.fork() and, in the parent, os.read(rpipe, 32). Deno has no fork:
 * this script runs itself again with --child, and Deno.Command makes the pipe. It reads the chunks
 * with a BYOB reader ("bring your own buffer"), which is what os.read() is: at most so many bytes,
 * as soon as there are any.
 *
 *     deno run --allow-run scripts/bytes.ts
 *
 * @module
 */
import { describeStatus, startChild } from "../lib/child.ts";
import { anyText, flag, parseOptions, seconds, wholeNumber } from "../lib/options.ts";
import { Failure, print, run } from "../lib/script.ts";

const HELP = `Usage: bytes.ts [--count 3] [--interval 1] [--size 32] [--message TEXT]

A one-way pipe, read as raw chunks: a child writes a message and a newline now
and then, the parent prints each chunk as it came. The blank lines are the
newlines of the messages.

Options:
  --count N      how many messages; 0: until interrupted (default 3)
  --interval SECONDS
                 the time between two messages (default 1)
  --size BYTES   the most that one read may return (default 32)
  --message TEXT what the child writes (default "how are you")
  --child        be the child: write the messages to stdout
  -h, --help     show this text

Example:
  deno run --allow-run scripts/bytes.ts --count 1 --size 4`;

async function child(message: string, count: number, interval: number) {
  // stdout is the pipe, so the greeting goes to stderr.
  console.error(`hello from child ${Deno.pid}`);
  for (let sent = 0; count === 0 || sent < count; sent++) {
    if (sent > 0) await new Promise((resolve) => setTimeout(resolve, interval * 1000));
    await print(message);
  }
}

await run("bytes", async () => {
  const { options } = parseOptions(HELP, {
    count: wholeNumber(3),
    interval: seconds(1),
    size: wholeNumber(32, 1),
    message: anyText("how are you"),
    child: flag(),
  });
  const { count, interval, message, size } = options;
  if (options.child) return await child(message, count, interval);

  // "piped" is os.pipe(): the child holds the write end as its stdout, the parent the read end.
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", import.meta.url, "--child", `--message=${message}`],
      ...[`--count=${count}`, `--interval=${interval}`],
    ],
    stdin: "null",
    stdout: "piped",
  });
  const writer = startChild(command, "deno");
  await print(`hello from parent ${Deno.pid} ${writer.pid}`);

  const reader = writer.stdout.getReader({ mode: "byob" });
  // A chunk may end in the middle of a character: the decoder keeps its first bytes for the next.
  const decoder = new TextDecoder();
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(size));
    // End of file: the child was the only holder of the write end, and it has gone.
    if (done) break;
    bytes += value.length;
    await print(decoder.decode(value, { stream: true }));
  }

  const status = await writer.status;
  if (!status.success) throw new Failure(`the child ${describeStatus(status)}`, status.code);
  const expected = count * new TextEncoder().encode(`${message}\n`).length;
  if (count > 0 && bytes !== expected) {
    throw new Failure(`${expected} bytes were sent and ${bytes} came`);
  }
});
