import { assertEquals, assertMatch } from "@std/assert";
import { fakeProgram, processTest, runScript } from "../process.ts";

processTest("framing gets every message back equal, and shows each length", async () => {
  const { code, stdout, stderr } = await runScript("framing");
  assertMatch(stdout, /^message .*\n(.{14} +[\d,]+ bytes {2}([\da-f]{2} )+.* one message\n){5}$/);
  assertMatch(stdout, /^a text +11 bytes {2}00 00 00 0b {2}68 6f 77 20 … /m);
  assertMatch(stdout, /^nothing at all +0 bytes {2}00 00 00 00 +one message$/m);
  assertMatch(stdout, /^100 KB +100,000 bytes {2}00 01 86 a0 {2}2e /m);
  assertEquals([code, stderr], [0, ""]);
});

processTest("framing --lines shows which messages a newline cannot bound", async () => {
  const { code, stdout } = await runScript("framing", ["--lines"]);
  const lines = stdout.match(/\d lines?$/gm);
  assertEquals(lines, ["1 line", "4 lines", "1 line", "1 line", "2 lines"]);
  assertMatch(stdout, /^nothing at all +0 bytes +0a +1 line$/m);
  assertEquals(code, 0);
});

processTest("framing says which status cat exited with when that is killed", async () => {
  await using cat = await fakeProgram("cat", "head -c 5 >/dev/null; kill -KILL $$");
  for (const args of [[], ["--lines"]]) {
    const { code, stderr } = await runScript("framing", args, { env: cat.env });
    assertEquals([code, stderr], [137, "framing: cat was ended by SIGKILL\n"]);
  }
});

/** What a cat does instead, and what framing says of it. */
const FAULTS: [what: string, lines: string, args: string[], stderr: RegExp][] = [
  ["changes a message", "tr a-z A-Z", [], /^framing: "a text" came back different\n$/],
  ["cuts a message off", "head -c 9", [], /^framing: The stream ended inside [^\n]*\n$/],
];

for (const [what, lines, args, expected] of FAULTS) {
  processTest(`framing tells what was wrong when cat ${what}`, async () => {
    await using cat = await fakeProgram("cat", lines);
    const { code, stderr } = await runScript("framing", args, { env: cat.env });
    assertMatch(stderr, expected);
    assertEquals(code, 1);
  });
}
