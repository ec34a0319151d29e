/**
 * Who waits for whom, as a snapshot of processes shows it.
 *
 * @module
 */
import { awaited, isInherited, type Snapshot, type Wait, waitsForOthers } from "./snapshot.ts";

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

/** Processes that wait for each other, or for the same one: the same, whichever was asked about. */
export interface Situation extends Snapshot {
  /** The first of them, for which no other of them waits if there is one. */
  pid: number;
  /** Who waits for whom, beginning with that one. */
  edges: Edge[];
  /** Whoever keeps them from going on: a circle, or those at the end of what they wait for. */
  cause: Set<number>;
  /** The circle, if that is it. */
  circle: Edge[];
  /** The wait that leads to the end, if that is it. */
  last?: Edge | undefined;
}

/** Pipes before children. */
const ORDER: Wait["for"][] = ["write", "read", "writer", "reader", "lock", "exit"];

/** What a process waits for. */
function edgesOf(snapshot: Snapshot, pid: number): Edge[] {
  const process = snapshot.processes.get(pid);
  const waits = process ? waitsForOthers(process) : [];
  const isOnly = (wait: Wait) =>
    process?.threads.some(([one, ...more]) => one === wait && !more[0]);
  return waits.sort((a, b) => ORDER.indexOf(a.for) - ORDER.indexOf(b.for)).map((wait) => {
    const all = awaited(snapshot, wait);
    // Who writes does not wait for itself, though it may have inherited the read end, too.
    const others = wait.for === "write" ? all.filter((other) => other !== pid) : [];
    return { from: pid, wait, to: others.length > 0 ? others : all, isOnly: isOnly(wait) ?? false };
  });
}

/** What processes wait for, then what those wait for, and so on. */
export function edgesFrom(snapshot: Snapshot, ...pids: number[]): Edge[] {
  const reached = new Set(pids);
  const edges: Edge[] = [];
  for (const one of reached) {
    const own = edgesOf(snapshot, one);
    edges.push(...own);
    for (const other of own.flatMap(({ to }) => to)) reached.add(other);
  }
  return edges;
}

/** What a process is in: whoever keeps it from going on, and all who wait for that. */
export function situationOf(snapshot: Snapshot, pid: number): Situation {
  const { processes } = snapshot;
  const all = [...processes.keys()].sort((a, b) => a - b).flatMap((one) => edgesOf(snapshot, one));
  const isLast = (pid: number) => !all.some(({ from }) => from === pid);
  const own = edgesFrom(snapshot, pid);
  const found = circleOf(snapshot, own, all);
  // Asked about one of those at the end, the same edge is found from there.
  const nearest = found.length > 0
    ? undefined
    : bestOf(snapshot, own.filter(({ to }) => to.length === 0 || to.some(isLast)), isLast);
  const ends = nearest ? nearest.to.filter(isLast) : [pid];
  const last = found.length > 0 ? undefined : nearest?.to.length === 0 ? nearest : bestOf(
    snapshot,
    all.filter((edge) =>
      ends.some((end) =>
        edge.to.includes(end) &&
        (nearest?.wait === edge.wait || !isInherited(snapshot, edge.wait, end))
      )
    ),
    isLast,
  );
  const cause = new Set(
    last
      ? (last.to.length > 0 ? last.to.filter(isLast) : [last.from])
      : found[0]
      ? found.map(({ from }) => from)
      : [pid],
  );
  const members = new Set(cause);
  for (const member of members) {
    for (const edge of all) {
      const isOwn = own.some(({ from }) => from === edge.from);
      if (edge.to.includes(member) && (isOwn || !isInherited(snapshot, edge.wait, member))) {
        members.add(edge.from);
      }
    }
  }
  const sorted = [...members].sort((a, b) => a - b);
  const isAwaited = (pid: number) =>
    all.some(({ from, to }) => from !== pid && members.has(from) && to.includes(pid));
  const isChild = (pid: number) => members.has(processes.get(pid)?.parent ?? 0);
  const roots = sorted.filter((pid) => !isAwaited(pid));
  const first = roots[0] ?? sorted.find((pid) => !isChild(pid)) ?? pid;
  const edges = edgesFrom(snapshot, first, ...roots).filter(({ from }) => members.has(from));
  const circle = found.length > 0 ? circleOf(snapshot, edges, edges) : [];
  return { ...snapshot, pid: first, edges, cause, circle, last };
}

/** The wait that says most, and among those the one for the fewest. */
function bestOf(snapshot: Snapshot, edges: Edge[], isLast: (pid: number) => boolean) {
  const key = (edge: Edge) =>
    rankOf(snapshot, edge) * 1e6 + (edge.to.every(isLast) ? 0 : 1e5) + edge.to.length;
  return edges.toSorted((a, b) => key(a) - key(b))[0];
}

/** Who waits for a process, in the way that says most; undefined if somebody only has inherited an
 * end there. */
export function waiterOf(situation: Situation, pid: number): Edge | undefined {
  const waiters = situation.edges.filter(({ from, to }) =>
    from !== pid && to.includes(pid) && !situation.circle.some((edge) => edge.from === from)
  );
  const fewest = Math.min(...waiters.map(({ to }) => to.length));
  const best = bestOf(situation, waiters.filter(({ to }) => to.length === fewest), () => true);
  return best && !isInherited(situation, best.wait, pid) ? best : undefined;
}

/** How much a wait says of why it hangs, the most first: an end that a process has inherited
 * without being told the least. */
function rankOf(snapshot: Snapshot, edge: Edge): number {
  const isUnknown = edge.to.length > 0 &&
    edge.to.every((pid) => isInherited(snapshot, edge.wait, pid));
  return isUnknown ? ORDER.length : ORDER.indexOf(edge.wait.for);
}

/** The circle in which these processes are, or are kept by: the same, whichever of those in it were
 * asked about. */
function circleOf(snapshot: Snapshot, edges: Edge[], all: Edge[]): Edge[] {
  const [first] = findCircle({ ...snapshot, edges });
  if (first === undefined) return [];
  const { from } = first;
  const isInside = (edge: Edge) => edge.from === from || pathOf(all, edge.from, from).length > 0;
  const inside = edgesFrom(snapshot, from).filter(isInside);
  return findCircle({
    ...snapshot,
    edges: all.filter((edge) => inside.some((one) => one.from === edge.from)),
  });
}

/** The shortest circle of processes that wait for each other, which nobody else can set going. */
function findCircle(situation: Snapshot & { edges: Edge[] }): Edge[] {
  const { processes } = situation;
  const stuck = new Set(processes.keys());
  const isStuck = (wait: Wait) => {
    const others = awaited(situation, wait);
    return others.length > 0 && others.every((other) => stuck.has(other));
  };
  // Whoever can go on by itself is not stuck, nor is whoever waits for that one.
  for (let size = -1; size !== stuck.size;) {
    size = stuck.size;
    for (const pid of stuck) {
      const threads = processes.get(pid)?.threads ?? [];
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
export function waysOf({ edges }: Situation, { from, to }: Edge): Wait[] {
  return edges.filter((edge) => edge.from === from && edge.to.some((pid) => to.includes(pid)))
    .map(({ wait }) => wait);
}

/** Who waits in open, and for whom. */
export function openings({ processes }: Snapshot): { pid: number; wait: OpenWait }[] {
  return [...processes].flatMap(([pid, { threads }]) =>
    threads.flat().flatMap((wait) => "path" in wait ? [{ pid, wait }] : [])
  );
}
