/**
 * The command line of a script.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { Failure } from "./failure.ts";
import { wrap } from "./format.ts";

/** A command line that cannot be understood. */
export class UsageError extends Failure {
  /** What the error is called where it is printed. */
  override readonly name = "UsageError";

  /** Says what was not understood. The exit code is 2, as in every Unix tool. */
  constructor(message: string) {
    super(message, 2);
  }
}

/** An option of a script: its default, its meaning, and how a text becomes its value. */
export interface Option<T> {
  /** The value when it is not given. */
  default: T;
  /** What it is for, as the help says it. */
  meaning: string;
  /** What its value is called in the help; empty for an option without a value. */
  placeholder: string;
  /** What a value looks like, for the user whose value does not. */
  expected: string;
  /** Converts the text; undefined if it is invalid. Gets those before it as well, where the option
   * was given several times, the last first. */
  parse: (text: string, ...earlier: string[]) => T | undefined;
}

/** An option without a value: false unless it is given. */
export function flag(meaning: string): Option<boolean> {
  const parse = (text: string) => text === "" || undefined;
  return { default: false, meaning, placeholder: "", expected: "no value", parse };
}

/** An option that takes a text. */
export function text(value: string, meaning: string): Option<string> {
  const parse = (text: string) => text === "" ? undefined : text;
  return { default: value, meaning, placeholder: "TEXT", expected: "a text", parse };
}

/** An option that takes one of a few words; the first is its default. */
export function word<const T extends string>(words: [T, ...T[]], meaning: string): Option<T> {
  const parse = (text: string) => words.find((word) => word === text);
  return { default: words[0], meaning, placeholder: "WORD", expected: words.join(" or "), parse };
}

/** An option that takes a text with {} in it, in place of which something else is to stand. */
export function template(meaning: string): Option<string | undefined> {
  const parse = (text: string) => text.includes("{}") ? text : undefined;
  const expected = "a text with {} in it";
  return { default: undefined, meaning, placeholder: "TEXT", expected, parse };
}

/** An option that takes a regular expression. */
export function pattern(meaning: string): Option<RegExp | undefined> {
  const parse = (text: string) => {
    try {
      return text === "" ? undefined : new RegExp(text);
    } catch {
      return undefined;
    }
  };
  const expected = "a regular expression of JavaScript";
  return { default: undefined, meaning, placeholder: "REGEX", expected, parse };
}

/** An option that takes a name and a value in JSON, such as `METHOD=RESULT`, any number of times.
 */
export function entries(
  placeholder: string,
  meaning: string,
): Option<Record<string, unknown> | undefined> {
  const parse = (...texts: string[]) => {
    const pairs = texts.reverse().map((text) => /^([^=]+)=(.*)$/s.exec(text) ?? []);
    try {
      return Object.fromEntries(pairs.map(([, name = "", json = ""]) => [name, JSON.parse(json)]));
    } catch {
      return undefined;
    }
  };
  const expected = `${placeholder} in JSON`;
  return { default: undefined, meaning, placeholder, expected, parse };
}

/** An option that takes a whole number, in decimal digits, from `from` to `to`. */
export function wholeNumber<T extends number | undefined>(
  value: T,
  meaning: string,
  from = 0,
  to = 1_000_000,
): Option<number | T> {
  const expected = `a whole number from ${from} to ${to}`;
  return { default: value, meaning, placeholder: "N", expected, parse: number(/^\d+$/, from, to) };
}

/** An option that takes a duration in seconds, fractions allowed, from `from` to a day. */
export function seconds<T extends number | undefined>(
  value: T,
  meaning: string,
  from = 0,
): Option<number | T> {
  // Whatever JavaScript writes for a number, such as 1e-7, can be handed on to a child.
  const parse = number(/^(\d+\.?\d*|\.\d+)(e-\d+)?$/, from, 86_400);
  const expected = `seconds, from ${from} to 86400`;
  return { default: value, meaning, placeholder: "SECONDS", expected, parse };
}

function number(pattern: RegExp, from: number, to: number) {
  return (text: string) => {
    const value = pattern.test(text) ? Number(text) : NaN;
    return value >= from && value <= to ? value : undefined;
  };
}

/** What {@linkcode parseOptions} needs to know besides the options. */
export interface Usage {
  /** What the script shows. */
  shows: string;
  /** A command line to paste, beginning with the script's name. */
  example: string;
  /** How the operands are written in the help, such as `[PROGRAM [ARG…]]`. */
  operands?: string;
  /** How many operands there may be (default 0). With `Infinity` they are a command: the first
   * argument that is not an option begins it, and everything after that belongs to it. */
  maximumOperands?: number;
}

/** The values of options, by name. */
export type OptionValues<TOptions extends Record<string, Option<unknown>>> = {
  [Name in keyof TOptions]: TOptions[Name]["default"];
};

/**
 * Reads a script's command line. `--help` and `-h` print the help and end the script with 0. If an
 * option is given twice, the last one counts.
 *
 * @throws {UsageError} If an option is unknown, its value is missing or out of range, or there is
 * an operand too many. The message names it and what was expected.
 *
 * @example
 * ```ts
 * import { flag, parseOptions, seconds, wholeNumber } from "./options.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { options, operands } = parseOptions(
 *   { shows: "A dialogue.", example: "duplex.ts cat", maximumOperands: Infinity },
 *   {
 *     count: wholeNumber(3, "how many lines to send"),
 *     timeout: seconds(10, "how long to wait"),
 *     stdin: flag("send the lines of stdin"),
 *   },
 *   ["--count", "5", "--stdin", "sed", "-u", "s/a/b/"],
 * );
 * assertEquals(options, { count: 5, timeout: 10, stdin: true });
 * assertEquals(operands, ["sed", "-u", "s/a/b/"]);
 * ```
 */
export function parseOptions<TOptions extends Record<string, Option<unknown>>>(
  usage: Usage,
  known: TOptions,
  args: readonly string[] = Deno.args,
): { options: OptionValues<TOptions>; operands: string[] } {
  const { maximumOperands = 0 } = usage;
  const all: Record<string, Option<unknown>> = { ...known, help: flag("show this text") };
  // The parser would make a value of the program in `--stdin true`, an option of the value in
  // `--count -1`, an object of `--count.x`, and cut `--` out of a command. So it gets the options
  // that there are, and nothing else, as `--name=value`.
  const named: string[] = [];
  const unknown: string[] = [];
  const operands: string[] = [];
  for (const rest = [...args]; rest.length > 0;) {
    const arg = rest.shift() ?? "";
    if (arg === "--") operands.push(...rest.splice(0));
    else if (!arg.startsWith("-") || arg === "-") {
      operands.push(arg, ...(maximumOperands === Infinity ? rest.splice(0) : []));
    } else {
      const [, name = "", value] = /^--([^=]*)(=[^]*)?$/.exec(arg === "-h" ? "--help" : arg) ?? [];
      const option = Object.hasOwn(all, name) ? all[name] : undefined;
      if (option === undefined) unknown.push(arg);
      else if (option.placeholder === "") named.push(`--${name}${value ?? ""}`);
      else named.push(`--${name}${value ?? `=${rest.shift() ?? ""}`}`);
    }
  }
  const names = Object.keys(all);
  const given: Record<string, unknown> = parseArgs(named, { string: names, collect: names });
  if ([given.help].flat().at(-1) === "") {
    console.log(helpOf(usage, all));
    Deno.exit(0);
  }
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(all)) {
    const [text, ...earlier] = [given[name]].flat().map(String).reverse();
    if (text === undefined) values[name] = option.default;
    else {
      values[name] = option.parse(text, ...earlier);
      const got = text === "" ? "nothing" : JSON.stringify(text);
      if (values[name] === undefined) {
        throw usageError(`--${name} takes ${option.expected}; got ${got}`);
      }
    }
  }
  if (unknown[0] !== undefined) throw usageError(`unknown option ${JSON.stringify(unknown[0])}`);
  const tooMany = operands[maximumOperands];
  if (tooMany !== undefined) throw usageError(`unexpected argument ${JSON.stringify(tooMany)}`);
  delete values.help;
  // Each value came out of its own option, so the names have the types that they are given here.
  return { options: values as OptionValues<TOptions>, operands };
}

function usageError(message: string): UsageError {
  return new UsageError(`${message} (--help shows the options)`);
}

function helpOf({ shows, example, operands }: Usage, options: Record<string, Option<unknown>>) {
  const name = example.split(" ")[0];
  const words = Object.entries(options).flatMap(([name, { placeholder }]) =>
    name === "help" ? [] : [`[--${name}${placeholder && ` ${placeholder}`}]`]
  );
  const rows = Object.entries(options).map(([name, option]) => {
    const label = `${name === "help" ? "-h, " : ""}--${name} ${option.placeholder}`;
    const { default: value } = option;
    const shown = typeof value === "string" && /\s/.test(value) ? `"${value}"` : value;
    const standard = value === undefined || value === false ? "" : ` (default ${shown})`;
    return wrap(`  ${label.padEnd(19)} ${option.meaning}${standard}`, 80, " ".repeat(22));
  });
  const line = `Usage: ${[name, ...words, ...(operands ? [operands] : [])].join(" ")}`;
  return `${wrap(line, 80, " ".repeat(7))}\n\n${shows}\n\n` +
    `Options:\n${rows.join("\n")}\n\nExample:\n  deno run -A scripts/${example}`;
}
