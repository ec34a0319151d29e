/**
 * A dialogue whose answers have any number of lines, even none, with a program that keeps
 * running.
 *
 * In Python:
 *
 *     child = subprocess.Popen(["sh"], stdin=PIPE, stdout=PIPE, text=True)
 *     child.stdin.write("ls /\necho the-mark\n")
 *     child.stdin.flush()
 *     while (line := child.stdout.readline()) != "the-mark\n":
 *         print(line[:-1])
 *
 * Where does an answer end? Only the program knows. So we also ask it to write a mark that cannot be
 * in the answer. All that comes before the mark is the answer.
 *
 *     deno run --allow-run scripts/session.ts
 *     echo '2^100' | deno run --allow-run=bc scripts/session.ts --mark 'print "{}\n"' bc
 *
 * @module
 */
import { describeStatus, startChild } from "../lib/child.ts";
import { Dialogue } from "../lib/dialogue.ts";
import { parseOptions, seconds, text, UsageError } from "../lib/options.ts";
import { Failure, print, stdinLines } from "../lib/script.ts";
import { explainSilence, Unasked } from "../lib/silence.ts";
import { strong } from "../lib/terminal.ts";

const { options: { mark: markLine, timeout }, operands } = parseOptions({
  shows: `A dialogue whose answers have any number of lines, with a program that keeps
running. Sends each line of stdin to PROGRAM, followed by the --mark line, in
which {} is a random mark: all that comes before the mark is the answer.
Without PROGRAM: sh, and a few questions of its own. PROGRAM has no terminal of
its own: it cannot ask for a password there.

  bc             --mark 'print "{}\\n"'
  sqlite3        --mark '.print {}'
  python3 -iqu   --mark $'\\nprint("{}")'   (the empty line ends a block)
  psql -qAt      --mark '\\echo {}'`,
  operands: "[PROGRAM [ARG…]]",
  maximumOperands: Infinity,
  example: `session.ts --mark 'print "{}\\n"' bc < /dev/null`,
}, {
  mark: text("echo {}", "a line that makes PROGRAM write {}"),
  timeout: seconds(10, "how long to wait for each answer, and for the end", 0.001),
});
if (!markLine.includes("{}")) {
  throw new UsageError(`--mark takes a text with {} in it; got ${JSON.stringify(markLine)}`);
}

const [program = "sh", ...args] = operands;
const command = new Deno.Command(program, {
  args,
  stdin: "piped",
  stdout: "piped",
  detached: true,
});
await using child = startChild(command, { name: program });
const unasked = new Unasked(program, timeout);
const dialogue = new Dialogue(child, {
  name: program,
  timeout,
  onUnasked: (line) => unasked.report(line),
});

// Several lines; none; the state that x=3 left; an answer without a final newline.
const examples = ["printf '%s\\n' how are you", "x=3", "echo $x", "printf abc"];
const questions = operands.length > 0 ? stdinLines(dialogue.signal) : examples;
for await (const question of questions) {
  await print(strong(`> ${question}`));
  // A random one for each question: no answer contains it by chance.
  const mark = `mark-${crypto.randomUUID()}`;
  await dialogue.askUntil(`${question}\n${markLine.replaceAll("{}", mark)}`, mark, print)
    .catch(explainSilence("does --mark fit it (see --help)? Is the question complete?"));
}
const status = await dialogue.end();
if (!status.success) throw new Failure(`${program} ${describeStatus(status)}`, status.code);
unasked.check();
