/**
 * The shell's `|` without a shell: each program's stdout into the next one's stdin.
 *
 * In Python this is subprocess.Popen(["ls", "-l"], stdout=PIPE) and then
 * Popen(["wc", "-l"], stdin=first.stdout). Deno.Command cannot hand a child the pipe of another,
 * so the bytes between two programs pass through this script. The first program has the script's
 * own stdin and the last its stdout, with nothing between.
 *
 *     deno run --allow-run=ls,wc scripts/pipeline.ts ls -l '|' wc -l
 *
 * @module
 */
import { startChild } from "../lib/child.ts";
import { parseOptions } from "../lib/options.ts";
import { Failure, run } from "../lib/script.ts";

const HELP = `Usage: pipeline.ts [COMMAND [ARG…] ['|' COMMAND [ARG…]]…]

The shell's | without a shell. Quote it, or the shell takes it for its own.
Without a COMMAND: ls -l '|' wc -l

The exit status is that of the last command that failed, as with the shell's
"set -o pipefail". A command that ended because the next one had read enough
has not failed.

Options:
  -h, --help     show this text

Example:
  deno run --allow-run scripts/pipeline.ts yes '|' head -2`;

/** SIGPIPE, as an exit code. */
const BROKEN_PIPE = 128 + 13;

/** The words between the bars. */
function splitAtBars(words: string[]): string[][] {
  const stages: string[][] = [[]];
  for (const word of words) {
    if (word === "|") stages.push([]);
    else stages.at(-1)?.push(word);
  }
  return stages;
}

/** Copies until the source ends, or until nobody reads the sink: then the answer is false. */
async function copy(
  source: ReadableStream<Uint8Array>,
  sink: WritableStream<Uint8Array>,
): Promise<boolean> {
  const reader = source.getReader({ mode: "byob" });
  const writer = sink.getWriter();
  let buffer = new Uint8Array(64 * 1024);
  try {
    for (;;) {
      const { done, value } = await reader.read(buffer);
      if (done) break;
      // Waiting for the write is the backpressure: nothing is read that cannot be passed on.
      await writer.write(value);
      buffer = new Uint8Array(value.buffer);
    }
    // End of file for the next program.
    await writer.close();
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    // Closing the read end tells the program before: it gets SIGPIPE when it writes again.
    await reader.cancel();
    return false;
  }
}

await run("pipeline", async () => {
  const { operands } = parseOptions(HELP, {}, Infinity);
  const stages = splitAtBars(operands.length > 0 ? operands : ["ls", "-l", "|", "wc", "-l"]);
  if (stages.some((stage) => stage.length === 0)) {
    throw new Failure("a | needs a command on either side (--help shows how)", 2);
  }

  const children = stages.map(([program = "", ...args], index) => {
    const command = new Deno.Command(program, {
      args,
      stdin: index === 0 ? "inherit" : "piped",
      stdout: index === stages.length - 1 ? "inherit" : "piped",
    });
    return startChild(command, program);
  });

  const results = children.map(async (child, index) => {
    const next = children[index + 1];
    const wasReadToItsEnd = next !== undefined && await copy(child.stdout, next.stdin);
    const { code } = await child.status;
    // Ended by a broken pipe because its reader had enough: that is no failure.
    return code === BROKEN_PIPE && !wasReadToItsEnd ? 0 : code;
  });
  return (await Promise.all(results)).findLast((code) => code !== 0) ?? 0;
});
