/**
 * What a user of why.ts sees. What it says of programs that hang or are tried is tested beside its
 * engine; more of them are in why_matrix.ts.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { paste } from "../../lib/script/paste.ts";
import { SECTIONS } from "../../lib/why/sections.ts";
import { find, mustHang, python, start } from "../lib/why/hangs.ts";
import {
  eventually,
  processesMarked,
  processTest,
  type Result,
  root,
  runCommand,
  runScript,
  scriptCommand,
  sources,
  temporaryFolder,
} from "../process.ts";

const readme = Deno.readTextFile(new URL("../../README.md", import.meta.url)).catch(() => "");

/** Sees that each page has the section that a verdict names. */
async function mustHaveSections(stdout: string): Promise<void> {
  for (const [, where = ""] of stdout.matchAll(/more in (.*)/g)) {
    const [, page = "", section] = /^(\S+): (.*)$/.exec(where) ?? [];
    const text = await Deno.readTextFile(new URL(`../../${page}`, import.meta.url));
    assert(text.split("\n").some((line) => line.replace(/^#+ /, "") === section), where);
  }
}

/** Waits until the process hangs with this verdict, and sees that the script says so. */
async function mustSay(pid: number, expected: RegExp): Promise<string> {
  const verdict = await mustHang(pid, expected);
  const { code, stdout, stderr } = await runScript("why", ["--pid", `${pid}`]);
  assertEquals([code, stderr], [0, ""]);
  const [picture = "", said = ""] = stdout.split("\n\n");
  assertEquals(said.replaceAll(/^ +(more in )?/gm, ""), `${verdict}\n`);
  for (const line of picture.split("\n")) assert(line.length <= 80, line);
  return stdout;
}

processTest("why prints what the README shows", async () => {
  const [, example = "", cause = ""] =
    /^```text\n(python3 \d+ [^]*?)\n\n([^]*?)```$/m.exec(await readme) ?? [];
  await using parent = start(
    python('c = Popen(["cat"], stdin=PIPE, stdout=PIPE)\nc.stdin.write(bytes(1_000_000))'),
  );
  const stdout = await mustSay(parent.pid, /deadlock/);
  const lines = (text: string) => text.replaceAll(/\d+/g, "0").split("\n").sort();
  assertEquals(lines(stdout), lines(`${example}\n\n${cause}`));
}, { needs: ["python3"], os: "linux" });

processTest("why tells who waits for what is stopped, of either", async () => {
  await using parent = start(python('Popen(["cat"], stdin=PIPE, stdout=PIPE).stdout.read()'));
  const cat = await find(parent.pid, "cat");
  Deno.kill(cat, "SIGSTOP");
  const says = new RegExp(`cat ${cat} is stopped by a signal, and python3`);
  assertMatch(await mustSay(parent.pid, says), new RegExp(`kill -CONT ${cat}`));
}, { needs: ["python3"], os: "linux" });

Deno.test("every cause of a hang in the README has a verdict that leads to it", async () => {
  const files = (await sources("lib/why")).filter((file) => !file.endsWith("sections.ts"));
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(new URL(file, root))));
  for (const name of Object.keys(SECTIONS)) assert(texts.join().includes(`SECTIONS.${name}`), name);
  const sections: string[] = Object.values(SECTIONS);
  await mustHaveSections(sections.map((section) => `more in ${section}`).join("\n"));
  const [, chapter = ""] = /\n## Why it hangs\n([^]*?)\n## /.exec(await readme) ?? [];
  const headings = [...chapter.matchAll(/^### (.*)$/gm)].map(([, heading = ""]) => heading);
  assert(headings.length > 5);
  // Neither output that is cut nor a script that goes on hangs on a pipe.
  const others = / is cut |script itself/;
  for (const heading of headings.slice(1).filter((heading) => !others.test(heading))) {
    assert(sections.includes(`README.md: ${heading}`), heading);
  }
});

processTest("why is not among those that hold an end", async () => {
  const line = 'exec 3> >(exec cat >/dev/null); "$@" $!; exec 3>&-';
  const command = scriptCommand("why", ["--pid"]);
  const { stdout } = await runCommand(["bash", "-c", line, "bash", ...command]);
  assertMatch(stdout, /\nbash \d+ \[descriptor 3\] ── 0 of/);
  assertMatch(stdout, /; deno \d+ only looks on\n/);
}, { needs: ["bash"], os: "linux" });

const REFUSED: Record<string, { command: string[]; says: RegExp; exitCode: number }> = {
  "a process that has gone": {
    command: scriptCommand("why", ["--pid", "4194304"]),
    says: /there is no process 4194304/,
    exitCode: 1,
  },
  "what is no PID": { command: scriptCommand("why", ["--pid", "0"]), says: /--pid/, exitCode: 2 },
  "Deno without -A": {
    command: scriptCommand("why", ["--pid", "1"], ["--allow-read"]),
    says: /run again with -A, which is --allow-all/,
    exitCode: 1,
  },
};

for (const [title, { command, says, exitCode }] of Object.entries(REFUSED)) {
  processTest(`why refuses ${title} in one line`, async () => {
    const { code, stdout, stderr } = await runCommand(command);
    assertEquals([code, stdout], [exitCode, ""]);
    assertMatch(stderr, new RegExp(`^why: [^\\n]*${says.source}[^\\n]*\n$`));
  }, { os: "linux" });
}

/** Looks at a process where these mounts hide something; undefined for a user who may not mount. */
async function lookBehind(pid: number, ...mounts: string[]): Promise<Result | undefined> {
  const line = [...mounts, '"$@"'].join(" && ");
  const command = scriptCommand("why", ["--pid", `${pid}`]);
  const result = await runCommand(["unshare", "-m", "sh", "-c", line, "sh", ...command]);
  return /^(unshare|mount):/.test(result.stderr) ? undefined : result;
}

processTest("why says that there is no /proc", async () => {
  const result = await lookBehind(1, "mount -t tmpfs none /proc");
  if (result === undefined) return;
  assertEquals([result.code, result.stdout], [1, ""], result.stderr);
  assertMatch(result.stderr, /^why: there is no \/proc here[^\n]*\n$/);
}, { needs: ["unshare"], os: "linux" });

/** Whether a marked process of this name has a terminal for its stdin. */
function isAtTerminal(mark: string, name: string): boolean {
  return [...Deno.readDirSync("/proc")].some(({ name: pid }) => {
    try {
      return Deno.readTextFileSync(`/proc/${pid}/environ`).includes(`MARK=${mark}`) &&
        Deno.readTextFileSync(`/proc/${pid}/comm`) === `${name}\n` &&
        Deno.readLinkSync(`/proc/${pid}/fd/0`).startsWith("/dev/pts/");
    } catch {
      return false; // It has gone, or is no process.
    }
  });
}

processTest("why ends though a process that it cannot find holds a pipe", async () => {
  const mark = crypto.randomUUID();
  const line = "env -i MARK=$MARK setsid sleep 60 & until grep -qx sleep /proc/$!/comm; do :; done";
  const { stdout } = await runScript("why", ["sh", "-c", line], { env: { MARK: mark } });
  assertMatch(
    stdout,
    /it exited without an answer .*: sleep \d+ still holds its stdout and stderr\n/,
  );
  // It is found by who started it, or said to be left.
  const left = await processesMarked(mark);
  assert(left.length === 0 || /left behind: sleep/.test(stdout), stdout);
}, { needs: ["script", "setsid"], os: "linux" });

const stubborn = ["sh", "-c", "trap '' HUP; sleep 300 & cat >/dev/null; wait"];

processTest("why ends what does not hear that its terminal has gone", async () => {
  const mark = crypto.randomUUID();
  const { stdout } = await runScript("why", stubborn, { env: { MARK: mark } });
  assertMatch(stdout, /it has nothing to say/);
  assertEquals(await processesMarked(mark), []);
}, { needs: ["script"], os: "linux" });

processTest("a signal ends why, and what does not hear that its terminal has gone", async () => {
  const mark = crypto.randomUUID();
  // Over pipes it exits at once; at the terminal it stays until the signal.
  const line = "[ -t 0 ] || exit; trap '' HUP; sleep 300 & cat >/dev/null; wait";
  const [program = "", ...args] = scriptCommand("why", ["--timeout=60", "sh", "-c", line]);
  const options = { args, env: { MARK: mark }, stdin: "null", stdout: "null" } as const;
  await using child = new Deno.Command(program, options).spawn();
  await eventually(() => isAtTerminal(mark, "cat"), "cat at a terminal");
  child.kill("SIGTERM");
  assertEquals((await child.status).signal, "SIGTERM");
  assertEquals(await processesMarked(mark), []);
}, { needs: ["script"], os: "linux" });

processTest("Ctrl-C ends why at once while its program writes a line without an end", async () => {
  await using folder = await temporaryFolder();
  const mark = crypto.randomUUID();
  const begun = `${folder.path}/begun`;
  const line = `read x; : > ${begun}; while printf aaaaaaaaaaaaaaaa; do sleep 0.01; done`;
  const command = scriptCommand("why", ["--timeout", "30", "sh", "-c", line]);
  await using child = new Deno.Command("script", {
    args: ["-qec", paste(command), "/dev/null"],
    env: { MARK: mark },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.stdout.text();
  await eventually(() => [...Deno.readDirSync(folder.path)].length > 0, "the program is asked");
  const start = performance.now();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("\x03"));
  assertEquals((await child.status).code, 128 + 2);
  assert(performance.now() - start < 10_000);
  await writer.close().catch(() => {});
  assert(!(await output).includes("answer"));
  assertEquals(await processesMarked(mark), []);
}, { needs: ["script"], os: "linux" });

processTest("why tries sed if there is nothing else to try", async () => {
  const { code, stdout } = await runScript("why");
  assertEquals(code, 0);
  assertMatch(stdout, /\n {2}sed -u s\/question\/answer\/ {3}# answered after \d+ ms\n/);
}, { needs: ["script"], os: "linux" });

processTest("why names a program that cannot be started", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/program`;
  await Deno.writeTextFile(path, "#!/nonexistent/interpreter\n", { mode: 0o755 });
  const { code, stdout, stderr } = await runScript("why", [path]);
  assertEquals(code, 127, stdout);
  assertMatch(stderr, /^why: cannot start [^\n]*#! line names a missing one\n$/);
});

processTest("why takes a PID or a PROGRAM", async () => {
  const { code, stderr } = await runScript("why", ["--pid", "1", "cat"]);
  assertEquals(code, 2);
  assertMatch(stderr, /^why: --pid and PROGRAM exclude each other\n$/);
});
