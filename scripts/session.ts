/**
 * A dialogue whose answers have any number of lines, even none, with a program that keeps running:
 * a lesson, and a tool for your own programs.
 *
 * In Python:
 *
 *     child = subprocess.Popen(["sh"], stdin=PIPE, stdout=PIPE, text=True)
 *     child.stdin.write("ls /\necho the-mark\n")
 *     child.stdin.flush()
 *     while (line := child.stdout.readline()) and "the-mark" not in line:
 *         print(line[:-1])
 *     print(line.partition("the-mark")[0], end="")
 *
 * In Deno, a Dialogue (lib/dialogue.ts) passes on each line up to the mark:
 *
 *     await dialogue.askUntil("ls /\necho the-mark", "the-mark", console.log);
 *
 * Where does an answer end? Only the program knows. Some end it with a line of their own, or a
 * prompt. We ask the others to write a mark. That counts wherever it stands: in `abcthe-mark`, too.
 *
 *     deno run --allow-run scripts/session.ts
 *     echo '2^100' | deno run --allow-run=bc scripts/session.ts bc
 *
 * @module
 */
import { describeStatus, startChild } from "../lib/child.ts";
import { ChildEndedError, Dialogue, NoAnswerError } from "../lib/dialogue.ts";
import { endOfAnswer } from "../lib/script/cures.ts";
import { parseOptions, pattern, seconds, template, UsageError } from "../lib/script/options.ts";
import { Failure, mustSucceed, print } from "../lib/script/script.ts";
import { strong } from "../lib/script/terminal.ts";
import { childStderr, lateFailure, markStderr, stdinLines, Unasked } from "../lib/script/watch.ts";

async function talk(name: string, args: string[], end: string | RegExp) {
  const pipes = { stdin: "piped", stdout: "piped", stderr: childStderr } as const;
  const env = { BC_LINE_LENGTH: "0" }; // bc would break a long line in two, even inside the mark.
  // `detached`: Ctrl-C reaches this script alone, which ends the program and all that it started.
  const command = new Deno.Command(name, { args, ...pipes, env, detached: true });
  await using child = startChild(command, { name });
  const stderr = markStderr(child, name); // At a terminal it has the program's name before it.
  const unasked = new Unasked(name, timeout);
  // Lines that come while no question is open. Those before the first question are a greeting.
  let onUnasked: (line: string) => unknown = print;
  const dialogue = new Dialogue(child, { name, timeout, onUnasked: (line) => onUnasked(line) });
  // A prompt, which is a RegExp for the end of what has come, stands before the first question,
  // too.
  if (end instanceof RegExp && end.source.endsWith(" $")) await dialogue.waitUntil(end, print);

  let exit: Deno.CommandStatus | undefined;
  for await (const question of operands.length > 0 ? stdinLines(child.status, name) : EXAMPLES) {
    if (exit) {
      throw new Failure(`${name} ${describeStatus(exit)} before it was asked "${question}"`);
    }
    onUnasked = (line) => unasked.report(line);
    await print(strong(`> ${question}`));
    // Random, so that no answer contains it by chance; a number, which jq and deno repl just print.
    const number = String(1e15 + Math.floor(Math.random() * 8e15));
    const answered = end instanceof RegExp
      ? dialogue.askUntil(question, end, print)
      : dialogue.askUntil(`${question}\n${end.replaceAll("{}", number)}`, number, print);
    await answered.catch((error) => {
      // An exit with status 0 is an answer, too, such as that to `quit`.
      if (!(error instanceof ChildEndedError && error.status.success)) throw error;
      exit = error.status;
    });
  }
  mustSucceed(name, exit ?? await dialogue.end());
  await stderr[Symbol.asyncDispose](); // Waits until all of it has been shown.
  unasked.check();
}

// That is all. What follows reads the command line.
const { options: { mark, until, timeout }, operands } = parseOptions({
  shows: `A dialogue whose answers have any number of lines, with a program that keeps
running: sends it each line of stdin, and shows what comes back. PROGRAM has no
terminal to ask for a password at. Without it: sh, and a few questions.

An answer ends with a mark that each question makes PROGRAM write, by a line
such as --mark 'echo {}', in which {} is a random number; or by itself, at a
line that REGEX matches (--until '^bestmove'). A REGEX that ends with ' $' is
taken for a prompt (--until '^> $'), and awaited before the first question, too.
Known are: shells, bc, dc, gdb, node -i, psql -qAt, python3 -iqu, sqlite3,
jq --unbuffered ., NO_COLOR=1 deno repl -q.`,
  operands: "[PROGRAM [ARG…]]",
  maximumOperands: Infinity,
  example: "session.ts python3 -iqu",
}, {
  mark: template("a line that makes PROGRAM write {}"),
  until: pattern("what ends an answer of PROGRAM"),
  timeout: seconds(10, "how long to wait for each answer, and for the end", 0.001),
});
if (mark && until) throw new UsageError("an answer ends with --mark or --until, not with both");
// Several lines; none; the state that x=3 left; an answer without a final newline.
const EXAMPLES = ["printf '%s\\n' how are you", "x=3", "echo $x", "printf abc"];
const [program = "sh", ...rest] = operands;
// A line with {} in it makes the program write a mark. A RegExp is what it writes by itself.
await talk(program, rest, until ?? mark ?? endOfAnswer(program)).catch((error) => {
  const advice = "see whether --mark or --until fit (-h), and the question is whole";
  throw error instanceof NoAnswerError ? lateFailure(error.message, advice, operands) : error;
});
