/**
 * The shell's `|` without a shell: each program's stdout into the next one's stdin. A lesson, and a
 * tool for your own programs.
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
 * The programs keep the terminal, since less wants its keys: they are not `detached`. So a signal
 * to this script ends them, but not what they have started.
 *
 *     deno run --allow-run=ls,wc scripts/pipeline.ts ls -l '|' wc -l
 *
 * @module
 */
import { describeStatus, startChild, StartError } from "../lib/child.ts";
import { parseOptions, UsageError } from "../lib/script/options.ts";
import { Failure } from "../lib/script/script.ts";

async function run(stages: string[][]) {
  await using running = new AsyncDisposableStack();
  const children = stages.map(([program = "", ...args], index) => {
    const command = new Deno.Command(program, {
      args,
      stdin: index === 0 ? "inherit" : "piped",
      stdout: index === stages.length - 1 ? "inherit" : "piped",
    });
    return running.use(start(command, program)); // As command.spawn(), to the end of the block.
  });

  const ends = await Promise.all(children.map(async (child, index) => {
    const next = children[index + 1];
    const hadReader = next === undefined || await passOn(child.stdout, next.stdin);
    const status = await child.status;
    const how = `${stages[index]?.[0]} ${describeStatus(status)}`;
    // Ended by SIGPIPE (141) because the next one had read enough: that is no failure.
    return { how, code: status.code === 141 && !hadReader ? 0 : status.code };
  }));
  const code = ends.findLast(({ code }) => code !== 0)?.code ?? 0;
  // 141: whoever reads our own stdout had enough.
  if (code === 0 || code === 141) Deno.exitCode = code;
  else throw new Failure(ends.map(({ how }) => how).join(" | "), code);
}

/** Passes all bytes on. False if the next program has gone before. */
async function passOn(stdout: ReadableStream<Uint8Array>, stdin: WritableStream<Uint8Array>) {
  try {
    // Waits while the next program does not read. At the end, closes its stdin.
    await stdout.pipeTo(stdin);
    return true;
  } catch (error) {
    // The next program has gone: that broke its pipe. pipeTo() has closed the other one, too, so
    // that SIGPIPE ends the program before it when that writes again.
    if (error instanceof Deno.errors.BrokenPipe) return false;
    throw error;
  }
}

// That is all. What follows reads the command line.
const { operands } = parseOptions({
  shows: `The shell's | without a shell. Quote the |, or your shell takes it for itself.
Without a COMMAND: ls -l '|' wc -l

Exits as the last command that failed did, as with "set -o pipefail" in a shell,
and shows then how each exited. One that SIGPIPE ended, since the next had read
enough, has not failed.`,
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
await run(stages);

/** Starts a program. Whoever quotes a whole line, as for a shell, means a pipeline. */
function start(command: Deno.Command, program: string): Deno.ChildProcess {
  try {
    return startChild(command, { name: program });
  } catch (error) {
    const isMissing = error instanceof StartError && error.exitCode === 127;
    if (!isMissing || !/ .*[|]|[|].* /s.test(program)) throw error;
    const words = program.replaceAll("|", " '|' ").replaceAll(/\s+/g, " ").trim();
    throw new UsageError(`${JSON.stringify(program)} is one word; write the words apart: ${words}`);
  }
}
