/**
 * The frame of a script: importing this file turns whatever it throws into one line on stderr and an
 * exit code. Errors that carry an `exitCode`, and those of the operating system, are for the user;
 * any other is a mistake in the script and keeps its stack trace.
 *
 * @module
 */
import { LineReader, LineTooLongError } from "./line_reader.ts";

/** A failure that is reported to the user in one line, and the exit code that goes with it. */
export class Failure extends Error {
  /** An empty message is not printed: the script ends without a word. */
  constructor(message: string, readonly exitCode: number = 1) {
    super(message);
  }
}

/** What the script is called: `duplex` for `scripts/duplex.ts`. */
export const scriptName: string = /([^/]*)\.\w+$/.exec(Deno.mainModule)?.[1] ?? "script";

const encoder = new TextEncoder();

for (const type of ["error", "unhandledrejection"]) {
  addEventListener(type, (event) => {
    event.preventDefault();
    fail(event instanceof ErrorEvent ? event.error : (event as PromiseRejectionEvent).reason);
  });
}

async function fail(error: unknown): Promise<void> {
  await printing;
  if (!isForTheUser(error)) console.error(error);
  else if (error.message !== "") console.error(`${scriptName}: ${error.message}`);
  const hasCode = error instanceof Error && "exitCode" in error;
  Deno.exit(hasCode && typeof error.exitCode === "number" ? error.exitCode : 1);
}

function isForTheUser(error: unknown): error is Error {
  return error instanceof LineTooLongError || error instanceof Deno.errors.NotCapable ||
    // An error of the operating system: only these have a code.
    error instanceof Error && ("exitCode" in error || "code" in error);
}

/**
 * The lines of stdin, to its end or until `signal` aborts.
 *
 * @throws {Failure} If stdin cannot be read. With the reason of `signal` when that aborts.
 */
export async function* stdinLines(signal?: AbortSignal): AsyncGenerator<string> {
  try {
    yield* new LineReader(Deno.stdin.readable, signal && { signal });
  } catch (error) {
    if (signal?.aborted || !(error instanceof Error)) throw error;
    throw new Failure(`cannot read stdin: ${error.message}`);
  }
}

let unprinted: Uint8Array<ArrayBuffer>[] = [];
let length = 0;
let printing: Promise<void> | undefined;
let failure: Failure | undefined;

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
 * keeps signals waiting as `writeSync` does. Where nobody reads, it waits when 64 KiB are unwritten.
 *
 * @param bytes Not to be changed before they are written.
 * @throws {Failure} If something before could not be written. It has no message where the reader of
 * stdout has gone, as in `| head -1`: the script then stops quietly, as one ended by SIGPIPE.
 */
export async function writeBytes(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  if (failure !== undefined) throw failure;
  unprinted.push(bytes);
  length += bytes.length;
  printing ??= writeAll();
  if (length > 65_536) await printing;
}

async function writeAll(): Promise<void> {
  try {
    while (length > 0) {
      let bytes = new Uint8Array(length);
      for (const part of unprinted) bytes.set(part, bytes.length - length), length -= part.length;
      unprinted = [];
      while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
      // Short lines in quick succession: let some gather, since each write costs a change of thread.
      if (length > 0 && length < 16_384) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  } catch (error) {
    const isQuiet = error instanceof Deno.errors.BrokenPipe;
    if (!isQuiet) {
      console.error(
        `${scriptName}: cannot write to stdout: ${String(error).replace(/^\w+: /, "")}`,
      );
    }
    // The next to write is told; if nobody does, the script ends with it.
    failure = new Failure("", isQuiet ? 128 + 13 : 1);
    Deno.exitCode = failure.exitCode;
  }
  printing = undefined;
}
