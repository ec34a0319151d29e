/**
 * Why processes hang on their pipes, as a snapshot of them shows it.
 *
 * @module
 */
import { circleVerdict } from "./circles.ts";
import { edgesFrom, edgesToOnly, findCircle, openings, pathOf, type Situation } from "./edges.ts";
import { lastHolder } from "./holders.ts";
import { SECTIONS } from "./sections.ts";
import { COMPUTES, type Snapshot } from "./snapshot.ts";
import type { Verdict } from "./verdict.ts";
import { edgeInWords, labelOf, list, otherActivities, STOPPED, waitInWords, who } from "./words.ts";

/** What is said before what has nothing to do with pipes. */
const NOT_A_PIPE = "not a pipe: ";

/** What may be wrong, the surest first: the first that fits is said. */
const VERDICTS: ((situation: Situation) => Verdict | undefined)[] = [
  hasExited,
  isStopped,
  waitsInOpen,
  holdsOwnWriteEnd,
  circleVerdict,
  lastHolder,
];

/**
 * Why a process hangs, as two looks at it show.
 *
 * @param before A look a moment before: who has moved since does not hang.
 * @returns Undefined if all that wait have moved, or if one of them has just woken, or
 * runs and had no time yet.
 */
export function verdictOn(pid: number, now: Snapshot, before = now): Verdict | undefined {
  const hasMoved = (pid: number) =>
    now.processes.get(pid)?.waited !== before.processes.get(pid)?.waited;
  const others = new Set(edgesFrom(now, pid).flatMap(({ to }) => to));
  for (const one of before === now ? [] : [pid, ...others]) {
    const [last, first] = [now, before].map(({ processes }) => processes.get(one));
    if (!otherActivities(last).includes(COMPUTES)) continue;
    // A millisecond is enough to answer, if the machine is too busy to give it more.
    if (!otherActivities(first).includes(COMPUTES)) return;
    if ((last?.ran ?? 0) - (first?.ran ?? 0) < 1e6) return;
  }
  const verdict = firstVerdict({ ...now, pid, edges: edgesFrom(now, pid) });
  if (verdict.waiting.length > 0) return verdict.waiting.every(hasMoved) ? undefined : verdict;
  // Somebody else may wait for this process alone.
  for (const other of now.processes.keys()) {
    if (others.has(other)) continue;
    const edges = edgesToOnly(now, pid, other);
    if (edges.length === 0 || hasMoved(other)) continue;
    const { what, ...more } = firstVerdict({ ...now, pid: other, edges });
    return { ...more, what: `${verdict.what.replace(NOT_A_PIPE, "")}. Meanwhile ${what}` };
  }
  return verdict;
}

/** Why a process hangs that does not wait for its parent; undefined if it does, or if no pipe is in
 * the way. */
export function verdictInside(pid: number, now: Snapshot, parent: number): Verdict | undefined {
  if (edgesFrom(now, pid).some(({ to }) => to.includes(parent))) return;
  const verdict = verdictOn(pid, now);
  return verdict?.waiting.length ? verdict : undefined;
}

function firstVerdict(situation: Situation): Verdict {
  for (const find of VERDICTS) {
    const verdict = find(situation);
    if (verdict !== undefined) return verdict;
  }
  return notAPipe(situation);
}

function hasExited({ pid, processes }: Situation): Verdict | undefined {
  const { state, parent } = processes.get(pid) ?? {};
  if (state !== "exited" || parent === undefined) return;
  return {
    what: `${who(processes, pid)} has exited; its parent ${parent} has not asked for its status`,
    cures: [`look at its parent: --pid ${parent}`],
    sections: [SECTIONS.endOfFile],
    waiting: [pid],
  };
}

function isStopped(situation: Situation): Verdict | undefined {
  const { pid, processes, edges } = situation;
  const everybody = [pid, ...edges.flatMap(({ to }) => to)];
  const idle = everybody.find((other) => processes.get(other)?.state === "stopped");
  if (idle === undefined) return;
  const { group, act } = processes.get(idle)?.stop ?? {};
  const background = act ? `: it ${act} the terminal, and is in the background` : "";
  return {
    what: `${who(processes, idle)} ${STOPPED}${background}${waiterOf(situation, idle)}`,
    cures: act
      ? [
        "fg in its shell: kill -CONT alone stops it again",
        ...(act === "reads" ? ["or give it stdin from /dev/null"] : []),
      ]
      : group
      ? [`continue its job: fg in its shell, or kill -CONT -${group}`]
      : [`continue it: kill -CONT ${idle}`],
    sections: [SECTIONS.elsewhere],
    waiting: [idle],
  };
}

function waitsInOpen(situation: Situation): Verdict | undefined {
  const { processes, edges } = situation;
  const edge = edges.find(({ wait }) => "path" in wait);
  if (edge === undefined || !("path" in edge.wait)) return;
  const { from, wait: { for: other, path } } = edge;
  const sections = [SECTIONS.namedPipe];
  const all = openings(situation);
  if (all.some(({ pid, wait }) => pid !== from && wait.path !== path)) {
    const chain = all.map(({ pid, wait }) =>
      `${who(processes, pid)} ${waitInWords(processes, wait)}`
    );
    return {
      what: `deadlock, unless somebody else opens one of them: ${list(chain, ", and ")}`,
      cures: [
        "open them in the same order: what one opens first to read, the other opens first to write",
      ],
      sections,
      waiting: all.map(({ pid }) => pid),
    };
  }
  const act = other === "writer" ? "write" : "read";
  return {
    what: `${who(processes, from)} waits in open for a ${other} of ${path}${
      waiterOf(situation, from)
    }`,
    cures: [`start whoever is to ${act} there: opening a FIFO waits until both ends are open`],
    sections,
    waiting: [from],
  };
}

function holdsOwnWriteEnd(situation: Situation): Verdict | undefined {
  const { pid, processes, pipes, edges } = situation;
  // A pool of workers shares its pipes, so that each worker holds both ends: others may write.
  const edge = edges.find(({ from, wait, to, isOnly }) =>
    wait.for === "read" && to.includes(from) && isOnly && (from === pid || to.length === 1)
  );
  if (edge?.wait.for !== "read") return;
  const { from, wait, to } = edge;
  const circle = findCircle(situation);
  const isAwaited = circle.some(({ wait }) => wait.for === "exit");
  if (isAwaited && circle.some((edge) => edge.from === from)) return;
  const own = pipes.get(wait.pipe)?.writers.find((end) => end.pid === from);
  const others = to.filter((pid) => pid !== from);
  const names = list(others.map((pid) => who(processes, pid)));
  const also = names && `, as ${names} ${others.length > 1 ? "do" : "does"}`;
  const [end, kind] = wait.pipe.startsWith("socket:") ? ["other", "socket"] : ["write", "pipe"];
  const busy = others.find((pid) => otherActivities(processes.get(pid)).length > 0) ?? from;
  return {
    what: `${who(processes, from)} gets no end of file from its ${labelOf(wait.descriptor)}: ` +
      `it holds the ${end} end of that ${kind} itself (${labelOf(own?.descriptor)})${also}`,
    cures: [
      ...(busy === from ? [] : [
        `if one of these is to write: ${who(processes, busy)} ` +
        `${otherActivities(processes.get(busy))[0]}`,
      ]),
      `close the ${end} end in the process that reads, as soon as whoever writes has it`,
    ],
    sections: [SECTIONS.fromPython],
    waiting: [from],
  };
}

/** What is left if no pipe is in the way. */
function notAPipe({ pid, ...situation }: Situation): Verdict {
  const { processes, edges } = situation;
  const isWaiting = (pid: number) => edges.some(({ from }) => from === pid);
  const all = edges.flatMap(({ to }) => to);
  const end = all.find((pid) => !isWaiting(pid)) ??
    all.find((pid) => otherActivities(processes.get(pid)).length > 0) ?? pid;
  const chain = pathOf(edges, pid, end).map((edge) => edgeInWords(situation, edge));
  const last = who(processes, end);
  const doing = list(otherActivities(processes.get(end))) || "goes on";
  const { isOrphan = false } = processes.get(pid) ?? {};
  const first = who(processes, pid);
  const left = isOrphan ? [`whoever started ${first} has gone`] : [];
  return {
    what: `${NOT_A_PIPE}${[...chain, `${last} ${doing}`, ...left].join("; ")}`,
    cures: [
      `no pipe is in the way: look at what ${last} does`,
      ...(isOrphan ? [`if ${first} is not to live on: kill ${pid}`] : []),
    ],
    sections: [SECTIONS.elsewhere, ...(isOrphan ? [SECTIONS.livesOn] : [])],
    waiting: [],
  };
}

/** Who waits for a process, to be told after it. */
function waiterOf(situation: Situation, pid: number): string {
  const waiter = situation.edges.find(({ to }) => to.includes(pid));
  return waiter ? `, and ${edgeInWords(situation, waiter)}` : "";
}
