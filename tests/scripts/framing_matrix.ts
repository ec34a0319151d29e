import { assertEquals, assertMatch } from "@std/assert";
import { fakeProgram, processTest, runScript } from "../process.ts";

/** What a cat does instead, and what framing says of it. */
const FAULTS: [what: string, lines: string, args: string[], stderr: RegExp][] = [
  ["sends too few", "head -c 15", [], /^framing: "with newlines" came back different\n$/],
  ["sends too many", "tee; printf '\\0\\0\\0\\0'", [], /^framing: more came back than was sent\n$/],
  // More than a pipe holds: a child that is left writing would never exit.
  ["writes for ever", "exec yes", [], /^framing: a length of 2,030,729,482 bytes [^\n]*\n$/],
  [
    "takes newlines away",
    "tr -d '\\n'",
    ["--lines"],
    /^framing: The stream ended inside [^\n]*\n$/,
  ],
];

for (const [what, lines, args, expected] of FAULTS) {
  processTest(`framing tells what was wrong when cat ${what}`, async () => {
    await using cat = await fakeProgram("cat", lines);
    const { code, stderr } = await runScript("framing", args, { env: cat.env });
    assertMatch(stderr, expected);
    assertEquals(code, 1);
  });
}
