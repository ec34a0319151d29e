/**
 * A one-way pipe, read line by line.
 *
 * In Python, and in the second example of the article 《Python进程间通信之匿名管道》 (2024):
 *
 *     rpipe, wpipe = os.pipe()
 *     if os.fork() == 0:
 *         os.close(rpipe)
 *         child(wpipe)
 *     os.close(wpipe)
 *     for line in os.fdopen(rpipe): print(line[:-1])
 *
 * There is no unused end to close here. Deno.Command gives the child its write end and no read end,
 * and the parent keeps no write end. If it kept one, it would wait for ever: end of file comes
 * only when nobody holds a write end.
 *
 * LineReader is of this collection. For a stream that is read to its end, where speed does not
 * matter, TextLineStream of @std/streams/text-line-stream is all that it takes:
 *
 *     const lines = child.stdout
 *       .pipeThrough(new TextDecoderStream())
 *       .pipeThrough(new TextLineStream());
 *     for await (const line of lines) console.log(line);
 *
 * LineReader also reads one line now and the rest later, as duplex.ts does, and a loop that is left
 * early does not close the pipe.
 *
 *     deno run --allow-run scripts/lines.ts
 *
 * @module
 */
import { startChild } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { parseOptions, seconds, wholeNumber } from "../lib/script/options.ts";
import { Failure, mustSucceed, print } from "../lib/script/script.ts";

/** Runs hello.ts, and shows its lines. Returns how many they were. */
async function showLines(childOptions: string[]): Promise<number> {
  const args = ["run", "--no-prompt", new URL("hello.ts", import.meta.url).href, ...childOptions];
  // "piped" makes the pipe: the child writes to its stdout, the parent reads from child.stdout.
  const command = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped" });
  // As command.spawn(), but the child ends with this block, and with the script.
  await using child = startChild(command);
  await print(`hello from parent ${Deno.pid}, its child is ${child.pid}`);

  let received = 0;
  for await (const line of new LineReader(child.stdout)) {
    received++;
    await print(line);
  }
  // The loop ended because the pipe did. The child's exit status says whether all went well.
  mustSucceed("the child", await child.status);
  return received;
}

// That is all. What follows reads the command line, and checks that every line came.
const { options: { count, interval } } = parseOptions({
  shows: `A one-way pipe, read line by line: a child writes a line every --interval
seconds; the parent prints each as it comes.`,
  example: "lines.ts --count 5 --interval 0.2",
}, {
  count: wholeNumber(3, "how many lines; 0: until interrupted"),
  interval: seconds(1, "the time between two lines"),
});
const received = await showLines([`--count=${count}`, `--interval=${interval}`]);
if (count > 0 && received !== count) throw new Failure(`expected ${count} lines, got ${received}`);
