import { NoAnswerError } from "./dialogue.ts";
import { escapeControls, Failure, scriptName } from "./script.ts";

/** What may be wrong, and what helps, by the name of the program. */
const HINTS: [RegExp, string][] = [
  [/^python[\d.]*$|^pypy/, "Python buffers its output itself: run it with -u, or flush"],
  [/^mawk$/, "mawk buffers its input: run it with -W interactive"],
  [
    /^(g|m|n|o)?awk$/,
    "awk buffers its output: call fflush(). mawk buffers its input, too: -W interactive",
  ],
  [/^g?sed$/, "sed buffers its output: run it with -u"],
  [/^[ef]?grep$/, "grep buffers its output: run it with --line-buffered"],
  [/^(sort|wc|tac|tail|[a-z0-9]+sum|uniq -c)$/, "it answers at the end of its input, not before"],
  [/^(dc|bc)$/, "an assignment has no answer; ask for a value, or see session.ts"],
  [/^(sh|bash|dash|zsh|ksh|sqlite3|psql)$/, "a command may print nothing; see session.ts"],
];

const CAUSES =
  "its output may wait in a buffer (try stdbuf -oL, see buffering.ts), it may wait for " +
  "end of file, or have nothing to say (see session.ts)";

/** What to do about a program that does not answer. */
export function hintFor(command: readonly string[]): string {
  const names = command.map((word) => word.replace(/.*\//, ""));
  const [name = ""] = names;
  // stdbuf has been tried; what it cannot change is what the program does by itself.
  const isWrapped = name === "stdbuf" || name === "unbuffer";
  const inner = isWrapped ? names.slice(1).find((word) => !word.startsWith("-")) ?? "" : name;
  const known = HINTS.find(([pattern]) => pattern.test(inner))?.[1];
  // Do not advise a switch that was given already.
  const advised = /with -(\w)\b/.exec(known ?? "")?.[1];
  const hasSwitch = advised !== undefined &&
    command.slice(1).some((word) => /^-\w+$/.test(word) && word.includes(advised));
  if (known !== undefined && !hasSwitch && !(isWrapped && known.includes("its output"))) {
    return known;
  }
  return isWrapped
    ? "stdbuf does not help a program that buffers by itself, waits for end of file, or has nothing " +
      "to say (see buffering.ts and session.ts)"
    : CAUSES;
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

  readonly #name: string;

  /** Counts from none; `name` is the program that writes them. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Shows one of the first ten on stderr. */
  report(line: string): void {
    if (++this.#count > 10) return;
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
