/**
 * A dialogue whose answers have any number of lines, even none, with a program that keeps running.
 *
 * In Python:
 *
 *     child = subprocess.Popen(["sh"], stdin=PIPE, stdout=PIPE, text=True)
 *     child.stdin.write("ls /\necho the-mark\n")
 *     child.stdin.flush()
 *     while (line := child.stdout.readline()) != "the-mark\n":
 *         print(line[:-1])
 *
 * Where does an answer end? Only the program knows. Some end it with a line of their own, or a
 * prompt. We ask the others to write a mark that cannot be in the answer.
 *
 *     deno run --allow-run scripts/session.ts
 *     echo '2^100' | deno run --allow-run=bc scripts/session.ts bc
 *
 * @module
 */
import { describeStatus, startChild } from "../lib/child.ts";
import { ChildEndedError, Dialogue } from "../lib/dialogue.ts";
import { endOfAnswer } from "../lib/ends.ts";
import { parseOptions, pattern, seconds, template, UsageError } from "../lib/options.ts";
import { Failure, print, stdinLines } from "../lib/script.ts";
import { explainSilence } from "../lib/silence.ts";
import { Unasked } from "../lib/unasked.ts";
import { childStderr, markStderr, strong } from "../lib/terminal.ts";

const { options: { mark, until, timeout }, operands } = parseOptions({
  shows: `A dialogue whose answers have any number of lines, with a program that keeps
running: sends it each line of stdin, and shows what comes back. Without PROGRAM:
sh, and a few questions of its own. PROGRAM has no terminal to ask for a password at.

An answer ends with a mark that each question makes PROGRAM write, by a line such
as --mark 'echo {}', in which {} is a random number; or by itself, at a line that
REGEX matches (--until '^bestmove'). A prompt: let REGEX end with ' $' (--until '> $').
The first prompt is awaited before the first question. Known are: shells, bc, dc, gdb,
node -i, psql -qAt, python3 -iqu, sqlite3, jq --unbuffered ., NO_COLOR=1 deno repl -q.`,
  operands: "[PROGRAM [ARG…]]",
  maximumOperands: Infinity,
  example: "session.ts python3 -iqu",
}, {
  mark: template("a line that makes PROGRAM write {}"),
  until: pattern("what ends an answer of PROGRAM"),
  timeout: seconds(10, "how long to wait for each answer, and for the end", 0.001),
});
if (mark !== undefined && until !== undefined) {
  throw new UsageError("an answer ends with --mark or --until, not with both");
}

const [program = "sh", ...args] = operands;
const command = new Deno.Command(program, {
  args,
  stdin: "piped",
  stdout: "piped",
  stderr: childStderr,
  detached: true,
  env: { BC_LINE_LENGTH: "0" }, // Else bc breaks long lines, and a mark at their end.
});
await using child = startChild(command, { name: program });
const errors = markStderr(child, program);
const unasked = new Unasked(program, timeout);
let asked = 0;
const dialogue = new Dialogue(child, {
  name: program,
  timeout,
  // Lines before the first question are a greeting.
  onUnasked: (line) => asked === 0 ? print(line) : unasked.report(line),
});
const explain = explainSilence("do --mark or --until fit (-h)? Is the question whole?", operands);
const end = until ?? mark ?? endOfAnswer(program);
if (end instanceof RegExp && end.source.endsWith(" $")) {
  await dialogue.waitUntil(end, print).catch(explain);
}
// Several lines; none; the state that x=3 left; an answer without a final newline.
const examples = ["printf '%s\\n' how are you", "x=3", "echo $x", "printf abc"];
const questions = operands.length > 0 ? stdinLines(dialogue.signal, program) : examples;
let farewell: ChildEndedError | undefined;
for await (const question of questions) {
  if (farewell) throw farewell;
  asked++;
  await print(strong(`> ${question}`));
  try {
    if (end instanceof RegExp) await dialogue.askUntil(question, end, print);
    else {
      // A random one for each question: no answer contains it by chance.
      const number = String(1e15 + Math.floor(Math.random() * 8e15));
      await dialogue.askUntil(`${question}\n${end.replaceAll("{}", number)}`, number, print);
    }
  } catch (error) {
    // The exit is the answer to `quit`, if no question follows.
    if (error instanceof ChildEndedError && error.status.success) farewell = error;
    else explain(error);
  }
}
const status = farewell?.status ?? await dialogue.end();
await errors[Symbol.asyncDispose]();
if (!status.success) throw new Failure(`${program} ${describeStatus(status)}`, status.code);
unasked.check();
