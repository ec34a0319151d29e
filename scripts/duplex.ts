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
import { hintFor } from "../lib/cures.ts";
import { Dialogue } from "../lib/dialogue.ts";
import { flag, parseOptions, seconds, wholeNumber } from "../lib/options.ts";
import { Failure, print, stdinLines } from "../lib/script.ts";
import { explainSilence } from "../lib/silence.ts";
import { Unasked } from "../lib/unasked.ts";
import { childStderr, markStderr } from "../lib/terminal.ts";

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
const { timeout, count = options.stdin ? 0 : 2, delay = 1 } = options;

const pipetest = new URL("pipetest.ts", import.meta.url).href;
const childOptions = [`--count=${count}`, `--delay=${delay}`];
const [program = "", ...args] = operands.length > 0
  ? operands
  : [Deno.execPath(), "run", "--no-prompt", pipetest, ...childOptions, "spam"];
const name = operands[0] ?? "pipetest.ts";
if (options.delay !== undefined && operands.length > 0) {
  console.error(`duplex: --delay is for pipetest.ts; ${name} does not get it`);
}

// "piped" twice: one pipe into the child's stdin, one out of its stdout. Detached, the child leads
// a process group of its own: Ctrl-C reaches this script alone, which ends the child and its
// family.
const command = new Deno.Command(program, {
  args,
  stdin: "piped",
  stdout: "piped",
  stderr: childStderr,
  detached: true,
});
await using child = startChild(command, { name });
const errors = markStderr(child, name);
// A line nobody asked for would shift every later answer by one: so it is shown, and the script
// fails.
const unasked = new Unasked(name, options.stdin ? timeout : Infinity);
const dialogue = new Dialogue(child, { name, timeout, onUnasked: (line) => unasked.report(line) });

// The end of the child ends the wait for the next line of stdin, too.
const questions = options.stdin ? stdinLines(dialogue.signal, name) : greetings();

let asked = 0;
for await (const question of questions) {
  const answer = await dialogue.ask(question).catch(explainSilence(hintFor(operands), operands));
  await print(`Parent got: "${answer}"`);
  if (++asked === count) break;
}
// Closing the child's stdin is its end of file: the dialogue is over.
const status = await dialogue.end();
await errors[Symbol.asyncDispose]();
if (!status.success) throw new Failure(`${name} ${describeStatus(status)}`, status.code);
unasked.check();

async function* greetings() {
  for (let n = 1;; n++) yield `Hello ${n} from parent ${Deno.pid}`;
}
