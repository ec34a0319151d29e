/**
 * A dialogue whose answers have any number of lines, even none, with a program that keeps running.
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
 * prompt. We ask the others to write a mark that cannot be in the answer. The mark counts wherever
 * it stands: after `printf abc`, which ends without a newline, comes `abcthe-mark`.
 *
 *     deno run --allow-run scripts/session.ts
 *     echo '2^100' | deno run --allow-run=bc scripts/session.ts bc
 *
 * @module
 */
import { startChild } from "../lib/child.ts";
import { endOfAnswer } from "../lib/script/cures.ts";
import { parseOptions, pattern, seconds, template, UsageError } from "../lib/script/options.ts";
import { childStderr, ReportingDialogue } from "../lib/script/reporting_dialogue.ts";
import { print } from "../lib/script/script.ts";
import { strong } from "../lib/script/terminal.ts";

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
if (mark !== undefined && until !== undefined) {
  throw new UsageError("an answer ends with --mark or --until, not with both");
}
const [program = "sh", ...args] = operands;
// A line with {} in it makes the program write a mark. A RegExp is what it writes by itself.
const end = until ?? mark ?? endOfAnswer(program);

const command = new Deno.Command(program, {
  args,
  stdin: "piped",
  stdout: "piped",
  stderr: childStderr, // At a terminal shown apart, with the program's name.
  // A process group of its own: Ctrl-C reaches this script alone, which ends the whole group; where
  // --allow-run has a list, only the child itself.
  detached: true,
  // bc would break a long line in two, even inside the mark.
  env: { BC_LINE_LENGTH: "0" },
});
await using child = startChild(command, { name: program });
// A Dialogue whose errors tell a person what to do. Lines before the first question are a greeting.
const dialogue = new ReportingDialogue(child, {
  name: program,
  timeout,
  advice: "see whether --mark or --until fit (-h), and the question is whole",
  command: operands,
  onGreeting: print,
});
// A prompt, which is a RegExp for the end of what has come, stands before the first question, too.
const isPrompt = end instanceof RegExp && end.source.endsWith(" $");
if (isPrompt) await dialogue.waitUntil(end, print);

// Several lines; none; the state that x=3 left; an answer without a final newline.
const examples = ["printf '%s\\n' how are you", "x=3", "echo $x", "printf abc"];
for await (const question of operands.length > 0 ? dialogue.stdinLines() : examples) {
  await print(strong(`> ${question}`));
  await ask(question);
}
await dialogue.end();

/** Prints each line of the answer as it comes, up to its end. */
async function ask(question: string) {
  if (end instanceof RegExp) return await dialogue.askUntil(question, end, print);
  // Random, so that no answer contains it by chance; a number, which jq and deno repl just print.
  const number = String(1e15 + Math.floor(Math.random() * 8e15));
  await dialogue.askUntil(`${question}\n${end.replaceAll("{}", number)}`, number, print);
}
