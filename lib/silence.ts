import { NoAnswerError } from "./dialogue.ts";
import { escapeControls, Failure, scriptName } from "./script.ts";

/** What may be wrong, and what helps, by the name of the program; and what shows that it was tried. */
const HINTS: [program: RegExp, advice: string, tried?: RegExp][] = [
  [
    /^python[\d.]*$|^pypy/,
    "Python buffers its output itself: run it with -u, or flush",
    /^-[a-zA-Z]*u/,
  ],
  [/^mawk$/, "mawk buffers its input: run it with -W interactive", /^-W$/],
  [
    /^(g|n|o)?awk$/,
    "awk buffers its output: call fflush(). mawk buffers its input, too: -W interactive",
    /fflush|^-W$/,
  ],
  [
    /^g?sed$/,
    "sed buffers its output: run it with -u",
    /^(-[a-zA-Z]*u|--(line-|un)buffered|stdbuf$)/,
  ],
  [
    /^[ef]?grep$/,
    "grep buffers its output: run it with --line-buffered",
    /^(--line-buffered|stdbuf)$/,
  ],
  [/^(sort|wc|tac|tail|[a-z0-9]+sum)$/, "it answers at the end of its input, not before"],
  [/^(dc|bc)$/, "an assignment has no answer; ask for a value, or see session.ts"],
  [/^(sh|bash|dash|zsh|ksh|sqlite3|psql)$/, "a command may print nothing; see session.ts"],
];

const CAUSES = "it may wait for end of file, or have nothing to say (see session.ts)";

/** What to do about a program that does not answer. */
export function hintFor(command: readonly string[]): string {
  const names = command.map((word) => word.replace(/.*\//, ""));
  const isWrapped = names[0] === "stdbuf" || names[0] === "unbuffer";
  const name = names.slice(isWrapped ? 1 : 0).find((word) => !word.startsWith("-")) ?? "";
  const [, advice, tried] = HINTS.find(([program]) => program.test(name)) ?? [];
  const isTried = names.some((word) => tried?.test(word));
  // What a shell runs by -c may be anything.
  const isLine = name.endsWith("sh") && names.includes("-c");
  if (advice !== undefined && !isTried && !isLine) return advice;
  if (isWrapped) return `stdbuf does not help a program that buffers by itself; else ${CAUSES}`;
  if (isTried) return CAUSES;
  return `its output may wait in a buffer (try stdbuf -oL, see buffering.ts), ${CAUSES}`;
}

/** For `catch()`: adds to a {@linkcode NoAnswerError} what to do about it. */
export function explainSilence(advice: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof NoAnswerError)) throw error;
    throw new Failure(`${error.message}; ${advice}`, error.exitCode);
  };
}

/** A text as a person can read it: quoted, on one line, and cut where it is long. */
export function quote(text: string): string {
  return escapeControls(JSON.stringify(text.length > 1000 ? `${text.slice(0, 1000)}…` : text));
}

/** Counts the lines that nobody asked for, and shows the first ten. */
export class Unasked {
  #count = 0;
  #start = 0;

  readonly #name: string;
  readonly #timeout: number;

  /** Counts from none; `name` is the program that writes them, which may flood for `timeout` seconds. */
  constructor(name: string, timeout: number) {
    this.#name = name;
    this.#timeout = timeout;
  }

  /**
   * Shows one of the first ten on stderr.
   *
   * @throws {Failure} If they have come by the thousand for longer than the time limit.
   */
  report(line: string): void {
    if (++this.#count === 1) this.#start = performance.now();
    if (this.#count % 1000 === 0 && performance.now() > this.#start + this.#timeout * 1000) {
      this.check();
    }
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
