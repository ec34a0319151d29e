/**
 * What why.ts says of programs whose surroundings matter: variables, files, permissions.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { cure, echo } from "../lib/why/programs.ts";
import { find, mustHang, python, start } from "../lib/why/hangs.ts";
import {
  processTest,
  type Result,
  runCommand,
  runScript,
  scriptCommand,
  temporaryFolder,
} from "../process.ts";

processTest("why finds out: a program opens a FIFO that nobody writes to", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/pipe`;
  await runCommand(["mkfifo", path]);
  const { stdout } = await runScript("why", ["sh", "-c", `cat < ${path}; :`]);
  assertMatch(stdout, /it has not read the question, and its own pipes are in the way: /);
  assertMatch(stdout, /: sh \d+ waits in open for a writer of .*\n.*\n.*: use a named pipe\n/);
}, { needs: ["mkfifo", "script"], os: "linux" });

processTest("why finds out: a script that names its interpreter buffers", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/echo.py`;
  await Deno.writeTextFile(path, `#!/usr/bin/env python3\n${echo}\n`, { mode: 0o755 });
  const env = { PYTHONUNBUFFERED: "" };
  assertMatch(
    (await runScript("why", [path], { env })).stdout,
    cure(`env PYTHONUNBUFFERED=1 ${path}`),
  );
}, { needs: ["python3", "script"], os: "linux" });

for (
  const [title, value, text, isSaid] of [
    ["made the difference", "1", echo, true],
    ["makes no difference", "1", echo.replace("())", "(), flush=True)"), false],
    ["is empty", "", echo.replace("())", "(), flush=True)"), false],
  ] as const
) {
  processTest(`why finds out: an answer at once, where PYTHONUNBUFFERED ${title}`, async () => {
    const env = { PYTHONUNBUFFERED: value };
    const { stdout } = await runScript("why", ["python3", "-c", text], { env });
    assertMatch(stdout, /answers at once over pipes/);
    const said = /parent\n {2}PYTHONUNBUFFERED is set here; is it where it hangs\?\n/;
    assertEquals(said.test(stdout), isSaid, stdout);
  }, { needs: ["python3"], os: "linux" });
}

processTest("why finds out: a program in C buffers", async () => {
  await using folder = await temporaryFolder();
  const text =
    '#include <stdio.h>\nint main(void) { char s[99]; while (fgets(s, 99, stdin)) printf("%s", s); }';
  await Deno.writeTextFile(`${folder.path}/echo.c`, text);
  const path = `${folder.path}/echo`;
  await runCommand(["cc", "-o", path, `${path}.c`]);
  assertMatch((await runScript("why", [path])).stdout, cure(`stdbuf -oL ${path}`));
}, { needs: ["cc", "stdbuf", "script"], os: "linux" });

processTest("why says what it cannot see without -A, and concludes from the rest", async () => {
  const permissions = ["--allow-run"];
  const { code, stdout, stderr } = await runScript("why", ["sed", "p"], { permissions });
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /\n {2}what it waits for cannot be seen: that takes Linux, and -A\n/);
  assertMatch(stdout, /it buffers because it writes to a pipe: no answer; at a terminal/);
}, { needs: ["script"], os: "linux" });

processTest("why tries a terminal also where the user's shell runs nothing", async () => {
  const options = { env: { SHELL: "/bin/false" } };
  const { stdout } = await runScript("why", ["sed", "s/question/answer/"], options);
  assertMatch(stdout, /^it buffers .*; at a terminal it answered/m);
}, { needs: ["sed", "script"], os: "linux" });

/** Looks at a process where these mounts hide something; undefined for a user who may not mount. */
async function lookBehind(pid: number, ...mounts: string[]): Promise<Result | undefined> {
  const line = [...mounts, '"$@"'].join(" && ");
  const command = scriptCommand("why", ["--pid", `${pid}`]);
  const result = await runCommand(["unshare", "-m", "sh", "-c", line, "sh", ...command]);
  return /^(unshare|mount):/.test(result.stderr) ? undefined : result;
}

processTest("why tells a deadlock from what is left where calls may not be seen", async () => {
  await using parent = start(
    python('c = Popen(["cat"], stdin=PIPE, stdout=PIPE)\nc.stdin.write(bytes(1_000_000))'),
  );
  const says = /deadlock: python3 \d+ waits until cat \d+ reads its stdin, and cat/;
  await mustHang(parent.pid, says);
  const cat = await find(parent.pid, "cat");
  // As Yama hides them on Ubuntu from all but root.
  const result = await lookBehind(
    parent.pid,
    ...[parent.pid, cat].map((pid) => `mount --bind /dev/null /proc/${pid}/task/${pid}/syscall`),
  );
  if (result !== undefined) assertMatch(result.stdout, says);
}, { needs: ["python3", "unshare"], os: "linux" });

processTest("why skips what is not installed", async () => {
  await using folder = await temporaryFolder();
  await Deno.symlink("/bin/sed", `${folder.path}/sed`);
  const { code, stdout, stderr } = await runScript("why", [], { env: { PATH: folder.path } });
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /skipped: cannot start script: not found/);
  assertMatch(stdout, /it buffers because it writes to a pipe: .* nothing\n {2}sed -u/);
}, { os: "linux" });

processTest("why may not look at another user's process, and says so", async () => {
  // Root may look at all, unless it gives that up.
  const command = scriptCommand("why", ["--pid"]);
  const line = '[ "$(id -u)" = 0 ] || exec "$@" 1\n' +
    'setpriv --reuid=65534 --clear-groups sleep 300 & while [ "$(stat -c %u /proc/$!)" != 65534 ]; do ' +
    'sleep 0.01; done\nsetpriv --bounding-set=-all "$@" $!\nstatus=$?; kill $!; exit $status';
  const { code, stdout, stderr } = await runCommand(["sh", "-c", line, "sh", ...command]);
  assertEquals([code, stdout], [1, ""], stderr);
  assertMatch(stderr, /^why: may not look at process \d+: is it another user's\? Try sudo\n$/);
}, { needs: ["setpriv"], os: "linux" });
