/**
 * The frame of a script: importing this file turns whatever the script throws into one line on
 * stderr and an exit code. Errors that carry an `exitCode`, and those of the operating system, are
 * for the user; any other is a mistake in the script and keeps its stack trace.
 *
 * @module
 */
import { describeStatus, endScript, isEnding } from "../child.ts";
import { escapeControls } from "./format.ts";
import { within } from "../within.ts";

/** A failure that is reported to the user in one line, and the exit code that goes with it. */
export class Failure extends Error {
  /** What the error is called where it is printed. */
  override readonly name: string = "Failure";

  /** Says what was tried, what happened, and what to do. */
  constructor(message: string, readonly exitCode: number = 1) {
    super(message);
  }
}

/**
 * Takes the exit status of a child for the script's own, unless it is 0.
 *
 * @throws {Failure} If it is another.
 */
export function mustSucceed(name: string, status: Deno.CommandStatus): void {
  if (!status.success) throw new Failure(`${name} ${describeStatus(status)}`, status.code);
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
  const isError = error instanceof Error;
  const exitCode = isError ? exitCodeOf(error) : undefined;
  const writing = output.writing?.catch(() => {});
  // A time limit holds also where nobody reads stdout.
  await (writing && exitCode === 124 ? within(1, writing) : writing);
  if (isEnding()) return;
  if (!isError || exitCode === undefined) tell(error);
  // Whoever reads has gone, as in `| head -1`. SIGPIPE ends other programs then, without a word.
  else if (!(error instanceof Deno.errors.BrokenPipe)) tell(`${scriptName}: ${oneLine(error)}`);
  if (output.writing !== undefined) {
    tell(`${scriptName}: what nobody has read of the output is lost`);
  }
  await endScript(exitCode ?? 1);
}

/** Writes to stderr. Where that cannot be written, there is nobody to tell. */
function tell(what: unknown): void {
  try {
    console.error(what);
  } catch {
    // The exit code says it.
  }
}

/** What was tried, by what the system says: the standard streams are all that scripts use. */
const TRIED: Record<string, string> = {
  EISDIR: "cannot read stdin: ",
  ENOSPC: "cannot write to stdout: ",
};

/** A name that a user gave may have any characters, and any length. */
function oneLine({ message, code }: Error & { code?: unknown }): string {
  const line = (TRIED[String(code)] ?? "") + escapeControls(message);
  return line.length > 3000 ? `${line.slice(0, 3000)}…` : line;
}

/** The exit code for an error that a user can cause; undefined for a mistake in the script. */
function exitCodeOf(error: Error): number | undefined {
  if (error instanceof Deno.errors.BrokenPipe) return 128 + 13;
  if ("exitCode" in error && typeof error.exitCode === "number") return error.exitCode;
  // An error of the operating system has a code; that of a reader for a line without an end has
  // not.
  const isForTheUser = error instanceof Deno.errors.NotCapable || "code" in error ||
    error instanceof RangeError && / is longer than \d+ /.test(error.message);
  return isForTheUser ? 1 : undefined;
}
