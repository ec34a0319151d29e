import { Failure, onEnd } from "./script.ts";
import { within } from "./within.ts";

/** How long a child may take to end after SIGTERM, in seconds, before it gets SIGKILL. */
const GRACE = 0.5;

/** The children that are to end with the script, or undefined before the first. */
let children: Set<Deno.ChildProcess> | undefined;

/**
 * Starts a child that the script does not leave behind: when the script ends, so does the child.
 *
 * @param program What messages call it.
 * @throws {Failure} As {@linkcode spawnChild} does.
 */
export function startChild(command: Deno.Command, program: string): Deno.ChildProcess {
  const child = spawnChild(command, program);
  const running = children ??= endWithScript(new Set());
  running.add(child);
  child.status.then(() => running.delete(child));
  return child;
}

function endWithScript(running: Set<Deno.ChildProcess>): Set<Deno.ChildProcess> {
  onEnd(() => Promise.all([...running].map((child) => endChild(child))));
  return running;
}

/**
 * Starts a child and leaves it to itself.
 *
 * @param program What messages call it.
 * @throws {Failure} With the exit codes of timeout(1), 127 for a program that does not exist and
 * 126 for one that cannot be executed.
 */
export function spawnChild(command: Deno.Command, program: string): Deno.ChildProcess {
  try {
    return command.spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    if (error instanceof Deno.errors.NotFound) {
      const hint = program.includes("/")
        ? "no such file, or its #! line names a missing one"
        : "not found on the PATH; is it installed?";
      throw new Failure(`cannot start ${program}: ${hint}`, 127);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new Failure(`cannot start ${program}: a folder, or not executable (chmod +x?)`, 126);
    }
    const reason = String(error).replace(/^.*: /s, "");
    throw new Failure(`cannot start ${program}: ${reason}`, 126);
  }
}

/**
 * Ends a child: asks it to with SIGTERM, and makes it with SIGKILL when it has not ended within
 * `grace` seconds. A child that was started `detached` leads a process group; where permissions
 * allow it, what it started is ended with it.
 *
 * @returns The status it ended with.
 */
export async function endChild(
  child: Deno.ChildProcess,
  grace = GRACE,
): Promise<Deno.CommandStatus> {
  sendSignal(child, "SIGTERM");
  if (await within(grace, child.status) === undefined) sendSignal(child, "SIGKILL");
  return await child.status;
}

function sendSignal(child: Deno.ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    // Asked first: without the permission to signal any process, Deno would prompt for it.
    if (Deno.permissions.querySync({ name: "run" }).state === "granted") {
      return Deno.kill(-child.pid, signal);
    }
  } catch {
    // It leads no process group.
  }
  try {
    child.kill(signal);
  } catch {
    // It has ended already.
  }
}

/** What became of a child, as the end of a sentence: `exited with status 3`. */
export function describeStatus(status: Deno.CommandStatus): string {
  return status.signal === null
    ? `exited with status ${status.code}`
    : `was ended by ${status.signal}`;
}

/**
 * The stdout of a child, which ends when the child has ended. The pipe itself ends later when a
 * grandchild holds its write end too: end of file comes when the last holder has gone.
 *
 * What the child wrote before it ended is in the pipe and is read first. Only when nothing more
 * comes is the pipe closed.
 */
export function stdoutUntilExit(child: Deno.ChildProcess): ReadableStream<Uint8Array> {
  const reader = child.stdout.getReader();
  let reading: Promise<unknown> | undefined;
  let hasExited = false;
  const closeWhenEmpty = async (read: Promise<unknown>) => {
    // Asked twice: a process that was itself kept waiting may see the time pass before it sees
    // what is in the pipe.
    const isEmpty = await within(0.1, read) === undefined && await within(0.1, read) === undefined;
    if (isEmpty) await reader.cancel();
  };
  child.status.then(async () => {
    hasExited = true;
    if (reading !== undefined) await closeWhenEmpty(reading);
  }).catch(() => {}); // A read that fails is told to who reads.
  return new ReadableStream({
    async pull(controller) {
      const read = reader.read();
      reading = read;
      if (hasExited) closeWhenEmpty(read).catch(() => {});
      const { done, value } = await read;
      reading = undefined;
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
