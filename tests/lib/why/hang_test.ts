import { assert, assertEquals, assertMatch } from "@std/assert";
import { explain } from "../../../lib/why/hang.ts";
import { draw } from "../../../lib/why/picture.ts";
import {
  COMPUTES,
  look,
  type Pipe,
  type Process,
  type Snapshot,
  type Wait,
} from "../../../lib/why/proc.ts";
import { eventually, processTest, runCommand } from "../../process.ts";

/** A snapshot with processes as given, and pipes between them: `a>b` is one that a writes and b
 * reads. */
function snapshot(
  waits: Record<number, Wait[][]>,
  pipes: string[],
  options: { isPartial?: boolean; held?: number; waited?: number } = {},
): Snapshot {
  const { isPartial = false, held = 0, waited = 1 } = options;
  const process = ([pid, threads]: [string, Wait[][]]): [number, Process] => [
    Number(pid),
    {
      name: `p${pid}`,
      args: [],
      state: "alive",
      parent: 1,
      isOrphan: false,
      threads,
      waited,
      ran: waited * 1e7,
      written: 0,
    },
  ];
  const ends = (side = "", descriptor: number) =>
    side.split(",").filter((pid) => pid !== "").map((pid) => ({ pid: Number(pid), descriptor }));
  const pipe = (name: string): [string, Pipe] => {
    const [writers, readers] = name.split(">");
    return [name, { writers: ends(writers, 1), readers: ends(readers, 0), held, capacity: 65536 }];
  };
  return {
    processes: new Map(Object.entries(waits).map(process)),
    pipes: new Map(pipes.map(pipe)),
    isPartial,
  };
}

const read = (pipe: string): Wait => ({ for: "read", pipe, descriptor: 0 });
const write = (pipe: string): Wait => ({ for: "write", pipe, descriptor: 1 });
const exit = (pid: number): Wait => ({ for: "exit", pid });
const sleeps: Wait = { for: "else", does: "sleeps" };

/** What is said; nothing if all have moved. */
function whatOf(pid: number, now: Snapshot, before?: Snapshot): string {
  return explain(pid, now, before)?.what ?? "";
}

const CASES: [title: string, snapshot: Snapshot, says: RegExp][] = [
  [
    "a circle of four is told from any of them",
    snapshot(
      { 7: [[write("7>8")]], 8: [[write("8>9")]], 9: [[write("9>10")]], 10: [[write("10>7")]] },
      ["7>8", "8>9", "9>10", "10>7"],
      { held: 65536 },
    ),
    /^deadlock: p7 7 waits until p8 8 reads its stdout, p8 8 .*, and p10 10 waits until p7 7/,
  ],
  [
    "a process outside the circle waits for it as well",
    snapshot({ 7: [[exit(8)]], 8: [[read("9>8")]], 9: [[read("8>9")]] }, ["9>8", "8>9"]),
    /^p8 8 and p9 9 both wait to read/,
  ],
  [
    "who can be set going by somebody outside is not in a circle",
    snapshot({ 7: [[read("8,9>7")]], 8: [[read("7>8")]], 9: [[sleeps]] }, ["8,9>7", "7>8"]),
    /^p7 7 gets no end of file from its stdin before p9 9 exits: it holds the write end/,
  ],
  [
    "one of several waits is enough to go on",
    snapshot({ 7: [[write("7>8"), exit(9)]], 8: [[write("8>7")]], 9: [[sleeps]] }, ["7>8", "8>7"]),
    /^not a pipe: .*p9 9 sleeps/,
  ],
  [
    "another thread may end a deadlock",
    snapshot({ 7: [[write("7>8")], [sleeps]], 8: [[write("8>7")]] }, ["7>8", "8>7"]),
    /^deadlock: .*, unless another thread of p7 7, which sleeps, goes on$/,
  ],
  [
    "the nearest circle is told, not the longest",
    snapshot(
      { 7: [[exit(8), exit(9)]], 8: [[exit(9)]], 9: [[write("9>7")]] },
      ["9>7"],
    ),
    /^deadlock: p7 7 waits until p9 9 exits, and p9 9 waits until p7 7 reads its stdout$/,
  ],
  [
    "an end that a hidden process holds",
    snapshot({ 7: [[read(">7")]] }, [">7"], { isPartial: true }),
    /^p7 7 waits until somebody writes, who cannot be seen.*sudo/,
  ],
  [
    "an end that nobody holds any more",
    snapshot({ 7: [[write("7>")]] }, ["7>"]),
    /^p7 7 waits until somebody reads, .*just gone/,
  ],
  [
    "many who do not read",
    snapshot({ 7: [[write("7>8,9")]], 8: [[sleeps]], 9: [[sleeps]] }, ["7>8,9"]),
    /^p7 7 waits for a reader of its stdout: p8 8 and p9 9 hold the read end, do not read$/,
  ],
  [
    "the reader holds the write end, and its child does so too",
    snapshot({ 7: [[read("7,8>7")]], 8: [[sleeps]] }, ["7,8>7"]),
    /^p7 7 gets no end of file .* holds the write end of that pipe itself .*, as p8 8 does$/,
  ],
  [
    "a writer that has inherited the read end does not wait for itself",
    snapshot({ 7: [[exit(8)]], 8: [[write("7,8>7,8")]] }, ["7,8>7,8"]),
    /^deadlock: p7 7 waits until p8 8 exits, and p8 8 waits until p7 7 reads its stdout$/,
  ],
  [
    "workers share both ends of their pipes",
    snapshot({ 7: [[read("7,8>7"), exit(8)]], 8: [[sleeps]] }, ["7,8>7"]),
    /^p7 7 gets no end of file from its stdin before p8 8 exits/,
  ],
  [
    "an end in a process that has gone meanwhile",
    snapshot({ 7: [[read("8>7")]] }, ["8>7"]),
    /^p7 7 gets no end of file .* before process 8 exits/,
  ],
];

for (const [title, now, says] of CASES) {
  Deno.test(`why it hangs: ${title}`, () => assertMatch(whatOf(7, now), says));
}

Deno.test("why it hangs: what all of them have moved meanwhile does not", () => {
  const take = (waited: number) =>
    snapshot({ 7: [[write("7>8")]], 8: [[write("8>7")]] }, ["7>8", "8>7"], { waited });
  assertEquals(explain(7, take(2), take(1)), undefined);
  assertMatch(whatOf(7, take(2), take(2)), /^deadlock/);
  const before = take(1);
  const one = before.processes.get(7);
  assert(one !== undefined);
  before.processes.set(7, { ...one, waited: 2 });
  // A timer of one of them does not set the other going.
  assertMatch(whatOf(7, take(2), before), /^deadlock/);
});

Deno.test("why it hangs: whoever has just woken, or had no time to run, is looked at again", () => {
  const take = (does: string, waited: number) =>
    snapshot({ 7: [[exit(8)]], 8: [[{ for: "else", does }]] }, [], { waited });
  assertEquals(explain(7, take(COMPUTES, 2), take("sleeps", 1)), undefined);
  assertEquals(explain(7, take(COMPUTES, 1), take(COMPUTES, 1)), undefined);
  assertMatch(whatOf(7, take(COMPUTES, 2), take(COMPUTES, 1)), /^not a pipe: .*p8 8 computes$/);
});

const opening = (path: string): Wait => ({ for: "writer", path });

for (
  const [title, other, says] of [
    [
      "for another FIFO",
      "/d/b",
      /^deadlock, unless .*: p7 7 waits in .* \/d\/a, and p8 8 waits in/,
    ],
    ["for the same", "/d/a", /^p7 7 waits in open for a writer of \/d\/a$/],
  ] as const
) {
  Deno.test(`why it hangs: in open, while another waits there ${title}`, () => {
    const now = snapshot({ 7: [[opening("/d/a")]], 8: [[opening(other)]] }, []);
    assertMatch(whatOf(7, now), says);
    assertEquals(draw(7, now, 80).length, 2);
  });
}

Deno.test("why it hangs: whoever waits for the one that waits for it is told once", () => {
  const terminal: Wait = { for: "else", does: "waits for the terminal" };
  const now = snapshot({ 7: [[read("8>7")]], 8: [[read("7>8"), terminal]] }, ["8>7", "7>8"]);
  assertMatch(whatOf(7, now), /^not a pipe: p7 .* until p8 8 writes; p8 8 waits for the terminal$/);
});

Deno.test("why it hangs: who waits for the exit of one that fills stderr is told to read both", () => {
  const writesStderr: Wait = { for: "write", pipe: "8>7", descriptor: 2 };
  const now = snapshot({ 7: [[exit(8)]], 8: [[writesStderr]] }, ["8>7"], { held: 65536 });
  for (const end of now.pipes.get("8>7")?.writers ?? []) end.descriptor = 2;
  assertEquals(explain(7, now)?.cures, ["read both outputs at the same time"]);
});

Deno.test("why it hangs: whoever waits for more than was written is told so, if that is seen", () => {
  const take = (written: number) => {
    const now = snapshot({ 7: [[read("8>7")]], 8: [[read("7>8")]] }, ["8>7", "7>8"]);
    const child = now.processes.get(8);
    assert(child !== undefined);
    Object.assign(child, { written, parent: 7 });
    return now;
  };
  assertMatch(whatOf(7, take(6)), /: p8 8 has written 6 bytes, and what came here .*; p7 7 waits/);
  for (const written of [0, 1, NaN]) {
    assertMatch(whatOf(7, take(written)), /p8 8 has read what was/);
  }
});

Deno.test("why it hangs: a process that has exited, and one that is stopped", () => {
  const now = snapshot({ 7: [], 8: [[exit(7)]] }, []);
  const process = now.processes.get(7);
  assert(process !== undefined);
  process.state = "exited";
  assertMatch(
    whatOf(7, now),
    /^p7 7 has exited; its parent 1 has not asked for its status$/,
  );
  process.state = "stopped";
  assertMatch(
    whatOf(8, now),
    /^p7 7 is stopped by a signal, and p8 8 waits until p7 7 exits/,
  );
});

Deno.test("the picture shows who waits, and each pipe with its ends and what is in it", () => {
  const now = snapshot({ 7: [[write("7>8")]], 8: [[sleeps]] }, ["7>8"], { held: 65536 });
  assertEquals(draw(7, now, 80), [
    "p7 7  waits to write to stdout",
    "p8 8  sleeps",
    "p7 7 [stdout] ── 65,536 of 65,536 bytes ──▶ p8 8 [stdin]",
  ]);
});

Deno.test("the picture names three holders of an end, each once, with all its descriptors", () => {
  const now = snapshot({ 7: [[write("7>8,9,10")]] }, ["7>8,9,10"]);
  now.pipes.get("7>8,9,10")?.writers.push({ pid: 7, descriptor: 2 });
  assertEquals(
    draw(7, now, 200)[1],
    "p7 7 [stdout and stderr] ── 0 of 65,536 bytes ──▶ " +
      "process 8 [stdin], process 9 [stdin] and process 10 [stdin]",
  );
});

Deno.test("the picture fits the width, whatever the names are and however many hold an end", () => {
  const many = Array.from({ length: 300 }, (_, index) => index + 8);
  const name = `7>${many.join()}`;
  const now = snapshot({ 7: [[write(name)]] }, [name]);
  for (const process of now.processes.values()) process.name = "x".repeat(200);
  for (const width of [20, 80]) {
    const lines = draw(7, now, width);
    for (const line of lines) assert(line.length <= width, line);
    assert(lines.length < 10);
  }
  assertMatch(
    draw(7, now, 1000).join("\n"),
    /process 8 \[stdin\], process 9 \[stdin\] and 298 more/,
  );
});

/** Starts a program that will hang, in a group of its own, which ends with the block. */
function start([program = "", ...args]: string[]) {
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
async function leaderOf(pid: number): Promise<number> {
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

/** Waits until the process hangs with this verdict and its cures, a line each. */
async function mustHang(pid: number, expected: RegExp): Promise<string> {
  let before = look(pid);
  let last = "";
  for (const start = performance.now(); performance.now() - start < 40_000;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = look(pid);
    const verdict = explain(pid, now, before);
    before = now;
    last = verdict ? [verdict.what, ...verdict.cures, ...verdict.sections].join("\n") : "it moves";
    if (expected.test(last)) return last;
  }
  assertMatch(last, expected);
  return last;
}

const bash = (text: string) => ["bash", "-c", text];
const python = (text: string) => [
  "python3",
  "-c",
  `import fcntl, os, select, socket, subprocess, sys, threading, time
from subprocess import PIPE, Popen
def child(text, **options):
  return Popen([sys.executable, "-c", "import os, select, socket, sys, time\\n" + text], stdout=PIPE, **options)
${text}`,
];
/** The same at a terminal of its own. */
const atTerminal = (command: string[]) => [
  "python3",
  "-c",
  `import os, pty, sys
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
try:
  while os.read(terminal, 999): pass
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
  /^(python3 \d+ and cat|cat \d+ and python3) \d+ both wait to read, and nothing is in their pipes: cat \d+ has written 6 bytes, and what came here of them was read; python3 \d+ waits for more, which comes only when more is sent, or at end of file, unless it is in the buffer of cat \d+\nread no more than has come: .*\ncat \d+: it writes at once/;

interface Hang {
  program: string[];
  says: RegExp;
  /** Whether it is to be looked at inside the session that the program starts. */
  isInside?: true;
  /** Programs that it takes besides bash and python3. */
  needs?: string[];
}

/** Programs that hang, by what is seen. */
const HANGS: Record<string, Hang> = {
  "a program in the middle of a pipeline has written nothing of what it has read": {
    program: bash("(echo question; exec sleep 300) | sed p | cat"),
    says:
      /^sed \d+ has read what sleep \d+ wrote there, and has written nothing: its answer is in its buffer, or there is none before more comes; and cat \d+ waits until sed \d+ writes\nsed \d+: sed buffers its output: run it with -u\nREADME.md: No answer from the child/,
  },
  "a program with a child in the middle of a pipeline waits for that": {
    program: bash("sh -c 'x=$(echo one; sleep 300; true)' | cat"),
    says: /^sh \d+ waits until sleep \d+ writes or exits, and sleep \d+ sleeps\n/,
  },
  "a program in the middle of a pipeline has nothing to read": {
    program: bash("sleep 300 | sed p | cat"),
    says: /^sed \d+ waits until sleep \d+ writes or exits, and sleep \d+ sleeps\n/,
  },
  "who does not read is not the only one that holds the read end": {
    program: python(
      'c = Popen("sleep 300; cat", shell=True, stdin=PIPE); c.stdin.write(bytes(100_000))',
    ),
    says:
      /^python3 \d+ waits for a reader of its descriptor \d+: (sleep \d+) holds the read end, does not read and sleeps; sh (\d+) holds it too, and waits for the exit of \1\nhave \1 or sh \2 read\nREADME/,
  },
  "a loop in a shell holds the read end of what it is fed by": {
    program: bash("while read x; do sleep 300 <&0; done < <(yes)"),
    says:
      /^yes \d+ waits for a reader of its stdout: (sleep \d+) holds the read end, does not read and sleeps; bash (\d+) holds it too, and waits for the exit of \1\nhave \1 or bash \2 read\n/,
  },
  "a writer holds the read end itself": {
    program: python(
      "r, w = os.pipe()\nif os.fork() == 0: os.write(w, bytes(100_000))\ntime.sleep(300)",
    ),
    says:
      /Meanwhile python3 (\d+) waits for a reader of its descriptor \d+: python3 (\d+) holds the read end, does not read and sleeps; python3 \1 holds it too\nhave python3 \2 read\n/,
  },
  "a pipeline in a shell waits for the end of what its grandparent may write": {
    program: python('Popen("sort | cat", shell=True, stdin=PIPE, stdout=PIPE).stdout.read()'),
    says:
      /^deadlock: .* sort \d+ exits, and sort \d+ waits until python3 \d+ writes\nclose the child's stdin/,
  },
  "the grandparent polls": {
    program: python('Popen("sort | cat", shell=True, stdin=PIPE).wait(timeout=1000)'),
    says: /Meanwhile sort \d+ waits until python3 \d+ writes or closes the write end/,
  },
  "a child reads what its parent is fed in a pipeline": {
    program: bash("sleep 300 | sh -c 'x=$(cat; echo)'"),
    says: /^cat \d+ waits until sleep \d+ writes or exits, and sleep \d+ sleeps\n/,
  },
  "who accepted a connection does something else": {
    program: python(
      `s = socket.socket(socket.AF_UNIX); s.bind("\\0hang%d" % os.getpid()); s.listen()
if os.fork() == 0: s.accept(), time.sleep(300)
c = socket.socket(socket.AF_UNIX); c.connect(s.getsockname()); s.close(); c.recv(1)`,
    ),
    needs: ["ss"],
    says:
      /^python3 \d+ waits until python3 \d+ writes or exits, and python3 \d+ sleeps\ngive it time; or see what it does\nREADME/,
  },
  "forked workers hold each other's write ends": {
    program: python(`workers = []
for n in range(3):
  r, w = os.pipe(); pid = os.fork()
  if pid == 0:
    os.close(w); os.read(r, 1); os._exit(0)
  os.close(r); workers.append((pid, w))
for pid, w in workers: os.close(w); os.waitpid(pid, 0)`),
    says:
      /^deadlock: python3 \d+ waits until python3 (\d+) exits, python3 \1 waits until python3 (\d+) and python3 (\d+) write, .*\nif python3 \2 and python3 \3 are not to write to python3 \1: close the write end there, after fork \(descriptor \d+\)\nif python3 \3 is not to write to python3 \2: close .*\nscripts\/README/,
  },
  "who reads from a socket holds its other end": {
    needs: ["ss"],
    program: python("a, b = socket.socketpair()\na.recv(1)"),
    says:
      /^python3 \d+ gets no end of file from its descriptor (\d+): it holds the other end of that socket itself \(descriptor \d+\)\nclose the other end in the process that reads, as soon as whoever writes has it\n/,
  },
  "what waits for a signal is said to": {
    program: python("__import__('signal').pause()"),
    says: /^not a pipe: python3 \d+ waits for a signal\n/,
  },
  "what waits for a lock is said to": {
    program: python("l = threading.Lock(); l.acquire(); l.acquire()"),
    says: /^not a pipe: python3 \d+ waits for a lock or for a thread of its own\n/,
  },
  "what watches files is said to": {
    program: ["tail", "-f", "/etc/passwd"],
    says: /^not a pipe: tail \d+ waits for a file to change\n/,
  },
  "what reads the terminal in the background is stopped": {
    program: atTerminal(bash("set -m; cat & wait $!; sleep 300; true")),
    isInside: true,
    says:
      /^cat \d+ is stopped by a signal: it reads the terminal, and is in the background, and bash \d+ waits until cat \d+ exits\nfg in its shell: kill -CONT alone stops it again\nor give it stdin from \/dev\/null\n/,
  },
  "what sets the terminal in the background is stopped": {
    program: atTerminal(bash("set -m; stty -echo & wait $!; sleep 300; true")),
    isInside: true,
    says:
      /^stty \d+ is stopped by a signal: it sets the terminal, and is in the background, and bash \d+ waits until stty \d+ exits\nfg in its shell: kill -CONT alone stops it again\nREADME/,
  },
  "the parent polls, and has not closed the child's stdin": {
    program: python('c = Popen(["sort"], stdin=PIPE, stdout=PIPE)\nc.wait(timeout=1000)'),
    says:
      /^python3 \d+ sleeps\. Meanwhile sort \d+ waits until python3 \d+ writes or closes the write end \(descriptor \d+\), and python3 \d+ sleeps\nclose the child's stdin when all is sent: that is its end of file\nREADME.md: The child never exits$/,
  },
  "the parent waits for the network, and has not closed the child's stdin": {
    program: python(
      'c = Popen(["cat"], stdin=PIPE, stdout=PIPE)\n' +
        'socket.create_server(("127.0.0.1", 0)).accept()',
    ),
    says:
      /Meanwhile cat \d+ waits until python3 \d+ writes or closes the write end \(descriptor \d+\), and python3 \d+ waits for a network connection.*\nclose the child's stdin/,
  },
  "the answer is shorter than what is read": {
    program: cat("c.stdout.read(100)"),
    says: READ_ALREADY,
  },
  "there is no second line": {
    program: cat("c.stdout.readline(); c.stdout.readline()"),
    says: READ_ALREADY,
  },
  "what has been written lies in a pipe that nobody reads": {
    program: python(
      `c = child("sys.stderr.write('a prompt '); sys.stderr.flush(); sys.stdin.read()", stdin=PIPE, stderr=PIPE)
c.stdout.read()`,
    ),
    says: /nothing is in their pipes: python3 \d+ has read what was sent, so the answer is in its/,
  },
  "of three that wait to read, it is the one that the first may write to": {
    program: python(
      'a = Popen(["sort"], stdin=PIPE, stdout=PIPE)\n' +
        'b = Popen(["wc", "-l"], stdin=a.stdout, stdout=PIPE)\na.stdin.write(b"x\\n")\n' +
        "a.stdin.flush(); b.communicate()",
    ),
    says:
      /all wait to read, and nothing is in their pipes: sort \d+ has read what was sent, so the answer is in its buffer/,
  },
  "the child computes before its answer": {
    program: python(
      'c = child("sys.stdin.readline()\\nfor n in range(10**10): pass", stdin=PIPE)\n' +
        'c.stdin.write(b"go\\n"); c.stdin.flush(); c.stdout.readline()',
    ),
    says:
      /^python3 \d+ waits until python3 \d+ writes or exits, and python3 \d+ computes\ngive it time; or see what it does\nREADME.md: The child does something else/,
  },
  "the child sleeps before its answer, and has not read what was sent": {
    program: python(
      'c = child("time.sleep(300)", stdin=PIPE)\n' +
        'c.stdin.write(b"hello\\n"); c.stdin.flush(); c.stdout.readline()',
    ),
    says:
      /^python3 \d+ waits until python3 \d+ writes or exits, and python3 \d+ sleeps, with 6 bytes of its stdin unread\ngive it time/,
  },
  "the child of the child computes": {
    program: bash("x=$(sh -c 'sleep 300; echo done')"),
    says:
      /^bash \d+ waits until sleep \d+ writes or exits, and sleep \d+ sleeps\ngive it time; or see/,
  },
  "the child waits for the network": {
    program: python(
      's = socket.create_server(("127.0.0.1", 0))\n' +
        'child(f"socket.create_connection({s.getsockname()}).recv(1)").stdout.read()',
    ),
    says:
      /^python3 \d+ waits until python3 \d+ writes or exits, and python3 \d+ waits for the network: a connection to port \d+\ngive it time/,
  },
  "the child waits for a lock that its fork has taken along": {
    program: python(
      "l = threading.Lock(); l.acquire(); r, w = os.pipe()\n" +
        "if os.fork() == 0: os.close(r); l.acquire()\nos.close(w); os.read(r, 1)",
    ),
    says:
      /^python3 \d+ waits until python3 \d+ writes or exits, and python3 \d+ waits for .*lock.*\ngive it time; or see what it does\nif python3 \d+ is not to write there, keep the write end away/,
  },
  "a pipeline, whose first program waits for a file lock": {
    program: python(
      'f = open("/proc/self/exe"); fcntl.flock(f, fcntl.LOCK_EX)\n' +
        'Popen(["sh", "-c", "(flock /proc/" + str(os.getpid()) + "/exe true; echo) | cat"]).wait()',
    ),
    needs: ["flock"],
    says:
      /^cat \d+ waits until flock \d+ writes or exits, and flock \d+ waits for a file lock\ngive it time/,
  },
  "the child asks the terminal, whatever its stdin is": {
    program: atTerminal(python(
      'c = child("import getpass; print(getpass.getpass())", stdin=PIPE)\n' +
        'c.stdin.write(b"secret\\n"); c.stdin.flush(); c.stdout.readline()',
    )),
    isInside: true,
    says:
      /^python3 \d+ waits until python3 \d+ writes or exits, and python3 \d+ waits for the terminal \/dev\/tty, with 7 bytes of its stdin unread\nanswer there, even if you see no question; or give it a terminal of its own\nREADME.md: The child does something else.*\nREADME.md: ssh, sudo or getpass/,
  },
  "the child asks at the terminal that is its stdin, and its question is captured": {
    program: atTerminal(python(
      `subprocess.run(["bash", "-c", "read -p 'Continue [Y/n]? ' a; echo $a"], capture_output=True)`,
    )),
    isInside: true,
    says:
      /^python3 \d+ waits until bash \d+ writes or exits, and bash \d+ waits for the terminal \/dev\/pts\/\d+ .*\nanswer there, even if/,
  },
};

for (const [title, { program, says, isInside, needs = [] }] of Object.entries(HANGS)) {
  processTest(`why it hangs, seen: ${title}`, async () => {
    await using one = start(program);
    const pid = isInside ? await leaderOf(one.pid) : one.pid;
    await mustHang(pid, says);
  }, { needs: ["bash", "python3", ...needs], os: "linux" });
}

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
