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
 * Deno.Command cannot hand a child the pipe of another, so the bytes between two programs pass
 * through this script. The first program has the script's own stdin and the last its stdout. Each
 * program keeps the terminal, since less wants its keys. So a signal to this script ends the
 * programs, not what they started.
 *
 *     deno run --allow-run=ls,wc scripts/pipeline.ts ls -l '|' wc -l
 *
 * @module
 */
import { startChild, StartError } from "../lib/child.ts";
import { parseOptions, UsageError } from "../lib/options.ts";
import "../lib/script.ts"; // Errors become one line on stderr.

const { operands } = parseOptions({
  shows: `The shell's | without a shell. Quote the |, or your shell takes it for itself.
Without a COMMAND: ls -l '|' wc -l

The exit status is that of the last command that failed, as with the shell's
"set -o pipefail". A command that ended because the next one had read enough
has not failed.`,
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

/**
 * Copies until the source ends, and returns true; or until nobody reads the sink, and returns
 * false.
 * `source.pipeTo(sink)` does the same, but takes up to twice the time: each read allocates.
 */
async function copy(source: ReadableStream<Uint8Array>, sink: WritableStream<Uint8Array>) {
  const reader = source.getReader({ mode: "byob" });
  const writer = sink.getWriter();
  let buffer = new Uint8Array(64 * 1024);
  try {
    for (;;) {
      const { done, value } = await reader.read(buffer);
      if (done) break;
      // Waiting for the write is the backpressure: nothing is read that cannot be passed on.
      await writer.write(value);
      // The read detached `buffer` and moved its memory to `value`, which shows only the bytes that
      // came. A new view shows all of it: we fill the same memory again, and no read allocates.
      buffer = new Uint8Array(value.buffer);
    }
    // End of file for the next program.
    await writer.close();
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    // Closing the read end tells the previous program: its next write gets SIGPIPE.
    await reader.cancel();
    return false;
  }
}

/** Whoever quotes a whole line, as for a shell, means a pipeline: the error says so. */
function explainOneWord(error: unknown, program: string): unknown {
  const isMissing = error instanceof StartError && error.exitCode === 127;
  if (!isMissing || !/ .*\||\|.* /s.test(program)) return error;
  const words = program.replaceAll("|", " '|' ").replaceAll(/\s+/g, " ").trim();
  return new UsageError(`${JSON.stringify(program)} is one word; write the words apart: ${words}`);
}
