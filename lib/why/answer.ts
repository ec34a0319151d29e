/**
 * What a program writes when it is asked, apart from what it writes unasked.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";

/** Without what moves the cursor of a terminal, and its ends of lines. */
export function readable(text: string): string {
  return stripVTControlCharacters(text).replaceAll("\r", "");
}

/** Takes what comes after a question. A line that is like one from before, but for its numbers, is
 * no answer, unless both came only once: a program may say "ok" when it is ready, and then again.
 */
export class Answer {
  /** After how many milliseconds a line was there that is like none from before. */
  milliseconds: number | undefined;
  /** How many lines of each kind there were before. */
  #before = new Map<string, number>();
  #lines: string[] = [];
  /** Those lines that are like one from before, and when they came; and how many of each kind. */
  #repeats: { line: string; milliseconds: number }[] = [];
  #again = new Map<string, number>();
  /** The last line, so far. It may be long, and come in pieces. */
  #rest = "";
  #start = performance.now();
  #isOther: (line: string) => boolean;

  /**
   * The answer to a question that is asked now.
   *
   * @param before What the program wrote before it was asked.
   * @param isOther Whether a line is known to be no answer.
   */
  constructor(before: string, isOther: (line: string) => boolean = () => false) {
    this.#isOther = isOther;
    this.skip(before);
    this.#rest = "";
  }

  /** How many milliseconds have passed since the question. */
  get passed(): number {
    return Math.ceil(performance.now() - this.#start);
  }

  /** Takes what cannot be an answer, such as what was written before the question was read. */
  skip(text: string): void {
    for (const line of this.#take(text)) {
      this.#before.set(kindOf(line), this.#countOf(line) + 1);
    }
  }

  /** Takes what can be one. */
  add(text: string): void {
    for (const line of this.#take(text)) {
      this.#lines.push(line);
      if (this.#isOther(line)) continue;
      const milliseconds = this.passed;
      if (this.#countOf(line) > 0) {
        this.#repeats.push({ line, milliseconds });
        this.#again.set(kindOf(line), this.#againOf(line) + 1);
      } else this.milliseconds ??= milliseconds;
    }
  }

  /** The answer, and after how many milliseconds a line of it was there, if one was. */
  result(): { answer: string; milliseconds?: number } {
    const repeat = this.#repeats.find(({ line }) => !this.isUnasked(line));
    const milliseconds = this.milliseconds ?? repeat?.milliseconds;
    const hasAnswer = milliseconds !== undefined;
    const lines = this.#lines.filter((line) =>
      !this.isUnasked(line) && !(hasAnswer && this.#isOther(line))
    );
    const answer = [...lines, readable(this.#rest)].join("\n");
    return { answer, ...hasAnswer && { milliseconds } };
  }

  /** Whether a line would come without a question as well, as far as those so far tell. */
  isUnasked(line: string): boolean {
    const count = this.#countOf(line);
    return count > 1 || count === 1 && this.#againOf(line) > 1;
  }

  #countOf(line: string): number {
    return this.#before.get(kindOf(line)) ?? 0;
  }

  #againOf(line: string): number {
    return this.#again.get(kindOf(line)) ?? 0;
  }

  #take(text: string): string[] {
    this.#rest += text;
    if (!text.includes("\n")) return [];
    const lines = readable(this.#rest).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines;
  }
}

/** A line without its numbers: such lines are of one kind. */
export function kindOf(line: string): string {
  return line.replaceAll(/\d+/g, "0");
}

/** A text without its numbers and its spaces, to be found in another. */
export function compact(text: string): string {
  return kindOf(readable(text)).replaceAll(/\s/g, "");
}
