import { assert, assertEquals, assertMatch } from "@std/assert";
import { toText } from "@std/streams/to-text";
import {
  isInstalled,
  processesMarked,
  processTest,
  runCommand,
  scriptCommand,
  temporaryFolder,
} from "./process.ts";

/** Every script in a form that lasts, or as long as it does. */
const LONG: [script: string, ...args: string[]][] = [
  ["bytes", "--count=0", "--interval=0.01"],
  ["lines", "--count=0", "--interval=1000"],
  ["duplex", "--count=0", "--delay=0.01"],
  ["duplex", "sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"],
  ["pipetest", "--delay=1000", "spam"],
  ["pipeline", "sleep", "1000", "|", "cat", "|", "sleep", "1000"],
  ["fifo"],
  ["fifo", "read", "pipe"],
  ["fifo", "write", "pipe"],
  ["capacity"],
  ["framing"],
  ["lifetime"],
  ["deadlock", "--timeout=1000"],
  ["buffering"],
];

const SIGNALS = [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const;

const MOMENTS = [0, 5, 10, 20, 35, 50, 80, 150, 400];

for (const [script, ...args] of LONG) {
  const title = [script, ...args].join(" ");

  processTest(`a signal at any moment ends "${title.slice(0, 40)}", all of it`, async () => {
    await using folder = await temporaryFolder();
    await Promise.all(MOMENTS.map(async (moment, index) => {
      const [signal, expected] = SIGNALS[index % SIGNALS.length] ?? SIGNALS[0];
      const own = `${folder.path}/${index}`;
      await Deno.mkdir(own);
      const mark = crypto.randomUUID();
      const [program = "", ...rest] = scriptCommand(script, args);
      await using child = new Deno.Command(program, {
        args: rest,
        cwd: own,
        env: { MARK: mark, TMPDIR: own },
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const texts = Promise.all([toText(child.stdout), toText(child.stderr)]);
      await new Promise((resolve) => setTimeout(resolve, moment));
      try {
        child.kill(signal);
      } catch {
        // It is one of those that end by themselves, and it has.
      }
      const { code } = await child.status;
      await child.stdin.close().catch(() => {});
      const [, stderr] = await texts;
      assert(code === expected || code === 0 && isShort(script, args), `${signal}: ${code}`);
      assertEquals(stderr.replaceAll(/^(hello from child|child \d+|fifo: waiting) .*\n/gm, ""), "");
      assertEquals(await processesMarked(mark), []);
      assertEquals(await Array.fromAsync(Deno.readDir(own)), []);
    }));
  });
}

function isShort(script: string, args: string[]): boolean {
  return args.length === 0 && ["fifo", "framing", "lifetime"].includes(script);
}

processTest(
  "Ctrl-C, which the whole group gets, ends child and parent without a word",
  async () => {
    const commands: [script: string, ...args: string[]][] = [
      ["lines", "--count=0"],
      ["duplex", "--count=0"],
      ["capacity", "--step=100000"],
      ["deadlock", "--timeout=1000"],
    ];
    if (await isInstalled("python3")) {
      commands.push(["duplex", "python3", "-c", "print('ready'); import time; time.sleep(1000)"]);
    }
    for (const [script, ...args] of commands) {
      const mark = crypto.randomUUID();
      const [program = "", ...rest] = scriptCommand(script, args);
      const child = new Deno.Command(program, {
        args: rest,
        env: { MARK: mark, PYTHONUNBUFFERED: "1" },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
        detached: true,
      }).spawn();
      // The first word on either stream: child and parent are there.
      const first = Promise.withResolvers<void>();
      const text = async (stream: ReadableStream<Uint8Array>) => {
        let all = "";
        for await (const part of stream.values()) {
          all += new TextDecoder().decode(part);
          first.resolve();
        }
        return all;
      };
      const texts = Promise.all([text(child.stdout), text(child.stderr)]);
      await first.promise;
      Deno.kill(-child.pid, "SIGINT");
      assertEquals((await child.status).code, 130);
      const [, stderr] = await texts;
      assertMatch(stderr, /^((hello from child|child \d+ of|duplex: python3 said unasked:).*\n)*$/);
      assertEquals(await processesMarked(mark), []);
    }
  },
);

/** Every script that writes to stdout by itself, and so that it goes on doing so. */
const WRITING: [script: string, ...args: string[]][] = [
  ["bytes", "--count=0", "--interval=0.01"],
  ["lines", "--count=0", "--interval=0.01"],
  ["duplex", "--count=0", "--delay=0.01"],
  ["duplex", "--count=0", "cat"],
  ["pipeline", "yes", "|", "cat"],
  ["fifo"],
  ["capacity"],
  ["framing"],
  ["lifetime"],
  ["deadlock", "--timeout=0.5"],
  ["buffering"],
];

for (const [script, ...args] of WRITING) {
  const title = [script, ...args].join(" ");

  processTest(`${title} stops quietly when the reader of its stdout has gone`, async () => {
    const mark = crypto.randomUUID();
    const line = '"$@" | head -c 1 >&2; exit "${PIPESTATUS[0]}"';
    const { code, stderr } = await runCommand(
      ["bash", "-c", line, "bash", ...scriptCommand(script, args)],
      { env: { MARK: mark } },
    );
    assertMatch(stderr, /^((hello from child|child \d+ of|fifo: waiting) .*\n|.)*$/);
    // A short script may have written everything before the reader went.
    assert(code === 141 || code === 0 && stderr !== "", String(code));
    assertEquals(await processesMarked(mark), []);
  });
}

processTest("a script says in one line that its stdout is full", async () => {
  if (Deno.build.os !== "linux") return;
  for (const script of ["bytes", "duplex", "framing", "lifetime"]) {
    const command = scriptCommand(script, []);
    const { code, stderr } = await runCommand(["sh", "-c", '"$@" >/dev/full', "sh", ...command]);
    assertEquals(code, 1);
    assertMatch(stderr, new RegExp(`(^|\\n)${script}: cannot write to stdout: [^\\n]*\\n$`));
  }
});

const ending = [
  ...[Deno.execPath(), "run", "--no-prompt"],
  new URL("testdata/ending.ts", import.meta.url).pathname,
];

processTest("a script tells of a cleanup that fails, does the others, and has failed", async () => {
  for (const [exitCode, expected] of [["0", 1], ["3", 3]] as const) {
    const { code, stdout, stderr } = await runCommand([...ending, "cleanup", exitCode]);
    assertEquals([code, stdout, stderr], [expected, "cleaned up\n", "ending: cannot clean up\n"]);
  }
});

processTest("a mistake in a script keeps its stack trace, for who mends it", async () => {
  const { code, stdout, stderr } = await runCommand([...ending, "mistake"]);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^TypeError: a mistake\n +at .*ending\.ts:/);
});

processTest(
  "a script draws and uses bold at a terminal, and no colour where none is wanted",
  async () => {
    if (!await isInstalled("script") || Deno.build.os !== "linux") return;
    const line = scriptCommand("capacity", []).join(" ");
    for (const [NO_COLOR, isBold] of [["", true], ["1", false]] as const) {
      const { stdout } = await runCommand(["script", "-qec", line, "/dev/null"], {
        env: { NO_COLOR },
      });
      assertEquals(stdout.includes("\x1b[1m"), isBold);
      assertMatch(stdout, /\r.*wrote [\d,]+ bytes +█+/);
    }
  },
);
