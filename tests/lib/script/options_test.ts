import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  flag,
  parseOptions,
  seconds,
  text,
  UsageError,
  wholeNumber,
  word,
} from "../../../lib/script/options.ts";
import "../../process.ts";

const KNOWN = {
  count: wholeNumber(3, "how many"),
  timeout: seconds(10, "how long"),
  word: text("hi", "what"),
  loud: flag("whether"),
};

function parse(args: string[], maximumOperands = 0) {
  const usage = { shows: "A test.", example: "test.ts --loud", maximumOperands };
  return parseOptions(usage, KNOWN, args);
}

const DEFAULTS = { count: 3, timeout: 10, word: "hi", loud: false };

Deno.test("parseOptions gives the defaults, and what was given in their place", () => {
  assertEquals(parse([]).options, DEFAULTS);
  assertEquals(parse(["--loud", "--count", "0", "--timeout=.5", "--word=a=b"]).options, {
    ...DEFAULTS,
    ...{ count: 0, timeout: 0.5, word: "a=b", loud: true },
  });
});

Deno.test("parseOptions prints the help, and ends the script with 0", () => {
  const [{ exit }, { log }] = [Deno, console];
  const said: unknown[] = [];
  console.log = (text) => said.push(text);
  const ends = (code: number) => {
    throw new Error(`ends with ${code}`);
  };
  Object.assign(Deno, { exit: ends });
  try {
    for (const name of ["-h", "--help"]) assertThrows(() => parse([name]), Error, "ends with 0");
  } finally {
    Object.assign(Deno, { exit });
    console.log = log;
  }
  assertEquals(said[0], said[1]);
  assertEquals(
    said[0],
    `Usage: test.ts [--count N] [--timeout SECONDS] [--word TEXT] [--loud]

A test.

Options:
  --count N           how many (default 3)
  --timeout SECONDS   how long (default 10)
  --word TEXT         what (default hi)
  --loud              whether
  -h, --help          show this text

Example:
  deno run -A scripts/test.ts --loud`,
  );
});

Deno.test("parseOptions takes no operand unless it is told how many there may be", () => {
  const usage = { shows: "A test.", example: "test.ts" };
  assertThrows(() => parseOptions(usage, {}, ["one"]), UsageError, 'unexpected argument "one"');
});

Deno.test("parseOptions takes the last of an option that is given twice", () => {
  assertEquals(parse(["--count=1", "--loud", "--count", "2", "--loud"]).options.count, 2);
});

Deno.test("parseOptions takes a duration as JavaScript writes it", () => {
  for (const value of [1e-7, 0.5, 86_400]) {
    assertEquals(parse(["--timeout", String(value)]).options.timeout, value);
  }
});

Deno.test("parseOptions takes one of a few words, the first by default", () => {
  const usage = { shows: "A test.", example: "test.ts" };
  const known = { color: word(["red", "green", "blue"], "which") };
  const colorOf = (...args: string[]) => parseOptions(usage, known, args).options.color;
  assertEquals([colorOf(), colorOf("--color=blue"), colorOf("--color", "red")], [
    "red",
    "blue",
    "red",
  ]);
  assertThrows(() => colorOf("--color=pink"), UsageError, 'red or green or blue; got "pink"');
});

Deno.test("parseOptions leaves a command as it was typed", () => {
  const commands = [
    ["sed", "-u", "--count", "9"],
    ["true"],
    ["grep", "--", "--loud"],
    ["--count", "--"],
    ["7", "08", "1e3"],
  ];
  for (const command of commands) {
    assertEquals(parse(["--loud", "--count=1", "--", ...command], Infinity).operands, command);
    if (command[0]?.startsWith("-")) continue;
    for (const before of [[], ["--loud"], ["--count", "1"], ["--loud", "--count=1"]]) {
      assertEquals(parse([...before, ...command], Infinity).operands, command);
    }
  }
  assertEquals(parse(["--loud", "true"], Infinity).options.loud, true);
});

Deno.test("parseOptions takes a few operands from anywhere among the options", () => {
  const { operands, options } = parse(["one", "--count", "5", "--loud", "two", "-"], 3);
  assertEquals(operands, ["one", "two", "-"]);
  assertEquals([options.count, options.loud], [5, true]);
  assertEquals(parse(["--", "--count"], 1).operands, ["--count"]);
});

Deno.test("parseOptions names what it refuses, and what it expected", () => {
  const cases: [string[], RegExp][] = [
    [["--count", "x"], /^--count takes a whole number from 0 to 1000000; got "x"/],
    [["--count", "-1"], /^--count .*; got "-1"/],
    [["--count=-1"], /^--count .*; got "-1"/],
    [["--count="], /^--count .*; got nothing/],
    [["--count"], /^--count .*; got nothing/],
    [["--count", "--loud"], /^--count .*; got "--loud"/],
    [["--timeout", "1s"], /^--timeout takes seconds, from 0 to 86400; got "1s"/],
    [["--timeout", "."], /^--timeout .*; got "\."/],
    [["--timeout=1e9"], /^--timeout .*; got "1e9"/],
    [["--word="], /^--word takes a text; got nothing/],
    [["--loud=no"], /^--loud takes no value; got "no"/],
    [["--help=false"], /^--help takes no value; got "false"/],
    [["--no-loud"], /^unknown option "--no-loud"/],
    [["--constructor"], /^unknown option "--constructor"/],
    [["--count.x", "3"], /^unknown option "--count\.x"/],
    // Names that mean something to a parser, or to JavaScript.
    [["--count", "1", "--count.x=2"], /^unknown option "--count\.x=2"/],
    [["--count.x=2", "--count", "1"], /^unknown option "--count\.x=2"/],
    [["--count.x.y"], /^unknown option "--count\.x\.y"/],
    [["--help.x"], /^unknown option "--help\.x"/],
    [["--x.y", "z"], /^unknown option "--x\.y"/],
    [["--.=1"], /^unknown option "--\.=1"/],
    [["--=1"], /^unknown option "--=1"/],
    [["--_=1"], /^unknown option "--_=1"/],
    [["--__proto__=1"], /^unknown option "--__proto__=1"/],
    [["--__proto__.count=1"], /^unknown option "--__proto__\.count=1"/],
    [["--no-count"], /^unknown option "--no-count"/],
    [["--no-help"], /^unknown option "--no-help"/],
    [["---count=1"], /^unknown option "---count=1"/],
    [["-count=1"], /^unknown option "-count=1"/],
    [["-h=1"], /^unknown option "-h=1"/],
    [["-hh"], /^unknown option "-hh"/],
    [["--a\nb"], /^unknown option "--a\\nb"/],
    [["-x"], /^unknown option "-x"/],
    [["--count=1", "--count="], /^--count .*; got nothing/],
    [["--count=x", "--count"], /^--count .*; got nothing/],
    [["a\nb"], /^unexpected argument "a\\nb"/],
    [["--", "a"], /^unexpected argument "a"/],
  ];
  for (const value of ["abc", "", "Infinity", "NaN", "0x10", "1,5", " 1", "1000000001", "1.5"]) {
    cases.push([[`--count=${value}`], /^--count takes a whole number/]);
  }
  for (const [args, message] of cases) {
    const error = assertThrows(() => parse(args, args.includes("-1") ? 1 : 0), UsageError);
    assertMatch(error.message, message);
    assertEquals([error.exitCode, error.message.includes("\n")], [2, false]);
  }
  assertMatch(assertThrows(() => parse(["a", "b", "c"], 2), UsageError).message, /argument "c"/);
});
