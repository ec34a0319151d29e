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
 * The article 《Python进程间通信之匿名管道》 (2024) does it without subprocess:
 * spawn(prog, *args) is two os.pipe(), os.fork(), os.dup2() to put the pipes in place of stdin and
 * stdout, and os.execvp(). Deno.Command does all of it, and the parent's stdin and stdout stay.
 *
 *     deno run --allow-run scripts/duplex.ts
 *     deno run --allow-run=sed scripts/duplex.ts sed -u s/Hello/Goodbye/
 *
 * @module
 */
import { describeStatus, startChild } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { hintFor } from "../lib/script/cures.ts";
import { flag, parseOptions, seconds, wholeNumber } from "../lib/script/options.ts";
import { Failure, mustSucceed, print } from "../lib/script/script.ts";
import { exitOf, lateFailure, soFar, stdinLines, Unasked } from "../lib/script/watch.ts";
import { untilExit } from "../lib/until_exit.ts";
import { within } from "../lib/within.ts";

async function talk([program = "", ...args]: string[]) {
  // "piped" twice: one pipe into the child's stdin, one out of its stdout.
  const pipes = { stdin: "piped", stdout: "piped" } as const;
  const command = new Deno.Command(program, { args, ...pipes, detached: true });
  // As command.spawn(), but the child, and all that it started, ends with this block or the script.
  await using child = startChild(command, { name });
  const writer = child.stdin.getWriter();
  // The pipe may end long after the child, if that leaves something running which holds it.
  const lines = new LineReader(untilExit(child.stdout, child.status));

  let [asked, answer]: [number, string | null | undefined] = [0, ""];
  for await (const question of stdin ? stdinLines(child.status, name) : greetings()) {
    asked++;
    // Nothing to flush: it is in the pipe at once. No `await`, as a child that does not read would
    // keep us here for ever; and if the child has gone, that shows when no answer comes.
    writer.write(encoder.encode(`${question}\n`)).catch(() => {});
    answer = await within(timeout, (signal) => lines.readLine({ signal }));
    if (answer === undefined) throw silence(asked, lines.partialLine);
    if (answer === null) break; // End of file: the child's exit status says why.
    await print(`Parent got: "${answer}"`);
    if (asked === count) break;
  }
  // Closing its stdin is the child's end of file: the dialogue is over.
  writer.close().catch(() => {}); // It may have gone.

  // Read on while it exits, since it may have more to say than a pipe holds. Nobody asked for that;
  // and as such a line may have come before, too, and shifted the answers by one, that is a failure.
  const unasked = new Unasked(name);
  const [status] = await Promise.all([exitOf(child, name, timeout), unasked.reportAll(lines)]);
  if (answer === null) {
    const how = describeStatus(status) + (asked > 1 ? ` after message ${asked - 1},` : "");
    throw new Failure(`${name} ${how} without answering message ${asked}`, status.code || 1);
  }
  mustSucceed(name, status);
  unasked.check();
}

function silence(asked: number, partialLine: string) {
  const what = `no answer from ${name} to message ${asked} within ${timeout} s`;
  return lateFailure(what + soFar(partialLine), hintFor(operands), operands);
}

function* greetings() {
  for (let n = 1;; n++) yield `Hello ${n} from parent ${Deno.pid}`;
}

// That is all. What follows reads the command line.
const { options: { timeout, stdin, delay, count = stdin ? 0 : 2 }, operands } = parseOptions({
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
const encoder = new TextEncoder();
const [name = "pipetest.ts"] = operands;
if (delay !== undefined && operands.length > 0) {
  console.error(`duplex: --delay is for pipetest.ts; ${name} does not get it`);
}
const script = new URL("pipetest.ts", import.meta.url).href;
const childOptions = [`--count=${count}`, `--delay=${delay ?? 1}`];
const pipetest = [Deno.execPath(), "run", "--no-prompt", script, ...childOptions, "spam"];
await talk(operands.length > 0 ? operands : pipetest);
