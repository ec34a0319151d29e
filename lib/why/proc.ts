/**
 * What stands in `/proc`, read so that a process may go while it is looked at.
 *
 * @module
 */
import { Failure } from "../script/failure.ts";

/** Whether Deno allows to look at processes: it guards `/proc`, and asks for all permissions. */
export function mayLook(): boolean {
  const names = ["read", "write", "net", "env", "sys", "run", "ffi"] as const;
  return names.every((name) => Deno.permissions.querySync({ name }).state === "granted");
}

/**
 * A number that grows while a process or one that it has started does anything: runs, reads, writes
 * or begins to wait. 0 where that cannot be seen.
 *
 * @param known Gets all of these processes, with the times of their starts.
 */
export function activityOf(pid: number, known = new Map<number, string>()): number {
  let sum = 0;
  const family = mayLook() ? [pid] : [];
  for (const one of family) {
    family.push(...childrenOf(one));
    // Among them the state, and the time on a processor.
    const fields = statOf(one);
    known.set(one, fields[19] ?? "");
    if (fields[0] === "R") sum += performance.now();
    sum += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    sum += Number(field(readText(`/proc/${one}/status`), "voluntary_ctxt_switches"));
    for (const [count] of readText(`/proc/${one}/io`).matchAll(/\d+/g)) sum += Number(count);
  }
  return sum;
}

/** Ends all processes with this in their environment, `NAME=value`, where that can be seen. */
export function endAllWith(variable: string): void {
  for (const { name } of mayLook() ? readFolder("/proc") : []) {
    const environment = readText(`/proc/${name}/environ`).split("\0");
    if (environment.includes(variable)) attempt(() => Deno.kill(Number(name), "SIGKILL"));
  }
}

/** Ends these processes, unless others have got their ids since: the times of their starts tell. */
export function endAll(family: ReadonlyMap<number, string>): void {
  for (const [pid, start] of family) {
    if (start !== "" && statOf(pid)[19] === start) attempt(() => Deno.kill(pid, "SIGKILL"));
  }
}

/**
 * What each descriptor of a process refers to.
 *
 * @throws {Failure} If there is no such process, or it may not be looked at.
 */
export function linksOf(pid: number): Map<number, string> {
  const folder = `/proc/${pid}/fd`;
  const links = new Map<number, string>();
  try {
    for (const { name } of Deno.readDirSync(folder)) {
      try {
        links.set(Number(name), Deno.readLinkSync(`${folder}/${name}`));
      } catch (error) {
        // Closed since.
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  } catch {
    if (readText(`/proc/${pid}/stat`) !== "") {
      throw new Failure(`may not look at process ${pid}: is it another user's? Try sudo`);
    }
    if (readText("/proc/self/stat") === "") {
      throw new Failure("there is no /proc here to look at a process with: Linux has it");
    }
    throw new Failure(`there is no process ${pid}: it has exited, or never was`);
  }
  return links;
}

/** A process by its name and its id. */
export function nameOf(pid: number): string {
  return `${readText(`/proc/${pid}/comm`).trim()} ${pid}`;
}

/** The processes that one has started, and not yet asked for their status. */
export function childrenOf(pid: number): number[] {
  const folder = `/proc/${pid}/task`;
  const lists = readFolder(folder).map(({ name }) => readText(`${folder}/${name}/children`));
  return lists.join(" ").split(" ").filter((word) => word.trim() !== "").map(Number);
}

/** The fields of `/proc/PID/stat` after the name, which may have spaces. */
export function statOf(pid: number): string[] {
  const stat = readText(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** A value of `/proc/PID/status` and its like. */
export function field(text: string, name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(text)?.[1] ?? "";
}

/** Bytes of the memory of a process; zeros where they cannot be seen. */
export function memoryAt(pid: number, address: bigint, length: number): DataView {
  const bytes = new Uint8Array(length);
  attempt(() => {
    using file = Deno.openSync(`/proc/${pid}/mem`);
    file.seekSync(address, Deno.SeekMode.Start);
    file.readSync(bytes);
  });
  return new DataView(bytes.buffer);
}

/** The text that begins there in the memory of a process. */
export function textAt(pid: number, address: bigint): string {
  const bytes = memoryAt(pid, address, 4096).buffer;
  return new TextDecoder().decode(bytes).split("\0")[0] ?? "";
}

/** What is in a file; nothing if it has gone. */
export function readText(path: string): string {
  return attempt(() => Deno.readTextFileSync(path)) ?? "";
}

/** What is in a folder; nothing if it has gone. */
export function readFolder(path: string): Deno.DirEntry[] {
  return attempt(() => [...Deno.readDirSync(path)]) ?? [];
}

/** A process may go while it is looked at, and may not let everybody look. */
export function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
