/**
 * What processes do, in words.
 *
 * @module
 */
import type { Process, Snapshot, Wait } from "./proc.ts";

/** What a stopped process is said to do. */
export const STOPPED = "is stopped by a signal";

/** What a process is said to do that can be given more. */
export const READS_STDIN = "waits to read stdin";

/** A process by its name and its id. */
export function who(processes: Snapshot["processes"], pid: number): string {
  return `${processes.get(pid)?.name ?? "process"} ${pid}`;
}

/** What a descriptor is called: `stdin`, or by its number. */
export function labelOf(descriptor: number | undefined): string {
  return ["stdin", "stdout", "stderr"][descriptor ?? -1] ?? `descriptor ${descriptor}`;
}

/** What a thread waits for, without its name. */
export function describe(processes: Snapshot["processes"], wait: Wait): string {
  switch (wait.for) {
    case "read":
      return `waits to read ${labelOf(wait.descriptor)}`;
    case "write":
      return `waits to write to ${labelOf(wait.descriptor)}`;
    case "exit":
      return `waits for the exit of ${who(processes, wait.pid)}`;
    case "writer":
    case "reader":
      return `waits in open for a ${wait.for} of ${wait.path}`;
    case "else":
      return wait.does;
  }
}

/** What a process does, and the children that it waits for: `waits to read stdin`. */
export function doing(pid: number, { processes }: Snapshot): string {
  const does: string[] = [];
  const family = new Set([pid]);
  for (const one of family) {
    const { state, threads = [] } = processes.get(one) ?? {};
    const waits = threads.flat();
    for (const wait of waits) if (wait.for === "exit") family.add(wait.pid);
    const all = waits.map((wait) => describe(processes, wait)).join(" or ");
    does.push(state === "stopped" ? STOPPED : all);
  }
  return [...new Set(does)].join(", which ");
}

/** What threads of a process do that has nothing to do with pipes. */
export function doingElse(process: Process | undefined): string[] {
  const waits = process?.threads.flat() ?? [];
  return [...new Set(waits.flatMap((wait) => wait.for === "else" ? [wait.does] : []))];
}

/** Names in a row: `a, b and c`; of many the first, and how many more there are. */
export function list(names: string[], and = " and "): string {
  const few = names.length > 6 ? [...names.slice(0, 4), `${names.length - 4} more`] : names;
  return few.slice(0, -1).join(", ") + (few.length > 1 ? and : "") + (few.at(-1) ?? "");
}
