/**
 * Two pipes, and a dialogue over them with another program.
 *
 * In Python:
 *
 *     child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
 *     child.stdin.write("Hello\n")
 *     child.stdin.flush()
 *     print(child.stdout.readline()[:-1])
 *     child.stdin.close()
 *
 * In Deno:
 *
 *     const child = new Deno.Command("cat", { stdin: "piped", stdout: "piped" }).spawn();
 *     const writer = child.stdin.getWriter();
 *     const lines = new LineReader(child.stdout);
 *     await writer.write(new TextEncoder().encode("Hello\n"));
 *     console.log(await lines.readLine());
 *     await writer.close();
 *
 * Below: the same, with a time limit, and errors that say what went wrong. (In the article
 * 《Python进程间通信之匿名管道》 (2024) spawn() does by hand what Deno.Command does.)
 *
 *     deno run --allow-run scripts/duplex.ts
 *     deno run --allow-run=sed scripts/duplex.ts sed -u s/Hello/Goodbye/
 *
 * @module
 */
import { startChild } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { flag, parseOptions, seconds, wholeNumber } from "../lib/script/options.ts";
import { mustSucceed, print } from "../lib/script/script.ts";
import * as watch from "../lib/script/watch.ts";
import { untilExit } from "../lib/until_exit.ts";
import { within } from "../lib/within.ts";

const encoder = new TextEncoder();

async function talk([program = "", ...args]: string[]) {
  // "piped" twice: one pipe into the child's stdin, one out of its stdout.
  const pipes = { stdin: "piped", stdout: "piped" } as const;
  const command = new Deno.Command(program, { args, ...pipes, detached: true });
  // As command.spawn(), but the child, and all that it started, ends with this block or the script.
  await using child = startChild(command, { name });
  const writer = child.stdin.getWriter();
  // untilExit: if the child leaves a process behind, that holds the pipe, and no end of file comes.
  const lines = new LineReader(untilExit(child.stdout, child.status));

  let [asked, isAnswered] = [0, true];
  for await (const question of fromStdin ? watch.stdinLines(child.status, name) : greetings()) {
    asked++;
    // Nothing to flush: it is in the pipe at once. Not awaited: a child that does not read would
    // keep us here beyond the time limit. If it has gone, the next line shows it.
    writer.write(encoder.encode(`${question}\n`)).catch(() => {});
    const answer = await within(timeout, (signal) => lines.readLine({ signal }));
    if (answer === undefined) {
      throw watch.silence(name, asked, timeout, lines.partialLine, operands);
    }
    isAnswered = answer !== null;
    if (!isAnswered) break; // End of file: the child's exit status says why.
    await print(`Parent got: "${answer}"`);
    if (asked === count) break;
  }
  // Closing its stdin is the child's end of file: the dialogue is over.
  writer.close().catch(() => {}); // It may have gone.

  // A line that nobody asked for means that answers may stand with the wrong questions: a failure.
  const unasked = new watch.Unasked(name);
  const [status] = await Promise.all([watch.exitOf(child, name, timeout), unasked.showAll(lines)]);
  if (!isAnswered) throw watch.unansweredFailure(name, asked, status);
  mustSucceed(name, status);
  unasked.check();
}

function* greetings() {
  for (let n = 1;; n++) yield `Hello ${n} from parent ${Deno.pid}`;
}

// That is all. What follows reads the command line.
const { options, operands } = parseOptions({
  shows: `A dialogue with another program over two pipes: sends it a line, waits for the
answer, prints it. Without PROGRAM the other program is pipetest.ts. PROGRAM
has no terminal of its own: it cannot ask for a password there.`,
  operands: "[PROGRAM [ARG…]]",
  maximumOperands: Infinity,
  example: "duplex.ts sed -u s/Hello/Goodbye/",
}, {
  count: wholeNumber(undefined, "how many lines to send; 0: until interrupted (default 2)"),
  stdin: flag("send the lines of stdin, all of them unless --count is given"),
  timeout: seconds(10, "how long to wait for each answer, and for the end", 0.001),
  delay: seconds(undefined, "how long pipetest.ts pauses before it reads and answers (default 1)"),
});
const { timeout, stdin: fromStdin, delay, count = fromStdin ? 0 : 2 } = options;
const [name = "pipetest.ts"] = operands;
if (delay !== undefined && operands[0]) console.error(`duplex: ${name} does not get --delay`);
const script = new URL("pipetest.ts", import.meta.url).href;
const childOptions = [`--count=${count}`, `--delay=${delay ?? 1}`];
const pipetest = [Deno.execPath(), "run", "--no-prompt", script, ...childOptions, "spam"];
await talk(operands.length > 0 ? operands : pipetest);
