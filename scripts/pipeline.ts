/**
 * The shell's `|` without a shell: each program's stdout into the next one's stdin.
 *
 * In Python:
 *
 *     first = subprocess.Popen(["ls", "-l"], stdout=subprocess.PIPE)
 *     second = subprocess.Popen(["wc", "-l"], stdin=first.stdout)
 *     first.stdout.close()
 *     sys.exit(second.wait())
 *
 * Deno.Command cannot hand a child the pipe of another, so the bytes pass through this script:
 *
 *     await first.stdout.pipeTo(second.stdin);
 *
 * While the second program does not read, pipeTo() waits. At the end of the first one's output it
 * closes the stdin of the second. When the second has gone, the next bytes break the pipe: pipeTo()
 * closes the output of the first, which gets SIGPIPE when it writes again. And it rejects with
 * BrokenPipe: catch that. copy() in lib/script/copy.ts returns false instead, in four fifths of the time.
 *
 * The programs keep the terminal, since less wants its keys: they are not `detached`. So a signal
 * to this script ends them, but not what they have started.
 *
 *     deno run --allow-run=ls,wc scripts/pipeline.ts ls -l '|' wc -l
 *
 * @module
 */
import { startChild, StartError } from "../lib/child.ts";
import { copy } from "../lib/script/copy.ts";
import { parseOptions, UsageError } from "../lib/script/options.ts";

const { operands } = parseOptions({
  shows: `The shell's | without a shell. Quote the |, or your shell takes it for itself.
Without a COMMAND: ls -l '|' wc -l

Exits as the last command that failed did, as with "set -o pipefail" in a shell.
One that SIGPIPE ended, since the next had read enough, has not failed.`,
  operands: "[COMMAND [ARG…] ['|' COMMAND [ARG…]]…]",
  maximumOperands: Infinity,
  example: "pipeline.ts yes '|' head -2",
}, {});

if (operands.length === 0 && Deno.stderr.isTerminal()) console.error("ls -l | wc -l");
const stages: string[][] = [[]];
for (const word of operands.length > 0 ? operands : ["ls", "-l", "|", "wc", "-l"]) {
  if (word === "|") stages.push([]);
  else stages.at(-1)?.push(word);
}
if (stages.some((stage) => stage.length === 0)) {
  throw new UsageError("a | needs a command on either side (--help shows how)");
}

await using running = new AsyncDisposableStack();
const children = stages.map(([program = "", ...args], index) => {
  const command = new Deno.Command(program, {
    args,
    stdin: index === 0 ? "inherit" : "piped",
    stdout: index === stages.length - 1 ? "inherit" : "piped",
  });
  try {
    return running.use(startChild(command, { name: program }));
  } catch (error) {
    throw explainOneWord(error, program);
  }
});

const codes = await Promise.all(children.map(async (child, index) => {
  const next = children[index + 1];
  // As `await child.stdout.pipeTo(next.stdin)`, but false if `next` has read enough before the end.
  const wasReadToItsEnd = next === undefined || await copy(child.stdout, next.stdin);
  const { code } = await child.status;
  // 141 is SIGPIPE: a program whose reader had enough has not failed.
  return code === 141 && !wasReadToItsEnd ? 0 : code;
}));
Deno.exitCode = codes.findLast((code) => code !== 0) ?? 0;

/** Whoever quotes a whole line, as for a shell, means a pipeline. */
function explainOneWord(error: unknown, program: string) {
  const isMissing = error instanceof StartError && error.exitCode === 127;
  if (!isMissing || !/ .*[|]|[|].* /s.test(program)) return error;
  const words = program.replaceAll("|", " '|' ").replaceAll(/\s+/g, " ").trim();
  return new UsageError(`${JSON.stringify(program)} is one word; write the words apart: ${words}`);
}
