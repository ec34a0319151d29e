/**
 * The child of the dialogue in duplex.ts: answers each line of its stdin with a line on its stdout.
 *
 * In Python, and as pipetest.py in the article 《Python进程间通信之匿名管道》 (2024):
 *
 *     for i in range(2):
 *         time.sleep(1); line = input(); time.sleep(1)
 *         print(f"Child {os.getpid()} got: [{line}]")
 *         sys.stdout.flush()
 *
 * There is no flush here: what Deno writes is in the pipe at once. Its stdin and stdout are the two
 * pipes. The parent put them there, so the script needs no permission.
 *
 *     deno run scripts/pipetest.ts spam
 *
 * @module
 */
import { LineReader } from "../lib/line_reader.ts";
import { parseOptions, seconds, UsageError, wholeNumber } from "../lib/script/options.ts";

const { options: { count, delay }, operands: [argument] } = parseOptions({
  shows: `The child of the dialogue in duplex.ts: says what ARG it got, on stderr, then
answers the lines that come on stdin.`,
  operands: "ARG",
  maximumOperands: 1,
  example: "pipetest.ts --delay 0.1 --count 2 spam < README.md",
}, {
  count: wholeNumber(2, "how many lines to answer; 0: until stdin ends"),
  delay: seconds(1, "the pause before reading a line, and before answering it"),
});
if (argument === undefined) throw new UsageError("ARG is missing (--help shows the options)");

// stdout is the pipe to the parent, so what is meant for the person at the terminal goes to stderr.
console.error(`child ${Deno.pid} of ${Deno.ppid} got arg: "${argument}"`);

let answered = 0;
await pause();
// The loop ends when the parent closes its write end: there is nothing more to answer.
for await (const line of new LineReader(Deno.stdin.readable)) {
  await pause();
  console.log(`Child ${Deno.pid} got: [${line}]`); // In the pipe at once: there is no flush.
  if (++answered === count) break;
  await pause();
}

/** Before reading and before answering, so that one can watch each side wait for the other. */
async function pause() {
  if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay * 1000));
}
