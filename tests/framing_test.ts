import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  processTest,
  runCommand,
  runScript,
  scriptCommand,
  scriptPath,
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
  for (const args of [[], ["--lines"]]) {
    const command = ["sh", "-c", line, "sh", ...scriptCommand("framing", args)];
    const result = await runCommand(command, { cwd: folder.path });
    const stderr = "framing: the child was ended by SIGKILL\n";
    assertEquals(result, { code: 137, stdout: "", stderr });
  }
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

/** What the child sends back in place of the frame, and what its parent says of that. */
const FAULTS: [reply: string, stderr: RegExp][] = [
  [
    "frame(new Uint8Array(message.length))",
    /^framing: "a text" came back different\n$/,
  ],
  // More than a pipe holds: a child that is left writing would never exit.
  ["new Uint8Array(200_000).fill(255)", /^framing: a frame of 4294967295 bytes is over [^\n]*\n$/],
];

for (const [reply, expected] of FAULTS) {
  processTest(`framing tells what was wrong when its child sends ${reply}`, async () => {
    await using folder = await temporaryFolder();
    const root = new URL("..", import.meta.url).pathname;
    await Deno.copyFile(`${root}deno.json`, `${folder.path}/deno.json`);
    await Deno.symlink(`${root}lib`, `${folder.path}/lib`);
    await Deno.mkdir(`${folder.path}/scripts`);
    const script = await Deno.readTextFile(scriptPath("framing"));
    const faulty = script.replace("writeBytes(frame(message))", `writeBytes(${reply})`);
    assert(faulty !== script);
    const path = `${folder.path}/scripts/framing.ts`;
    await Deno.writeTextFile(path, faulty);
    const { code, stderr } = await runCommand([Deno.execPath(), "run", "-A", "--no-prompt", path]);
    assertMatch(stderr, expected);
    assertEquals(code, 1);
  });
}
