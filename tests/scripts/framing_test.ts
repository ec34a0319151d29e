import { assertEquals, assertMatch } from "@std/assert";
import { fakeProgram, processTest, runScript } from "../process.ts";

processTest("framing gets every message back equal, and shows each length", async () => {
  const { code, stdout, stderr } = await runScript("framing");
  assertMatch(
    stdout,
    /^(.{14} +[\d,]+ bytes {2}([\da-f]{2} ){4}( [\da-f]{2})*( …)? +came back equal\n){5}$/,
  );
  assertMatch(stdout, /^a text +11 bytes {2}00 00 00 0b {2}68 6f 77 20 … {2}came/m);
  assertMatch(stdout, /^nothing at all +0 bytes {2}00 00 00 00 +came/m);
  assertMatch(stdout, /^100 KB +100,000 bytes {2}00 01 86 a0 {2}2e /m);
  assertEquals([code, stderr], [0, ""]);
});

processTest("framing --lines shows which messages a newline cannot bound", async () => {
  const { code, stdout } = await runScript("framing", ["--lines"]);
  assertEquals(stdout.match(/came back .*/g), [
    "came back equal",
    "came back as 4 lines",
    "came back equal",
    "came back equal",
    "came back as 2 lines, other bytes",
  ]);
  assertMatch(stdout, /^nothing at all +0 bytes {2}0a +came/m);
  assertEquals(code, 0);
});

processTest("framing says which status cat exited with when that is killed", async () => {
  await using cat = await fakeProgram("cat", "head -c 5 >/dev/null; kill -KILL $$");
  for (const args of [[], ["--lines"]]) {
    const result = await runScript("framing", args, { env: cat.env });
    assertEquals(result, { code: 137, stdout: "", stderr: "framing: cat was ended by SIGKILL\n" });
  }
});

/** What a cat does instead, and what framing says of it. */
const FAULTS: [what: string, lines: string, args: string[], stderr: RegExp][] = [
  ["changes a message", "tr a-z A-Z", [], /^framing: "a text" came back different\n$/],
  ["cuts a message off", "head -c 9", [], /^framing: the stream ended inside a frame: 5 of 11 /],
  ["sends too few", "head -c 15", [], /^framing: "with newlines" came back different\n$/],
  ["sends too many", "tee; printf '\\0\\0\\0\\0'", [], /^framing: more came back than was sent\n$/],
  // More than a pipe holds: a child that is left writing would never exit.
  ["writes for ever", "exec yes", [], /^framing: a frame of 2030729482 bytes is over [^\n]*\n$/],
  ["takes newlines away", "tr -d '\\n'", ["--lines"], /^framing: expected 2 damaged [^\n]*\n$/],
];

for (const [what, lines, args, expected] of FAULTS) {
  processTest(`framing tells what was wrong when cat ${what}`, async () => {
    await using cat = await fakeProgram("cat", lines);
    const { code, stderr } = await runScript("framing", args, { env: cat.env });
    assertMatch(stderr, expected);
    assertEquals(code, 1);
  });
}
