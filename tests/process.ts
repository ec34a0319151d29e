/**
 * What the tests share: no test can run for ever, and those that start processes run the scripts as
 * a user does. Every test file imports this one.
 *
 * @module
 */
import { limitTests } from "./time_limit.ts";

/** The longest, in seconds, that a test or a step of {@linkcode processTest} may take. */
const TIME_LIMIT = 120;

// A test of many steps takes as long as they do.
const declareTest = Deno.test;
const limited = limitTests(TIME_LIMIT);

const permission = await Deno.permissions.request({ name: "run" });
const mayRun = permission.state === "granted";
if (!mayRun) console.log("Left out: the tests that start processes. `deno test -A` runs them.");

// Behind `&` or nohup a shell has the run ignore these, and so would all that it starts. Heard once,
// they are back to what they do to a program.
for (const signal of ["SIGHUP", "SIGINT", "SIGQUIT"] as const) {
  const listener = () => {};
  Deno.addSignalListener(signal, listener);
  Deno.removeSignalListener(signal, listener);
}

/** What a test cannot do without. */
export interface Needs {
  /** Programs. */
  needs?: string[];
  /** The system that has what it looks at. */
  os?: typeof Deno.build.os;
}

const folders = mayRun ? (Deno.env.get("PATH") ?? "").split(":") : [];

/** Whether a program is installed: found here, since a shell for each would cost more. */
export function isInstalled(program: string): boolean {
  if (program.includes("/")) return mayRun && isExecutable(program);
  return folders.some((folder) => isExecutable(`${folder}/${program}`));
}

function isExecutable(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch {
    return false;
  }
}

const processTests: Deno.TestStepDefinition[] = [];

/**
 * A test that starts processes, ignored where that is not permitted; and, with the reason in its
 * name, where a program is not installed or the system is another. Such tests wait more than they
 * work, so those of a file run side by side, as steps of one test, whose leak checks cover them
 * all.
 */
export function processTest(
  name: string,
  fn: () => Promise<void>,
  { needs = [], os = Deno.build.os }: Needs = {},
): void {
  const missing = mayRun ? needs.filter((program) => !isInstalled(program)) : [];
  const reasons = missing.map((program) => `${program} is not installed`);
  if (os !== Deno.build.os) reasons.push(`this is not ${os}`);
  const title = reasons.length > 0 ? `${name} (left out: ${reasons.join(", ")})` : name;
  // Deno can tell whose leak it is only if nothing runs beside it.
  const unchecked = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
  processTests.push({ name: title, ignore: reasons.length > 0, fn: limited(fn), ...unchecked });
  if (processTests.length > 1) return;
  declareTest({
    name: "with processes, side by side",
    ignore: !mayRun,
    fn: (t) => sideBySide(processTests, async (test) => void await t.step(test)),
  });
}

/** Acts on a few items at a time; all are over before one failure is told, so that no child is
 * left. */
export async function sideBySide<T>(
  items: Iterable<T>,
  act: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const errors: unknown[] = [];
  const queue = [...items].entries();
  const work = async () => {
    for (const [index, item] of queue) {
      await act(item, index).catch((error) => errors.push(error));
    }
  };
  await Promise.all(Array.from({ length: 10 }, work));
  if (errors.length > 0) throw errors[0];
}

/** What a process left: its exit code, and what it wrote. */
export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** What is written to its stdin before that is closed; without it stdin is /dev/null. */
  stdin?: string;
  /** What Deno may do, instead of everything. */
  permissions?: string[];
  cwd?: string;
  env?: Record<string, string>;
}

/** The folder of the collection. */
export const root = new URL("..", import.meta.url);

/** The TypeScript files in a folder and in those inside it, by their paths from the root. */
export async function sources(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, root))) {
    if (isDirectory) found.push(...await sources(`${folder}/${name}`));
    else if (/(?<!\.d)\.ts$/.test(name)) found.push(`${folder}/${name}`);
  }
  return found;
}

/** The path of a script of the collection. */
export function scriptPath(script: string): string {
  return new URL(`../scripts/${script}.ts`, import.meta.url).pathname;
}

/** The command line that runs a script. */
export function scriptCommand(script: string, args: string[], permissions = ["-A"]): string[] {
  return [Deno.execPath(), "run", "--no-prompt", ...permissions, scriptPath(script), ...args];
}

/** Runs a script of the collection to its end. */
export function runScript(
  script: string,
  args: string[] = [],
  { permissions, ...options }: RunOptions = {},
): Promise<Result> {
  return runCommand(scriptCommand(script, args, permissions), options);
}

/** Runs any command to its end. */
export async function runCommand(
  [program = "", ...args]: string[],
  { stdin, cwd = "/", env = {} }: RunOptions = {},
): Promise<Result> {
  await using child = new Deno.Command(program, {
    args,
    cwd,
    env,
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [status, stdout, stderr] = await Promise.all([
    child.status,
    child.stdout.text(),
    child.stderr.text(),
    stdin === undefined ? undefined : feed(child.stdin, stdin),
  ]);
  return { code: status.code, stdout, stderr };
}

/** Runs a command of a benchmark. */
export async function mustSucceed(command: string[]): Promise<void> {
  const { code, stderr } = await runCommand(command, { env: { PYTHONUNBUFFERED: "" } });
  if (code !== 0) throw new Error(`${command.join(" ")} exited with status ${code}: ${stderr}`);
}

/** Writes all of a text that anyone reads. */
async function feed(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  try {
    await new Blob([text]).stream().pipeTo(stdin);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Starts a script whose course a test follows; its three standard streams are pipes. */
export function startScript(
  script: string,
  args: string[] = [],
  { permissions, cwd = "/", env = {} }: RunOptions = {},
) {
  const [program = "", ...rest] = scriptCommand(script, args, permissions);
  return new Deno.Command(program, {
    args: rest,
    cwd,
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/**
 * The processes that have the environment variable MARK with this value, a process and all that it
 * started, after they were given five seconds to end. What still runs then is killed, so that the
 * failure of one test does not disturb the next. Only Linux tells; elsewhere there are none.
 */
export async function processesMarked(mark: string): Promise<string[]> {
  for (const start = performance.now();;) {
    const found = Deno.build.os === "linux" ? lookFor(`MARK=${mark}`) : [];
    if (found.length === 0) return [];
    if (performance.now() - start > 5000) {
      for (const { pid } of found) kill(pid, "SIGKILL");
      return found.map(({ command }) => command);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The processes with these words in their environment. Read at one go, which costs a quarter of
 * what it costs to wait for each file. */
function lookFor(words: string): { pid: number; command: string }[] {
  const found = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    const pid = Number(name);
    if (isNaN(pid)) continue;
    try {
      if (!Deno.readTextFileSync(`/proc/${pid}/environ`).includes(words)) continue;
      found.push({ pid, command: Deno.readTextFileSync(`/proc/${pid}/cmdline`) });
    } catch {
      // It has ended since. A zombie has no environment any more.
    }
  }
  return found;
}

/** Sends a signal to a process, or with a minus to a group, that may have ended by itself. */
export function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // It has ended since.
  }
}

/** Looks until something is so that cannot be awaited; fails if it is not within half a minute. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const start = performance.now();
  while (!await condition()) {
    if (performance.now() - start > 30_000) throw new Error(`in vain for 30 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A folder of its own for a test, removed after it. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** A folder with a program that runs these lines of sh, and the PATH on which it comes first. */
export async function fakeProgram(name: string, lines: string) {
  const folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/${name}`, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  return { ...folder, env: { PATH: `${folder.path}:${Deno.env.get("PATH")}` } };
}

/**
 * A folder with copies of files of `lib/`, and nothing else, and a program that uses them; and the
 * command that runs it.
 */
export async function takeHome(files: string[], program: string) {
  const folder = await temporaryFolder();
  for (const file of files) {
    await Deno.copyFile(new URL(`../lib/${file}`, import.meta.url), `${folder.path}/${file}`);
  }
  await Deno.writeTextFile(`${folder.path}/program.ts`, program);
  const command = [Deno.execPath(), "run", "-A", "--no-config", `${folder.path}/program.ts`];
  return { ...folder, command };
}

/**
 * The largest gap between two ticks of a 10 ms interval while `work` is done, in milliseconds. What
 * other processes take of it does not count, where `work` is never idle.
 */
export async function largestGap(work: () => Promise<void>): Promise<number> {
  // Here alone, since to load it takes as long as many a test.
  const { cpuUsage } = await import("node:process");
  const clocks = () => {
    const { user, system } = cpuUsage();
    return [performance.now(), (user + system) / 1000] as const;
  };
  let largest = 0;
  let [time, busy] = clocks();
  const look = () => {
    const [timeNow, busyNow] = clocks();
    largest = Math.max(largest, Math.min(timeNow - time, busyNow - busy));
    [time, busy] = [timeNow, busyNow];
  };
  const timer = setInterval(look, 10);
  await work();
  clearInterval(timer);
  look();
  return largest;
}
