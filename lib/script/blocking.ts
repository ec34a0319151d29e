/**
 * Standard streams that block, as `input()` and `print()` do in Python, for a script that has
 * nothing else to do meanwhile and nothing to clean up: a signal still ends it at once, but its
 * timers wait. A round trip takes half the time of one through `Deno.stdin.readable` and
 * `Deno.stdout.writable`, which change threads for each.
 *
 * @module
 */
import { LineReader } from "../line_reader.ts";
import { stdinFailure } from "./stdin.ts";
import { stdoutFailure } from "./stdout.ts";

const buffer = new Uint8Array(64 * 1024);

const stdin = new ReadableStream<Uint8Array>({
  pull(controller) {
    try {
      const count = Deno.stdin.readSync(buffer);
      if (count === null) controller.close();
      else controller.enqueue(buffer.subarray(0, count));
    } catch (error) {
      throw stdinFailure(error);
    }
  },
}, { highWaterMark: 0 });

/** The lines of stdin, to end of file. */
export const inputLines: AsyncIterable<string> = new LineReader(stdin);

/** Writes a line to stdout. Throws a Failure without a message if nobody reads it any more. */
export function printLine(line: string): void {
  try {
    let bytes = new TextEncoder().encode(`${line}\n`);
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
  } catch (error) {
    throw stdoutFailure(error);
  }
}
