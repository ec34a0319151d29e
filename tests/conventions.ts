/**
 * What every script keeps: its options, its signals, the reader of its stdout, its permissions. One
 * case of each kind is in `conventions_test.ts`, all of them in `conventions_matrix.ts`.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { LineReader } from "../lib/line_reader.ts";
import {
  processesMarked,
  runCommand,
  runScript,
  scriptCommand,
  scriptPath,
  temporaryFolder,
} from "./process.ts";

/** A script and its arguments. */
export type Command = [script: string, ...args: string[]];

/** The options of each script that take a number. */
export const NUMBERS: Record<string, string[]> = {
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
export const SCRIPTS = Object.keys(NUMBERS);

/** The scripts that take no command. */
export const WITHOUT_COMMAND = SCRIPTS.filter((script) =>
  !["duplex", "pipeline", "rpc", "session", "stderr", "timeout", "why"].includes(script)
);

/** A script refuses these arguments in one line that has these words, and starts nothing. */
export async function refuses([script, ...args]: Command, words: string): Promise<void> {
  const mark = crypto.randomUUID();
  const { code, stdout, stderr } = await runScript(script, args, { env: { MARK: mark } });
  assertEquals([code, stdout], [2, ""], `${script}: ${stderr}`);
  assertMatch(stderr, new RegExp(`^${script}: [^\\n]*${words}[^\\n]*\\n$`));
  assertEquals(await processesMarked(mark), []);
}

/** Every script in a form that lasts, or as long as it does. */
export const LONG: Command[] = [
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

/** Milliseconds after the start: before the script runs, while it begins, and later. */
export const MOMENTS = [0, 20, 35, 50, 65, 80, 150, 400];

/** A signal ends a script, with all that it started and made. The index tells which signal, and
 * how long after the start. */
export async function endsOnSignal([script, ...args]: Command, index: number): Promise<void> {
  const [signal, expected] = SIGNALS[index % SIGNALS.length] ?? ["SIGTERM", 143];
  const moment = MOMENTS[index % MOMENTS.length] ?? 0;
  await using folder = await temporaryFolder();
  const mark = crypto.randomUUID();
  const [program = "", ...rest] = scriptCommand(script, args);
  await using child = new Deno.Command(program, {
    args: rest,
    cwd: folder.path,
    env: { MARK: mark, TMPDIR: folder.path },
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
  assert(code === expected || isOver, `${script}: ${signal} after ${moment} ms: ${code} ${stderr}`);
  if (script !== "stderr") assertEquals(withoutGreetings(stderr), "");
  assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
}

/** Without what may be said before the signal, or by a half of fifo that hears of the other. */
function withoutGreetings(stderr: string): string {
  return stderr.replaceAll(
    /^(hello from child|child \d+|fifo: (waiting|no \w+ came)|duplex: (yes|python3) wrote) .*\n/gm,
    "",
  );
}

/** Scripts that say something as soon as their child runs, and then last. */
export const GROUPS: Command[] = [
  ["lines", "--count=0"],
  ["duplex", "--count=0"],
  ["deadlock", "--timeout=1000"],
  ["stderr", "sh", "-c", "echo ready; exec sleep 1000"],
  ["timeout", "--timeout=1000", "sh", "-c", "echo ready; exec sleep 1000"],
  ["duplex", "python3", "-uc", "print('ready'); import time; time.sleep(1000)"],
];

/** Ctrl-C, which a whole group gets, ends a script without a word. */
export async function endsOnInterrupt([script, ...args]: Command): Promise<void> {
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
}

/** Every script that writes to stdout by itself, and so that it goes on doing so. */
export const WRITING: Command[] = [
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

/** A script stops without a word when the reader of its stdout has gone. */
export async function stopsWithItsReader([script, ...args]: Command): Promise<void> {
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
}

/** Permissions with which a script works, and those with which it does not. */
export interface Case {
  script: string;
  args?: string[];
  /** What the script's header says it needs. */
  needs: string[];
  /** Plausible, and one too few. */
  tooFew?: string[];
}

export const CASES: Case[] = [
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

/** A script works with the permissions that its header names, and says which it lacks. */
export async function keepsToPermissions(
  { script, args = [], needs, tooFew }: Case,
): Promise<void> {
  const header = await Deno.readTextFile(scriptPath(script));
  for (const permission of needs) assertStringIncludes(header, permission);
  const { code, stderr } = await runScript(script, args, { permissions: needs });
  assertEquals(code, 0, `${script}: ${stderr}`);
  if (tooFew === undefined) return;
  const refused = await runScript(script, args, { permissions: tooFew });
  assertEquals(refused.code, 1);
  assertMatch(refused.stderr, new RegExp(`^${script}: [^\\n]* --allow-[^\\n]*\\n$`));
}
