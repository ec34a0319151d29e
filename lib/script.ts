/**
 * The frame of a script: importing this file turns whatever it throws into one line on stderr and
 * an exit code. Errors that carry an `exitCode`, and those of the operating system, are for the
 * user; any other is a mistake in the script and keeps its stack trace.
 *
 * @module
 */
import { endScript, isEnding } from "./child.ts";
import { LineReader } from "./line_reader.ts";
import { within } from "./within.ts";

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
  // A cleanup that fails after an error must not hide that.
  if (error instanceof SuppressedError) {
    tell(`cannot clean up: ${escapeControls(String(error.error?.message ?? error.error))}`);
    return fail(error.suppressed);
  }
  const hasCode = error instanceof Error && "exitCode" in error;
  const exitCode = hasCode && typeof error.exitCode === "number" ? error.exitCode : 1;
  // A time limit holds also where nobody reads stdout.
  if (exitCode === 124) await within(1, printing ?? Promise.resolve());
  else await printing;
  if (isEnding()) return;
  if (!isForTheUser(error)) tell(error);
  else if (error.message !== "") tell(`${scriptName}: ${oneLine(error.message)}`);
  if (printing !== undefined) tell(`${scriptName}: what nobody has read of the output is lost`);
  await endScript(exitCode);
}

/** Where stderr cannot be written, there is nobody to tell. */
function tell(what: unknown): void {
  try {
    console.error(what);
  } catch {
    // The exit code says it.
  }
}

/** A name that a user gave may have any characters, and any length. */
function oneLine(text: string): string {
  const escaped = escapeControls(text);
  return escaped.length > 3000 ? `${escaped.slice(0, 3000)}…` : escaped;
}

/** Writes control characters as JSON does, those too that JSON leaves as they are. */
export function escapeControls(text: string): string {
  return text.replaceAll(
    /\p{Cc}/gu,
    (control) =>
      control < " "
        ? JSON.stringify(control).slice(1, -1)
        : `\\u00${control.charCodeAt(0).toString(16)}`,
  );
}

/** A text as a person can read it: quoted, on one line, and cut where it is long. */
export function quote(text: string): string {
  return escapeControls(JSON.stringify(text.length > 1000 ? `${text.slice(0, 1000)}…` : text));
}

function isForTheUser(error: unknown): error is Error {
  // An error of the operating system has a code.
  return error instanceof Deno.errors.NotCapable ||
    error instanceof Error && ("exitCode" in error || "code" in error);
}

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
    yield* new LineReader(Deno.stdin.readable, { until });
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

let unprinted: Uint8Array<ArrayBuffer>[] = [];
let length = 0;
let printing: Promise<void> | undefined;

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
 * keeps signals waiting as `writeSync` does. Where nobody reads, it waits when 64 KiB are
 * unwritten.
 *
 * When they cannot be written, the script ends. Where the reader of stdout has gone, as in
 * `| head -1`, it does so quietly, as one ended by SIGPIPE.
 *
 * @param bytes Not to be changed before they are written.
 */
export async function writeBytes(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  unprinted.push(bytes);
  length += bytes.length;
  printing ??= writeAll();
  if (length > 65_536) await printing;
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
    const isQuiet = error instanceof Deno.errors.BrokenPipe;
    if (!isQuiet) tell(`${scriptName}: ${stdoutFailure(error).message}`);
    await endScript(isQuiet ? 128 + 13 : 1);
  }
  printing = undefined;
}

/** What to throw in place of an error that writing to stdout threw. */
export function stdoutFailure(error: unknown): Failure {
  return new Failure(`cannot write to stdout: ${String(error).replace(/^\w+: /, "")}`);
}
