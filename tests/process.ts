/**
 * What the tests share that start processes: they run the scripts as a user does.
 *
 * @module
 */
import { toText } from "@std/streams/to-text";

const permission = await Deno.permissions.request({ name: "run" });
const mayRun = permission.state === "granted";
if (mayRun) {
  // With an empty cache the first run of any script may say on stderr what Deno downloads for it.
  const args = ["cache", "--quiet", "scripts", "tests/testdata"];
  await new Deno.Command(Deno.execPath(), { args, cwd: new URL("..", import.meta.url) }).output();
} else {
  console.log("Left out: the tests that start processes. `deno test -A` runs them.");
}

/** A test that starts processes, ignored where that is not permitted. */
export function processTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !mayRun, fn });
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
    toText(child.stdout),
    toText(child.stderr),
    stdin === undefined ? undefined : feed(child.stdin, stdin),
  ]);
  return { code: status.code, stdout, stderr };
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
export function startScript(script: string, args: string[] = [], permissions?: string[]) {
  const [program = "", ...rest] = scriptCommand(script, args, permissions);
  return new Deno.Command(program, {
    args: rest,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/**
 * The processes that have the environment variable MARK with this value, a process and all that it
 * started, after they were given a second to end. Only Linux tells; elsewhere there are none.
 */
export async function processesMarked(mark: string): Promise<string[]> {
  for (const start = performance.now();;) {
    const found: string[] = [];
    if (Deno.build.os === "linux") {
      for await (const { name } of Deno.readDir("/proc")) {
        // A process may end while it is looked at, and a zombie has no environment any more.
        const environment = await Deno.readTextFile(`/proc/${name}/environ`).catch(() => "");
        if (environment.includes(`MARK=${mark}`)) {
          found.push(await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => name));
        }
      }
    }
    if (found.length === 0 || performance.now() - start > 1000) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A folder of its own for a test, removed after it. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Whether a program is installed. */
export async function isInstalled(program: string): Promise<boolean> {
  const { code } = await runCommand(["sh", "-c", 'command -v "$1"', "sh", program]);
  return code === 0;
}
