/**
 * What processes do, in words.
 *
 * @module
 */
import type { Edge } from "./edges.ts";
import type { Process, Snapshot, Wait } from "./snapshot.ts";

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
export function waitInWords(processes: Snapshot["processes"], wait: Wait): string {
  switch (wait.for) {
    case "read":
      return `waits to read ${labelOf(wait.descriptor)}${terminalIn(wait.pipe)}`;
    case "write":
      return `waits to write to ${labelOf(wait.descriptor)}${terminalIn(wait.pipe)}`;
    case "lock":
      return `waits for ${wait.lock}`;
    case "exit":
      return `waits for the exit of ${who(processes, wait.pid)}`;
    case "writer":
    case "reader":
      return `waits in open for a ${wait.for} of ${wait.path}`;
    case "else":
      return wait.doing;
  }
}

function terminalIn(pipe: string): string {
  const [, path] = /^(.*) (typed|shown)$/.exec(pipe) ?? [];
  return path === undefined ? "" : ` (the terminal ${path})`;
}

/** What a process does, and the children that it waits for: `waits to read stdin`. */
export function activityInWords(pid: number, { processes }: Snapshot): string {
  const activities: string[] = [];
  const family = new Set([pid]);
  for (const one of family) {
    const { state, threads = [] } = processes.get(one) ?? {};
    const waits = threads.flat();
    for (const wait of waits) if (wait.for === "exit") family.add(wait.pid);
    const all = waits.map((wait) => waitInWords(processes, wait)).join(" or ");
    activities.push(state === "stopped" ? STOPPED : all);
  }
  return [...new Set(activities)].join(", which ");
}

/** What threads of a process do that has nothing to do with pipes. */
export function otherActivities(process: Process | undefined): string[] {
  const waits = process?.threads.flat() ?? [];
  return [...new Set(waits.flatMap((wait) => wait.for === "else" ? [wait.doing] : []))];
}

/** Names in a row: `a, b and c`; of many the first, and how many more there are. */
export function list(names: string[], and = " and "): string {
  const few = names.length > 6 ? [...names.slice(0, 4), `${names.length - 4} more`] : names;
  return few.slice(0, -1).join(", ") + (few.length > 1 ? and : "") + (few.at(-1) ?? "");
}

/** The descriptor that is waited for, if one is. */
export function descriptorOf(wait: Wait): number | undefined {
  return "descriptor" in wait ? wait.descriptor : undefined;
}

/** Who waits for whom, and until when. */
export function edgeInWords(snapshot: Snapshot, edge: Edge, waits = [edge.wait]): string {
  const { processes } = snapshot;
  const s = edge.to.length > 1 ? "" : "s";
  const acts = waits.map((wait) =>
    wait.for === "exit"
      ? `exit${s}`
      : wait.for === "lock"
      ? `free${s} ${wait.lock}`
      : wait.for === "write"
      ? `read${s} ${own(labelsOf(snapshot, { ...edge, wait }))}`
      : `write${s}`
  );
  const others = list(edge.to.map((pid) => who(processes, pid)));
  return `${who(processes, edge.from)} waits until ${others} ${[...new Set(acts)].join(" or ")}`;
}

/** What a pipe is to the child, which writes or reads it: the parent's end has only a number. */
export function labelsOf({ pipes }: Snapshot, { from, to, wait }: Edge): string[] {
  const { readers = [], writers = [], terminal } = "pipe" in wait ? pipes.get(wait.pipe) ?? {} : {};
  if (terminal !== undefined) return [`the terminal ${terminal}`];
  const written = writers.filter((end) => end.pid === from && end.descriptor < 3);
  const ends = written.length > 0 ? written : readers.filter(({ pid }) => to.includes(pid));
  return [...new Set(ends.map(({ descriptor }) => labelOf(descriptor)))];
}

/** `its stdout and stderr`, or `the terminal /dev/pts/3`. */
function own(labels: string[]): string {
  return labels[0]?.startsWith("the ") ? list(labels) : `its ${list(labels)}`;
}
