import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { within } from "../../lib/within.ts";
import {
  eventually,
  processTest,
  runCommand,
  runScript,
  scriptPath,
  temporaryFolder,
} from "../process.ts";
import { assertGone, endOf, heldMkfifo, startHalf, write } from "./fifo.ts";

processTest("fifo demonstrates both halves and leaves nothing behind", async () => {
  await using folder = await temporaryFolder();
  const { code, stdout } = await runScript("fifo", [], { env: { TMPDIR: folder.path } });
  assertMatch(
    stdout,
    /^reader \d+ and writer \d+ .*\nreader got: "how are you"\nreader got: .*\nthe name is gone\n$/,
  );
  assertEquals(code, 0);
  assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
});

for (const first of ["read", "write"] as const) {
  processTest(`fifo passes lines when "${first}" comes first, which removes the name`, async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/pipe`;
    const one = await startHalf(first, path);
    const { isFifo, mode } = await Deno.lstat(path);
    assertEquals([isFifo, (mode ?? 0) & 0o777], [true, 0o600]);
    const other = await startHalf(first === "read" ? "write" : "read", path);
    const [reader, writer] = first === "read" ? [one, other] : [other, one];
    await reader.stdin.close();
    await write(writer, "one\ntwo, ünïcödé\nlast");
    assertEquals(await endOf(writer), [0, ""]);
    assertEquals(await endOf(reader), [0, "one\ntwo, ünïcödé\nlast\n"]);
    await assertGone(path);
  });
}

processTest("fifo reads what a shell writes", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/pipe`;
  const reader = await startHalf("read", path);
  await reader.stdin.close();
  await runCommand(["sh", "-c", 'echo hi > "$1"', "sh", path]);
  assertEquals(await endOf(reader), [0, "hi\n"]);
  await assertGone(path);
});

processTest("fifo says that its reader went before everything was read", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/pipe`;
  const writer = await startHalf("write", path);
  const writing = write(writer, "x".repeat(1_000_000)).catch(() => {});
  await runCommand(["head", "-c", "1", path]);
  assertEquals(await endOf(writer), [
    1,
    "",
    "fifo: the reader closed the pipe before it had read everything",
  ]);
  await writing;
  await assertGone(path);
});

processTest("fifo says in one line that it cannot create its name", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/file`;
  await Deno.writeTextFile(file, "precious");
  const long = `${folder.path}/${"x".repeat(300)}`;
  for (const path of ["/no/such/folder/pipe", `${file}/pipe`, long]) {
    const { code, stderr } = await runScript("fifo", ["write", path]);
    assertEquals(code, 1);
    assertMatch(stderr, /^fifo: cannot create [^\n]*: [A-Z][a-z ]*\n$/);
    assertStringIncludes(stderr, path);
  }
});

processTest("fifo takes read PATH or write PATH and nothing else", async () => {
  const wrong = [["read"], ["write"], ["read", ""], [""], ["look", "/tmp/x"], ["read", "a", "b"]];
  for (const operands of wrong) {
    const { code, stderr } = await runScript("fifo", operands);
    assertEquals(code, 2);
    assertMatch(stderr, /^fifo: [^\n]*\n$/);
  }
});

processTest("fifo removes the name even when Ctrl-C comes while mkfifo runs", async () => {
  await using mkfifo = await heldMkfifo('mkfifo "$@"; hold');
  const path = `${mkfifo.path}/pipe`;
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", scriptPath("fifo"), "read", path],
    env: mkfifo.env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  await eventually(() => Deno.lstat(path).then(() => true, () => false), `${path} is there`);
  // As Ctrl-C does, it reaches all that are in the group.
  Deno.kill(-child.pid, "SIGINT");
  await mkfifo.letGo();
  const status = await within(30, child.status);
  if (status === undefined) child.kill("SIGKILL");
  assertEquals(status?.code, 130);
  await assertGone(path);
});

processTest("fifo removes no file of the user's when a signal ends it", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/pipe`;
  const half = await startHalf("read", path);
  half.kill("SIGSTOP");
  await Deno.remove(path);
  await Deno.writeTextFile(path, "precious");
  half.kill("SIGTERM");
  half.kill("SIGCONT");
  await half.stdin.close();
  await endOf(half);
  assertEquals(await Deno.readTextFile(path), "precious");
});

processTest("the Python in the header of fifo reads what a shell writes", async () => {
  await using folder = await temporaryFolder();
  const [header = ""] = (await Deno.readTextFile(scriptPath("fifo"))).split("*/");
  const [, block = ""] = /In Python:\n \*\n((?: \* {5}.*\n)+)/.exec(header) ?? [];
  const program = `import os\n${block.replaceAll(/^ \* {5}/gm, "")}`;
  const line = 'python3 -c "$1" & until [ -p pipe ]; do sleep 0.05; done; echo hi > pipe; wait $!';
  const command = ["timeout", "-s", "KILL", "20", "sh", "-c", line, "sh", program];
  const { code, stdout, stderr } = await runCommand(command, { cwd: folder.path });
  assertEquals([code, stdout, stderr], [0, "hi\n", ""]);
  await assertGone(`${folder.path}/pipe`);
}, { needs: ["python3", "timeout"] });
