/**
 * What why.ts says of real programs that hang: each begins to, and is looked at when it does.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { explain } from "../lib/hang.ts";
import { look } from "../lib/proc.ts";
import { processTest, runCommand, runScript, scriptCommand, temporaryFolder } from "./process.ts";

/** Starts a program that will hang, in a group of its own, which ends with the block. */
function start([program = "", ...args]: string[], stdin: "null" | "piped" = "null") {
  const env = { PYTHONUNBUFFERED: "" };
  const options = { args, env, stdin, stdout: "null", stderr: "null", detached: true } as const;
  const child = new Deno.Command(program, options).spawn();
  const end = async () => {
    Deno.kill(-child.pid, "SIGKILL");
    if (stdin === "piped") await child.stdin.close().catch(() => {});
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

/** Waits until the process hangs with this verdict, and sees that the script says so. */
async function mustSay(pid: number, expected: RegExp): Promise<string> {
  let last = "";
  const see = () => {
    const { what, cure } = explain(pid, look(pid));
    last = `${what}\n${cure}`;
    return expected.test(last) || undefined;
  };
  await until(see, () => `${expected} of ${last}`);
  const { code, stdout, stderr } = await runScript("why", ["--pid", `${pid}`]);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, expected);
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
      bash("exec 3< <(exec seq 1000000); wait $!"),
    ],
  },
  {
    title: "to read stdout to its end while stderr is full is a deadlock",
    says: /deadlock: .*head \d+ waits until \w+ \d+ reads its stdout and stderr[^]*read both/,
    programs: [
      python(`Popen(["sh", "-c", "${noisy}"], stdout=PIPE, stderr=PIPE).stdout.read()`),
      node(`spawn("sh", ["-c", "${noisy}"]).stdout.resume()`),
      deno(`await start("sh", "-c", "${noisy}").stdout.text()`),
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
    title: "not a pipe: computing",
    says: /not a pipe: \w+ \d+ computes/,
    programs: [
      python("while True: pass"),
      node("for (;;);"),
      deno("for (;;);"),
      bash("while :; do :; done"),
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
void [assert, runCommand, scriptCommand, temporaryFolder, find];
