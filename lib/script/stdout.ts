/**
 * What goes out on a script's stdout.
 *
 * @module
 */
import { endScript } from "../child.ts";
import { Failure, output, scriptName, tell } from "./failure.ts";

const encoder = new TextEncoder();

let unprinted: Uint8Array<ArrayBuffer>[] = [];
let length = 0;

/** Writes a line to stdout, as {@linkcode writeBytes} does. */
export function print(line = ""): Promise<void> {
  return write(`${line}\n`);
}

/** Writes a text to stdout, as {@linkcode writeBytes} does. */
export function write(text: string): Promise<void> {
  return writeBytes(encoder.encode(text));
}

/**
 * Writes to stdout while the script goes on, which spares it the wait for another thread, and never
 * keeps signals waiting as `writeSync` does. Its promise waits while more than 64 KiB are
 * unwritten: who does not await it keeps in memory what nobody reads.
 *
 * When they cannot be written, the script ends. Where the reader of stdout has gone, as in
 * `| head -1`, it does so quietly, as one ended by SIGPIPE.
 *
 * @param bytes Not to be changed before they are written.
 */
export async function writeBytes(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  unprinted.push(bytes);
  length += bytes.length;
  output.writing ??= writeAll();
  if (length > 65_536) await output.writing;
}

async function writeAll(): Promise<void> {
  try {
    while (length > 0) {
      let bytes = new Uint8Array(length);
      for (const part of unprinted) {
        bytes.set(part, bytes.length - length);
        length -= part.length;
      }
      unprinted = [];
      while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
      // Short lines in quick succession: let some gather, since each write costs a change of
      // thread.
      if (length > 0 && length < 16_384) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  } catch (error) {
    const { message, exitCode } = stdoutFailure(error);
    if (message !== "") tell(`${scriptName}: ${message}`);
    await endScript(exitCode);
  }
  output.writing = undefined;
}

/** What to throw in place of an error that writing to stdout threw: that nobody reads it any more
 * goes without a word. */
export function stdoutFailure(error: unknown): Failure {
  if (error instanceof Deno.errors.BrokenPipe) return new Failure("", 128 + 13);
  return new Failure(`cannot write to stdout: ${String(error).replace(/^\w+: /, "")}`);
}
