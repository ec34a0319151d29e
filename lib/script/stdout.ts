/**
 * What goes out on a script's stdout.
 *
 * @module
 */
import { output } from "./failure.ts";

const encoder = new TextEncoder();

let unprinted = "";

/**
 * Writes a line to stdout while the script goes on, which spares it the wait for another thread,
 * and never keeps signals waiting as `console.log` does. Its promise waits while more than 64 Ki
 * characters are unwritten: a caller who does not await it keeps in memory what nobody reads.
 *
 * If they cannot be written, the script ends. Where the reader of stdout has gone, as in
 * `| head -1`, it does so quietly; `console.log` does not notice, and goes on for ever.
 *
 * @param end What follows the line.
 */
export function print(line = "", end = "\n"): Promise<void> {
  unprinted += line + end;
  output.writing ??= writeAll();
  return unprinted.length > 65_536 ? output.writing : Promise.resolve();
}

async function writeAll(): Promise<void> {
  try {
    while (unprinted !== "") {
      let bytes = encoder.encode(unprinted);
      unprinted = "";
      while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
      // Lines in quick succession: let some gather, since each write costs a change of thread.
      const mayGather = unprinted !== "" && unprinted.length < 16_384;
      if (mayGather) await new Promise((resolve) => setTimeout(resolve, 10));
    }
  } finally {
    output.writing = undefined;
  }
}
