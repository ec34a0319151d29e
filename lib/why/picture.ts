/**
 * A picture of processes that wait for each other.
 *
 * @module
 */
import { byteCount } from "../script/format.ts";
import { type Edge, edgesFrom, openings, situationOf } from "./edges.ts";
import type { End } from "./pipes.ts";
import { isInherited, type Snapshot } from "./snapshot.ts";
import { labelOf, list, waitInWords, who } from "./words.ts";

/** What each process waits for, and the pipes between them, in lines of at most `width` columns. */
export function draw(pid: number, snapshot: Snapshot, width: number): string[] {
  const { processes, pipes } = snapshot;
  const { edges: all, cause, circle } = situationOf(snapshot, pid);
  const isNear = (edge: Edge) =>
    circle.length === 0 &&
    edge.to.some((one) => cause.has(one) && !isInherited(snapshot, edge.wait, one));
  const edges = [...edgesFrom(snapshot, pid), ...all.filter(isNear)];
  const drawn = new Set([pid, ...edges.flatMap(({ from, to }) => [from, ...to])]);
  const openers = new Set(openings(snapshot).map(({ pid }) => pid));
  const shown = drawn.isDisjointFrom(openers) ? drawn : drawn.union(openers);
  const lines: string[] = [];
  for (const one of shown) {
    const { state, threads } = processes.get(one) ?? {};
    if (threads === undefined) continue;
    const waits = new Set(threads.flat().map((wait) => waitInWords(processes, wait)));
    lines.push(`${who(processes, one)}  ${state === "alive" ? [...waits].join(", or ") : state}`);
  }
  const awaitedPipes = new Set(edges.map(({ wait }) => "pipe" in wait ? wait.pipe : ""));
  const side = (ends: End[]) => {
    const names = [...Map.groupBy(ends, ({ pid }) => pid)].map(([pid, ends]) =>
      `${who(processes, pid)} [${list(ends.map(({ descriptor }) => labelOf(descriptor)))}]`
    );
    if (names.length > 3) names.splice(2, Infinity, `${names.length - 2} more`);
    return list(names) || "nobody to be seen";
  };
  const isDrawn = ({ pid }: End) => drawn.has(pid);
  for (const [name, { readers, writers, held, capacity }] of pipes) {
    const isBetween = writers.some(isDrawn) && readers.some(isDrawn) &&
      [...writers, ...readers].some(({ pid }) => pid !== writers[0]?.pid);
    if (!awaitedPipes.has(name) && !(isBetween && held)) continue;
    const room = capacity === undefined ? "" : ` of ${byteCount(capacity)}`;
    const fill = held === undefined
      ? name
      : room
      ? `${held.toLocaleString("en")}${room}`
      : byteCount(held);
    const line = `${side(writers)} ── ${fill} ──▶ ${side(readers)}`;
    lines.push(...(line.length <= width ? [line] : line.split(/(?= ── )/)));
  }
  return lines.map((line) => line.length > width ? `${line.slice(0, width - 1)}…` : line);
}
