import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { flag, parseOptions, seconds, wholeNumber } from "../lib/options.ts";
import { processesMarked, processTest, runScript } from "./process.ts";

const KNOWN = { count: wholeNumber(3), timeout: seconds(10), loud: flag() };

function parse(args: string[], maximumOperands = 0) {
  return parseOptions("the help", KNOWN, maximumOperands, args);
}

function refusal(args: string[], maximumOperands = 0): string {
  try {
    parse(args, maximumOperands);
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  return "";
}

Deno.test("parseOptions gives the defaults, and what was given in their place", () => {
  assertEquals(parse([]).options, { count: 3, timeout: 10, loud: false });
  assertEquals(parse(["--loud", "--count", "0", "--timeout=.5"]).options, {
    ...{ count: 0, timeout: 0.5, loud: true },
  });
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
  const { operands, options } = parse(["one", "--count", "5", "--loud", "two"], 2);
  assertEquals(operands, ["one", "two"]);
  assertEquals(options, { count: 5, timeout: 10, loud: true });
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
    [["--count=1", "--count=1"], /^--count is given twice/],
    [["--loud", "--loud"], /^--loud is given twice/],
    [["--loud=no"], /^"--loud=no": this option takes no value/],
    [["--no-loud"], /^unknown option "--no-loud"/],
    [["--constructor"], /^unknown option "--constructor"/],
    [["--count.x", "3"], /^unknown option "--count\.x"/],
    [["-x"], /^unknown option "-x"/],
    [["a\nb"], /^unexpected argument "a\\nb"/],
    [["--", "a"], /^unexpected argument "a"/],
  ];
  for (const [args, message] of cases) assertMatch(refusal(args), message);
  assertMatch(refusal(["a", "b", "c"], 2), /^unexpected argument "c"/);
});

const NUMBERS: Record<string, string[]> = {
  bytes: ["count", "interval", "size"],
  lines: ["count", "interval"],
  duplex: ["count", "timeout", "delay"],
  pipetest: ["count", "delay"],
  pipeline: [],
  fifo: [],
  capacity: ["step"],
  framing: [],
  lifetime: [],
  deadlock: ["bytes", "timeout"],
  buffering: [],
};

const DURATIONS = ["interval", "timeout", "delay"];

for (const [script, names] of Object.entries(NUMBERS)) {
  processTest(`${script} refuses rubbish for every option and starts nothing`, async () => {
    const cases = names.flatMap((name) => [
      ...["abc", "-1", "", "Infinity", "NaN", "1e9", "0x10", "1,5", " 1", "1000000001"]
        .map((value) => [`--${name}`, value]),
      [`--${name}`],
      [`--${name}=`],
      [`--${name}=1`, `--${name}=1`],
      ...(DURATIONS.includes(name) ? [] : [[`--${name}`, "1.5"]]),
    ]);
    cases.push(["--unknown"], ["--unknown=1"], ["-x"], ["--help-me"]);
    // A stray argument: to these two it is a command.
    if (script !== "duplex" && script !== "pipeline") cases.push(["one", "two", "three"]);
    await Promise.all(cases.map(async (args) => {
      const mark = crypto.randomUUID();
      const { code, stdout, stderr } = await runScript(script, args, { env: { MARK: mark } });
      assertEquals([code, stdout], [2, ""], `${args}: ${stderr}`);
      assertMatch(stderr, new RegExp(`^${script}: [^\\n]+\\n$`));
      assertStringIncludes(stderr, (args[0] ?? "").replace("one", "").replace(/=.*/, ""));
      assertEquals(await processesMarked(mark), []);
    }));
  });

  processTest(`${script} --help says what it shows, each option and an example`, async () => {
    for (const option of ["--help", "-h"]) {
      const { code, stdout, stderr } = await runScript(script, [option, "--help"], {
        permissions: [],
      });
      assertEquals([code, stderr], [0, ""]);
      assertMatch(
        stdout,
        new RegExp(`^Usage: ${script}\\.ts.*\n\n[^]*\nOptions:\n[^]*\nExample:\n`),
      );
      for (const name of names) assertStringIncludes(stdout, `\n  --${name} `);
    }
  });
}
