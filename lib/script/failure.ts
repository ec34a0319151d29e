/**
 * The frame of a script: importing this file turns whatever the script throws into one line on
 * stderr and an exit code. Errors that carry an `exitCode`, and those of the operating system, are
 * for the user; any other is a mistake in the script and keeps its stack trace.
 *
 * @module
 */
import { endScript, isEnding } from "../child.ts";
import { escapeControls } from "./format.ts";
import { within } from "../within.ts";

/** A failure that is reported to the user in one line, and the exit code that goes with it. */
export class Failure extends Error {
  /** What the error is called where it is printed. */
  override readonly name: string = "Failure";

  /** An empty message is not printed: the script ends without a word. */
  constructor(message: string, readonly exitCode: number = 1) {
    super(message);
  }
}

/** What the script is called: `duplex` for `scripts/duplex.ts`. */
export const scriptName: string = /([^/]*)\.\w+$/.exec(Deno.mainModule)?.[1] ?? "script";

/** The writing of what was printed, while it lasts: a failure is told after it. */
export const output: { writing?: Promise<void> | undefined } = {};

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
  if (exitCode === 124) await within(1, output.writing ?? Promise.resolve());
  else await output.writing;
  if (isEnding()) return;
  if (!isForTheUser(error)) tell(error);
  else if (error.message !== "") tell(`${scriptName}: ${oneLine(error.message)}`);
  if (output.writing !== undefined) {
    tell(`${scriptName}: what nobody has read of the output is lost`);
  }
  await endScript(exitCode);
}

/** Writes to stderr. Where that cannot be written, there is nobody to tell. */
export function tell(what: unknown): void {
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

function isForTheUser(error: unknown): error is Error {
  // An error of the operating system has a code.
  return error instanceof Deno.errors.NotCapable ||
    error instanceof Error && ("exitCode" in error || "code" in error);
}
