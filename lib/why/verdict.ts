/**
 * What is said of processes that hang, and what verdicts share.
 *
 * @module
 */
import { byteCount } from "../script/format.ts";
import type { Situation } from "./edges.ts";
import type { End } from "./pipes.ts";
import { type Snapshot, waitsForOthers } from "./snapshot.ts";
import { labelOf, otherActivities, who } from "./words.ts";

/** Why it hangs. */
export interface Verdict {
  /** A sentence that names the processes. */
  what: string;
  /** What to do about it, the likeliest first. */
  cures: string[];
  /** The pages and the headings that say more. */
  sections: string[];
  /** The processes that are said to hang; none if that is not for a pipe. */
  waiting: number[];
}

/** What helps against an end that a process has for no reason. */
export const KEEP_AWAY = "keep the write end away (close_fds, O_CLOEXEC)";

/** What a child of Node.js has written before its program begins. */
export const OWN_BYTE = 1;

/** What helps whoever reads to the end of this descriptor, and does not get there. */
export function closeCure(descriptor: number | undefined): string {
  return descriptor === 0
    ? "close the child's stdin when all is sent: that is its end of file"
    : "write to it, or close the write end when all is sent: that is its end of file";
}

/** Whether a process waits for others alone. */
export function isWaiting({ processes }: Snapshot, pid: number): boolean {
  const process = processes.get(pid);
  return process !== undefined && waitsForOthers(process).length > 0;
}

/** What could end a deadlock: other threads of these processes, which do something else. */
export function unless(processes: Snapshot["processes"], pids: number[]): string {
  return pids.flatMap((pid) =>
    otherActivities(processes.get(pid)).map((doing) =>
      `, unless another thread of ${who(processes, pid)}, which ${doing}, goes on`
    )
  ).join("");
}

/** Whether a program writes there by itself: it knows of other ends only if it is told. */
export function isOutput({ descriptor }: End): boolean {
  return descriptor === 1 || descriptor === 2;
}

/** What a process does that nobody's pipe keeps from it. */
export function activityOf({ processes }: Snapshot, pid = 0): string {
  const { state } = processes.get(pid) ?? {};
  return otherActivities(processes.get(pid))[0] ?? (state === "exited" ? "has exited" : "goes on");
}

/** What waits in the stdin of a process. */
export function unreadBy({ pipes }: Snapshot, pid: number): string {
  const isStdin = (end: End) => end.pid === pid && end.descriptor === 0;
  const held = [...pipes.values()].find(({ readers }) => readers.some(isStdin))?.held;
  return held ? `, with ${byteCount(held)} of its stdin unread` : "";
}

/** What processes have written that lies unread, but for what was sent to the stdin of one of them:
 * `5 bytes lie unread in the stderr of cat 7`. */
export function unreadFrom({ pipes, processes }: Snapshot, pids: number[]): string[] {
  return [...pipes.values()].flatMap(({ readers, writers, held = 0, terminal }) => {
    const writer = writers.find(({ pid }) => pids.includes(pid));
    const isBetween = readers.some((end) => end.pid !== writer?.pid) &&
      !readers.some((end) => pids.includes(end.pid) && end.descriptor === 0);
    if (held === 0 || writer === undefined || !isBetween || terminal !== undefined) return [];
    const [reader = writer] = readers;
    const end = isOutput(writer) ? writer : reader;
    const lie = held === 1 ? "lies" : "lie";
    const label = `the ${labelOf(end.descriptor)} of ${who(processes, end.pid)}`;
    return [`${byteCount(held)} ${lie} unread in ${label.replace("the descriptor", "descriptor")}`];
  });
}

/** The programs that others of a situation read the same pipe as, with the same stdin. */
export function sharersOfStdin({ pipes }: Situation, pid: number): number[] {
  const isStdin = (end: End) => end.pid === pid && end.descriptor === 0;
  const pipe = [...pipes.values()].find(({ readers, terminal }) =>
    readers.some(isStdin) && terminal === undefined
  );
  const others = (pipe?.readers ?? []).filter((end) => end.pid !== pid && end.descriptor === 0);
  return [...new Set(others.map((end) => end.pid))];
}
