/**
 * To take home, alone: starts a child that does not outlive the script, whether that ends by
 * itself, by an error, by `Deno.exit()` or by a signal.
 *
 * A child is left behind only where no code of the script runs any more. These signals end Deno at
 * once: SIGKILL (which the system also sends when memory runs out), SIGILL, SIGFPE, SIGPROF, the
 * real-time signals, and the second SIGBUS or SIGSEGV. So does a crash of Deno, such as a full
 * heap. And a script that never reaches its event loop, as in `while (true);`, hears no signal
 * while it has a child: only those that end Deno at once end it. Windows has only Ctrl-C and
 * Ctrl-Break.
 *
 * Start children in the main thread. `worker.terminate()`, `Deno.exit()` in the main thread and an
 * error there end a Worker without running any more of its code, so a child started in it lives on.
 *
 * @module
 */
// deno-fmt-ignore-file: lines of up to 100 columns; at 80 the file would be a third longer.

const isLinux = Deno.build.os === "linux";

/**
 * The signals that end the script while there is something to end, and their numbers (signal(7)).
 * If your script uses one of them for something else, delete it here before you start a child; also
 * SIGUSR1, if you want to open Deno's debugger by it.
 */
export const endingSignals: Map<Deno.Signal, number> = new Map(
  Deno.build.os === "windows" ? [["SIGINT", 2], ["SIGBREAK", 21]] : [
    // Not SIGPROF, which `deno --cpu-prof` sends to itself, nor SIGBUS: whoever listens to it keeps
    // Deno from ending where its memory is at fault.
    ["SIGHUP", 1],
    ["SIGINT", 2],
    ["SIGQUIT", 3],
    ["SIGTRAP", 5],
    ["SIGABRT", 6],
    ["SIGALRM", 14],
    ["SIGTERM", 15],
    ["SIGXCPU", 24],
    ["SIGXFSZ", 25],
    ["SIGVTALRM", 26],
    ["SIGUSR1", isLinux ? 10 : 30],
    ["SIGUSR2", isLinux ? 12 : 31],
    ["SIGSYS", isLinux ? 31 : 12],
    ...(isLinux ? [["SIGSTKFLT", 16], ["SIGIO", 29], ["SIGPWR", 30]] as const : []),
  ],
);

/** A program that could not be started. */
export class StartError extends Error {
  /** What the error is called where it is printed. */
  override readonly name = "StartError";

  /**
   * Says what could not be started, and why.
   *
   * @param exitCode What timeout(1) and shells exit with in this case: 127 for a program that does
   * not exist, 126 for one that cannot be executed.
   */
  constructor(message: string, readonly exitCode: 126 | 127) {
    super(message);
  }
}

/** How to start a child. */
export interface StartOptions {
  /** The program's name in errors (default: Deno's, often its whole path). */
  name?: string;
  /**
   * Seconds from SIGTERM to SIGKILL, where the block, {@linkcode endChild} or a signal ends the
   * child (default 0.5). Give a child that saves its work on SIGTERM more. The default is plenty
   * for one that only closes its files, and not too long for a person at a terminal whose Ctrl-C it
   * ignores.
   */
  grace?: number;
}

/** A child and all that it started. */
interface Family {
  /** Seconds until SIGKILL. */
  grace: number;
  /** What {@linkcode endChild} has sent. */
  sent?: Deno.Signal;
  /** All have ended: the system may give their process ids to others. */
  hasGone?: boolean;
}

const families = new WeakMap<Deno.ChildProcess, Family>();
/** The children whose families may still run. */
const children = new Set<Deno.ChildProcess>();
const cleanups = new Set<() => Promise<void>>();
/** How many of the cleanups have begun and not ended. */
let running = 0;

/**
 * Starts a child and sees to its end. When the block of `await using` is left, a child that still
 * runs is ended as by {@linkcode endChild}.
 *
 * A signal that would end the script ({@linkcode endingSignals}) ends the child first and then the
 * script, as it would have without this. Meanwhile the code inside the block goes on, and may see
 * how the child ended: ask {@linkcode isEnding} before you report that, or start another. The code
 * behind the block does not run. A second signal, at least one second after the first, kills at
 * once.
 *
 * An error that leaves the block ends the child with it. `Deno.exit()` kills it at once, and so
 * does an error elsewhere that nobody catches, as in a timer. If you prevent the default of "error"
 * or "unhandledrejection", listen for them before the first child is started.
 *
 * With `detached: true` the child leads a process group, and every process of the group ends with
 * the block too, even if the child has exited; a process that has left the group (setsid) lives on.
 * The child then has no terminal of its own: it cannot ask for a password there.
 *
 * The children of one block end one after another, the last first. End many together, before the
 * block is left: `await Promise.all(children.map((child) => endChild(child)))`. A signal ends all
 * children together.
 *
 * The system may give the process id of an empty group to another process. So a group that outlives
 * the child is looked at once a second, and let go of when it is empty. A signal could reach a
 * stranger only if that id were given away within that second.
 *
 * @param command The caller sets and uses its streams.
 * @throws {StartError} If there is no such program, or it cannot be executed.
 * @throws {RangeError} If `grace` is negative or NaN.
 * @throws {Error} While the script is ending.
 *
 * @example
 * ```ts
 * import { startChild } from "./child.ts";
 *
 * const args = ["-c", "sleep 9 & sleep 9"];
 * const command = new Deno.Command("sh", { args, detached: true });
 * await using child = startChild(command, { grace: 5 });
 * console.log(`${child.pid} and its family end with this block, within 5 s.`);
 * ```
 */
export function startChild(
  command: Deno.Command,
  { name, grace = 0.5 }: StartOptions = {},
): Deno.ChildProcess {
  if (isEnding()) throw new Error("No child is started while the script is ending");
  checkGrace(grace);
  // Started by a cleanup, as a rule, which goes on while the script ends.
  const isPart = running > 0;
  // Listen first: a signal that comes just after the start would leave the child behind.
  listen(true);
  let child: Deno.ChildProcess;
  try {
    child = spawn(command, name);
    children.add(child);
  } finally {
    listen();
  }
  const family: Family = { grace };
  families.set(child, family);
  let watch: ReturnType<typeof setInterval> | undefined;
  /** Lets go of a family whose group is empty, or returns false. */
  const letGo = () => {
    if (signalGroup(child, "SIGURG")) return false;
    clearInterval(watch);
    children.delete(child);
    family.hasGone = true;
    listen();
    return true;
  };
  const exited = child.status.then(async ({ signal }) => {
    if (signal !== null && endingSignals.has(signal) && signal !== family.sent) {
      // Ctrl-C reaches script and child alike, and the child's exit, or a pipe that breaks by it,
      // may be seen first. On a busy machine a single timer may fire before the signal is heard.
      for (let n = 0; n < 10; n++) await sleep(20);
    }
    await turn();
    if (letGo()) return;
    // Processes that the child left running keep the group alive, and are still ours to end.
    watch = setInterval(letGo, 1000);
    Deno.unrefTimer(watch);
  });
  child[Symbol.asyncDispose] = async () => {
    await endChild(child);
    await exited;
    letGo();
    if (!isPart) await neverIfEnding();
  };
  return child;
}

function spawn(command: Deno.Command, name?: string): Deno.ChildProcess {
  try {
    return command.spawn();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof Deno.errors.NotCapable) throw error;
    const match = /^Failed to spawn '(.*)': (.*)$/s.exec(error.message);
    const [, program = "", reason = ""] = match ?? [];
    const what = `cannot start ${(name ?? program) || '""'}: `;
    if (/^(No such cwd|cwd is not a directory)/.test(reason)) {
      throw new StartError(`${what}${reason}`, 126);
    }
    if (error instanceof Deno.errors.NotFound) {
      const hint = program.includes("/")
        ? "no such file, or its #! line names a missing one"
        : "not found on the PATH; is it installed?";
      throw new StartError(what + hint, 127);
    }
    const hint = error instanceof Deno.errors.PermissionDenied
      ? "a folder, not executable (chmod +x?), or its cwd is closed to you"
      : reason || error.message;
    throw new StartError(what + hint, 126);
  }
}

function checkGrace(grace: number): void {
  if (!(grace >= 0)) throw new RangeError(`A grace cannot be ${grace}`);
}

/**
 * Ends a child: with SIGTERM, then with SIGKILL if it has not exited within the grace period. Of a
 * child that was started `detached`, the whole process group is ended, whether or not its leader
 * still runs. That takes the permission `--allow-run` without a list; with a list, the child alone
 * is ended. Whether the group has ended shows in `/proc` on Linux, which a short `sh` reads.
 *
 * @param grace Seconds until SIGKILL (default: that of {@linkcode startChild}, else 0.5). A later
 * call may change the grace of an ending that is under way, begun by a signal for instance.
 * @param signal What to send instead of SIGTERM; not if something has been sent already.
 * @returns The status it exited with.
 * @throws {RangeError} If `grace` is negative or NaN.
 *
 * @example
 * ```ts
 * import { describeStatus, endChild, startChild } from "./child.ts";
 *
 * await using child = startChild(new Deno.Command("sleep", { args: ["9"] }));
 * // As Ctrl-C does, and SIGKILL if it is still there after 3 s.
 * console.log(`sleep ${describeStatus(await endChild(child, 3, "SIGINT"))}`);
 * ```
 */
export async function endChild(
  child: Deno.ChildProcess,
  grace?: number,
  signal: Deno.Signal = "SIGTERM",
): Promise<Deno.CommandStatus> {
  if (grace !== undefined) checkGrace(grace);
  const family = families.get(child) ?? { grace: 0.5 };
  families.set(child, family);
  if (family.hasGone) return child.status;
  if (grace !== undefined) family.grace = grace;
  // Once: at a second SIGTERM many programs stop saving their work.
  if (family.sent === undefined) signalFamily(child, signal);
  family.sent ??= signal;
  // A stopped process gets SIGTERM only when it continues.
  signalFamily(child, "SIGCONT");
  const start = performance.now();
  const isLate = () => performance.now() - start >= family.grace * 1000;
  let hasExited = false;
  const exit = child.status.finally(() => hasExited = true);
  // The leader may exit before its family does.
  for (let pause = 1; !isLate() && (!hasExited || await isAnyoneAlive(child)); pause *= 2) {
    await sleep(Math.min(pause, 100));
  }
  // Even if no process seemed alive: a new one may have started while we looked at the others.
  signalFamily(child, "SIGKILL");
  const status = await exit;
  family.hasGone = true;
  return status;
}

/** Hears a signal that has come already, before the listeners are removed. */
async function turn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const { promise, resolve } = Promise.withResolvers();
  port1.onmessage = resolve;
  port2.postMessage(null);
  await promise;
  port1.close();
  port2.close();
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** False if the group is empty, if the child leads no group, or if it may not be signalled. */
function signalGroup(child: Deno.ChildProcess, signal: Deno.Signal): boolean {
  // Ask first: without the permission to signal any process, Deno would prompt for it.
  if (families.get(child)?.hasGone || !maySignal()) return false;
  try {
    Deno.kill(-child.pid, signal);
    return true;
  } catch {
    return false;
  }
}

function maySignal(): boolean {
  return Deno.permissions.querySync({ name: "run" }).state === "granted";
}

/** Whether a process of the child's group is alive. Zombies take signals, too, but do not count. */
async function isAnyoneAlive(child: Deno.ChildProcess): Promise<boolean> {
  // SIGURG does nothing to a process that does not listen for it, and little to one that does.
  if (!signalGroup(child, "SIGURG")) return false;
  // On other systems process 1 reaps orphans at once. In a Linux container it may never do so.
  if (!isLinux) return true;
  try {
    // A shell, since Deno itself may read /proc with -A alone. See proc_pid_stat(5).
    const args = ["-c", "cat /proc/[0-9]*/stat"];
    const command = new Deno.Command("sh", { args, stdin: "null", stderr: "null" });
    const list = new TextDecoder().decode((await command.output()).stdout);
    return list === "" || new RegExp(`\\) [^ZX] \\d+ ${child.pid} `).test(list);
  } catch {
    return true;
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
 * script, after all children and the cleanups registered later. It does not run at `Deno.exit()`,
 * nor at an error elsewhere that nobody catches, as in a timer. A cleanup must not wait for the
 * disposal of its own handle, nor for code behind the block of an `await using child`: once a
 * signal is ending the script, that code never runs.
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
  // Registered by another cleanup, as a rule, which goes on while the script ends.
  const isPart = isEnding() || running > 0;
  let hasBegun = false;
  let done: Promise<void> | undefined;
  const run = () =>
    done ??= (async () => {
      hasBegun = true;
      running++;
      try {
        await cleanup();
      } finally {
        running--;
        await turn();
        cleanups.delete(run);
        listen();
      }
    })();
  cleanups.add(run);
  listen();
  return {
    async [Symbol.asyncDispose]() {
      // The cleanup itself calls, and would call itself.
      if (hasBegun && done === undefined) return;
      await run();
      if (!isPart) await neverIfEnding();
    },
  };
}

/** Keeps what follows a block from running, and failing, while the script is ending. */
async function neverIfEnding(): Promise<void> {
  if (isEnding()) await new Promise(() => {});
}

let endingSince: number | undefined;
let ending: Promise<void> | undefined;
const listeners = new Map<Deno.Signal, () => void>();

/** Listens as long as there is something to end: without a listener, a signal ends the script. */
function listen(isNeeded = children.size + cleanups.size > 0): void {
  if (isNeeded === listeners.size > 0) return;
  if (!isNeeded) {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    return listeners.clear();
  }
  for (const [signal, number] of endingSignals) {
    const listener = () => onSignal(signal, number);
    Deno.addSignalListener(signal, listener);
    listeners.set(signal, listener);
  }
  // Deno.exit(), and an error outside a block that nobody catches, do not wait.
  addEventListener("unload", killChildren);
  addEventListener("error", onError);
  addEventListener("unhandledrejection", onError);
}

function onSignal(signal: Deno.Signal, number: number): void {
  // A signal again, a second after the first, means now. Sooner, it may be the same one sent twice,
  // as timeout(1) does.
  if (endingSince !== undefined && performance.now() - endingSince > 1000) Deno.exit(128 + number);
  end(() => raise(signal, number));
}

function killChildren(): void {
  for (const child of children) signalFamily(child, "SIGKILL");
}

function onError(event: Event): void {
  // Errors caused by the ending are not reported.
  if (isEnding()) event.preventDefault();
  else if (!event.defaultPrevented) killChildren();
}

/** Whether a signal or {@linkcode endScript} is ending the script. */
export function isEnding(): boolean {
  return endingSince !== undefined;
}

/**
 * Ends the script in good order, as a signal does: the children first, then what {@linkcode onEnd}
 * was given. `Deno.exit()` waits for neither.
 *
 * @returns Never settles; a cleanup must not wait for it.
 */
export function endScript(exitCode: number): Promise<never> {
  return end(() => Deno.exit(exitCode));
}

/** The event by which all copies of this file in a program end together. */
const ENDING = "child.ts: ending";

addEventListener(ENDING, (event) => {
  endingSince ??= performance.now();
  if (children.size + cleanups.size === 0) return;
  ending ??= endAll().finally(() => ending = undefined);
  if (event instanceof CustomEvent) event.detail.push(ending);
});

async function end(exit: () => never): Promise<never> {
  for (;;) {
    const endings: Promise<void>[] = [];
    dispatchEvent(new CustomEvent(ENDING, { detail: endings }));
    // No child or cleanup was registered meanwhile, and none can be from now on.
    if (endings.length === 0) exit();
    await Promise.all(endings);
  }
}

async function endAll(): Promise<void> {
  // The last first, as blocks are left: so a writer gets SIGTERM before its reader has gone.
  await Promise.all([...children].reverse().map((child) => endChild(child)));
  children.clear();
  for (const cleanup of [...cleanups].reverse()) await cleanup().catch(reportCleanup);
  listen();
}

function reportCleanup(error: unknown): void {
  try {
    console.error(`cannot clean up: ${error instanceof Error ? error.message : error}`);
  } catch {
    // stderr cannot be written: nobody can be told.
  }
}

/** Sends the signal again: without a listener it ends the script, if Deno can send it. */
function raise(signal: Deno.Signal, number: number): never {
  // Deno 2.9.6 panics at the first two, ignores SIGIO, opens its debugger at SIGUSR1, and on
  // Windows cannot send SIGBREAK.
  const isRaisable = !["SIGSTKFLT", "SIGPWR", "SIGIO", "SIGUSR1", "SIGBREAK"].includes(signal);
  // No signal of its own ends process 1.
  if (isRaisable && Deno.pid !== 1 && maySignal()) {
    Deno.kill(Deno.pid, signal);
    // Another thread of Deno ends the process, in a moment.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  }
  Deno.exit(128 + number);
}
