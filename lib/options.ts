import { parseArgs } from "@std/cli/parse-args";
import { Failure } from "./script.ts";

/** One option of a script: its default, and how the text after its name becomes its value. */
export interface Option<T> {
  /** The default. */
  value: T;
  /** What a value looks like, for the person whose value does not. */
  expected?: string;
  /** The value, or undefined for a text that is none. Without it the option takes no value. */
  parse?: (text: string) => T | undefined;
}

/** The values of options, by name. */
export type OptionValues<TOptions extends Record<string, Option<unknown>>> = {
  [Name in keyof TOptions]: TOptions[Name]["value"];
};

/** An option without a value: false unless it is given. */
export function flag(): Option<boolean> {
  return { value: false };
}

/** An option that takes any text but an empty one. */
export function anyText(value: string): Option<string> {
  return { value, expected: "a text", parse: (text) => text };
}

/** An option that takes a whole number, in decimal digits, from `from` to `to`. */
export function wholeNumber<T extends number | undefined>(
  value: T,
  from = 0,
  to = 1_000_000,
): Option<number | T> {
  return {
    value,
    expected: `a whole number from ${from} to ${to}`,
    parse: inRange(/^\d+$/, from, to),
  };
}

/** An option that takes a duration in seconds, fractions allowed, from `from` to a day. */
export function seconds<T extends number | undefined>(value: T, from = 0): Option<number | T> {
  return {
    value,
    expected: `seconds, from ${from} to 86400`,
    parse: inRange(/^(\d+\.?\d*|\.\d+)$/, from, 86_400),
  };
}

function inRange(pattern: RegExp, from: number, to: number) {
  return (text: string) => {
    const number = pattern.test(text) ? Number(text) : NaN;
    return number >= from && number <= to ? number : undefined;
  };
}

/**
 * Reads a script's command line. `--help` and `-h` print `help` and end the script with 0.
 *
 * Up to `maximumOperands` operands may stand anywhere among the options. Where their number is
 * unlimited they are a command: the first argument that is not an option begins it, and everything
 * after it belongs to it, options and `--` included.
 *
 * @throws {Failure} With exit code 2 and a line that names the argument and what was expected: for
 * an option that is unknown, given twice, or whose value is missing or out of range, and for an
 * operand too many.
 *
 * @example
 * ```ts
 * import { flag, parseOptions, seconds, wholeNumber } from "./options.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { options, operands } = parseOptions(
 *   "Usage: …",
 *   { count: wholeNumber(3), timeout: seconds(10), stdin: flag() },
 *   Infinity,
 *   ["--count", "5", "--stdin", "sed", "-u", "s/a/b/"],
 * );
 * assertEquals(options, { count: 5, timeout: 10, stdin: true });
 * assertEquals(operands, ["sed", "-u", "s/a/b/"]);
 * ```
 */
export function parseOptions<TOptions extends Record<string, Option<unknown>>>(
  help: string,
  known: TOptions,
  maximumOperands = 0,
  args: readonly string[] = Deno.args,
): { options: OptionValues<TOptions>; operands: string[] } {
  const names = Object.keys(known);
  const flags = ["help", ...names.filter((name) => known[name]?.parse === undefined)];
  const isCommand = maximumOperands === Infinity;
  const unknown: string[] = [];
  // Unmarked, `--stdin true` would make a value of what is the name of a program.
  const marked = args.map((arg) =>
    arg === "-h" ? "--help=true" : flags.some((flag) => arg === `--${flag}`) ? `${arg}=true` : arg
  );
  const parsed: Record<string, unknown> = parseArgs(marked, {
    boolean: flags,
    string: ["_", ...names.filter((name) => !flags.includes(name))],
    collect: [...flags, ...names],
    stopEarly: isCommand,
    "--": true,
    unknown: (arg, key) => {
      if (key !== undefined) unknown.push(arg);
    },
  });
  const given = (name: string) => {
    const texts = parsed[name];
    return Array.isArray(texts) ? texts.map(String) : [];
  };

  // A command is taken from `args`, as it was typed: `--` within it is its own.
  const dashes = args.includes("--") ? args.indexOf("--") : args.length;
  const start = dashes - given("_").length;
  const operands = isCommand && start < dashes
    ? args.slice(start)
    : [...given("_"), ...args.slice(dashes + 1)];

  if (given("help").length > 0) {
    console.log(help);
    Deno.exit(0);
  }
  const values = Object.entries(known).map(([name, option]) => {
    const [text, again] = given(name);
    if (text === undefined) return [name, option.value];
    if (again !== undefined) throw usage(`--${name} is given twice`);
    if (option.parse === undefined) return [name, true];
    const value = text === "" ? undefined : option.parse(text);
    if (value !== undefined) return [name, value];
    // What begins with a dash, as in `--count -1`, is not taken for a value but was meant as one.
    const next = args.slice(0, dashes).indexOf(`--${name}`) + 1;
    const got = text !== "" || next === 0 ? text : args[next];
    throw usage(`--${name} takes ${option.expected}; got ${got ? quote(got) : "nothing"}`);
  });
  const valued = args.slice(0, isCommand ? start : dashes)
    .find((arg) => flags.some((flag) => arg.startsWith(`--${flag}=`)));
  if (valued !== undefined) throw usage(`${quote(valued)}: this option takes no value`);
  const [firstUnknown] = unknown;
  if (firstUnknown !== undefined) throw usage(`unknown option ${quote(firstUnknown)}`);
  const tooMany = operands[maximumOperands];
  if (tooMany !== undefined) throw usage(`unexpected argument ${quote(tooMany)}`);
  // Each value came out of its own option, so the names have the types that they are given here.
  return { options: Object.fromEntries(values) as OptionValues<TOptions>, operands };
}

function usage(message: string): Failure {
  return new Failure(`${message} (--help shows the options)`, 2);
}

/** On one line, whatever is in it. */
function quote(text: string): string {
  return JSON.stringify(text);
}
