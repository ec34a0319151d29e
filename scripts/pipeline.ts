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
 * That waits where the second does not read, closes its stdin at the end of the first's output, and
 * that output when the second has gone. copy(), below, does so by hand in four fifths of the time.
 * Each program keeps the terminal, for less wants its keys: a signal here ends them alone.
 *
 *     deno run --allow-run=ls,wc scripts/pipeline.ts ls -l '|' wc -l
 *
 * @module
 */
import { startChild, StartError } from "../lib/child.ts";
import { parseOptions, UsageError } from "../lib/options.ts";

const { operands } = parseOptions({
  shows: `The shell's | without a shell. Quote the |, or your shell takes it for itself.
Without a COMMAND: ls -l '|' wc -l

Exits as the last command that failed did, as with the shell's "set -o pipefail".
One that ended because the next had read enough has not failed.`,
  operands: "[COMMAND [ARG…] ['|' COMMAND [ARG…]]…]",
  maximumOperands: Infinity,
  example: "pipeline.ts yes '|' head -2",
}, {});

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
  const wasReadToItsEnd = next === undefined || await copy(child.stdout, next.stdin);
  const { code } = await child.status;
  // 141 is SIGPIPE: a program whose reader had enough has not failed.
  return code === 141 && !wasReadToItsEnd ? 0 : code;
}));
Deno.exitCode = codes.findLast((code) => code !== 0) ?? 0;

/** Copies, and returns true, until the source ends; false if nobody reads the sink any more. */
async function copy(source: ReadableStream<Uint8Array>, sink: WritableStream<Uint8Array>) {
  const reader = source.getReader({ mode: "byob" });
  const writer = sink.getWriter();
  // Two buffers take turns: one is filled while the other is written. pipeTo allocates for each.
  let spare = new Uint8Array(64 * 1024);
  try {
    let chunk = await reader.read(new Uint8Array(64 * 1024));
    while (!chunk.done) {
      const reading = reader.read(spare);
      // Waiting for the write is the backpressure: no more than one chunk is read ahead.
      await writer.write(chunk.value);
      // `value` shows the bytes that came; a new view shows all of its memory again.
      spare = new Uint8Array(chunk.value.buffer);
      chunk = await reading;
    }
    await writer.close(); // End of file for the next program.
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    await reader.cancel(); // The previous program's next write gets SIGPIPE.
    return false;
  }
}

/** Whoever quotes a whole line, as for a shell, means a pipeline. */
function explainOneWord(error: unknown, program: string) {
  const isMissing = error instanceof StartError && error.exitCode === 127;
  if (!isMissing || !/ .*[|]|[|].* /s.test(program)) return error;
  const words = program.replaceAll("|", " '|' ").replaceAll(/\s+/g, " ").trim();
  return new UsageError(`${JSON.stringify(program)} is one word; write the words apart: ${words}`);
}
