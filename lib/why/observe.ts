/**
 * What can be seen of a program that was started over pipes, while it runs or after it.
 *
 * @module
 */
import { Failure } from "../script/failure.ts";
import type { Pipe } from "./pipes.ts";
import { linksOf, mayLook } from "./proc.ts";
import { takeSnapshot } from "./processes.ts";
import type { Verdict } from "./verdict.ts";
import { verdictInside } from "./verdicts.ts";
import { activityInWords, labelOf, list, who } from "./words.ts";

/** What is seen of a program; what cannot be seen is left out. */
export interface Observation {
  /** What the process is called that runs it: `python3` for a script whose first line says so. */
  name: string;
  /** How many bytes of its stdin it has not read. */
  unread?: number | undefined;
  /** What it does. */
  doing: string;
  /** What keeps it and its children from going on, if that is a pipe among them. */
  inside?: Verdict;
}

/** What can be seen of a child; undefined if it has just exited. */
export function observe(pid: number): Observation | undefined {
  const snapshot = snapshotOf(pid);
  if (snapshot === undefined) return;
  const stdin = [...snapshot.pipes.values()].find(({ readers, writers }) =>
    readers.some((end) => end.pid === pid && end.descriptor === 0) &&
    writers.some((end) => end.pid === Deno.pid)
  );
  const { name = "" } = snapshot.processes.get(pid) ?? {};
  const inside = verdictInside(pid, snapshot, Deno.pid);
  return {
    name,
    ...stdin && { unread: stdin.held },
    ...inside && { inside },
    doing: activityInWords(pid, snapshot),
  };
}

/** The pipes that this process holds an end of, by their links. */
export function ownPipes(): Set<string> {
  const links = mayLook() ? [...linksOf(Deno.pid).values()] : [];
  return new Set(links.filter((link) => /^(pipe|socket):/.test(link)));
}

/** Who holds these pipes, other than this process; empty if nobody can be seen. */
export function observeLeft(links: ReadonlySet<string>): string {
  const { pipes = new Map<string, Pipe>(), processes = new Map() } = snapshotOf(Deno.pid) ?? {};
  const ends = [...links].flatMap((link) => {
    const { readers = [], writers = [] } = pipes.get(link) ?? {};
    return [...readers, ...writers];
  });
  const holders = new Set(ends.map(({ pid }) => pid).filter((pid) => pid !== Deno.pid));
  return [...holders].map((holder) => {
    const held = ends.filter(({ pid }) => pid === holder).map(({ descriptor }) => descriptor);
    const labels = [...new Set(held.sort())].map(labelOf);
    return `${who(processes, holder)} still holds its ${list(labels)}`;
  }).join("; ");
}

function snapshotOf(pid: number) {
  try {
    return takeSnapshot(pid, undefined, Deno.pid);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}
