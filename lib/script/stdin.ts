/**
 * What comes in on a script's stdin.
 *
 * @module
 */
import { Failure } from "./failure.ts";
import { LineReader } from "../line_reader.ts";
import { untilExit } from "../until_exit.ts";

/**
 * The lines of stdin, to its end. Once `signal` has aborted, that is where nothing more comes. A
 * person at the terminal is told that the script waits, and for whom the lines are.
 *
 * @throws {Failure} If stdin cannot be read.
 */
export async function* stdinLines(signal: AbortSignal, reader: string): AsyncGenerator<string> {
  if (Deno.stdin.isTerminal()) console.error(`Type a line for ${reader}; Ctrl-D ends.`);
  const until = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  try {
    yield* new LineReader(untilExit(Deno.stdin.readable, until));
  } catch (error) {
    throw stdinFailure(error);
  }
}

/** The bytes of stdin. The stream fails as {@linkcode stdinLines} does. */
export function stdinBytes(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return ReadableStream.from((async function* () {
    try {
      yield* Deno.stdin.readable;
    } catch (error) {
      throw stdinFailure(error);
    }
  })());
}

/** What to throw in place of an error that reading stdin threw. */
export function stdinFailure(error: unknown): Failure {
  return new Failure(`cannot read stdin: ${error instanceof Error ? error.message : error}`);
}
