/**
 * What `fifo.ts` does so that nothing is left behind, nothing that belongs to another process is
 * removed, and nobody waits for a name that has gone.
 *
 * @module
 */
import { describeStatus, onEnd } from "../child.ts";
import { Failure } from "./failure.ts";

/**
 * Creates the FIFO at `path` unless it exists. Whoever creates it removes it: when the result is
 * disposed, or before a signal ends the script. What has taken its name meanwhile stays.
 *
 * @throws {Failure} If it cannot be created, or may not be opened and removed afterwards.
 */
export async function ensureFifo(path: string): Promise<AsyncDisposable> {
  // Ask first, so that we never create something we cannot open or remove.
  for (const name of ["read", "write"] as const) {
    const { state } = await Deno.permissions.request({ name, path });
    // A permission for a path is split at commas.
    const permission = path.includes(",") ? `--allow-${name}` : `--allow-${name}=${path}`;
    if (state !== "granted") throw new Failure(`run again with ${permission}`);
  }
  if (await lookUp(path) !== undefined) return { [Symbol.asyncDispose]: () => Promise.resolve() };
  // Before we create it: a signal that comes meanwhile waits until we know whether it is ours.
  let making: ReturnType<typeof makeFifo> | undefined;
  const removal = onEnd(async () => {
    const made = await making?.catch(() => undefined);
    if (isSameFifo(made, await lookUp(path))) await remove(path);
  });
  await (making = makeFifo(path));
  return removal;
}

/** The FIFO it made, or undefined if another process was faster. */
async function makeFifo(path: string, attempts = 10): Promise<Deno.FileInfo | undefined> {
  const status = await mkfifo(path);
  const found = await lookUp(path);
  if (status.success) return found;
  if (found?.isFifo) return undefined;
  const reason = new TextDecoder().decode(status.stderr).trim().replace(/^.*: /s, "");
  // Whoever was faster has removed it already.
  const hasGone = found === undefined && reason === "File exists";
  if (hasGone && attempts > 1) return await makeFifo(path, attempts - 1);
  throw new Failure(`cannot create ${path}: ${reason || `mkfifo ${describeStatus(status)}`}`);
}

async function mkfifo(path: string): Promise<Deno.CommandOutput> {
  try {
    // Detached, so that Ctrl-C does not reach it halfway; and not by `startChild`, which would end
    // it on a signal. It exits at once, and then we know whether it made something. `spawn()`
    // first: the command's own `output()` does not detach.
    const child = new Deno.Command("mkfifo", {
      args: ["-m", "600", "--", path],
      env: { LC_ALL: "C" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
    return await child.output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Failure("cannot start mkfifo: not found on the PATH; is it installed?", 127);
  }
}

/**
 * Opens the FIFO at `path`, which waits until another process opens the other end.
 *
 * @throws {Failure} If it is not a FIFO, or is removed or replaced meanwhile: then no other process
 * can find it any more. The thread that waits in open() goes on, so the script must exit.
 */
export async function openFifo(path: string, part: "read" | "write"): Promise<Deno.FsFile> {
  const other = part === "read" ? "writer" : "reader";
  const lost = (what: string) =>
    new Failure(`no ${other} came before ${path} was ${what}; start both halves again`);
  const named = await lookUp(path);
  if (named === undefined) throw lost("removed");
  if (!named.isFifo) throw new Failure(`${path} exists and is not a FIFO; it was left as it is`);
  console.error(`fifo: waiting for a ${other} on ${path}`);

  const check = async () => {
    const found = await lookUp(path);
    if (found === undefined) throw lost("removed");
    if (!isSameFifo(found, named)) throw lost("replaced");
  };
  const loss = Promise.withResolvers<never>();
  const watch = setInterval(() => check().catch(loss.reject), 250);
  const opening = Deno.open(path, { read: part === "read", write: part === "write" })
    .catch(async (error) => {
      await check();
      throw error;
    });
  const file = await Promise.race([opening, loss.promise]).finally(() => clearInterval(watch));

  // Between the look and the opening someone may have put something else in its place.
  if (isSameFifo(await file.stat(), named)) return file;
  file.close();
  throw lost("replaced");
}

/** A new folder that only this user may look into, removed with all that is in it. */
export function privateFolder(): AsyncDisposable & { path: string } {
  // Before we create it, and both at once, so that no signal comes in between.
  let path = "";
  const removal = onEnd(async () => {
    if (path !== "") await remove(path, { recursive: true });
  });
  try {
    path = Deno.makeTempDirSync({ prefix: "fifo-" });
  } catch (error) {
    if (!(error instanceof Error) || error instanceof Deno.errors.NotCapable) throw error;
    const { state } = Deno.permissions.querySync({ name: "env", variable: "TMPDIR" });
    const where = state === "granted" ? Deno.env.get("TMPDIR") ?? "/tmp" : "$TMPDIR";
    throw new Failure(`cannot create a folder in ${where}: ${error.message.replace(/ \(.*/s, "")}`);
  }
  return Object.assign(removal, { path });
}

/** Removes what may have gone meanwhile. */
async function remove(path: string, options?: Deno.RemoveOptions): Promise<void> {
  await Deno.remove(path, options).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** Undefined if there is nothing, or nothing that this user can find. */
async function lookUp(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
}

function isSameFifo(a: Deno.FileInfo | undefined, b: Deno.FileInfo | undefined): boolean {
  if (!a?.isFifo || !b?.isFifo) return false;
  // A new file may get the number of one that was removed.
  return a.ino === b.ino && a.dev === b.dev && a.birthtime?.getTime() === b.birthtime?.getTime();
}
