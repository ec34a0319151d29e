/**
 * A child that a person watches: what he is told of it, and what he types for it.
 *
 * @module
 */
import { describeStatus, endChild, onEnd } from "../child.ts";
import { LineReader } from "../line_reader.ts";
import { untilExit } from "../until_exit.ts";
import { within } from "../within.ts";
import { hintFor } from "./cures.ts";
import { Failure, scriptName } from "./failure.ts";
import { quote } from "./format.ts";
import { seeWhy } from "./paste.ts";
import { faint } from "./terminal.ts";

/** What is known of the child. */
export interface WatchOptions {
  /** What it is called. */
  name: string;
  /** Seconds that it may take for each answer, and for its exit. */
  timeout: number;
  /** What to do if it does not answer. */
  advice: string;
  /** Its command, if a person gave it; empty if not. */
  command: readonly string[];
}

/**
 * The failure for a child that is late: with what to do, and the command that finds out why.
 *
 * @param what What it did not do.
 * @param command How a person started it; empty if none did.
 * @param question A line for the command to ask, if not any.
 */
export function lateFailure(
  what: string,
  advice: string,
  command: readonly string[],
  question?: string,
): Failure {
  return new Failure(`${what}; ${advice}${seeWhy(command, question)}`, 124);
}

/** The failure for a child that has not answered a message in time; `command` as a person gave it.
 */
export function silence(
  name: string,
  asked: number,
  timeout: number,
  partialLine: string,
  command: readonly string[],
): Failure {
  const what = `no answer from ${name} to message ${asked} within ${timeout} s`;
  return lateFailure(what + soFar(partialLine), hintFor(command), command);
}

/** The beginning of a line, as the end of a sentence; empty if nothing has come. */
export function soFar(partialLine: string): string {
  return partialLine && `; so far it wrote ${quote(partialLine)}`;
}

/**
 * The lines of this script's own stdin, to its end or the child's exit. Someone at a terminal is
 * told that the script waits, and for whom the lines are.
 */
export function stdinLines(exit: Promise<unknown>, name: string): LineReader {
  if (Deno.stdin.isTerminal()) console.error(`Type a line for ${name}; Ctrl-D ends.`);
  return new LineReader(untilExit(Deno.stdin.readable, exit));
}

/**
 * How a child exits whose stdin has been closed.
 *
 * @throws {Failure} If it does not exit in time. It is ended then.
 */
export async function exitOf(
  child: Deno.ChildProcess,
  name: string,
  timeout: number,
): Promise<Deno.CommandStatus> {
  const status = await within(timeout, child.status);
  if (status !== undefined) return status;
  const how = describeStatus(await endChild(child));
  const what = `${name} did not exit within ${timeout} s after its stdin closed`;
  throw new Failure(`${what}; after SIGTERM it ${how}`, 124);
}

/** The failure for a child that exited, or closed its stdout, in place of an answer. */
export function unansweredFailure(
  name: string,
  asked: number,
  status: Deno.CommandStatus,
): Failure {
  const how = describeStatus(status) + (asked > 1 ? ` after message ${asked - 1},` : "");
  return new Failure(`${name} ${how} without answering message ${asked}`, status.code || 1);
}

/** Counts the lines that nobody asked for, and shows the first ten. */
export class Unasked {
  #count = 0;
  #start = 0;
  readonly #name: string;
  readonly #limit: number;

  /**
   * Counts from 0.
   *
   * @param name The program that writes them.
   * @param limit Seconds for which it may write them by the thousand.
   */
  constructor(name: string, limit = Infinity) {
    [this.#name, this.#limit] = [name, limit];
  }

  /**
   * Shows one of the first ten on stderr.
   *
   * @throws {Failure} If it is one too many.
   */
  report(line: string): void {
    if (++this.#count === 1) this.#start = performance.now();
    const isLook = this.#count % 1000 === 0;
    if (isLook && performance.now() > this.#start + this.#limit * 1000) this.check();
    if (this.#count > 10) return;
    console.error(`${scriptName}: ${this.#name} wrote a line nobody asked for: ${quote(line)}`);
  }

  /** Reports each of the lines. */
  async showAll(lines: AsyncIterable<string>): Promise<void> {
    for await (const line of lines) this.report(line);
  }

  /**
   * Says how many there were.
   *
   * @throws {Failure} If there was one.
   */
  check(): void {
    if (this.#count > 10) {
      console.error(`${scriptName}: ${this.#name} wrote ${this.#count - 10} more such lines`);
    }
    if (this.#count === 0) return;
    const lines = this.#count === 1 ? "a line" : `${this.#count} lines`;
    throw new Failure(
      `${this.#name} wrote ${lines} nobody asked for; answers may be paired with the wrong messages`,
    );
  }
}

/** Where a child's stderr goes: at a terminal through {@linkcode markStderr}, else past this
 * script. */
export const childStderr: "piped" | "inherit" = Deno.stderr.isTerminal() ? "piped" : "inherit";

/**
 * Shows what a child writes to a piped stderr apart from what the script writes itself. A script
 * that ends early waits until all has been shown.
 *
 * @returns Its disposal waits so, too.
 */
export function markStderr(child: Deno.ChildProcess, name: string): AsyncDisposable {
  const show = async () => {
    if (childStderr === "inherit") return;
    for await (const line of new LineReader(untilExit(child.stderr, child.status))) {
      console.error(faint(`${name}: ${line}`));
    }
  };
  const shown = show().catch((error) => {
    console.error(`${scriptName}: cannot read the stderr of ${name}: ${error.message}`);
  });
  return onEnd(() => shown);
}
