/**
 * Who waits for whom, as a snapshot of processes shows it.
 *
 * @module
 */
import { awaited, type Snapshot, type Wait } from "./snapshot.ts";

/** That a process waits for others. */
export interface Edge {
  /** The process that waits. */
  from: number;
  /** What it waits for. */
  wait: Wait;
  /** The processes of which one can let it go on. */
  to: number[];
  /** Whether its thread waits for nothing else. */
  isOnly: boolean;
}

/** The wait for somebody who opens the other end of a FIFO. */
export type OpenWait = Extract<Wait, { path: string }>;

/** A process, and everybody whom it waits for, one after the other. */
export interface Situation extends Snapshot {
  /** The process. */
  pid: number;
  /** Beginning with those of `pid`. */
  edges: Edge[];
}

/** What a process waits for: pipes before children. */
function edgesOf(snapshot: Snapshot, pid: number): Edge[] {
  const order = ["write", "read", "writer", "reader", "exit"];
  const threads = snapshot.processes.get(pid)?.threads ?? [];
  const edges = threads.flatMap((waits) => waits.map((wait) => ({ wait, isOnly: !waits[1] })));
  return edges.filter(({ wait }) => wait.for !== "else")
    .sort((a, b) => order.indexOf(a.wait.for) - order.indexOf(b.wait.for))
    .map(({ wait, isOnly }) => {
      const all = awaited(snapshot, wait);
      // Who writes does not wait for itself, though it may have inherited the read end, too.
      const others = wait.for === "write" ? all.filter((other) => other !== pid) : [];
      return { from: pid, wait, to: others.length > 0 ? others : all, isOnly };
    });
}

/** What a process waits for, then what those wait for, and so on. */
export function edgesFrom(snapshot: Snapshot, pid: number): Edge[] {
  const reached = new Set([pid]);
  const edges: Edge[] = [];
  for (const one of reached) {
    const own = edgesOf(snapshot, one);
    edges.push(...own);
    for (const other of own.flatMap(({ to }) => to)) reached.add(other);
  }
  return edges;
}

/** The waits of another process that this one alone can end. */
export function edgesToOnly(snapshot: Snapshot, pid: number, other: number): Edge[] {
  if (other === pid) return [];
  return edgesOf(snapshot, other)
    .filter(({ wait, to }) => "pipe" in wait && to.length === 1 && to[0] === pid);
}

/** The shortest circle of processes that wait for each other, which nobody else can set going. */
export function findCircle(situation: Situation): Edge[] {
  const stuck = new Set(situation.processes.keys());
  const isStuck = (wait: Wait) => {
    const others = awaited(situation, wait);
    return others.length > 0 && others.every((other) => stuck.has(other));
  };
  // Whoever can go on by itself is not stuck, nor is whoever waits for that one.
  for (let size = -1; size !== stuck.size;) {
    size = stuck.size;
    for (const pid of stuck) {
      const threads = situation.processes.get(pid)?.threads ?? [];
      if (!threads.some((waits) => waits.every(isStuck))) stuck.delete(pid);
    }
  }
  // Whoever holds both ends of a pipe waits for the others that could write there.
  const edges = situation.edges.filter(({ from, wait }) => stuck.has(from) && isStuck(wait))
    .map((edge) => {
      const others = edge.to.filter((pid) => pid !== edge.from);
      return others.length > 0 ? { ...edge, to: others } : edge;
    });
  const starts = [...new Set(edges.map(({ from }) => from))];
  return starts.map((start) => pathOf(edges, start, start)).filter(({ length }) => length > 0)
    .sort((a, b) => a.length - b.length)[0] ?? [];
}

/** The shortest way from one process to another that it waits for, or back to itself. */
export function pathOf(edges: Edge[], start: number, end: number): Edge[] {
  const paths = new Map<number, Edge[]>([[start, []]]);
  // Grows while it is walked.
  for (const [pid, path] of paths) {
    for (const edge of edges.filter(({ from }) => from === pid)) {
      if (edge.to.includes(end)) return [...path, edge];
      for (const other of edge.to) if (!paths.has(other)) paths.set(other, [...path, edge]);
    }
  }
  return [];
}

/** A process may wait for another in several ways: for what that writes, and for its exit. */
export function waysOf(situation: Situation, { from, to }: Edge): Wait[] {
  return situation.edges.filter((edge) =>
    edge.from === from && edge.to.some((pid) => to.includes(pid))
  )
    .map(({ wait }) => wait);
}

/** Who waits in open, and for whom. */
export function openings({ processes }: Snapshot): { pid: number; wait: OpenWait }[] {
  return [...processes].flatMap(([pid, { threads }]) =>
    threads.flat().flatMap((wait) => "path" in wait ? [{ pid, wait }] : [])
  );
}
