/**
 * What can be seen of a program that was started over pipes, while it runs or after it.
 *
 * @module
 */
import { Failure } from "../script/failure.ts";
import type { Pipe } from "./pipes.ts";
import { attempt, linksOf, mayLook, nameOf, readFolder } from "./proc.ts";
import { takeSnapshot } from "./processes.ts";
import type { Verdict } from "./verdict.ts";
import { verdictInside } from "./verdicts.ts";
import { activityInWords, labelOf, list } from "./words.ts";

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
  // What is sent to a terminal lies there, while the program that makes that has read it.
  const isTyped = ([name, { writers }]: [string, Pipe]) =>
    name.endsWith(" typed") && writers.some((end) => end.pid === pid);
  const isStdin = ([, { readers, writers }]: [string, Pipe]) =>
    readers.some((end) => end.pid === pid && end.descriptor === 0) &&
    writers.some((end) => end.pid === Deno.pid);
  const pipes = [...snapshot.pipes];
  const [, stdin] = pipes.find(isTyped) ?? pipes.find(isStdin) ?? [];
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

/** Who holds these pipes, other than this process: `sleep 7 still holds its stdout`; empty if
 * nobody can be seen. */
export function observeHolders(links: ReadonlySet<string>): string {
  const holders: string[] = [];
  for (const { name } of links.size > 0 ? readFolder("/proc") : []) {
    const pid = Number(name);
    if (!(pid > 0) || pid === Deno.pid) continue;
    const held = [...attempt(() => linksOf(pid)) ?? []].filter(([, link]) => links.has(link));
    const labels = new Set(held.map(([descriptor]) => labelOf(descriptor)));
    if (labels.size > 0) holders.push(`${nameOf(pid)} still holds its ${list([...labels])}`);
  }
  return holders.join("; ");
}

function snapshotOf(pid: number) {
  try {
    return takeSnapshot(pid, undefined, Deno.pid);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}
