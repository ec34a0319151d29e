/**
 * What is said of real programs that hang, in every language, but for those in hangs_test.ts.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { processTest, runCommand, runScript, temporaryFolder } from "../../process.ts";
import {
  atTerminal,
  bash,
  deno,
  find,
  KINDS,
  leaderOf,
  mustHang,
  node,
  python,
  start,
  testHang,
  VARIANTS,
} from "./hangs.ts";

for (const [title, hang] of Object.entries(KINDS)) {
  testHang(title, { ...hang, programs: hang.programs.slice(1) });
}
for (const [title, hang] of Object.entries(VARIANTS)) testHang(title, hang);

processTest("why it hangs, seen: a job at a terminal is continued as a whole", async () => {
  await using one = start(atTerminal(python(
    'c = Popen(["sh", "-c", "sleep 300 | cat; true"], preexec_fn=os.setpgrp)\n' +
      "time.sleep(0.5); os.killpg(c.pid, 19); c.wait()",
  )));
  const pid = await leaderOf(one.pid);
  const verdict = await mustHang(
    pid,
    /^sh (\d+) is stopped by a signal, and python3 \d+ waits until sh \d+ exits\ncontinue its job: fg in its shell, or kill -CONT -\1\n/,
  );
  const [command = ""] = /kill -CONT -\d+/.exec(verdict) ?? [];
  assertEquals((await runCommand(["sh", "-c", command])).code, 0);
  await mustHang(
    pid,
    /^cat \d+ waits until sleep \d+ writes or exits, and sleep \d+ (sleeps|waits on after)/,
  );
}, { needs: ["python3"], os: "linux" });
const OPENERS: Record<string, (path: string) => string[]> = {
  python3: (path) => python(`open("${path}")`),
  node: (path) => node(`require("fs").createReadStream("${path}").resume()`),
  deno: (path) => deno(`await Deno.open("${path}")`),
  bash: (path) => bash(`cd $(dirname ${path}); cat < pipe`),
};

for (const [name, program] of Object.entries(OPENERS)) {
  processTest(`why tells, in ${name}: nobody writes to a FIFO, and does not open it`, async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/pipe`;
    await runCommand(["mkfifo", path]);
    await using parent = start(program(path));
    await mustHang(parent.pid, new RegExp(`${name} \\d+ waits in open for a writer of ${path}`));
    // Nobody has opened it meanwhile: it still waits.
    await mustHang(parent.pid, /waits in open for a writer/);
  }, { needs: [name === "deno" ? "sh" : name, "mkfifo"], os: "linux" });
}

processTest("why tells that a FIFO to write to has no reader", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/pipe`;
  await runCommand(["mkfifo", path]);
  await using parent = start(bash(`echo > ${path}`));
  await mustHang(parent.pid, /bash \d+ waits in open for a reader of .*pipe/);
}, { needs: ["bash", "mkfifo"], os: "linux" });

const OPPOSITE: Record<string, string[]> = {
  python3: python('if os.fork(): open("a"); open("b", "w")\nelse: open("b"); open("a", "w")'),
  bash: bash("exec 3<&- 4<&-; cat < a > b & exec cat < b > a"),
  deno: deno('start("sh", "-c", "cat < a > b"); await Deno.open("b")'),
};

for (const [name, [program = "", ...args]] of Object.entries(OPPOSITE)) {
  processTest(`why tells, in ${name}, of either: two FIFOs, opened in opposite order`, async () => {
    await using folder = await temporaryFolder();
    await runCommand(["mkfifo", `${folder.path}/a`, `${folder.path}/b`]);
    await using parent = start(["env", "-C", folder.path, program, ...args]);
    const path = `${folder.path}/[ab]`;
    const waits = `\\w+ (\\d+) waits in open for a writer of ${path}`;
    const says = new RegExp(
      `deadlock, unless somebody .*: ${waits}, and ${waits}\\n *open them in`,
    );
    const stdout = await mustHang(parent.pid, says);
    for (const pid of says.exec(stdout)?.slice(1) ?? []) await mustHang(Number(pid), says);
  }, { needs: [name === "deno" ? "sh" : name, "mkfifo", "env"], os: "linux" });
}

processTest("why tells who waits for one that waits in open", async () => {
  await using folder = await temporaryFolder();
  await runCommand(["mkfifo", `${folder.path}/a`]);
  await using parent = start(bash(`cat < ${folder.path}/a; echo > ${folder.path}/a`));
  const waits =
    "bash \\d+ waits in open for a writer of .*, and bash \\d+ waits until bash \\d+ exits";
  await mustHang(parent.pid, new RegExp(waits));
}, { needs: ["bash", "mkfifo"], os: "linux" });

processTest("why tells of a process whose parent has gone, in its session or its own", async () => {
  const popen = 'Popen(["sleep", "300"], stdout=PIPE, stderr=PIPE';
  for (const [program, args] of [["setsid", ""], ["env", ", start_new_session=True"]] as const) {
    const { stdout } = await runCommand([program, ...python(`print(${popen}${args}).pid)`)]);
    const pid = Number(stdout);
    try {
      const parent = /^PPid:\s*(\d+)/m.exec(await Deno.readTextFile(`/proc/${pid}/status`))?.[1];
      // Where another process takes over, a new session hides that.
      if (parent !== "1" && args !== "") continue;
      const says =
        `sleep ${pid} sleeps; whoever started sleep ${pid} has gone\n[^]*: kill ${pid}\n`;
      assertMatch(await mustHang(pid, /not a pipe/), new RegExp(`${says}[^]*its child lives on`));
    } finally {
      Deno.kill(pid, "SIGKILL");
    }
  }
}, { needs: ["python3", "setsid"], os: "linux" });

processTest("why does not tell twice of a circle through a terminal", async () => {
  // Not each shell turns into its last command.
  const script = '["script", "-qec", "cat", "/dev/null"]';
  await using parent = start(python(`Popen(${script}, stdin=PIPE, stdout=PIPE).stdout.read()`));
  const says =
    /^cat \d+ waits for what is typed at the terminal \S+, and script \d+ waits to read .* there(, and sh .*)?\n/;
  await mustHang(parent.pid, says);
}, { needs: ["python3", "script"], os: "linux" });

processTest("why tells of a process that a debugger holds", async () => {
  const gdb = '["gdb", "-q", "-nx", "-ex", "starti", "cat"]';
  await using parent = start(python(`Popen(${gdb}, stdin=PIPE, stdout=PIPE).stdout.read()`));
  const cat = await find(parent.pid, "cat");
  await mustHang(cat, /cat \d+ is held by gdb \d+, which debugs it/);
}, { needs: ["python3", "gdb"], os: "linux" });

processTest("why tells the same of each process of a pipeline", async () => {
  await using shell = start(bash("yes | (exec sleep 300)"));
  const says = /yes \d+ waits for a reader of its stdout: sleep \d+ holds the read end/;
  await mustHang(shell.pid, says);
  await mustHang(await find(shell.pid, "yes"), says);
  await mustHang(
    await find(shell.pid, "sleep"),
    says,
  );
}, { needs: ["bash"], os: "linux" });

processTest("why tells of the one who waits when asked about the grandchild", async () => {
  await using parent = start(
    python('Popen(["sh", "-c", "sleep 300 & echo done"], stdout=PIPE).stdout.read()'),
  );
  const sleep = await find(parent.pid, "sleep");
  await mustHang(
    sleep,
    /^python3 \d+ gets no end of file .* before sleep \d+ exits/,
  );
}, { needs: ["python3"], os: "linux" });

processTest("why tells whose stdin Deno waits for, in a thread of its own", async () => {
  const reader = JSON.stringify(deno("await Deno.stdin.read(new Uint8Array(1))"));
  await using parent = start(python(`Popen(${reader}, stdin=PIPE).wait()`));
  await mustHang(
    parent.pid,
    /deadlock: python3 \d+ waits until deno \d+ exits, and deno \d+ waits until python3 \d+ writes/,
  );
}, { needs: ["python3"], os: "linux" });

/** Programs that wait for more than they were sent, and what is said to help. */
const READERS: Record<string, { command: string[]; advice: RegExp }> = {
  "gdb, which shows a prompt and polls pipes of its own": {
    command: ["gdb", "-q", "-nx"],
    advice:
      /gdb \d+: .*read up to it\n(.*\n)*if it shows a prompt.*\n(.*\n)+.*: talk to a program that shows a prompt$/,
  },
  "a program that selects a pipe of its own, too": {
    command: python("r, w = os.pipe()\nos.read(0, 9)\nselect.select([0, r], [], [])"),
    advice: /python3 \d+: Python buffers its output itself: run it with -u/,
  },
  "python3": {
    command: python("for line in sys.stdin: print(line)"),
    advice: /python3 \d+: Python buffers its output itself: run it with -u/,
  },
  "sed": { command: ["sed", "p"], advice: /sed \d+: sed buffers its output: run it with -u/ },
  "python3 -iqu, which shows its prompt on stderr": {
    command: ["python3", "-iqu"],
    advice:
      /python3 \d+: it may .*have nothing to say.*\n(.*\n)*if it shows a prompt, on stdout or stderr/,
  },
  "sort": { command: ["sort"], advice: /sort \d+: it answers at the end of its input/ },
};

for (const [title, { command, advice }] of Object.entries(READERS)) {
  const [name = ""] = command;
  processTest(`why tells, of the parent and of the child, what helps: ${title}`, async () => {
    const words = JSON.stringify(command).slice(1, -1);
    await using parent = start(deno(
      `const c = start(${words}); await c.stdin.getWriter().write(new Uint8Array([97, 10]));
      for await (const _ of c.stdout);`,
    ));
    const says =
      /^(deno \d+ and \w+|\w+ \d+ and deno) \d+ both wait to read, and (nothing is in|\d+ bytes lie unread in the stderr of)/m;
    assertMatch(await mustHang(parent.pid, says), advice);
    assertMatch(await mustHang(await find(parent.pid, name.replace(/.*\//, "")), says), advice);
  }, { needs: [name], os: "linux" });
}

processTest("why does not call it a deadlock while something moves", async () => {
  await using shell = start(bash("yes | cat"));
  await find(shell.pid, "cat");
  for (let round = 0; round < 5; round++) {
    const { code, stdout } = await runScript("why", ["--pid", `${shell.pid}`]);
    assertEquals(code, 0);
    assertMatch(stdout, /nothing hangs at this moment|not a pipe: .* (computes|waits)/);
  }
}, { needs: ["bash"], os: "linux" });
