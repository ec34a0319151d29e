import { assertEquals, assertMatch } from "@std/assert";
import {
  processTest,
  runCommand,
  runScript,
  scriptCommand,
  startScript,
  temporaryFolder,
} from "./process.ts";

processTest("framing gets every message back equal", async () => {
  const { code, stdout, stderr } = await runScript("framing");
  assertMatch(stdout, /^(.{14} +[\d,]+ bytes {2}came back equal\n){5}$/);
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
  assertEquals(code, 0);
});

processTest("framing's child tells of a frame that is cut off or too long", async () => {
  for (const stdin of ["\0\0\0", "\0\0\0\x05abc", "abcd"]) {
    const { code, stderr } = await runScript("framing", ["--child"], { stdin });
    assertEquals(code, 1);
    assertMatch(stderr, /^framing: (the stream ended inside a frame|a frame of)[^\n]*\n$/);
  }
});

processTest("framing says which status its child exited with when that is killed", async () => {
  await using folder = await temporaryFolder();
  // In place of Deno, for the child alone: a program that is killed before it answers.
  const line =
    '"$@" & pid=$!; until kill -KILL $(pgrep -P $pid) 2>/dev/null; do :; done; wait $pid';
  const command = ["sh", "-c", line, "sh", ...scriptCommand("framing", [])];
  const { code, stderr } = await runCommand(command, { cwd: folder.path });
  assertEquals([code, stderr], [137, "framing: the child was ended by SIGKILL\n"]);
}, { needs: ["pgrep"] });

processTest("framing --child stops quietly when nobody reads its stdout", async () => {
  await using child = startScript("framing", ["--child"]);
  await child.stdout.cancel();
  const frames = new Uint8Array(5 * 100);
  for (let at = 3; at < frames.length; at += 5) frames[at] = 1;
  const writer = child.stdin.getWriter();
  await writer.write(frames);
  // What comes after the broken pipe is noticed cannot be written any more, or is not read.
  await writer.write(frames).catch(() => {});
  await writer.close().catch(() => {});
  const [stderr, { code }] = await Promise.all([child.stderr.text(), child.status]);
  assertEquals([code, stderr], [141, ""]);
});
