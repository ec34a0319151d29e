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
 *     await using child = new Deno.Command("cat", { stdin: "piped", stdout: "piped" }).spawn();
 *     const writer = child.stdin.getWriter();
 *     await writer.write(new TextEncoder().encode("Hello\n"));
 *     console.log(await new LineReader(child.stdout).readLine());
 *     await writer.close();
 *
 * A Dialogue (lib/dialogue.ts) does that for each question, within a time limit. Its errors say
 * which question a silent child has not answered, or with which status the child has exited:
 *
 *     const dialogue = new Dialogue(child);
 *     console.log(await dialogue.ask("Hello"));
 *     await dialogue.end();
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
import { startChild } from "../lib/child.ts";
import { hintFor } from "../lib/script/cures.ts";
import { flag, parseOptions, seconds, wholeNumber } from "../lib/script/options.ts";
import { childStderr, ReportingDialogue } from "../lib/script/reporting_dialogue.ts";
import { print } from "../lib/script/script.ts";

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
const [program = "", ...args] = operands.length > 0 ? operands : pipetest();
const name = operands[0] ?? "pipetest.ts";
if (delay !== undefined && operands.length > 0) {
  console.error(`duplex: --delay is for pipetest.ts; ${name} does not get it`);
}

// "piped" twice: one pipe into the child's stdin, one out of its stdout.
const command = new Deno.Command(program, {
  args,
  stdin: "piped",
  stdout: "piped",
  stderr: childStderr, // At a terminal shown apart, with the child's name.
  // A process group of its own: Ctrl-C reaches this script alone, which ends the whole group; where
  // --allow-run has a list, only the child itself.
  detached: true,
});
await using child = startChild(command, { name });
// A Dialogue whose errors tell a person what to do. It shows lines that nobody asked for, and makes
// end() fail then: such a line may shift every later answer by one.
const dialogue = new ReportingDialogue(child, {
  name,
  timeout,
  advice: hintFor(operands),
  command: operands,
});

let asked = 0;
for await (const question of stdin ? dialogue.stdinLines() : greetings()) {
  const answer = await dialogue.ask(question);
  await print(`Parent got: "${answer}"`);
  if (++asked === count) break;
}
// Closing the child's stdin is its end of file: the dialogue is over.
await dialogue.end();

async function* greetings() {
  for (let n = 1;; n++) yield `Hello ${n} from parent ${Deno.pid}`;
}

/** The child of the article, for whoever names no other. */
function pipetest(): string[] {
  const script = new URL("pipetest.ts", import.meta.url).href;
  const childOptions = [`--count=${count}`, `--delay=${delay ?? 1}`];
  return [Deno.execPath(), "run", "--no-prompt", script, ...childOptions, "spam"];
}
