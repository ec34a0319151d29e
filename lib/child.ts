/**
 * Starts a child that does not outlive the script, whether that ends by itself, by an error, by
 * `Deno.exit()` or by a signal; only SIGKILL leaves it behind, and on Windows only Ctrl-C is heard.
 * Copy this file alone: it imports nothing.
 *
 * @module
 */

/** What ends a script from outside: the terminal closes, Ctrl-C, Ctrl-\, `kill`. The numbers are
 * those of signal(7). */
const SIGNALS: [signal: Deno.Signal, number: number][] = Deno.build.os === "windows"
  ? [["SIGINT", 2]]
  : [["SIGHUP", 1], ["SIGINT", 2], ["SIGQUIT", 3], ["SIGTERM", 15]];

/** A program that could not be started. */
export class StartError extends Error {
  /**
   * Says what could not be started, and why.
   *
   * @param exitCode What timeout(1) and shells exit with in this case: 127 for a program that does
   * not exist, 126 for one that cannot be executed.
   */
  constructor(message: string, readonly exitCode: 126 | 127) {
    super(message);
    this.name = "StartError";
  }
}

const children = new Set<Deno.ChildProcess>();
const cleanups = new Set<() => Promise<void>>();
/** The children that {@linkcode endChild} has asked to end. */
const asked = new WeakSet<Deno.ChildProcess>();

/**
 * Starts a child and sees to its end. When the block of `await using` is left, a child that still
 * runs is ended as by {@linkcode endChild}. SIGINT, SIGTERM, SIGHUP and SIGQUIT end the child first
 * and then the script, as the signal would have without this; a listener of your own hears the signal
 * again then. An error that nobody catches ends the child as well. If you prevent the default of
 * "error" or "unhandledrejection", listen for them before the first child is started.
 *
 * With `detached: true` the child leads a process group, and all that it started ends with the block
 * too, even what it left running when it exited, but for what left the group (setsid). It then has no terminal of its own: it cannot ask
 * for a password there.
 *
 * @param command The caller sets and uses its streams.
 * @param name The program's name in errors (default: the one given to Deno.Command).
 * @throws {StartError} If there is no such program, or it cannot be executed.
 * @throws {Error} While the script is ending.
 *
 * @example
 * ```ts
 * import { startChild } from "./child.ts";
 *
 * const command = new Deno.Command("sh", { args: ["-c", "sleep 9 & sleep 9"], detached: true });
 * await using child = startChild(command);
 * console.log(`${child.pid} and its family end with this block.`);
 * ```
 */
export function startChild(command: Deno.Command, name?: string): Deno.ChildProcess {
  if (ending) throw new Error("No child is started while the script is ending");
  // Before the child is there: a signal that came in between would leave it behind.
  listen(true);
  let child: Deno.ChildProcess;
  try {
    child = spawn(command, name);
    children.add(child);
  } finally {
    listen();
  }
  const release = () => {
    children.delete(child);
    listen();
  };
  const exited = child.status.then(async ({ signal }) => {
    const isOurs = signal === "SIGTERM" && asked.has(child);
    if (!isOurs && SIGNALS.some(([name]) => name === signal)) {
      // Ctrl-C reaches script and child alike, and word of the child may come first. On a busy
      // machine a single timer may be heard before the signal, too.
      for (let turn = 0; turn < 10 && !ending; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    // What the child left running keeps its group, and is still ours to end.
    if (!signalGroup(child, "SIGCONT")) release();
  });
  child[Symbol.asyncDispose] = async () => {
    if (children.has(child)) await endChild(child);
    await exited;
    // A signal is ending the script: the errors that this causes are nobody's.
    if (ending) await new Promise(() => {});
    release();
  };
  return child;
}

function spawn(command: Deno.Command, name?: string): Deno.ChildProcess {
  try {
    return command.spawn();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof Deno.errors.NotCapable) throw error;
    const [, program = "", reason = ""] = /^Failed to spawn '(.*)': (.*)$/s.exec(error.message) ??
      [];
    const what = `cannot start ${(name ?? program) || '""'}: `;
    if (reason.startsWith("No such cwd")) throw new StartError(`${what}${reason}`, 126);
    if (error instanceof Deno.errors.NotFound) {
      const hint = program.includes("/")
        ? "no such file, or its #! line names a missing one"
        : "not found on the PATH; is it installed?";
      throw new StartError(what + hint, 127);
    }
    const hint = error instanceof Deno.errors.PermissionDenied
      ? "a folder, or not executable (chmod +x?)"
      : reason || error.message;
    throw new StartError(what + hint, 126);
  }
}

/**
 * Ends a child: with SIGTERM, then with SIGKILL if it has not exited within the grace period. Of a
 * child that was started `detached`, the whole process group is ended, whether or not its leader
 * still runs. That takes the permission `--allow-run` without a list; with a list, the child alone
 * is ended.
 *
 * @param grace Seconds from SIGTERM to SIGKILL.
 * @returns The status it exited with.
 */
export async function endChild(
  child: Deno.ChildProcess,
  grace = 0.5,
): Promise<Deno.CommandStatus> {
  asked.add(child);
  signalFamily(child, "SIGTERM");
  // A stopped process gets SIGTERM only when it continues.
  signalFamily(child, "SIGCONT");
  const deadline = performance.now() + grace * 1000;
  // setTimeout takes no more, some 24 days, and calls at once.
  const milliseconds = Math.min(grace * 1000, 2 ** 31 - 1);
  const timer = setTimeout(() => signalFamily(child, "SIGKILL"), milliseconds);
  const status = await child.status;
  clearTimeout(timer);
  // The leader may exit before its family does.
  while (signalGroup(child, "SIGCONT") && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  signalFamily(child, "SIGKILL");
  return status;
}

/** False if nobody is left in the group, if the child leads none, or if it may not be signalled. */
function signalGroup(child: Deno.ChildProcess, signal: Deno.Signal): boolean {
  // Asked first: without the permission to signal any process, Deno would prompt for it.
  if (Deno.permissions.querySync({ name: "run" }).state !== "granted") return false;
  try {
    Deno.kill(-child.pid, signal);
    return true;
  } catch {
    return false;
  }
}

function signalFamily(child: Deno.ChildProcess, signal: Deno.Signal): void {
  if (signalGroup(child, signal)) return;
  try {
    child.kill(signal);
  } catch {
    // It has exited.
  }
}

/** What became of a child, as the end of a sentence: `exited with status 3`. */
export function describeStatus({ code, signal }: Deno.CommandStatus): string {
  return signal === null ? `exited with status ${code}` : `was ended by ${signal}`;
}

/**
 * Has `cleanup` run once: when the block of `await using` is left, or before a signal ends the
 * script, after all children and the cleanups registered later. A cleanup must not wait for
 * code after an `await using child`: once a signal is ending the script, that code never runs.
 *
 * @example
 * ```ts
 * import { onEnd } from "./child.ts";
 *
 * const folder = await Deno.makeTempDir();
 * await using _removal = onEnd(() => Deno.remove(folder, { recursive: true }));
 * ```
 */
export function onEnd(cleanup: () => void | Promise<void>): AsyncDisposable {
  let done: Promise<void> | undefined;
  const run = () =>
    done ??= Promise.try(cleanup).finally(() => {
      cleanups.delete(run);
      listen();
    });
  cleanups.add(run);
  listen();
  // A signal is ending the script: the errors that this causes are nobody's.
  return { [Symbol.asyncDispose]: () => run().then(() => ending && new Promise(() => {})) };
}

const listeners = SIGNALS.map(([signal, number]) => ({
  signal,
  hear: () => {
    // A second signal, a second later, means now. Sooner, it may be the same: timeout(1) sends two.
    if (performance.now() - endingSince > 1000) Deno.exit(128 + number);
    end(() => raise(signal, number));
  },
}));
let ending: Promise<void> | undefined;
let endingSince = Infinity;
let isListening = false;

/** Listens as long as there is something to end: without a listener, a signal ends the script. */
function listen(isNeeded = children.size + cleanups.size > 0): void {
  if (isNeeded === isListening) return;
  isListening = isNeeded;
  for (const { signal, hear } of listeners) {
    (isNeeded ? Deno.addSignalListener : Deno.removeSignalListener)(signal, hear);
  }
  const act = isNeeded ? addEventListener : removeEventListener;
  // Deno.exit() and an error that nobody catches wait for nothing.
  act("unload", killChildren);
  for (const type of ["error", "unhandledrejection"]) act(type, onError);
}

function killChildren(): void {
  for (const child of children) signalFamily(child, "SIGKILL");
}

function onError(event: Event): void {
  // The errors that the ending causes are nobody's.
  if (ending) event.preventDefault();
  else if (!event.defaultPrevented) killChildren();
}

/** Whether a signal or {@linkcode endScript} is ending the script. */
export function isEnding(): boolean {
  return ending !== undefined;
}

/**
 * Ends the script in good order, as a signal does: the children first, then what {@linkcode onEnd}
 * was given. `Deno.exit()` waits for neither.
 *
 * @returns Never settles; a cleanup must not wait for it.
 */
export function endScript(exitCode: number): Promise<void> {
  return end(() => Deno.exit(exitCode));
}

function end(leave: () => unknown): Promise<void> {
  return ending ??= (async () => {
    endingSince = performance.now();
    // The last first, as blocks are left: so a writer hears of it before its reader has gone.
    await Promise.all([...children].reverse().map((child) => endChild(child)));
    for (const cleanup of [...cleanups].reverse()) await cleanup().catch(tellOfCleanup);
    children.clear();
    cleanups.clear();
    listen();
    await leave();
  })();
}

function tellOfCleanup(error: unknown): void {
  try {
    console.error(`cannot clean up: ${error instanceof Error ? error.message : error}`);
  } catch {
    // stderr cannot be written: there is nobody to tell.
  }
}

/** Now that nobody listens, the signal does what it always does. */
async function raise(signal: Deno.Signal, number: number): Promise<void> {
  if (Deno.permissions.querySync({ name: "run" }).state === "granted") {
    Deno.kill(Deno.pid, signal);
    // In a moment: another thread of Deno hears it first.
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  Deno.exit(128 + number);
}
