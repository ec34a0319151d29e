import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { toText } from "@std/streams/to-text";
import { LineReader } from "../lib/line_reader.ts";
import {
  isInstalled,
  processTest,
  runCommand,
  runScript,
  scriptCommand,
  startScript,
  temporaryFolder,
} from "./process.ts";

/** Starts a half, and waits until it waits for the other. */
async function startHalf(part: "read" | "write", path: string) {
  const child = startScript("fifo", [part, path]);
  const lines = new LineReader(child.stderr);
  const other = part === "read" ? "writer" : "reader";
  assertEquals(await lines.readLine(), `fifo: waiting for a ${other} on ${path}`);
  return Object.assign(child, { lines });
}

/** The rest of a half's life: its exit code, its stdout, and what more it said. */
async function endOf({ lines, status, stdout }: Awaited<ReturnType<typeof startHalf>>) {
  const [{ code }, text, said] = await Promise.all([
    status,
    toText(stdout),
    Array.fromAsync(lines),
  ]);
  return [code, text, ...said];
}

async function write(child: Deno.ChildProcess, text: string) {
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}

async function assertGone(path: string) {
  await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
}

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

processTest("fifo writes what a shell reads", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/pipe`;
  const writer = await startHalf("write", path);
  await write(writer, "hi\n");
  const { stdout } = await runCommand(["cat", path]);
  assertEquals(stdout, "hi\n");
  assertEquals(await endOf(writer), [0, ""]);
  await assertGone(path);
});

processTest("fifo uses a FIFO that is there and leaves it there", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/pipe`;
  await runCommand(["mkfifo", path]);
  const writer = await startHalf("write", path);
  await write(writer, "hi\n");
  assertEquals((await runCommand(["cat", path])).stdout, "hi\n");
  assertEquals(await endOf(writer), [0, ""]);
  assertEquals((await Deno.lstat(path)).isFifo, true);
});

processTest("fifo says that its reader went before everything was read", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/pipe`;
  const writer = await startHalf("write", path);
  const writing = write(writer, "x".repeat(1_000_000)).catch(() => {});
  await runCommand(["head", "-c", "1", path]);
  assertEquals(await endOf(writer), [
    ...[1, "", "fifo: the reader has gone before it had read everything"],
  ]);
  await writing;
  await assertGone(path);
});

processTest("fifo refuses what is no FIFO and leaves it as it was", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/file`;
  await Deno.writeTextFile(file, "precious");
  const fifo = `${folder.path}/fifo`;
  await runCommand(["mkfifo", fifo]);
  const links = { toFile: file, toFifo: fifo, toNothing: `${folder.path}/nothing` };
  for (const [name, target] of Object.entries(links)) {
    await Deno.symlink(target, `${folder.path}/${name}`);
  }
  for (const name of ["file", ".", ...Object.keys(links)]) {
    for (const part of ["read", "write"]) {
      const path = `${folder.path}/${name}`;
      const { code, stderr } = await runScript("fifo", [part, path], { stdin: "overwritten" });
      assertEquals([code, stderr], [
        ...[1, `fifo: ${path} exists and is not a FIFO; it was left as it is\n`],
      ]);
    }
  }
  assertEquals(await Deno.readTextFile(file), "precious");
  await assertGone(links.toNothing);
});

processTest("fifo says in one line that it cannot create its name", async () => {
  for (const path of ["/no/such/folder/pipe", "/proc/pipe"]) {
    const { code, stderr } = await runScript("fifo", ["write", path]);
    assertEquals(code, 1);
    assertMatch(stderr, /^fifo: cannot create [^\n]*: [A-Z][^\n]*\n$/);
    assertStringIncludes(stderr, path);
  }
});

processTest("fifo says in one line that the disk is full", async () => {
  await using folder = await temporaryFolder();
  const inFolderOfItsOwn = ["unshare", "-rm", "sh", "-c"];
  // Needs a system that lets a user mount something; a file system with room for its root alone.
  const mount = `mount -t tmpfs -o nr_inodes=1 none "$1"`;
  const mayMount = await isInstalled("unshare") &&
    (await runCommand([...inFolderOfItsOwn, mount, "sh", folder.path])).code === 0;
  if (!mayMount) return;
  const line = `${mount} && shift && "$@"`;
  const path = `${folder.path}/pipe`;
  const command = scriptCommand("fifo", ["read", path]);
  const { code, stderr } = await runCommand([
    ...[...inFolderOfItsOwn, line, "sh", folder.path, ...command],
  ]);
  assertEquals([code, stderr], [1, `fifo: cannot create ${path}: No space left on device\n`]);
});

processTest("fifo takes read PATH or write PATH and nothing else", async () => {
  for (const operands of [["read"], ["write"], ["look", "/tmp/x"], ["read", "a", "b"]]) {
    const { code, stderr } = await runScript("fifo", operands);
    assertEquals(code, 2);
    assertMatch(stderr, /^fifo: [^\n]*\n$/);
  }
});

processTest("fifo removes the name that it made when it is ended", async () => {
  for (const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
    await using folder = await temporaryFolder();
    const reader = await startHalf("read", `${folder.path}/pipe`);
    await reader.stdin.close();
    reader.kill(signal);
    assertEquals(await endOf(reader), [expected, ""]);
    await assertGone(`${folder.path}/pipe`);
  }
});
