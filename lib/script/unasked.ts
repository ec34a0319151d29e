/**
 * What a person is told of lines that nobody asked for.
 *
 * @module
 */
import { Failure, scriptName } from "./failure.ts";
import { quote } from "./format.ts";

/** What a dialogue that a person watches needs to know. */
export interface WatchOptions {
  /** What the child is called. */
  name: string;
  /** Seconds that it may take for each answer, and for its exit. */
  timeout: number;
  /** What to do about a child that does not answer. */
  advice: string;
  /** Its command, if a person gave it; empty if not. */
  command: readonly string[];
}

/** Counts the lines that nobody asked for, and shows the first ten. */
export class Unasked {
  #count = 0;
  #start = 0;

  readonly #name: string;
  readonly #timeout: number;

  /** Counts from none; `name` is the program that writes them, which may flood for `timeout`
   * seconds. */
  constructor(name: string, timeout: number) {
    this.#name = name;
    this.#timeout = timeout;
  }

  /**
   * Shows one of the first ten on stderr.
   *
   * @param isIdle False while something else limits the time.
   * @throws {Failure} If they have come by the thousand for longer than the time limit.
   */
  report(line: string, isIdle = true): void {
    if (++this.#count === 1) this.#start = performance.now();
    const isLook = isIdle && this.#count % 1000 === 0;
    if (isLook && performance.now() > this.#start + this.#timeout * 1000) this.check();
    if (this.#count > 10) return;
    console.error(`${scriptName}: ${this.#name} wrote a line nobody asked for: ${quote(line)}`);
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
