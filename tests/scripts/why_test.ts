/**
 * What why.ts says of real programs that hang: each begins to, and is looked at when it does.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { paste } from "../../lib/script/paste.ts";
import { explain } from "../../lib/why/hang.ts";
import { SECTIONS } from "../../lib/why/sections.ts";
import { look } from "../../lib/why/proc.ts";
import {
  processesMarked,
  processTest,
  type Result,
  runCommand,
  runScript,
  scriptCommand,
  temporaryFolder,
} from "../process.ts";

/** Starts a program that will hang, in a group of its own, which ends with the block. */
function start([program = "", ...args]: string[]) {
  const env = { PYTHONUNBUFFERED: "" };
  const options = {
    args,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  } as const;
  const child = new Deno.Command(program, options).spawn();
  const end = async () => {
    Deno.kill(-child.pid, "SIGKILL");
    await child.status;
  };
  return { pid: child.pid, [Symbol.asyncDispose]: end };
}

/** Waits until looking at the process gives what is asked for. */
async function until<T>(act: () => T | undefined, what: () => string): Promise<T> {
  for (const start = performance.now(); performance.now() - start < 20_000;) {
    const result = act();
    if (result !== undefined) return result;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within 20 s: ${what()}`);
}

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
  let last = "";
  let before = look(pid);
  const see = () => {
    const now = look(pid);
    const verdict = explain(pid, now, before);
    before = now;
    last = verdict ? [verdict.what, ...verdict.cures].join("\n  ") : "it moves";
    return expected.test(last) || undefined;
  };
  await until(see, () => `${expected} of ${last}`);
  const { code, stdout, stderr } = await runScript("why", ["--pid", `${pid}`]);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, expected);
  await mustHaveSections(stdout);
  for (const line of (stdout.split("\n\n")[0] ?? "").split("\n")) assert(line.length <= 80, line);
  return stdout;
}

/** The process of this name that one waits for, or that is its neighbour. */
function find(pid: number, name: string): Promise<number> {
  const see = () => [...look(pid).processes].find(([, process]) => process.name === name)?.[0];
  return until(see, () => `${name} beside ${pid}`);
}

const python = (text: string) => [
  "python3",
  "-c",
  `import asyncio, os, select, socket, subprocess, sys, threading, time\n` +
  `from subprocess import PIPE, Popen\n${text}`,
];
const node = (text: string) => [
  "node",
  "-e",
  `const { spawn } = require("node:child_process");\n${text}`,
];
const deno = (text: string) => [
  Deno.execPath(),
  "eval",
  `const start = (program, ...args) =>
    new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  ${text}`,
];
const bash = (text: string) => ["bash", "-c", text];

/** One way to hang, in every language in which it can happen. */
interface Row {
  title: string;
  says: RegExp;
  programs: string[][];
}

const asyncio = `async def start(*command):
  return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
async def main():
  `;

const quiet = "head -c 1000000 /dev/zero; echo done >&2";
const noisy = "head -c 1000000 /dev/zero >&2; echo done";

const ROWS: Row[] = [
  {
    title: "write everything before reading is a deadlock",
    says:
      /deadlock: .*cat \d+ waits until .* reads its stdout[^]*read (while you write|before you wait)/,
    programs: [
      python('c = Popen(["cat"], stdin=PIPE, stdout=PIPE)\nc.stdin.write(bytes(1_000_000))'),
      node('const c = spawn("cat"); c.stdin.write(Buffer.alloc(1e6), () => c.stdout.resume())'),
      deno('await start("cat").stdin.getWriter().write(new Uint8Array(1e6))'),
      bash("coproc cat; head -c 1000000 /dev/zero >&${COPROC[1]}; cat <&${COPROC[0]}"),
    ],
  },
  {
    title: "to wait for the exit of a child that writes much is a deadlock",
    says:
      /deadlock: \w+ \d+ waits until seq \d+ (writes or )?exits, and seq \d+ waits until .* reads its stdout/,
    programs: [
      python('Popen(["seq", "1000000"], stdout=PIPE).wait()'),
      node('spawn("seq", ["1000000"]).on("exit", () => {})'),
      deno('await start("seq", "1000000").status'),
      python(`${asyncio}c = await start("seq", "1000000")\n  await c.wait()\nasyncio.run(main())`),
      bash("exec 3< <(exec seq 1000000); wait $!"),
    ],
  },
  {
    title: "to read stdout to its end while stderr is full is a deadlock",
    says:
      /deadlock: .*head \d+ waits until \w+ \d+ reads its stdout and stderr[^]*read both outputs/,
    programs: [
      python(`Popen(["sh", "-c", "${noisy}"], stdout=PIPE, stderr=PIPE).stdout.read()`),
      node(`spawn("sh", ["-c", "${noisy}"]).stdout.resume()`),
      deno(`await start("sh", "-c", "${noisy}").stdout.text()`),
    ],
  },
  {
    title: "to read stderr to its end while stdout is full is a deadlock",
    says:
      /deadlock: .*head \d+ waits until \w+ \d+ reads its stdout[^]*read both outputs at the same time/,
    programs: [
      python(`Popen(["sh", "-c", "${quiet}"], stdout=PIPE, stderr=PIPE).stderr.read()`),
      node(`spawn("sh", ["-c", "${quiet}"]).stderr.resume()`),
      deno(`await start("sh", "-c", "${quiet}").stderr.text()`),
    ],
  },
  {
    title: "a grandchild holds the write end",
    says:
      /no end of file .* before sleep \d+ exits: it holds the write end \((stdout|stderr)\) and sleeps/,
    programs: [
      python('Popen(["sh", "-c", "sleep 300 & echo done"], stdout=PIPE).stdout.read()'),
      node('spawn("sh", ["-c", "sleep 300 & echo done"]).stdout.resume()'),
      deno('await start("sh", "-c", "sleep 300 & echo done").stdout.text()'),
      bash("x=$(sh -c 'sleep 300 & echo done')"),
    ],
  },
  {
    title: "who reads holds the write end",
    says: /no end of file .*: it holds the write end of that pipe itself/,
    programs: [
      python("r, w = os.pipe()\nif os.fork() == 0: os._exit(0)\nos.fdopen(r).read()"),
      python("r, w = os.pipe()\nselect.select([r], [], [])"),
      bash("cd $(mktemp -d); mkfifo p; exec 3<>p; rm p; rmdir $PWD; exec cat <&3"),
    ],
  },
  {
    title: "another child inherited the write end",
    says:
      /cat \d+ gets no end of file from its stdin before sleep \d+ exits: it holds the write end/,
    programs: [
      python(
        'c = Popen(["cat"], stdin=PIPE, stdout=PIPE)\nos.set_inheritable(c.stdin.fileno(), True)\n' +
          'Popen(["sleep", "300"], close_fds=False)\nc.stdin.close()\nc.stdout.read()',
      ),
      bash("exec 3> >(exec cat); cat=$!; sleep 300 & exec 3>&-; wait $cat"),
    ],
  },
  {
    title: "both wait to read: the answer is in a buffer",
    says: /both wait to read, .*: sed \d+ has read what was sent, so the answer is in its buffer/,
    programs: [
      python(
        'c = Popen(["sed", "p"], stdin=PIPE, stdout=PIPE)\nc.stdin.write(b"a\\n")\n' +
          "c.stdin.flush()\nc.stdout.readline()",
      ),
      node('const c = spawn("sed", ["p"]); c.stdin.write("a\\n"); c.stdout.resume()'),
      deno(
        'const c = start("sed", "p"); await c.stdin.getWriter().write(new Uint8Array([97, 10]));' +
          "await c.stdout.getReader().read()",
      ),
      bash("coproc sed p; echo a >&${COPROC[1]}; read x <&${COPROC[0]}"),
      python(`${asyncio}c = await start("sed", "p")\n  await c.stdout.read()\nasyncio.run(main())`),
      python(
        'c = Popen(["sed", "p"], stdin=PIPE, stdout=PIPE)\n' +
          "t = threading.Thread(target=c.stdout.read)\nt.start()\nt.join()",
      ),
      python(
        'c = Popen(["sed", "p"], stdin=PIPE, stdout=PIPE)\nselect.select([c.stdout], [], [])',
      ),
      python(
        'c = Popen(["sed", "p"], stdin=PIPE, stdout=PIPE)\np = select.poll()\n' +
          "p.register(c.stdout, select.POLLIN)\np.poll()",
      ),
    ],
  },
  {
    title: "to wait for the exit of a child that waits for its input is a deadlock",
    says:
      /deadlock: \w+ \d+ waits until sort \d+ exits, and sort .* writes\n *close the child's stdin/,
    programs: [
      python('Popen(["sort"], stdin=PIPE).wait()'),
      node('spawn("sort", { stdio: ["pipe", "ignore", "ignore"] }).on("exit", () => {})'),
      deno(
        'const options = { stdin: "piped", stdout: "null", stderr: "null" };' +
          'await new Deno.Command("sort", options).spawn().status',
      ),
      bash("exec 3> >(exec sort); wait $!"),
    ],
  },
  {
    title: "to wait for the exit of a child that waits for what its parent may write is a deadlock",
    says:
      /deadlock: \w+ \d+ waits until \w+ \d+ exits, and \w+ \d+ waits until \w+ \d+ writes\n.*\n.* the write end in \w+ \d+ itself/,
    programs: [
      python("r, w = os.pipe()\nif os.fork() == 0: os.read(r, 1)\nos.wait()"),
      bash("cd $(mktemp -d); mkfifo p; exec 3<>p; rm p; rmdir $PWD; cat <&3; true"),
    ],
  },
  {
    title: "who reads holds the write end, and so does one that could write",
    says:
      /no end of file .* itself .*, as \w+ \d+ does\n *if one of these is to write: .* sleeps$/m,
    programs: [
      python("r, w = os.pipe()\nif os.fork() == 0: time.sleep(300)\nos.read(r, 1)"),
      bash("cd $(mktemp -d); mkfifo p; exec 3<>p; rm p; rmdir $PWD; sleep 300 & read x <&3"),
    ],
  },
  {
    title: "a circle of three",
    says:
      /deadlock: .* until cat \d+ reads its stdin, cat .* until cat .*, and cat \d+ waits until python3/,
    programs: [
      python(
        'a = Popen(["cat"], stdin=PIPE, stdout=PIPE)\n' +
          'b = Popen(["cat"], stdin=a.stdout, stdout=PIPE)\na.stdout.close()\n' +
          "a.stdin.write(bytes(1_000_000))",
      ),
    ],
  },
  {
    title: "many hold the write end",
    says: /before sleep \d+, sleep \d+ and sleep \d+ exit: they hold the write end/,
    programs: [
      python(
        'Popen(["sh", "-c", "(sleep 300 & sleep 300 & sleep 300 &)"], stdout=PIPE).stdout.read()',
      ),
    ],
  },
  {
    title: "a reader of a pipe that nobody reads on the other side",
    says:
      /yes \d+ waits for a reader of its stdout: sleep \d+ holds the read end, does not read and sleeps/,
    programs: [
      bash("yes | (sleep 300)"),
      ["sh", "-c", "yes | sleep 300"],
      bash("yes | (exec sleep 300) | cat"),
    ],
  },
  {
    title: "not a pipe: sleeping",
    says: /not a pipe: \w+ \d+ sleeps/,
    programs: [python("time.sleep(300)"), ["sleep", "300"]],
  },
  {
    title: "not a pipe: a child that sleeps",
    says: /not a pipe: \w+ \d+ waits until sleep \d+ exits; sleep \d+ sleeps/,
    programs: [bash("sleep 300; true"), python('subprocess.run(["sleep", "300"])')],
  },
  {
    title: "not a pipe: a terminal, as expect has it",
    says: /not a pipe: python3 \d+ waits for the terminal \/dev\/pts\/\d+ \(other end: cat \d+\)/,
    programs: [
      python(
        'pid, m = __import__("pty").fork()\nif pid == 0: os.execlp("cat", "cat")\nos.read(m, 9)',
      ),
    ],
  },
  {
    title: "not a pipe: a file lock",
    says: /not a pipe: python3 \d+ waits for a file lock/,
    programs: [
      python(
        "import fcntl, tempfile\nt = tempfile.TemporaryFile()\nfcntl.flock(t, fcntl.LOCK_EX)\n" +
          'fcntl.flock(open(f"/proc/self/fd/{t.fileno()}"), fcntl.LOCK_EX)',
      ),
    ],
  },
  {
    title: "not a pipe: computing",
    says: /not a pipe: \w+ \d+ computes/,
    programs: [
      // For minutes, but not for ever.
      python("for n in range(10**10): pass"),
      node("for (let n = 0; n < 1e12; n++);"),
      deno("for (let n = 0; n < 1e12; n++);"),
      bash("for ((n = 0; n < 10**8; n++)); do :; done"),
    ],
  },
  {
    title: "not a pipe: a server that waits for a connection",
    says: /not a pipe: \w+ \d+ waits for a network connection to its port \d+/,
    programs: [
      python('s = socket.create_server(("127.0.0.1", 0))\ns.accept()'),
      node('require("node:http").createServer().listen(0)'),
      deno('Deno.serve({ hostname: "127.0.0.1", port: 0 }, () => new Response())'),
    ],
  },
];

for (const { title, says, programs } of ROWS) {
  for (const program of programs) {
    const [name = ""] = program;
    processTest(
      `why tells, in ${name.replace(/.*\//, "")} (${programs.indexOf(program)}): ${title}`,
      async () => {
        await using parent = start(program);
        await mustSay(parent.pid, says);
      },
      { needs: [name], os: "linux" },
    );
  }
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
    await mustSay(parent.pid, new RegExp(`${name} \\d+ waits in open for a writer of ${path}`));
    // Nobody has opened it meanwhile: it still waits.
    await mustSay(parent.pid, /waits in open for a writer/);
  }, { needs: [name === "deno" ? "sh" : name, "mkfifo"], os: "linux" });
}

processTest("why tells that a FIFO to write to has no reader", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/pipe`;
  await runCommand(["mkfifo", path]);
  await using parent = start(bash(`echo > ${path}`));
  await mustSay(parent.pid, /bash \d+ waits in open for a reader of .*pipe/);
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
    const stdout = await mustSay(parent.pid, says);
    for (const pid of says.exec(stdout)?.slice(1) ?? []) await mustSay(Number(pid), says);
  }, { needs: [name === "deno" ? "sh" : name, "mkfifo", "env"], os: "linux" });
}

processTest("why tells who waits for one that waits in open", async () => {
  await using folder = await temporaryFolder();
  await runCommand(["mkfifo", `${folder.path}/a`]);
  await using parent = start(bash(`cat < ${folder.path}/a; echo > ${folder.path}/a`));
  const waits =
    "bash \\d+ waits in open for a writer of .*, and bash \\d+ waits until bash \\d+ exits";
  await mustSay(parent.pid, new RegExp(waits));
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
      assertMatch(await mustSay(pid, /not a pipe/), new RegExp(`${says}[^]*its child lives on`));
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
    /: python3 \d+ waits until script \d+ writes; script \d+ waits for the terminal \S+ \(other end: (\w+ \d+, )?cat \d+\)\n/;
  await mustSay(parent.pid, says);
}, { needs: ["python3", "script"], os: "linux" });

processTest("every cause of a hang in the README has a verdict that leads to it", async () => {
  const files = ["hang", "conclusions"].map((name) =>
    new URL(`../../lib/why/${name}.ts`, import.meta.url)
  );
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(file)));
  for (const name of Object.keys(SECTIONS)) assert(texts.join().includes(`SECTIONS.${name}`), name);
  const sections: string[] = Object.values(SECTIONS);
  await mustHaveSections(sections.map((section) => `more in ${section}`).join("\n"));
  const [, chapter = ""] = /\n## Why it hangs\n([^]*?)\n## /.exec(await readme) ?? [];
  const headings = [...chapter.matchAll(/^### (.*)$/gm)].map(([, heading = ""]) => heading);
  assert(headings.length > 5);
  for (const heading of headings.slice(1)) {
    assert(sections.includes(`README.md: ${heading}`), heading);
  }
});

processTest("why tells of a stopped process, and of whoever waits for it", async () => {
  await using parent = start(python('Popen(["cat"], stdin=PIPE, stdout=PIPE).stdout.read()'));
  const cat = await find(parent.pid, "cat");
  Deno.kill(cat, "SIGSTOP");
  const stdout = await mustSay(
    parent.pid,
    new RegExp(`cat ${cat} is stopped by a signal, and python3`),
  );
  assertMatch(stdout, new RegExp(`kill -CONT ${cat}`));
  await mustSay(cat, /cat \d+ is stopped by a signal/);
}, { needs: ["python3"], os: "linux" });

processTest("why tells of a process that a debugger holds", async () => {
  const gdb = '["gdb", "-q", "-nx", "-ex", "starti", "cat"]';
  await using parent = start(python(`Popen(${gdb}, stdin=PIPE, stdout=PIPE).stdout.read()`));
  const cat = await find(parent.pid, "cat");
  await mustSay(cat, /not a pipe: cat \d+ is held by gdb \d+, which debugs it/);
}, { needs: ["python3", "gdb"], os: "linux" });

processTest("why is not among those that hold an end", async () => {
  const line = 'exec 3> >(exec cat >/dev/null); "$@" $!; exec 3>&-';
  const command = scriptCommand("why", ["--pid"]);
  const { stdout } = await runCommand(["bash", "-c", line, "bash", ...command]);
  assertMatch(stdout, /\nbash \d+ \[descriptor 3\] ── 0 of/);
  assertMatch(stdout, /; deno \d+ only looks on\n/);
}, { needs: ["bash"], os: "linux" });

processTest("why names a part of the kernel", async () => {
  const name = await Deno.readTextFile("/proc/2/comm").catch(() => "");
  // A container has other processes.
  if (name !== "kthreadd\n") return;
  const { stdout } = await runScript("why", ["--pid", "2"]);
  assertMatch(stdout, /^kthreadd 2 {2}is a part of the kernel\n/);
}, { os: "linux" });

processTest("why tells the same of each process of a pipeline", async () => {
  await using shell = start(bash("yes | (exec sleep 300)"));
  const says = /yes \d+ waits for a reader of its stdout: sleep \d+ holds the read end/;
  await mustSay(shell.pid, says);
  await mustSay(await find(shell.pid, "yes"), says);
  await mustSay(
    await find(shell.pid, "sleep"),
    new RegExp(`^sleep.*Meanwhile ${says.source}`, "m"),
  );
}, { needs: ["bash"], os: "linux" });

processTest("why tells of the one who waits when asked about the grandchild", async () => {
  await using parent = start(
    python('Popen(["sh", "-c", "sleep 300 & echo done"], stdout=PIPE).stdout.read()'),
  );
  const sleep = await find(parent.pid, "sleep");
  await mustSay(
    sleep,
    /^sleep \d+ sleeps; whoever.* has gone\. Meanwhile python3 \d+ gets no end of file/m,
  );
}, { needs: ["python3"], os: "linux" });

processTest("why tells whose stdin Deno waits for, in a thread of its own", async () => {
  const reader = JSON.stringify(deno("await Deno.stdin.read(new Uint8Array(1))"));
  await using parent = start(python(`Popen(${reader}, stdin=PIPE).wait()`));
  await mustSay(
    parent.pid,
    /deadlock: python3 \d+ waits until deno \d+ exits, and deno \d+ waits until python3 \d+ writes/,
  );
}, { needs: ["python3"], os: "linux" });

/** Programs that wait for more than they were sent, and what is said to help. */
const READERS: Record<string, { command: string[]; advice: RegExp }> = {
  "gdb, which shows a prompt and polls pipes of its own": {
    command: ["gdb", "-q", "-nx"],
    advice:
      /gdb \d+: .*read up to it\n *if it shows a prompt.*\n( .*\n)+ *more in lib.*: talk to a program that shows a prompt\n/,
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
      /python3 \d+: it may .*have nothing to say.*\n *if it shows a prompt, on stdout or stderr/,
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
    const says = /^(deno \d+ and \w+|\w+ \d+ and deno) \d+ both wait to read, and nothing is in/m;
    assertMatch(await mustSay(parent.pid, says), advice);
    assertMatch(await mustSay(await find(parent.pid, name), says), advice);
  }, { needs: [name], os: "linux" });
}

processTest("why does not call it a deadlock while something moves", async () => {
  await using shell = start(bash("yes | cat"));
  await find(shell.pid, "cat");
  for (let look = 0; look < 5; look++) {
    const { code, stdout } = await runScript("why", ["--pid", `${shell.pid}`]);
    assertEquals(code, 0);
    assertMatch(stdout, /nothing hangs at this moment|not a pipe: .* (computes|waits)/);
  }
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
  await mustSay(parent.pid, says);
  const cat = await find(parent.pid, "cat");
  // As Yama hides them on Ubuntu from all but root.
  const result = await lookBehind(
    parent.pid,
    ...[parent.pid, cat].map((pid) => `mount --bind /dev/null /proc/${pid}/task/${pid}/syscall`),
  );
  if (result !== undefined) assertMatch(result.stdout, says);
}, { needs: ["python3", "unshare"], os: "linux" });

processTest("why says that there is no /proc", async () => {
  const result = await lookBehind(1, "mount -t tmpfs none /proc");
  if (result === undefined) return;
  assertEquals([result.code, result.stdout], [1, ""], result.stderr);
  assertMatch(result.stderr, /^why: there is no \/proc here[^\n]*\n$/);
}, { needs: ["unshare"], os: "linux" });

interface Experiment {
  command: string[];
  says: RegExp;
  args?: string[];
  variables?: Record<string, string>;
  needs?: string[];
}

const buffered =
  /it buffers because it writes to a pipe: it has read the question and written nothing; at a terminal it answered after \d+ ms/;
const cure = (command: string) =>
  new RegExp(`${buffered.source}\\n  ${command} {3}# answered after \\d+ ms\\n`);
const echo = "import sys\nfor line in sys.stdin: print(line.strip())";
const reader = "import sys; print(len(sys.stdin.read()))";

const EXPERIMENTS: Record<string, Experiment> = {
  "cat answers at once": {
    command: ["cat"],
    says:
      /answers at once over pipes, after \d+ ms: the fault is in the parent\n.*\n.*\n.*--pid.*\n.*hold a dialogue/,
  },
  "sed -u answers at once": { command: ["sed", "-u", "p"], says: /answers at once/ },
  "sed buffers": { command: ["sed", "s/a/b/"], says: cure("sed -u s/a/b/") },
  "python buffers": {
    command: ["python3", "-c", echo],
    says: cure("python3 -u -c [^]*"),
    needs: ["python3"],
  },
  "grep buffers": { command: ["grep", "q"], says: cure("grep --line-buffered q") },
  "mawk buffers": { command: ["mawk", "1"], says: cure("mawk -W interactive 1"), needs: ["mawk"] },
  "cut buffers": { command: ["cut", "-c1-"], says: cure("stdbuf -oL cut -c1-"), needs: ["stdbuf"] },
  "one that logs on stderr buffers": {
    command: python("for line in sys.stdin: sys.stderr.write('[debug]\\n'); print('answer', line)"),
    says:
      /, to stderr "\[debug\]", [^]*it has read the question and written nothing to stdout; at a terminal it answered after \d+ ms\n {2}python3 -u -c /,
    needs: ["python3"],
  },
  "a program in a shell buffers": {
    command: ["sh", "-c", "sed p; true"],
    says: cure("stdbuf -oL sh -c 'sed p; true'"),
    needs: ["stdbuf"],
  },
  "one that buffers, and ends at a terminal": {
    command: ["sh", "-c", "if [ -t 0 ]; then echo usage >&2; exit 1; fi; exec sed p"],
    says:
      /it has read the question and written nothing\n {2}stdbuf -oL sh -c [^]* {3}# answered after/,
    needs: ["stdbuf"],
  },
  "one of two that buffers, at a terminal as well": {
    command: ["sh", "-c", "sed p | cat"],
    says: /it has read the question and written nothing\n {2}stdbuf -oL sh -c 'sed p \| cat' {3}#/,
    needs: ["stdbuf"],
  },
  "perl buffers": {
    command: ["perl", "-ne", "print"],
    says: cure("script -qec 'stty -echo; perl -ne print' /dev/null"),
    needs: ["perl"],
  },
  "ruby buffers": {
    command: ["ruby", "-pe", "1"],
    says: cure("script -qec 'stty -echo; ruby -pe 1' /dev/null"),
    needs: ["ruby"],
  },
  "python reads a program": {
    command: ["python3"],
    args: ["--question=print(6*7)"],
    says:
      /it talks only when it is interactive: [^]*\n {2}python3 -i {3}# answered after \d+ ms\n.*: talk to a program that shows a prompt\n/,
    needs: ["python3"],
  },
  "node reads a program": {
    command: ["node"],
    args: ["--question=6*7"],
    says: /\n {2}answered "42" after [^]*\n {2}node -i {3}# answered after \d+ ms\n/,
    needs: ["node"],
  },
  "lua reads a program": {
    command: ["lua5.4"],
    args: ["--question=print(6*7)"],
    says: /it talks only when it is interactive: [^]*\n {2}lua5.4 -i {3}# answered after \d+ ms\n/,
    needs: ["lua5.4"],
  },
  "an editor of lines shows what it is asked, which is no answer": {
    command: python("import readline\nwhile input() != 'status': pass\nprint('up')"),
    says: /it has nothing to say: .* at end of file or at a terminal\n/,
    needs: ["python3"],
  },
  "sort answers at its end of file": {
    command: ["sort"],
    says: /answers only at end of file: it wrote "question\\n" when/,
  },
  "wc answers at its end of file": {
    command: ["wc", "-c"],
    says: /answers only at end of file: it wrote "9\\n" when/,
  },
  "one that is slow to answer": {
    command: ["sh", "-c", "read x; sleep 1.7; echo $x; cat"],
    says:
      /it is slow: it has read the question, and waits for the exit of sleep \d+, which sleeps; it wrote "question\\n" \d{4} ms after that\n {2}give it more time: --timeout \d\n/,
  },
  "one that is slow to answer, and is given the time": {
    command: ["sh", "-c", "read x; sleep 1.7; echo $x; cat"],
    args: ["--timeout=3"],
    says: /it answers over pipes, but is slow: after \d{4} ms\n {2}does the parent wait for/,
  },
  "python answers at its end of file": {
    command: ["python3", "-c", reader],
    says: /answers only at end of file/,
    needs: ["python3"],
  },
  "bc has nothing to say to an assignment": {
    command: ["bc"],
    args: ["--question", "x=3"],
    says:
      /it has nothing to say: it has read the question, waits to read stdin, and wrote nothing at end of file or at a terminal/,
    needs: ["bc"],
  },
  "a prompt": {
    command: ["sh", "-c", 'printf "Name? "; read n; echo hi $n'],
    says:
      /a prompt without a newline: it wrote "Name\? " and waits\n.*\n.*: talk to a program that shows a prompt/,
  },
  "the beginning of a line, and work": {
    command: ["sh", "-c", 'printf "Loading ... "; sleep 300; cat'],
    says:
      /wrote nothing more, [^]*it does not read its stdin: the question is unread, and it waits/,
  },
  "a prompt on stderr, and nothing to say": {
    command: ["python3", "-i"],
    args: ["--question=import os"],
    says: /it has nothing to say: it has read the question, waits to read stdin, and wrote nothing/,
    needs: ["python3"],
  },
  "a prompt on stderr, and an error": {
    command: ["python3", "-i"],
    says: /it answers on stderr, not on stdout: ".*NameError.* not defined"\n/,
    needs: ["python3"],
  },
  "an empty line for an answer": {
    command: ["sh", "-c", "while read x; do echo; done"],
    says: /\n {2}answered "" after [^]*answers at once over pipes/,
  },
  "one that answers, and says more at end of file": {
    command: ["sh", "-c", "while read x; do echo $x; done; echo bye"],
    says: /^.*\n {2}answered "question" after \d+ ms\n\nit answers at once over pipes/,
  },
  "sleep does not read": {
    command: ["sleep", "300"],
    says: /it does not read its stdin: the question is unread, and it sleeps/,
  },
  "one that is ready late": {
    command: ["sh", "-c", "sleep 1; echo started; exec cat >/dev/null"],
    says: /it has nothing to say: it has read the question, [^]* wrote nothing more at end of file/,
  },
  "one that is ready late, and buffers": {
    command: ["sh", "-c", "sleep 1; echo ready; exec sed p"],
    says: cure("stdbuf -oL sh -c 'sleep 1; echo ready; exec sed p'"),
    needs: ["stdbuf"],
  },
  "one that is ready after it was asked": {
    command: ["sh", "-c", "sleep 1; echo ready; exec cat >/dev/null"],
    args: ["--timeout=0.5"],
    says: /nothing more at end of file|reads its stdin late, [^]* it wrote "ready\\n"/,
  },
  "one that does not wait in its read": {
    command: python(
      "os.set_blocking(0, False)\nfor n in range(30000):\n  try: text = os.read(0, 99)\n" +
        "  except BlockingIOError: time.sleep(0.01); continue\n  if not text: break\n" +
        "  os.write(1, text)",
    ),
    says: /answers at once over pipes/,
    needs: ["python3"],
  },
  "one that tells that it lives does not read": {
    command: ["sh", "-c", "for n in $(seq 600); do echo alive; sleep 0.5; done"],
    args: ["--timeout=0.5"],
    says: /it does not read its stdin: the question is unread/,
    needs: ["seq"],
  },
  "one that counts beside its dialogue": {
    command: python(
      "def count():\n  for n in range(6000): print(n, flush=True); time.sleep(0.05)\n" +
        "threading.Thread(target=count, daemon=True).start()\nsys.stdin.read()",
    ),
    args: ["--timeout=0.5"],
    says: /it has nothing to say: [^]* wrote nothing more at end of file/,
    needs: ["python3"],
  },
  "one that says the same before the question and after it": {
    command: ["sh", "-c", "echo ok; while read x; do echo ok; done"],
    says: /answers at once over pipes/,
  },
  "a shell that waits for another does not read": {
    command: ["sh", "-c", "sleep 300; true"],
    says: /it does not read its stdin: .* waits for the exit of sleep \d+, which sleeps/,
  },
  "a server does not read": {
    command: python('socket.create_server(("127.0.0.1", 0)).accept()'),
    says: /it does not read its stdin: .* waits for a network connection to its port/,
    needs: ["python3"],
  },
  "one that hangs with a child of its own": {
    command: python(
      'p = Popen(["sed", "p"], stdin=PIPE, stdout=PIPE)\nfor line in sys.stdin.buffer:\n' +
        "  p.stdin.write(line); p.stdin.flush(); print(p.stdout.readline())",
    ),
    says:
      /it has read the question, and its own pipes are in the way: python3 \d+ and sed \d+ both wait to read, [^]*\n {2}sed \d+: sed buffers its output/,
    needs: ["python3"],
  },
  "one that waits for a child of its own": {
    command: ["sh", "-c", "read x; sleep 300; echo $x"],
    says: /it has read the question, and waits for the exit of sleep \d+, which sleeps: it wrote/,
  },
  "one behind another that buffers": {
    command: ["nice", "sed", "p"],
    says: cure("nice sed -u p"),
    needs: ["nice"],
  },
  "much on stderr": {
    command: ["sh", "-c", "head -c 1000000 /dev/zero >&2; cat"],
    says:
      /its stderr carries much, 1,000,000 bytes: a parent that pipes it and does not read it hangs/,
  },
  "one that looks for a terminal": {
    command: ["sh", "-c", "[ -t 0 ] || { echo no tty >&2; exit 3; }; cat"],
    says:
      /it wants a terminal: over pipes it exited with status 3, saying "no tty"; at a terminal it answered/,
  },
  "one that reads from the terminal": {
    command: ["sh", "-c", "read x < /dev/tty || exit; echo $x"],
    says: /it wants a terminal: .*\/dev\/tty/,
  },
  "a shell answers on stderr": {
    command: ["sh"],
    says: /it answers on stderr, not on stdout: ".*sh: .*question: not found"\n/,
  },
  "a shell that names the line of its stdin": {
    command: ["bash"],
    says: /it answers on stderr, not on stdout: ".*bash: line 1: question: command not found"\n/,
    needs: ["bash"],
  },
  "one that leaves its dialogue to a child": {
    command: python(
      "if os.fork() == 0:\n  for line in sys.stdin: print(line, flush=True)\nos._exit(0)",
    ),
    says:
      /it exited without an answer \(exited with status 0\), before it was asked: python3 \d+ still holds its stdin, stdout and stderr\n/,
    needs: ["python3"],
  },
  "false exits": {
    command: ["false"],
    says: /it exited without an answer \(exited with status 1\)/,
  },
  "a program that fails": {
    command: ["sh", "-c", "echo one >&2; echo two >&2; exit 3"],
    says: /it exited without an answer \(exited with status 3, saying "two"\)/,
  },
  "a crash": {
    command: ["sh", "-c", "read x; kill -SEGV $$"],
    says: /it exited without an answer \(was ended by SIGSEGV\)/,
  },
  "a crash, which a shell tells at a terminal": {
    command: ["sh", "-c", "read x; kill -SEGV $$"],
    variables: { SHELL: "/bin/sh" },
    says: /it exited without an answer \(was ended by SIGSEGV\)/,
  },
  "one that fails once it is asked": {
    command: ["sh", "-c", "read x; echo no such line >&2; exit 3"],
    says: /it exited without an answer \(exited with status 3, saying "no such line"\)/,
  },
  "one that closes its stdin does not read it": {
    command: ["sh", "-c", "exec <&-; exec sleep 300"],
    says:
      /read 0 of 9 bytes, [^]*it does not read its stdin: the question is unread, and it sleeps\n/,
  },
  "a program that stops itself": {
    command: ["sh", "-c", "kill -STOP $$; cat"],
    says:
      /, is stopped by a signal, [^]*\nit is stopped by a signal\n {2}see what stops it; where it hangs, why\.ts --pid PID says how to continue it\n/,
  },
  "an answer without a newline": {
    command: ["sh", "-c", 'while read x; do printf "got $x"; done'],
    says: /no whole line within 1 s: .*\n[^]*it answers without a newline: it wrote "got question"/,
  },
  "a flood on stderr, which why.ts does not end": {
    command: ["sh", "-c", "yes >&2"],
    says: /\n {2}wrote [\d,]{9,} bytes to stderr, and was read no further\n[^]*its stderr carries/,
  },
  "cat answers a long line at once": {
    command: ["cat"],
    args: ["--question", "q".repeat(70_000)],
    says: /answers at once over pipes, after \d{1,3} ms/,
  },
  "a long line without a newline": {
    command: ["sh", "-c", "read x; head -c 300000 /dev/zero | tr '\\0' a; cat"],
    says: /it answers without a newline: it wrote "a{1000}…"/,
  },
  "yes floods": {
    command: ["yes"],
    says: /it floods: it wrote [\d,]{7,} lines without being asked/,
  },
  "a flood without a newline": {
    command: ["sh", "-c", "yes | tr -d '\\n'"],
    says: /it floods: it wrote [\d,]{9,} bytes without being asked/,
  },
  "a program that waits for several of its own": {
    command: ["bash", "-c", "sleep 300 & sleep 300 & wait"],
    says: /the exit of sleep \d+ or waits for the exit of sleep \d+, which sleeps\n/,
    needs: ["bash"],
  },
};

for (const [title, experiment] of Object.entries(EXPERIMENTS)) {
  const { command, args = [], variables, says, needs = [] } = experiment;
  processTest(`why finds out: ${title}`, async () => {
    const mark = crypto.randomUUID();
    const env = { MARK: mark, PYTHONUNBUFFERED: "", ...variables };
    const { code, stdout, stderr } = await runScript("why", [...args, ...command], { env });
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, says);
    await mustHaveSections(stdout);
    assertEquals(await processesMarked(mark), []);
  }, { needs: ["script", ...needs], os: "linux" });
}

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
  const left = await processesMarked(mark);
  assert(left.length > 0, "why has waited for them");
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
  await until(() => isAtTerminal(mark, "cat") || undefined, () => "cat at a terminal");
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
  await until(() => [...Deno.readDirSync(folder.path)][0], () => "the program is asked");
  const start = performance.now();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("\x03"));
  assertEquals((await child.status).code, 128 + 2);
  assert(performance.now() - start < 10_000);
  await writer.close().catch(() => {});
  assert(!(await output).includes("answer"));
  assertEquals(await processesMarked(mark), []);
}, { needs: ["script"], os: "linux" });

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

processTest("why tries sed if there is nothing else to try", async () => {
  const { code, stdout } = await runScript("why");
  assertEquals(code, 0);
  assertMatch(stdout, cure("sed -u s/question/answer/"));
}, { needs: ["script"], os: "linux" });

processTest("why says what it cannot see without -A, and concludes from the rest", async () => {
  const permissions = ["--allow-run"];
  const { code, stdout, stderr } = await runScript("why", ["sed", "p"], { permissions });
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /\n {2}what it waits for cannot be seen: that takes Linux, and -A\n/);
  assertMatch(stdout, /it buffers because it writes to a pipe: no answer; at a terminal/);
}, { needs: ["script"], os: "linux" });

processTest("why skips what is not installed", async () => {
  await using folder = await temporaryFolder();
  await Deno.symlink("/bin/sed", `${folder.path}/sed`);
  const { code, stdout, stderr } = await runScript("why", [], { env: { PATH: folder.path } });
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /skipped: cannot start script: not found/);
  assertMatch(stdout, /it buffers because it writes to a pipe: .* nothing\n {2}sed -u/);
}, { os: "linux" });

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

processTest("why tries a terminal also where the user's shell runs nothing", async () => {
  const options = { env: { SHELL: "/bin/false" } };
  const { stdout } = await runScript("why", ["sed", "s/question/answer/"], options);
  assertMatch(stdout, /^it buffers .*; at a terminal it answered/m);
}, { needs: ["sed", "script"], os: "linux" });
