import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { LineReader } from "../../lib/line_reader.ts";
import {
  fakeProgram,
  processTest,
  runCommand,
  runScript,
  startScript,
  temporaryFolder,
} from "../process.ts";
import { assertGone, endOf, heldMkfifo, startHalf, write } from "./fifo.ts";

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
      const message = `fifo: ${path} exists and is not a FIFO; it was left as it is\n`;
      assertEquals([code, stderr], [1, message]);
    }
  }
  assertEquals(await Deno.readTextFile(file), "precious");
  await assertGone(links.toNothing);
});

processTest("fifo says in one line that the disk is full", async () => {
  const message = "mkfifo: cannot create fifo 'x: y': No space left on device";
  await using mkfifo = await fakeProgram("mkfifo", `echo "${message}" >&2; exit 1`);
  const path = `${mkfifo.path}/x: y`;
  const { code, stderr } = await runScript("fifo", ["read", path], { env: mkfifo.env });
  assertEquals([code, stderr], [1, `fifo: cannot create ${path}: No space left on device\n`]);
});

processTest(
  "fifo creates its pipe though another process had one, and has removed it",
  async () => {
    await using mkfifo = await fakeProgram(
      "mkfifo",
      `if [ -e "$0.taken" ]; then PATH=$PATH_BEFORE; exec mkfifo "$@"; fi
    : >"$0.taken"; echo "mkfifo: cannot create fifo 'pipe': File exists" >&2; exit 1`,
    );
    const path = `${mkfifo.path}/pipe`;
    const env = { ...mkfifo.env, PATH_BEFORE: Deno.env.get("PATH") ?? "" };
    // Onto the file that stands there otherwise, so that nothing waits for ever.
    const line = 'for i in $(seq 300); do [ -p "$1" ] && break; sleep 0.1; done; echo hi >>"$1"';
    const [reader, writer] = await Promise.all([
      runScript("fifo", ["read", path], { env }),
      runCommand(["sh", "-c", line, "sh", path]),
    ]);
    assertEquals([reader.code, reader.stdout, writer.code], [0, "hi\n", 0]);
  },
);

processTest("fifo says in one line that mkfifo was killed, or is not installed", async () => {
  await using mkfifo = await fakeProgram("mkfifo", "kill -KILL $$");
  const path = `${mkfifo.path}/pipe`;
  const killed = await runScript("fifo", ["read", path], { env: mkfifo.env });
  const wasKilled = `fifo: cannot create ${path}: mkfifo was ended by SIGKILL\n`;
  assertEquals([killed.code, killed.stderr], [1, wasKilled]);
  const missing = await runScript("fifo", ["read", path], { env: { PATH: "/nowhere" } });
  const isMissing = "fifo: cannot start mkfifo: not found on the PATH; is it installed?\n";
  assertEquals([missing.code, missing.stderr], [127, isMissing]);
});

processTest("fifo removes the name that it made when it is ended", async () => {
  const signals = [["SIGHUP", 129], ["SIGINT", 130], ["SIGQUIT", 131], ["SIGTERM", 143]] as const;
  for (const [signal, expected] of signals) {
    await using folder = await temporaryFolder();
    const reader = await startHalf("read", `${folder.path}/pipe`);
    await reader.stdin.close();
    reader.kill(signal);
    assertEquals(await endOf(reader), [expected, ""]);
    await assertGone(`${folder.path}/pipe`);
  }
});

/** Puts something else in the place of the FIFO. */
const REPLACEMENTS: [what: string, line: string][] = [
  ["a file", 'rm "$1"; echo precious > "$1"'],
  // This one may get the inode of the one before it.
  ["another FIFO", 'rm "$1"; mkfifo "$1"'],
  ["another FIFO, moved", 'mkfifo "$1.new"; mv "$1.new" "$1"'],
  ["a folder", 'rm "$1"; mkdir "$1"'],
  ["a link", 'mkfifo "$1.to"; ln -sf "$1.to" "$1"'],
];

for (const part of ["read", "write"] as const) {
  processTest(`fifo ${part} gives up when something else has taken the name`, async () => {
    await using folder = await temporaryFolder();
    const other = part === "read" ? "writer" : "reader";
    const ends = await Promise.all(REPLACEMENTS.map(async ([what, line], i) => {
      const path = `${folder.path}/pipe${i}`;
      const half = await startHalf(part, path);
      half.kill("SIGSTOP");
      await runCommand(["sh", "-c", line, "sh", path]);
      const start = performance.now();
      half.kill("SIGCONT");
      await half.stdin.close();
      // A look that was under way when the half stopped may have found no name at all.
      const end = (await endOf(half)).map((part) =>
        `${part}`.replace("was removed", "was replaced")
      );
      return { what, path, end, duration: performance.now() - start };
    }));
    for (const { what, path, end, duration } of ends) {
      const message = `fifo: no ${other} came before ${path} was replaced; start both halves again`;
      assertEquals(end, ["1", "", message], what);
      await Deno.lstat(path);
      // It takes less than a second; a machine that has much else to do gets a few more.
      assert(duration < 5000, what);
    }
    assertEquals(await Deno.readTextFile(`${folder.path}/pipe0`), "precious\n");
  });
}

processTest("fifo notices that the half that made the name has ended", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/pipe`;
  const maker = await startHalf("read", path);
  const other = await startHalf("read", path);
  await Promise.all([maker.stdin.close(), other.stdin.close()]);
  maker.kill("SIGTERM");
  assertEquals(await endOf(maker), [143, ""]);
  const message = `fifo: no writer came before ${path} was removed; start both halves again`;
  assertEquals(await endOf(other), [1, "", message]);
});

processTest("fifo without arguments ends when one half is killed", async () => {
  await using folder = await temporaryFolder();
  for (const half of ["reader", "writer"]) {
    // The halves are not over before one is killed.
    await using mkfifo = await heldMkfifo('hold; mkfifo "$@"');
    const env = { ...mkfifo.env, TMPDIR: folder.path };
    await using child = startScript("fifo", [], { env });
    const lines = new LineReader(child.stdout);
    const first = await lines.readLine() ?? "";
    const [, pid = ""] = new RegExp(`${half} (\\d+)`).exec(first) ?? [];
    Deno.kill(Number(pid), "SIGKILL");
    const { code } = await child.status;
    await mkfifo.letGo();
    const [stderr] = await Promise.all([
      child.stderr.text(),
      Array.fromAsync(lines),
      child.stdin.close(),
    ]);
    assertEquals(code, 137);
    assertMatch(stderr, new RegExp(`(^|\n)fifo: the ${half} was ended by SIGKILL\n$`));
  }
  assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
});

processTest("fifo works where TMPDIR has a comma, and names one that does not exist", async () => {
  await using folder = await temporaryFolder();
  const TMPDIR = `${folder.path}/a,b`;
  await Deno.mkdir(TMPDIR);
  assertEquals((await runScript("fifo", [], { env: { TMPDIR } })).code, 0);
  const missing = await runScript("fifo", [], { env: { TMPDIR: `${TMPDIR}/missing` } });
  assertEquals([missing.code, missing.stdout], [1, ""]);
  const message = `fifo: cannot create a folder in ${TMPDIR}/missing: No such file or directory\n`;
  assertEquals(missing.stderr, message);
});

processTest('fifo names a missing folder that has "File exists" in its path', async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/File exists/pipe`;
  const { code, stderr } = await runScript("fifo", ["read", path]);
  assertEquals([code, stderr], [1, `fifo: cannot create ${path}: No such file or directory\n`]);
});

processTest("fifo names a permission that works for a path with a comma", async () => {
  await using folder = await temporaryFolder();
  const permissions = ["--allow-run=mkfifo", "--allow-write"];
  const args = ["read", `${folder.path}/a,b`];
  const { code, stderr } = await runScript("fifo", args, { permissions });
  assertEquals([code, stderr], [1, "fifo: run again with --allow-read\n"]);
});

processTest(
  "fifo whose folder is removed while it runs fails without a trace",
  async () => {
    await using folder = await temporaryFolder();
    await using mkfifo = await heldMkfifo('hold; mkfifo "$@"');
    const env = { ...mkfifo.env, TMPDIR: folder.path };
    await using child = startScript("fifo", [], { env });
    await using lines = new LineReader(child.stdout);
    const errors = child.stderr.text();
    assertMatch(await lines.readLine() ?? "", /know only/);
    for await (const { name } of Deno.readDir(folder.path)) {
      await Deno.remove(`${folder.path}/${name}`, { recursive: true });
    }
    await mkfifo.letGo();
    const { code } = await child.status;
    // A half may not even start where its folder has gone, which Deno tells in its own way.
    assertMatch(await errors, /(^|\n)fifo: [^\n]*\n$/);
    assert(!/^ +at /m.test(await errors), await errors);
    assert(code === 1 || code === 127, String(code));
    await child.stdin.close();
  },
  { needs: ["mkfifo"] },
);

processTest(
  "openFifo names the permission that is missing, and not a FIFO that has gone",
  async () => {
    await using folder = await temporaryFolder();
    const library = new URL("../../lib/script/fifo.ts", import.meta.url);
    const path = `${folder.path}/program.ts`;
    await Deno.writeTextFile(
      path,
      `import { openFifo } from ${JSON.stringify(library)};
    await openFifo("/no/such/fifo", "read");`,
    );
    const { code, stderr } = await runCommand([Deno.execPath(), "run", "--no-prompt", path]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, 'Requires read access to "/no/such/fifo"');
  },
);
