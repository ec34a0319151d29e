/**
 * The child of the dialogue in duplex.ts: answers each line of its stdin with a line on its stdout.
 *
 * In the article this is pipetest.py, with raw_input(), print and sys.stdout.flush(). There is no
 * flush here: Deno does not buffer stdout, so an answer is in the pipe as soon as it is written.
 *
 *     deno run scripts/pipetest.ts spam
 *
 * It needs no permission: the standard streams are there already.
 *
 * @module
 */
import { LineReader } from "../lib/line_reader.ts";
import { parseOptions, seconds, wholeNumber } from "../lib/options.ts";
import { Failure, print, run } from "../lib/script.ts";

const HELP = `Usage: pipetest.ts [--count 2] [--delay 1] ARG

The child of the dialogue in duplex.ts: says what ARG it got, on stderr, then
answers the lines that come on stdin.

Options:
  --count N      how many lines to answer; 0: until stdin ends (default 2)
  --delay SECONDS
                 the pause before reading a line, and before answering it (default 1)
  -h, --help     show this text

Example:
  echo hello | deno run scripts/pipetest.ts --count 1 spam`;

await run("pipetest", async () => {
  const { options, operands: [arg] } = parseOptions(HELP, {
    count: wholeNumber(2),
    delay: seconds(1),
  }, 1);
  if (arg === undefined) throw new Failure("ARG is missing (--help shows the options)", 2);
  const pause = () => new Promise((resolve) => setTimeout(resolve, options.delay * 1000));

  // stdout is the pipe to the parent, so what is meant for the person at the terminal goes to stderr.
  console.error(`child ${Deno.pid} of ${Deno.ppid} got arg: "${arg}"`);

  const lines = new LineReader(Deno.stdin.readable);
  for (let answered = 0; options.count === 0 || answered < options.count; answered++) {
    await pause();
    const line = await lines.readLine();
    // The parent has closed its write end: there is nothing more to answer.
    if (line === null) return;
    await pause();
    await print(`Child ${Deno.pid} got: [${line}]`);
  }
});
