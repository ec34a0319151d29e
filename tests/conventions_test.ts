/**
 * What every script keeps: its options, its signals, the reader of its stdout, its permissions.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { LineReader } from "../lib/line_reader.ts";
import {
  processesMarked,
  processTest,
  root,
  runCommand,
  runScript,
  scriptCommand,
  scriptPath,
  sideBySide,
  sources,
  temporaryFolder,
} from "./process.ts";

/** The options of each script that take a number. */
const NUMBERS: Record<string, string[]> = {
  buffering: [],
  bytes: ["count", "interval", "size"],
  capacity: ["step"],
  deadlock: ["bytes", "timeout"],
  duplex: ["count", "timeout", "delay"],
  fifo: [],
  framing: [],
  hello: ["count", "interval"],
  lifetime: [],
  lines: ["count", "interval"],
  pipeline: [],
  pipetest: ["count", "delay"],
  rpc: ["timeout"],
  session: ["timeout"],
  stderr: [],
  timeout: ["timeout", "grace"],
  why: ["pid", "timeout"],
};
const SCRIPTS = Object.keys(NUMBERS);

processTest("every script is held to the conventions", async () => {
  const files = await Array.fromAsync(Deno.readDir(new URL("../scripts", import.meta.url)));
  const scripts = files.map(({ name }) => name).filter((name) => name.endsWith(".ts"));
  assertEquals(scripts.map((name) => name.replace(".ts", "")).sort(), SCRIPTS);
});

/** Tests of more than one file. */
const OF_MANY = ["conventions", "headers", "readme", "take_home", "time_limit"];

processTest("every test stands beside what it tests, by name", async () => {
  const tested = [...await sources("lib"), ...await sources("scripts")];
  tested.push(...OF_MANY.map((name) => `${name}.ts`));
  const tests = (await sources("tests")).filter((path) => path.endsWith("_test.ts"));
  const untested = tests.map((path) => path.replace(/^tests\/(.*)_test\.ts$/, "$1.ts"))
    .filter((path) => !tested.includes(path));
  assertEquals(untested, []);
});

processTest("every import goes down a floor, or sideways in its folder", async () => {
  const floors = ["lib", "lib/script", "lib/why", "scripts"];
  const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/"));
  for (const path of [...await sources("lib"), ...await sources("scripts")]) {
    const source = await Deno.readTextFile(new URL(path, root));
    for (const [, name = ""] of source.matchAll(/^(?:import|export|\}) .*?"(\..*)";$/gm)) {
      const target = new URL(name, new URL(path, root)).pathname.slice(root.pathname.length);
      const [from, to] = [folderOf(path), folderOf(target)];
      const isDown = floors.indexOf(to) < floors.indexOf(from);
      assert(isDown || from === to && from !== "scripts", `${path} imports ${target}`);
      assert(to !== "lib/why" || from === to || path === "scripts/why.ts", `${path}: lib/why`);
    }
  }
});

processTest("every error of lib carries its own name", async () => {
  const found: string[] = [];
  for (const file of await sources("lib")) {
    const members: Record<string, unknown> = await import(`../${file}`);
    for (const [name, member] of Object.entries(members)) {
      if (typeof member !== "function" || !(member.prototype instanceof Error)) continue;
      // Whatever its parameters are.
      const error: unknown = Reflect.construct(member, ["why", { code: 1 }, { code: 1 }]);
      assert(error instanceof Error);
      assertEquals([error.name, Object.hasOwn(error, "name")], [name, true], file);
      found.push(name);
    }
  }
  assert(found.includes("UsageError") && found.includes("NoAnswerError"), found.join());
});

processTest("every script refuses rubbish in one line and starts nothing", async () => {
  await sideBySide(SCRIPTS, async (script) => {
    const [option = "unknown"] = NUMBERS[script] ?? [];
    const mark = crypto.randomUUID();
    for (const args of [[`--${option}=abc`], [`--${option}=1`, `--${option}.x=2`]]) {
      const { code, stdout, stderr } = await runScript(script, args, { env: { MARK: mark } });
      assertEquals([code, stdout], [2, ""], `${script}: ${stderr}`);
      assertMatch(stderr, new RegExp(`^${script}: [^\\n]*--${option}[^\\n]*\\n$`));
    }
    assertEquals(await processesMarked(mark), []);
  });
});

processTest("every script that takes no command refuses a stray argument", async () => {
  const commands = ["duplex", "pipeline", "rpc", "session", "stderr", "timeout", "why"];
  const others = SCRIPTS.filter((script) => !commands.includes(script));
  await sideBySide(others, async (script) => {
    const { code, stderr } = await runScript(script, ["one", "two", "three", "four"]);
    assertEquals(code, 2);
    assertMatch(stderr, new RegExp(`^${script}: [^\\n]+\\n$`));
  });
});

processTest("every script says with --help what it shows, its options and an example", async () => {
  await sideBySide(SCRIPTS, async (script, index) => {
    const { code, stdout, stderr } = await runScript(script, [index % 2 === 0 ? "--help" : "-h"], {
      permissions: [],
    });
    assertEquals([code, stderr], [0, ""]);
    assertMatch(
      stdout,
      new RegExp(`^Usage: ${script}\\.ts[^]*\n\n[^]*\nOptions:\n[^]*\nExample:\n {2}deno run`),
    );
    for (const name of NUMBERS[script] ?? []) assertStringIncludes(stdout, `\n  --${name} `);
    for (const line of stdout.split("\n")) assert(line.length <= 80, line);
  });
});

/** Every script in a form that lasts, or as long as it does. */
const LONG: [script: string, ...args: string[]][] = [
  ["bytes", "--count=0", "--interval=0.01"],
  ["lines", "--count=0", "--interval=1000"],
  ["hello", "--count=0", "--interval=1000"],
  ["duplex", "--count=0", "--delay=0.01"],
  ["duplex", "sh", "-c", "trap '' TERM; sleep 1000"],
  ["duplex", "--timeout=1000", "yes"],
  ["pipetest", "--delay=1000", "spam"],
  ["rpc", "sleep", "1000"],
  ["rpc"],
  ["session", "sleep", "1000"],
  ["session"],
  ["stderr", "sh", "-c", "yes & yes >&2"],
  ["stderr", "sh", "-c", "sleep 1000 & wait"],
  ["timeout", "--timeout=1000", "sh", "-c", "sleep 1000 & sleep 1000"],
  ["timeout"],
  ["pipeline", "sleep", "1000", "|", "cat", "|", "sleep", "1000"],
  ["fifo"],
  ["fifo", "read", "pipe"],
  ["fifo", "write", "pipe"],
  ["capacity"],
  ["framing"],
  ["lifetime"],
  ["deadlock", "--timeout=1000"],
  ["buffering"],
  ["why"],
  ["why", "sh", "-c", "sleep 1000 & cat; wait"],
];

const SIGNALS: [Deno.Signal, number][] = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
  ["SIGQUIT", 131],
];

const MOMENTS = [0, 20, 35, 50, 65, 80, 150, 400];

for (const [script, ...args] of LONG) {
  const title = [script, ...args].join(" ");

  processTest(`a signal at any moment ends "${title.slice(0, 40)}", all of it`, async () => {
    await using folder = await temporaryFolder();
    await sideBySide(MOMENTS, async (moment, index) => {
      const [signal, expected] = SIGNALS[index % SIGNALS.length] ?? ["SIGTERM", 143];
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
      const discarding = child.stdout.pipeTo(new WritableStream());
      const errors = child.stderr.text();
      await new Promise((resolve) => setTimeout(resolve, moment));
      try {
        child.kill(signal);
      } catch {
        // It is one of those that end by themselves, and it has.
      }
      const { code } = await child.status;
      await child.stdin.close().catch(() => {});
      // Before the outputs: whoever was left behind would keep these open.
      const left = await processesMarked(mark);
      await discarding;
      const stderr = await errors;
      assertEquals(left, []);
      // A demonstration may be over before the signal comes.
      const isOver = code === 0 && args.length === 0;
      assert(code === expected || isOver, `${signal} after ${moment} ms: ${code} ${stderr}`);
      if (script !== "stderr") assertEquals(withoutGreetings(stderr), "");
      assertEquals(await Array.fromAsync(Deno.readDir(own)), []);
    });
  });
}

/** Without what may be said before the signal, or by a half of fifo that hears of the other. */
function withoutGreetings(stderr: string): string {
  return stderr.replaceAll(
    /^(hello from child|child \d+|fifo: (waiting|no \w+ came)|duplex: (yes|python3) wrote) .*\n/gm,
    "",
  );
}

const GROUPS: [script: string, ...args: string[]][] = [
  ["lines", "--count=0"],
  ["duplex", "--count=0"],
  ["deadlock", "--timeout=1000"],
  ["stderr", "sh", "-c", "echo ready; exec sleep 1000"],
  ["timeout", "--timeout=1000", "sh", "-c", "echo ready; exec sleep 1000"],
  ["duplex", "python3", "-uc", "print('ready'); import time; time.sleep(1000)"],
];

for (const [script, ...args] of GROUPS) {
  const needs = args[0] === "python3" ? ["python3"] : [];

  processTest(`Ctrl-C, which the whole group gets, ends ${script} ${args[0]} quietly`, async () => {
    const mark = crypto.randomUUID();
    const [program = "", ...rest] = scriptCommand(script, args);
    await using child = new Deno.Command(program, {
      args: rest,
      env: { MARK: mark },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
    await using stdout = new LineReader(child.stdout);
    await using stderr = new LineReader(child.stderr);
    // The first word on either stream: it is under way, and does not end by itself.
    const firstError = stderr.readLine();
    assert(await Promise.race([stdout.readLine(), firstError]) !== null);
    Deno.kill(-child.pid, "SIGINT");
    const { signal } = await child.status;
    assertEquals(await processesMarked(mark), []);
    const errors = [await firstError ?? "", ...await Array.fromAsync(stderr)];
    assertEquals(withoutGreetings(errors.map((line) => line && `${line}\n`).join("")), "");
    assertEquals(signal, "SIGINT");
  }, { needs });
}

/** Every script that writes to stdout by itself, and so that it goes on doing so. */
const WRITING: [script: string, ...args: string[]][] = [
  ["bytes", "--count=0", "--interval=0.01"],
  ["lines", "--count=0", "--interval=0.01"],
  ["hello", "--count=0", "--interval=0.01"],
  ["duplex", "--count=0", "--delay=0.01"],
  ["duplex", "--count=0", "cat"],
  ["pipeline", "yes", "|", "cat"],
  ["stderr", "yes"],
  ["timeout", "yes"],
  ["rpc"],
  ["session"],
  ["fifo"],
  ["capacity"],
  ["framing"],
  ["lifetime"],
  ["deadlock", "--timeout=0.5"],
  ["buffering"],
  ["why"],
];

processTest("every script stops quietly when the reader of its stdout has gone", async () => {
  await sideBySide(WRITING, async ([script, ...args]) => {
    const mark = crypto.randomUUID();
    const line = '"$@" | head -c 1 >&2; exit "${PIPESTATUS[0]}"';
    const { code, stderr } = await runCommand(
      ["bash", "-c", line, "bash", ...scriptCommand(script, args)],
      { env: { MARK: mark } },
    );
    assertMatch(stderr, /^((hello from child|child \d+ of|fifo: waiting) .*\n|.)*$/);
    // A short script may have written everything before the reader went.
    assert(code === 141 || code === 0 && stderr !== "", `${script}: ${code}`);
    assertEquals(await processesMarked(mark), []);
  });
});

interface Case {
  script: string;
  args?: string[];
  /** What the script's header says it needs. */
  needs: string[];
  /** Plausible, and one too few. */
  tooFew?: string[];
}

const CASES: Case[] = [
  { script: "bytes", args: ["--count=1"], needs: ["--allow-run"], tooFew: [] },
  { script: "lines", args: ["--count=1"], needs: ["--allow-run"], tooFew: [] },
  { script: "hello", args: ["--count=1"], needs: [] },
  { script: "duplex", args: ["--delay=0"], needs: ["--allow-run"], tooFew: [] },
  {
    script: "duplex",
    args: ["sed", "-u", "p;d"],
    needs: ["--allow-run=sed"],
    tooFew: ["--allow-run=cat"],
  },
  { script: "pipetest", args: ["spam"], needs: [] },
  { script: "rpc", args: ["--timeout=100"], needs: ["--allow-run"], tooFew: [] },
  { script: "session", needs: ["--allow-run"], tooFew: [] },
  { script: "stderr", needs: ["--allow-run"], tooFew: [] },
  {
    script: "timeout",
    args: ["--timeout=0.2"],
    needs: ["--allow-run"],
    tooFew: ["--allow-run=sh,ps"],
  },
  { script: "pipeline", needs: ["--allow-run=ls,wc"], tooFew: ["--allow-run=ls"] },
  {
    script: "fifo",
    needs: ["--allow-run", "--allow-read", "--allow-write"],
    tooFew: ["--allow-run", "--allow-read"],
  },
  { script: "capacity", needs: ["--allow-run=sh"], tooFew: ["--allow-run=cat"] },
  { script: "framing", needs: ["--allow-run=cat"], tooFew: ["--allow-run=ls"] },
  {
    script: "lifetime",
    needs: ["--allow-run=cat,true,yes,sh"],
    tooFew: ["--allow-run=cat,true,yes"],
  },
  {
    script: "deadlock",
    args: ["--timeout=0.2"],
    needs: ["--allow-run=cat,sh"],
    tooFew: ["--allow-run=cat"],
  },
];

processTest("every script works with the permissions that its header names", async () => {
  await sideBySide(CASES, async ({ script, args = [], needs, tooFew }) => {
    const header = await Deno.readTextFile(scriptPath(script));
    for (const permission of needs) assertStringIncludes(header, permission);
    const { code, stderr } = await runScript(script, args, { permissions: needs });
    assertEquals(code, 0, `${script}: ${stderr}`);
    if (tooFew === undefined) return;
    const refused = await runScript(script, args, { permissions: tooFew });
    assertEquals(refused.code, 1);
    assertMatch(refused.stderr, new RegExp(`^${script}: [^\\n]* --allow-[^\\n]*\\n$`));
  });
});

processTest("buffering needs --allow-run for sed, stdbuf and script", async () => {
  const permissions = ["--allow-run=sed,stdbuf,script"];
  assertStringIncludes(await Deno.readTextFile(scriptPath("buffering")), permissions.join());
  assertEquals((await runScript("buffering", [], { permissions })).code, 0);
  const refused = await runScript("buffering", [], { permissions: ["--allow-run=sed"] });
  assertEquals(refused.code, 1);
  assertMatch(refused.stderr, /^buffering: Requires run access to "stdbuf"[^\n]*\n$/);
}, { needs: ["stdbuf", "script"] });

processTest("fifo read PATH needs to run mkfifo, to read PATH and to write it", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/pipe`;
  const needs = ["--allow-run=mkfifo", `--allow-read=${path}`, `--allow-write=${path}`];
  for (const missing of needs) {
    const permissions = needs.filter((permission) => permission !== missing);
    const { code, stderr } = await runScript("fifo", ["read", path], { permissions });
    assertEquals(code, 1);
    assertMatch(stderr, /^fifo: [^\n]*--allow-(run|read|write)[^\n]*\n$/);
    assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
  }
});

processTest("a script draws and uses bold at a terminal, and no colour if unwanted", async () => {
  const line = scriptCommand("capacity", []).join(" ");
  await sideBySide([["", true], ["1", false]] as const, async ([NO_COLOR, isBold]) => {
    const { stdout } = await runCommand(["script", "-qec", line, "/dev/null"], {
      env: { NO_COLOR },
    });
    assertEquals(stdout.includes("\x1b[1m"), isBold);
    assertMatch(stdout, /\r.*wrote [\d,]+ bytes +█+/);
  });
}, { needs: ["script"], os: "linux" });
