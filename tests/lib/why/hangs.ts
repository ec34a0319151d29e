/**
 * Programs that hang, and how they are looked at.
 *
 * @module
 */
import { assertMatch } from "@std/assert";
import { takeSnapshot } from "../../../lib/why/processes.ts";
import { activityOf, childrenOf } from "../../../lib/why/proc.ts";
import type { Verdict } from "../../../lib/why/verdict.ts";
import { verdictOn } from "../../../lib/why/verdicts.ts";
import { eventually, isInstalled, processTest } from "../../process.ts";

/** Starts a program that will hang, in a group of its own, which ends with the block. */
export function start([program = "", ...args]: string[]) {
  const child = new Deno.Command(program, {
    args,
    env: { PYTHONUNBUFFERED: "" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  const end = async () => {
    Deno.kill(-child.pid, "SIGKILL");
    await child.status;
  };
  return { pid: child.pid, [Symbol.asyncDispose]: end };
}

/** The child of a process that leads a session of its own; what is called python3 may be a script
 * that starts others before. */
export async function leaderOf(pid: number): Promise<number> {
  const read = (path: string) => Deno.readTextFile(path).catch(() => "");
  let leader = 0;
  await eventually(async () => {
    for (const child of (await read(`/proc/${pid}/task/${pid}/children`)).trim().split(" ")) {
      const [, , , session] = (await read(`/proc/${child}/stat`)).replace(/.*\) /, "").split(" ");
      if (session === child) leader = Number(child);
    }
    return leader > 0;
  }, `a child of ${pid} with a session of its own`);
  return leader;
}

/** What is said, a line each. */
function linesOf({ what, cures, sections }: Verdict): string {
  return [what, ...cures, ...sections].join("\n");
}

/** Waits until the process hangs with this verdict, and gives that, its cures and sections, a line
 * each. */
export async function mustHang(pid: number, expected: RegExp): Promise<string> {
  let before = takeSnapshot(pid, Deno.pid);
  let active = NaN;
  let last = "it moves";
  const start = performance.now();
  for (let looks = 1; performance.now() - start < 40_000; looks++) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    // To look costs much more than to see that something still moves.
    const activity = activityOf(pid);
    const isActive = activity !== active && looks % 10 !== 0;
    active = activity;
    if (isActive) continue;
    const now = takeSnapshot(pid, Deno.pid);
    const verdict = verdictOn(pid, now, before);
    before = now;
    if (verdict === undefined) continue;
    last = linesOf(verdict);
    if (expected.test(last)) return last;
  }
  assertMatch(last, expected);
  return last;
}

/** The process of this name that one waits for, or that is its neighbour. */
export async function find(pid: number, name: string): Promise<number> {
  let found = 0;
  await eventually(() => {
    const { processes } = takeSnapshot(pid, Deno.pid);
    found = [...processes].find(([, process]) => process.name === name)?.[0] ?? 0;
    return found > 0;
  }, `${name} beside ${pid}`);
  return found;
}

/** What is called python3 may be a script that looks for it anew, which takes longer than all else
 * here. */
const python3 = isInstalled("python3")
  ? new TextDecoder().decode(
    new Deno.Command("python3", { args: ["-c", "import sys; print(sys.executable)"] }).outputSync()
      .stdout,
  ).trim()
  : "python3";
export const python = (text: string) => [
  python3,
  "-c",
  `import asyncio, fcntl, os, select, socket, subprocess, sys, tempfile, threading, time
from subprocess import PIPE, Popen
def child(text, **options):
  return Popen([sys.executable, "-c", "import os, select, socket, sys, time\\n" + text], stdout=PIPE, **options)
${text}`,
];
export const node = (text: string) => [
  "node",
  "-e",
  `const { spawn } = require("node:child_process");\n${text}`,
];
export const deno = (text: string) => [
  Deno.execPath(),
  "eval",
  `const start = (program, ...args) =>
    new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  ${text}`,
];
export const bash = (text: string) => ["bash", "-c", text];

/** The same at a terminal of its own, which somebody shows who waits for a person, too: so it may be
 * answered. */
export const atTerminal = (command: string[]) => [
  python3,
  "-c",
  `import os, pty, select, socket, sys
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
person = socket.create_server(("127.0.0.1", 0))
try:
  while select.select([terminal, person], [], []) and os.read(terminal, 999): pass
except OSError: pass`,
  ...command,
];

/** cat is sent a line, and then this is asked of it. */
const cat = (text: string) =>
  python(
    `c = Popen(["cat"], stdin=PIPE, stdout=PIPE)
c.stdin.write(b"hello\\n"); c.stdin.flush()
${text}`,
  );
const READ_ALREADY =
  /^python3 \d+ and cat (\d+) both wait to read, and nothing is in their pipes: cat \1 has read what was sent, so its answer is in its buffer, or was read already \(it has written 6 bytes in its life, here or elsewhere\), or there is none .*\ncat \1: it writes at once.*\nread no more than has come: /;

/** A way to hang. */
interface Hang {
  /** Programs that hang so; what one language tests, others may differ in. */
  programs: string[][];
  /** What is said of it: the verdict, its cures and the sections, a line each. */
  says: RegExp;
  /** Whether it is to be looked at inside the session that the program starts. */
  isInside?: true;
  /** Whether it has processes that have nothing to do with that. */
  hasOthers?: true;
  /** Programs that it takes besides bash and python3. */
  needs?: string[];
}

const asyncio = `async def start(*command):
  return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
async def main():
  `;

const quiet = "head -c 1000000 /dev/zero; echo done >&2";
const noisy = "head -c 1000000 /dev/zero >&2; echo done";

/** Ways to hang, one of each kind. */
export const KINDS: Record<string, Hang> = {
  "a lock on a file that a stopped process has": {
    programs: [
      bash(
        "f=$(mktemp); flock $f sleep 300 & sleep 0.3; kill -STOP $!; rm $f.x 2>/dev/null; flock $f true",
      ),
    ],
    says:
      /^flock \d+ waits for the lock on \S+, and flock (\d+) is stopped by a signal, and sleep (\d+) sleeps\ncontinue flock \1: kill -CONT \1\nhave flock \1 or sleep \2 free it/,
    needs: ["flock"],
  },
  "a question lies unread in stderr": {
    programs: [
      python(
        "os.chdir(tempfile.mkdtemp()); open('a', 'w'); open('b', 'w')\n" +
          'Popen(["cp", "-i", "a", "b"], stdin=PIPE, stdout=PIPE, stderr=PIPE).stdout.read()',
      ),
    ],
    says:
      /^python3 \d+ and cp (\d+) both wait to read, and \d+ bytes lie unread in the stderr of cp \1: .*\nread that too, at the same time: it may be asking there\n/,
  },
  "a shell collects what its child writes": {
    programs: [
      python('subprocess.run(["bash", "-c", "x=$(sleep 200); echo $x"], capture_output=True)'),
      python('subprocess.run(["bash", "-c", "x=`sleep 200`; echo $x"], capture_output=True)'),
      python('subprocess.run(["bash", "-c", "read x < <(sleep 200)"], capture_output=True)'),
      deno('await new Deno.Command("bash", { args: ["-c", "x=$(sleep 200); echo $x"] }).output()'),
    ],
    says: /^bash \d+ waits until sleep (\d+) writes or exits, and sleep \1 sleeps\ngive it time/,
  },
  "write everything before reading is a deadlock": {
    says:
      /deadlock: .*cat \d+ waits until .* reads its stdout[^]*read (while you write|before you wait)/,
    programs: [
      python('c = Popen(["cat"], stdin=PIPE, stdout=PIPE)\nc.stdin.write(bytes(1_000_000))'),
      node('const c = spawn("cat"); c.stdin.write(Buffer.alloc(1e6), () => c.stdout.resume())'),
      deno('await start("cat").stdin.getWriter().write(new Uint8Array(1e6))'),
      bash("coproc cat; head -c 1000000 /dev/zero >&${COPROC[1]}; cat <&${COPROC[0]}"),
    ],
  },
  "to wait for the exit of a child that writes much is a deadlock": {
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
  "a grandchild holds the write end": {
    says:
      /no end of file .* before sleep \d+ exits: it holds the write end \((stdout|stderr)\) and sleeps/,
    programs: [
      python('Popen(["sh", "-c", "sleep 300 & echo done"], stdout=PIPE).stdout.read()'),
      node('spawn("sh", ["-c", "sleep 300 & echo done"]).stdout.resume()'),
      deno('await start("sh", "-c", "sleep 300 & echo done").stdout.text()'),
      bash("x=$(sh -c 'sleep 300 & echo done')"),
    ],
  },
  "who reads holds the write end": {
    says: /no end of file .*: it holds the write end of that pipe itself/,
    programs: [
      python("r, w = os.pipe()\nif os.fork() == 0: os._exit(0)\nos.fdopen(r).read()"),
      python("r, w = os.pipe()\nselect.select([r], [], [])"),
      bash("cd $(mktemp -d); mkfifo p; exec 3<>p; rm p; rmdir $PWD; exec cat <&3"),
    ],
  },
  "both wait to read: the answer is in a buffer": {
    says:
      /^\w+ \d+ and sed \d+ both wait to read, and nothing is in their pipes: sed (\d+) has read what was sent, so its answer is in its buffer, or there is none before more is sent, or end of file\nsed \1: sed buffers its output: run it with -u\ndoes what was sent end with a newline/,
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
  "to wait for the exit of a child that waits for its input is a deadlock": {
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
  "a reader of a pipe that nobody reads on the other side": {
    says:
      /yes \d+ waits for a reader of its stdout: sleep \d+ holds the read end, does not read and sleeps/,
    programs: [
      bash("yes | (sleep 300)"),
      ["sh", "-c", "yes | sleep 300"],
      bash("yes | (exec sleep 300) | cat"),
    ],
  },
  "not a pipe: a terminal, as expect has it": {
    says:
      /^cat (\d+) waits for what is typed at the terminal \/dev\/pts\/\d+, and python3 (\d+) waits to read descriptor \d+ \(the terminal \/dev\/pts\/\d+\) there\nhave python3 \2 write there: does what was sent end with a newline/,
    programs: [
      python(
        'pid, m = __import__("pty").fork()\nif pid == 0: os.execlp("cat", "cat")\nos.read(m, 9)',
      ),
    ],
  },
  "not a pipe: a file lock": {
    says:
      /^python3 \d+ waits for the lock on \S+, which it has itself, by another descriptor\nfree the lock/,
    programs: [
      python(
        "t = tempfile.TemporaryFile()\nfcntl.flock(t, fcntl.LOCK_EX)\n" +
          'fcntl.flock(open(f"/proc/self/fd/{t.fileno()}"), fcntl.LOCK_EX)',
      ),
    ],
  },
  "not a pipe: computing": {
    says: /not a pipe: \w+ \d+ computes/,
    programs: [
      // For minutes, but not for ever.
      python("for n in range(10**10): pass"),
      node("for (let n = 0; n < 1e12; n++);"),
      deno("for (let n = 0; n < 1e12; n++);"),
      bash("for ((n = 0; n < 10**8; n++)); do :; done"),
    ],
  },
  "forked workers hold each other's write ends": {
    programs: [python(`workers = []
for n in range(3):
  r, w = os.pipe(); pid = os.fork()
  if pid == 0:
    os.close(w); os.read(r, 1); os._exit(0)
  os.close(r); workers.append((pid, w))
for pid, w in workers: os.close(w); os.waitpid(pid, 0)`)],
    says:
      /^deadlock: python3 \d+ waits until python3 (\d+) exits, python3 \1 waits until python3 (\d+) and python3 (\d+) write, .*\nif python3 \2 and python3 \3 are not to write to python3 \1: close the write end there, after fork \(descriptor \d+\)\nif python3 \3 is not to write to python3 \2: close .*\nscripts\/README/,
  },
  "what reads the terminal in the background is stopped": {
    programs: [atTerminal(bash("set -m; cat & wait $!; sleep 300; true"))],
    isInside: true,
    hasOthers: true,
    says:
      /^cat \d+ is stopped by a signal: it reads the terminal, and is in the background, and bash \d+ waits until cat \d+ exits\nfg in its shell: kill -CONT alone stops it again\nor give it stdin from \/dev\/null\n/,
  },
  "the parent polls, and has not closed the child's stdin": {
    programs: [python('c = Popen(["sort"], stdin=PIPE, stdout=PIPE)\nc.wait(timeout=1000)')],
    says:
      /^sort \d+ waits until python3 (\d+) writes or closes the write end \(descriptor \d+\), and python3 \1 sleeps\nclose the child's stdin when all is sent: that is its end of file\nREADME.md: The child never exits$/,
  },
  "the child waits for the network": {
    programs: [python(
      's = socket.create_server(("127.0.0.1", 0))\n' +
        'child(f"socket.create_connection({s.getsockname()}).recv(1)").stdout.read()',
    )],
    says:
      /^python3 \d+ and python3 \d+ both wait to read, python3 \d+ at its descriptor \d+ and python3 \d+ at its descriptor \d+, and nothing is in their pipes\none of them has to write first/,
  },
  "the child asks the terminal, whatever its stdin is": {
    programs: [atTerminal(python(
      'c = child("import getpass; print(getpass.getpass())", stdin=PIPE)\n' +
        'c.stdin.write(b"secret\\n"); c.stdin.flush(); c.stdout.readline()',
    ))],
    isInside: true,
    says:
      /^python3 (\d+) waits for what is typed at the terminal \/dev\/pts\/\d+, with 7 bytes of its stdin unread, and python3 \d+ waits until python3 \1 writes\nanswer there, even if you see no question; or give it a terminal of its own\nor have it fail instead: detached: true \(setsid\)\nREADME.md: The child does something else.*\nREADME.md: ssh, sudo or getpass/,
  },
};

/** Others of these kinds, for the matrix. */
export const VARIANTS: Record<string, Hang> = {
  "not a pipe: a server that waits for a connection": {
    says: /not a pipe: \w+ \d+ waits for a network connection to its port \d+/,
    programs: [
      python('s = socket.create_server(("127.0.0.1", 0))\ns.accept()'),
      node('require("node:http").createServer().listen(0)'),
      deno('Deno.serve({ hostname: "127.0.0.1", port: 0 }, () => new Response())'),
    ],
  },
  "the child waits for a lock that its fork has taken along": {
    programs: [python(
      "l = threading.Lock(); l.acquire(); r, w = os.pipe()\n" +
        "if os.fork() == 0: os.close(r); l.acquire()\nos.close(w); os.read(r, 1)",
    )],
    says:
      /^python3 (\d+) waits for a lock in its memory, which nobody who lives can free, and python3 \d+ waits until python3 \1 writes\nend it; and see who took the lock: a thread before a fork/,
  },
  "who accepted a connection does something else": {
    programs: [python(
      `s = socket.socket(socket.AF_UNIX); s.bind("\\0hang%d" % os.getpid()); s.listen()
if os.fork() == 0: s.accept(), time.sleep(300)
c = socket.socket(socket.AF_UNIX); c.connect(s.getsockname()); s.close(); c.recv(1)`,
    )],
    needs: ["ss"],
    says:
      /^python3 \d+ waits until python3 \d+ writes or exits, and python3 \d+ sleeps\ngive it time; or see what it does\nREADME/,
  },
  "the child sleeps before its answer, and has not read what was sent": {
    programs: [python(
      'c = child("time.sleep(300)", stdin=PIPE)\n' +
        'c.stdin.write(b"hello\\n"); c.stdin.flush(); c.stdout.readline()',
    )],
    says:
      /^python3 \d+ waits until python3 (\d+) writes or exits, and python3 \1 sleeps, with 6 bytes of its stdin unread\ngive it time; or see what it does\nor what python3 \1 has printed is still in its buffer: Python buffers/,
  },
  "there is no second line": {
    programs: [cat("c.stdout.readline(); c.stdout.readline()")],
    says: READ_ALREADY,
  },
  "who reads from a socket holds its other end": {
    needs: ["ss"],
    programs: [python("a, b = socket.socketpair()\na.recv(1)")],
    says:
      /^python3 \d+ gets no end of file from its descriptor (\d+): it holds the other end of that socket itself \(descriptor \d+\), and nobody else does\nclose the other end in the process that reads, as soon as whoever writes has it\n/,
  },
  "a program in the middle of a pipeline has written nothing of what it has read": {
    programs: [bash("(echo question; exec sleep 300) | sed p | cat")],
    says:
      /^sed \d+ waits until sleep \d+ writes or exits, and sleep \d+ sleeps\ngive it time; or see what it does\nor what sed \d+ has printed is still in its buffer: sed buffers its output: run it with -u\n/,
  },
  "not a pipe: sleeping": {
    says: /not a pipe: \w+ \d+ sleeps/,
    programs: [python("time.sleep(300)"), ["sleep", "300"]],
  },
  "to read stdout to its end while stderr is full is a deadlock": {
    says:
      /deadlock: .*head \d+ waits until \w+ \d+ reads its stdout and stderr[^]*read both outputs/,
    programs: [
      python(`Popen(["sh", "-c", "${noisy}"], stdout=PIPE, stderr=PIPE).stdout.read()`),
      node(`spawn("sh", ["-c", "${noisy}"]).stdout.resume()`),
      deno(`await start("sh", "-c", "${noisy}").stdout.text()`),
    ],
  },
  "a shell stands between parent and child": {
    programs: [
      python(
        'c = Popen("sed s/a/b/; true", shell=True, stdin=PIPE, stdout=PIPE)\n' +
          'c.stdin.write(b"a\\n"); c.stdin.flush(); c.stdout.readline()',
      ),
    ],
    says:
      /^python3 \d+ and sed (\d+) both wait to read, and nothing is in their pipes: .*\nsed \1: sed buffers its output: run it with -u\n/,
  },
  "what a grandchild wrote elsewhere is not said of the one in the middle": {
    programs: [
      python(
        `Popen(["sh", "-c", "perl -e 'print STDERR qq(hello\\\\n); sleep 100'; true"], stdout=PIPE).stdout.read()`,
      ),
    ],
    says:
      /^python3 \d+ waits until perl (\d+) writes or exits, and perl \1 sleeps\ngive it time; or see what it does\nor what perl \1 has printed is still in its buffer: /,
    needs: ["perl"],
  },
  "what was written before an exec is no evidence": {
    programs: [
      python(
        'c = Popen(["bash", "-c", "echo starting >/dev/null; exec sed s/a/b/"], stdin=PIPE, stdout=PIPE)\n' +
          'c.stdin.write(b"a\\n"); c.stdin.flush(); c.stdout.readline()',
      ),
    ],
    says:
      /its answer is in its buffer, or was read already \(it has written 9 bytes in its life, here or elsewhere\), or/,
  },
  "what a sleeper printed may be in its buffer": {
    programs: [
      python('child("print(1); time.sleep(1000)").stdout.readline()'),
      python(
        'Popen([sys.executable, "-m", "http.server", "0"], stdout=PIPE, stderr=PIPE).stdout.readline()',
      ),
      python('Popen(["perl", "-e", "print 1; sleep 1000"], stdout=PIPE).stdout.readline()'),
    ],
    says:
      /^python3 \d+ waits until (\w+ \d+) writes or exits, and \1 .*\ngive it time; or see what it does\nor what \1 has printed is still in its buffer: [^]*README.md: No answer from the child/,
    needs: ["perl"],
  },
  "one that reads its stdin because that is a pipe": {
    programs: [
      python('Popen(["jq", "."], stdin=PIPE, stdout=PIPE).stdout.read()'),
    ],
    says:
      /^python3 \d+ and jq (\d+) both wait to read, .*\nif nothing more is to be sent: close its stdin, or start it with stdin: "null"\njq \1: /,
    needs: ["jq"],
  },
  "a loop and what it starts have the same stdin": {
    programs: [bash("(echo a; sleep 300) | while read x; do cat >/dev/null; done")],
    says:
      /^cat (\d+) waits until sleep \d+ writes or exits, .*\ngive it time; .*\nif bash \d+ is to read the same stdin, keep it from cat \1: <\/dev\/null\n/,
  },
  "an end that is not stdin": {
    programs: [
      python(
        "r, w = os.pipe()\nif os.fork() == 0:\n  os.close(w); os.read(r, 1); os._exit(0)\n" +
          "os.close(r); time.sleep(300)",
      ),
    ],
    says:
      /^python3 \d+ waits until python3 (\d+) writes or closes the write end \(descriptor \d+\), and python3 \1 sleeps\nwrite to it, or close the write end when all is sent/,
  },
  "a lock in shared memory": {
    programs: [
      python(
        "import multiprocessing as mp\nl = mp.get_context('fork').Lock(); l.acquire()\n" +
          "p = mp.get_context('fork').Process(target=l.acquire); p.start(); p.join()",
      ),
    ],
    says:
      /^deadlock: python3 (\d+) waits until python3 (\d+) exits, and python3 \2 waits until python3 \1 frees a lock in shared memory\n/,
  },
  "a terminal that is full": {
    programs: [
      python(
        'pid, m = __import__("pty").fork()\nif pid == 0: os.execlp("seq", "seq", "1000000")\nos.wait()',
      ),
    ],
    says:
      /^deadlock: python3 (\d+) waits until seq (\d+) exits, and seq \2 waits until python3 \1 reads the terminal \/dev\/pts\/\d+\nread before you wait/,
  },
  "expect and its program": {
    programs: [["expect", "-c", 'set timeout -1; spawn bc -q; send "x=3\\r"; expect "foo"']],
    says:
      /^bc (\d+) waits for what is typed at the terminal \/dev\/pts\/\d+, and expect (\d+) waits to read .* there\nhave expect \2 write there/,
    needs: ["expect", "bc"],
  },
  "a program behind script": {
    programs: [
      python(
        'c = Popen(["script", "-qec", "stty -echo; echo ready; exec cat", "/dev/null"], stdin=PIPE, stdout=PIPE)\n' +
          "c.stdout.readline(); c.stdout.read()",
      ),
    ],
    says:
      /^cat \d+ waits for what is typed at the terminal \/dev\/pts\/\d+, and script (\d+) waits to read .* there\nhave script \1 write there/,
    needs: ["script"],
  },
  "a connection of this machine, whose other end sleeps": {
    programs: [
      python(
        's = socket.create_server(("127.0.0.1", 0))\n' +
          "if os.fork() == 0: c = s.accept()[0]; s.close(); time.sleep(300)\n" +
          "c = socket.create_connection(s.getsockname()); s.close(); c.recv(1)",
      ),
    ],
    says:
      /^python3 \d+ waits (until python3 \d+ writes or exits|for what python3 \d+ sends at port \d+), and (python3 \d+ |it )sleeps\n/,
  },
  "two ends of mp.Pipe": {
    programs: [
      python(
        "import multiprocessing as mp\na, b = mp.Pipe()\n" +
          "p = mp.get_context('fork').Process(target=b.recv); p.start(); a.recv()",
      ),
    ],
    says:
      /^python3 \d+ and python3 \d+ both wait to read, .*, and nothing is in their pipes\none of them has to write first: what is missing is data, or the end of it\n/,
    needs: ["ss"],
  },
  "an exit is awaited of one that writes for ever": {
    programs: [
      python('Popen(["yes"], stdout=PIPE).wait()'),
      python(
        'a = Popen(["yes"], stdout=PIPE)\nb = Popen(["head", "-1"], stdin=a.stdout, stdout=PIPE)\n' +
          "b.communicate(); a.wait()",
      ),
    ],
    says:
      /^deadlock: python3 \d+ waits until yes (\d+) exits, and yes \1 .*\nread before you wait for the exit.*\nor close the read end, if another program is to read that, or nobody \(p1\.stdout\.close\(\)\)/,
  },
  "a question without its newline": {
    programs: [
      python(
        'c = Popen([sys.executable, "-i"], stdin=PIPE, stdout=PIPE, stderr=PIPE)\n' +
          'c.stdin.write(b"print(1)"); c.stdin.flush(); c.stdout.readline()',
      ),
    ],
    says:
      /both wait to read, and \d+ bytes lie unread in the stderr of python3 \d+: [^]*\ndoes what was sent end with a newline, and was it flushed\?\n/,
  },
  "two readers of one pipe": {
    programs: [
      python(
        "r, w = os.pipe()\nfor n in range(2):\n  if os.fork() == 0: os.close(w); os.read(r, 1); os._exit(0)\n" +
          "os.close(r); os.wait()",
      ),
    ],
    says:
      /^deadlock: python3 (\d+) waits until python3 \d+ exits, and python3 \d+ waits until python3 \1 writes; python3 \d+ read there too: each byte goes to one alone\n/,
  },
  "what lies unread in a sleeper's own stdin": {
    programs: [bash("head -c 60000 /dev/zero | sleep 300; true")],
    says:
      /^not a pipe: bash \d+ waits until sleep (\d+) exits; sleep \1 sleeps, with 60,000 bytes of its/,
  },
  "a daemon holds the output": {
    programs: [python('subprocess.run(["sh", "-c", "sleep 600 & echo done"], stdout=PIPE)')],
    says:
      /^python3 \d+ gets no end of file .* before sleep \d+ exits: .*\nend sleep .*\nor start it without the pipe: >\/dev\/null 2>&1 <\/dev\/null &\n/,
  },
  "to read stderr to its end while stdout is full is a deadlock": {
    says:
      /deadlock: .*head \d+ waits until \w+ \d+ reads its stdout[^]*read both outputs at the same time/,
    programs: [
      python(`Popen(["sh", "-c", "${quiet}"], stdout=PIPE, stderr=PIPE).stderr.read()`),
      node(`spawn("sh", ["-c", "${quiet}"]).stderr.resume()`),
      deno(`await start("sh", "-c", "${quiet}").stderr.text()`),
    ],
  },
  "another child inherited the write end": {
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
  "to wait for the exit of a child that waits for what its parent may write is a deadlock": {
    says:
      /deadlock: \w+ \d+ waits until \w+ \d+ exits, and \w+ \d+ waits until \w+ \d+ writes\n.*\n.* the write end in \w+ \d+ itself/,
    programs: [
      python("r, w = os.pipe()\nif os.fork() == 0: os.read(r, 1)\nos.wait()"),
      bash("cd $(mktemp -d); mkfifo p; exec 3<>p; rm p; rmdir $PWD; cat <&3; true"),
    ],
  },
  "who reads holds the write end, and so does one that could write": {
    says:
      /^(\w+ \d+) waits to read its (stdin|descriptor \d+), and nothing is there: (\w+ \d+) could write it, and \3 sleeps\. No end of file comes before it and \3 close the write end\nif data is missing: see what \3 does\nif an end of file is missing: close/,
    programs: [
      python("r, w = os.pipe()\nif os.fork() == 0: time.sleep(300)\nos.read(r, 1)"),
      bash("cd $(mktemp -d); mkfifo p; exec 3<>p; rm p; rmdir $PWD; sleep 300 & read x <&3"),
    ],
  },
  "a circle of three": {
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
  "many hold the write end": {
    says: /before sleep \d+, sleep \d+ and sleep \d+ exit: they hold the write end/,
    programs: [
      python(
        'Popen(["sh", "-c", "(sleep 300 & sleep 300 & sleep 300 &)"], stdout=PIPE).stdout.read()',
      ),
    ],
  },
  "not a pipe: a child that sleeps": {
    says: /not a pipe: \w+ \d+ waits until sleep \d+ exits; sleep \d+ sleeps/,
    programs: [bash("sleep 300; true"), python('subprocess.run(["sleep", "300"])')],
  },
  "a program with a child in the middle of a pipeline waits for that": {
    programs: [bash("sh -c 'x=$(echo one; sleep 300; true)' | cat")],
    says: /^sh \d+ waits until sleep \d+ writes or exits, and sleep \d+ sleeps\n/,
  },
  "a program in the middle of a pipeline has nothing to read": {
    programs: [bash("sleep 300 | sed p | cat")],
    says: /^sed \d+ waits until sleep \d+ writes or exits, and sleep \d+ sleeps\n/,
  },
  "who does not read is not the only one that holds the read end": {
    programs: [python(
      'c = Popen("sleep 300; cat", shell=True, stdin=PIPE); c.stdin.write(bytes(100_000))',
    )],
    says:
      /^python3 \d+ waits for a reader of its descriptor \d+: (sleep \d+) holds the read end, does not read and sleeps; sh (\d+) holds it too, and waits for the exit of \1\nhave \1 or sh \2 read\nREADME/,
  },
  "a loop in a shell holds the read end of what it is fed by": {
    programs: [bash("while read x; do sleep 300 <&0; done < <(yes)")],
    says:
      /^yes \d+ waits for a reader of its stdout: (sleep \d+) holds the read end, does not read and sleeps; bash (\d+) holds it too, and waits for the exit of \1\nhave \1 or bash \2 read\n/,
  },
  "a writer holds the read end itself": {
    programs: [python(
      "r, w = os.pipe()\nif os.fork() == 0: os.write(w, bytes(100_000))\ntime.sleep(300)",
    )],
    says:
      /^python3 (\d+) waits for a reader of its descriptor \d+: python3 (\d+) holds the read end, does not read and sleeps; python3 \1 holds it too\nhave python3 \2 read\n/,
  },
  "a pipeline in a shell waits for the end of what its grandparent may write": {
    programs: [python('Popen("sort | cat", shell=True, stdin=PIPE, stdout=PIPE).stdout.read()')],
    says:
      /^deadlock: .* sort \d+ exits, and sort \d+ waits until python3 \d+ writes\nclose the child's stdin/,
  },
  "the grandparent polls": {
    programs: [python('Popen("sort | cat", shell=True, stdin=PIPE).wait(timeout=1000)')],
    says:
      /^sort \d+ waits until python3 (\d+) writes or closes the write end \(descriptor \d+\), and python3 \1 sleeps; sh (\d+) reads the same stdin\nclose the child's stdin.*\nif sh \2 is to read the same stdin, keep it from sort \d+: <\/dev\/null\n/,
  },
  "a child reads what its parent is fed in a pipeline": {
    programs: [bash("sleep 300 | sh -c 'x=$(cat; echo)'")],
    says: /^cat \d+ waits until sleep \d+ writes or exits, and sleep \d+ sleeps\n/,
  },
  "what waits for a signal is said to": {
    programs: [python("__import__('signal').pause()")],
    says: /^not a pipe: python3 \d+ waits for a signal\n/,
  },
  "what waits for a lock is said to": {
    programs: [python("l = threading.Lock(); l.acquire(); l.acquire()")],
    says:
      /^python3 \d+ waits for a lock in its memory, which nobody who lives can free\nend it; and see who took/,
  },
  "what watches files is said to": {
    programs: [["tail", "-f", "/etc/passwd"]],
    says: /^not a pipe: tail \d+ waits for a file to change\n/,
  },
  "what sets the terminal in the background is stopped": {
    programs: [atTerminal(bash("set -m; stty -echo & wait $!; sleep 300; true"))],
    isInside: true,
    hasOthers: true,
    says:
      /^stty \d+ is stopped by a signal: it sets the terminal, and is in the background, and bash \d+ waits until stty \d+ exits\nfg in its shell: kill -CONT alone stops it again\nREADME/,
  },
  "the parent waits for the network, and has not closed the child's stdin": {
    programs: [python(
      'c = Popen(["cat"], stdin=PIPE, stdout=PIPE)\n' +
        'socket.create_server(("127.0.0.1", 0)).accept()',
    )],
    says:
      /^cat \d+ waits until python3 (\d+) writes or closes the write end \(descriptor \d+\), and python3 \1 waits for a network connection.*\nclose the child's stdin/,
  },
  "the answer is shorter than what is read": {
    programs: [cat("c.stdout.read(100)")],
    says: READ_ALREADY,
  },
  "what has been written lies in a pipe that nobody reads": {
    programs: [python(
      `c = child("sys.stderr.write('a prompt '); sys.stderr.flush(); sys.stdin.read()", stdin=PIPE, stderr=PIPE)
c.stdout.read()`,
    )],
    says:
      /both wait to read, and 9 bytes lie unread in the stderr of python3 (\d+): .*\nread that too, at the same time: it may be asking there\npython3 \1: Python buffers/,
  },
  "of three that wait to read, it is the one that the first may write to": {
    programs: [python(
      'a = Popen(["sort"], stdin=PIPE, stdout=PIPE)\n' +
        'b = Popen(["wc", "-l"], stdin=a.stdout, stdout=PIPE)\na.stdin.write(b"x\\n")\n' +
        "a.stdin.flush(); b.communicate()",
    )],
    says:
      /all wait to read, and nothing is in their pipes: sort \d+ has read what was sent, so .*\nif nothing more is to be sent: close its stdin, or start it with stdin: \"null\"\nsort \d+: it answers at the end/,
  },
  "the child computes before its answer": {
    programs: [python(
      'c = child("sys.stdin.readline()\\nfor n in range(10**10): pass", stdin=PIPE)\n' +
        'c.stdin.write(b"go\\n"); c.stdin.flush(); c.stdout.readline()',
    )],
    says:
      /^python3 \d+ waits until python3 (\d+) writes or exits, and python3 \1 computes\ngive it time; or see what it does\nor what python3 \1 has printed is still in its buffer: Python buffers/,
  },
  "the child of the child computes": {
    programs: [bash("x=$(sh -c 'sleep 300; echo done')")],
    says:
      /^bash \d+ waits until sleep \d+ writes or exits, and sleep \d+ sleeps\ngive it time; or see/,
  },
  "a pipeline, whose first program waits for a file lock": {
    programs: [python(
      "f = tempfile.NamedTemporaryFile(); fcntl.flock(f, fcntl.LOCK_EX)\n" +
        'Popen(["sh", "-c", "(flock " + f.name + " true; echo) | cat"]).wait()',
    )],
    needs: ["flock"],
    says:
      /^deadlock: python3 (\d+) waits until sh \d+ exits, .* and flock \d+ waits until python3 \1 frees the lock on .*\nfree the lock before you wait/,
  },
  "the child asks at the terminal that is its stdin, and its question is captured": {
    programs: [atTerminal(python(
      `subprocess.run(["bash", "-c", "read -p 'Continue [Y/n]? ' a; echo $a"], capture_output=True)`,
    ))],
    isInside: true,
    says:
      /^bash (\d+) waits for what is typed at the terminal \/dev\/pts\/\d+, and python3 \d+ waits until bash \1 writes\nanswer there, even if/,
  },
};

/** Starts each of the programs, and sees that the same is said of each process of it. */
export function testHang(title: string, { programs, says, isInside, hasOthers, needs = [] }: Hang) {
  for (const program of programs) {
    const [name = ""] = program;
    processTest(`why it hangs, in ${name.replace(/.*\//, "")}: ${title}`, async () => {
      await using one = start(program);
      const family = [isInside ? await leaderOf(one.pid) : one.pid];
      const said = await mustHang(family[0] ?? 0, says);
      if (hasOthers) return;
      for (const pid of family) {
        for (const child of childrenOf(pid)) {
          family.push(child);
          await mustHang(child, new RegExp(`(^|; )${RegExp.escape(said)}$`));
        }
      }
    }, { needs: [name, ...needs], os: "linux" });
  }
}
