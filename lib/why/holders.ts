/**
 * Pipes that somebody holds and does not serve: nobody reads what is full, nobody writes to what is
 * empty.
 *
 * @module
 */
import { hintFor, mayBuffer, unreadingCure } from "../script/cures.ts";
import { type Edge, pathOf, type Situation } from "./edges.ts";
import { SECTIONS } from "./sections.ts";
import { awaited, type Snapshot } from "./snapshot.ts";
import {
  activityOf,
  closeCure,
  isOutput,
  KEEP_AWAY,
  OWN_BYTE,
  sharersOfStdin,
  unreadBy,
  unreadFrom,
  type Verdict,
} from "./verdict.ts";
import { descriptorOf, labelOf, list, waitInWords, who } from "./words.ts";

/** The end of the chain: a pipe whose other end is held by somebody who does something else. */
export function lastHolder(situation: Situation): Verdict | undefined {
  const { processes, isPartial, cause, last: edge } = situation;
  if (edge?.wait.for !== "write" && edge?.wait.for !== "read") return;
  const { from, wait } = edge;
  const to = edge.to.filter((pid) => cause.has(pid));
  if (to.length === 0) {
    const acts = wait.for === "read" ? "writes" : "reads";
    const why = isPartial ? "it may be another user's: try sudo" : "it may have just gone";
    return {
      what: `${who(processes, from)} waits until somebody ${acts}, who cannot be seen; ${why}`,
      cures: ["look again"],
      sections: [wait.for === "read" ? SECTIONS.endOfFile : SECTIONS.readWhileWriting],
      waiting: [from],
    };
  }
  if (wait.for === "write") return unread(situation, { ...edge, to });
  return writerIsBusy(situation, { ...edge, to }) ?? parentIsBusy(situation, { ...edge, to }) ??
    strangerHolds(situation, { ...edge, to });
}

/** Nobody reads from a full pipe; `to` are those that do something else. */
function unread(situation: Situation, { from, wait, to }: Edge): Verdict {
  const { processes } = situation;
  const waiter = who(processes, from);
  const names = to.map((pid) => who(processes, pid));
  const s = to.length > 1 ? "" : "s";
  const doing = to.length > 1 ? "" : ` and ${activityOf(situation, to[0])}`;
  const others = awaited(situation, wait).filter((pid) => !to.includes(pid));
  const also = others.map((pid) => {
    const all = pid === from ? [] : processes.get(pid)?.threads.flat() ?? [];
    const waits = all.find((one) => awaited(situation, one).some((other) => to.includes(other))) ??
      all[0];
    const meanwhile = waits ? `, and ${waitInWords(processes, waits)}` : "";
    return `; ${who(processes, pid)} holds it too${meanwhile}`;
  });
  const all = [...names, ...others.filter((pid) => pid !== from).map((pid) => who(processes, pid))];
  const end = others.length > 0 ? "" : `, or close the read end: then ${waiter} gets a broken pipe`;
  return {
    what: `${waiter} waits for a reader of its ${labelOf(descriptorOf(wait))}: ` +
      `${list(names)} hold${s} the read end, do${s && "es"} not read${doing}${also.join("")}`,
    cures: [`have ${others.length > 0 ? list(all, " or ") : list(names)} read${end}`],
    sections: [SECTIONS.readWhileWriting],
    waiting: [from],
  };
}

/** A child works on what is waited for, or waits for something else than its parent. */
function writerIsBusy(situation: Situation, edge: Edge): Verdict | undefined {
  const { processes, pipes } = situation;
  const { from, wait, to } = edge;
  const working = workersOf(situation, edge);
  if (working.length === 0) return;
  const names = list(working.map((pid) => who(processes, pid)));
  const s = working.length > 1 ? "" : "s";
  const acts = working.map((pid) =>
    `${who(processes, pid)} ${activityOf(situation, pid)}${unreadBy(situation, pid)}`
  );
  const ends = "pipe" in wait ? pipes.get(wait.pipe)?.writers ?? [] : [];
  const isPipe = "pipe" in wait && !wait.pipe.startsWith("socket:");
  const isTold = isPipe && ends.some((end) => working.includes(end.pid) && !isOutput(end));
  const orExits = to.length > working.length ? "" : ` or exit${s}`;
  const seen = unreadFrom(situation, [from, ...working]);
  const buffering = [...working, ...middleOf(situation, edge)].filter((pid) => {
    const { name = "", args = [] } = processes.get(pid) ?? {};
    return mayBuffer([name, ...args]) && printsInto(situation, pid);
  });
  const shared = sharedStdin(situation, [from, ...working]);
  return {
    what: `${who(processes, from)} waits until ${names} write${s}${orExits}, ` +
      `and ${list(acts, ", and ")}${seen.length > 0 ? `; ${list(seen)}` : ""}`,
    cures: [
      ...(seen.length > 0 ? ["read that too, at the same time: it may be asking there"] : []),
      "give it time; or see what it does",
      ...shared,
      ...buffering.map((pid) => {
        const { name = "", args = [] } = processes.get(pid) ?? {};
        return `or what ${who(processes, pid)} has printed is still in its buffer: ` +
          hintFor([name, ...args]);
      }),
      ...(isTold ? [`if ${names} ${s ? "is" : "are"} not to write there, ${KEEP_AWAY}`] : []),
    ],
    sections: [
      SECTIONS.elsewhere,
      ...(buffering.length > 0 ? [SECTIONS.buffer] : []),
      ...(seen.length > 0 ? [SECTIONS.readBoth] : []),
      ...(isTold ? [SECTIONS.endOfFile] : []),
    ],
    waiting: [from],
  };
}

/** What helps those that read the same stdin as whoever started them. */
export function sharedStdin(situation: Situation, pids: number[]): string[] {
  const { processes } = situation;
  return pids.flatMap((pid) => {
    const others = sharersOfStdin(situation, pid).filter((other) => isAbove(situation, other, pid));
    if (others.length === 0) return [];
    const names = list(others.map((other) => who(processes, other)));
    return [
      `if ${names} ${others[1] ? "are" : "is"} to read the same stdin, keep it from ` +
      `${who(processes, pid)}: ${unreadingCure(processes.get(pid)?.name ?? "")}`,
    ];
  });
}

/** A program between the one that works and one that waits for it, which has read something, and
 * written nothing. */
function middleOf(situation: Situation, { from }: Edge): number[] {
  const { written = NaN } = situation.processes.get(from) ?? {};
  return written <= OWN_BYTE && printsInto(situation, from) ? [from] : [];
}

/** Whether somebody waits to read what a process prints. */
function printsInto({ processes, pipes }: Situation, pid: number): boolean {
  return [...processes].some(([other, { threads }]) =>
    other !== pid && threads.flat().some((wait) =>
      wait.for === "read" &&
      pipes.get(wait.pipe)?.writers.some((end) => end.pid === pid && end.descriptor === 1)
    )
  );
}

/** Whoever has started a process, or that one, keeps its end open, and does something else. */
function parentIsBusy(situation: Situation, { from, wait, to }: Edge): Verdict | undefined {
  const { processes } = situation;
  const [holder = 0] = to;
  if (to.length > 1 || !isAbove(situation, holder, from)) return;
  const name = who(processes, holder);
  const shared = sharersOfStdin(situation, from).filter((pid) => pid !== holder);
  const also = shared.length > 0 && descriptorOf(wait) === 0
    ? `; ${list(shared.map((pid) => who(processes, pid)))} read${
      shared[1] ? "" : "s"
    } the same stdin`
    : "";
  const keepAway = sharedStdin(situation, [from]);
  return {
    what: `${who(processes, from)} waits until ${name} writes or closes the write end ` +
      `(${endOf(situation, holder, wait)}), and ${name} ${activityOf(situation, holder)}${also}`,
    cures: [closeCure(descriptorOf(wait)), ...keepAway],
    sections: [SECTIONS.closeStdin, ...(keepAway.length > 0 ? [SECTIONS.eatsStdin] : [])],
    waiting: [from],
  };
}

/** Somebody else has the write end, who may not know of it. */
function strangerHolds(situation: Situation, { from, wait, to }: Edge): Verdict {
  const { processes, pipes } = situation;
  const [holder = 0] = to;
  const names = list(to.map((pid) => who(processes, pid)));
  const [they, are, s] = to.length > 1 ? ["they", "are", ""] : ["it", "is", "s"];
  const doing = to.length > 1 ? "" : ` and ${activityOf(situation, holder)}`;
  const { port, writers = [] } = "pipe" in wait ? pipes.get(wait.pipe) ?? {} : {};
  if (port !== undefined) {
    return {
      what: `${who(processes, from)} waits for what ${names} send${s} at port ${port}, ` +
        `and ${they}${doing.replace(" and", "") || " do something else"}`,
      cures: [`see what ${names} wait${s} for: --pid ${holder}`],
      sections: [SECTIONS.elsewhere],
      waiting: [from],
    };
  }
  const isTold = (writers.find(({ pid }) => pid === holder)?.descriptor ?? 0) > 2;
  return {
    what: `${who(processes, from)} gets no end of file from its ${labelOf(descriptorOf(wait))} ` +
      `before ${names} exit${s}: ${they} hold${s} the write end ` +
      `(${endOf(situation, holder, wait)})${doing}`,
    cures: isTold ? [`if ${names} ${are} not to write there, ${KEEP_AWAY}`] : [
      `end ${names}; or wait for the exit of the child instead of end of file`,
      "or start it without the pipe: >/dev/null 2>&1 </dev/null &",
    ],
    sections: [SECTIONS.endOfFile],
    waiting: [from],
  };
}

/** What the end is called by the process that holds it. */
function endOf({ pipes }: Situation, holder: number, wait: Edge["wait"]): string {
  const writers = "pipe" in wait ? pipes.get(wait.pipe)?.writers : undefined;
  return labelOf(writers?.find(({ pid }) => pid === holder)?.descriptor);
}

/** Of those that hold the write end, the ones whose output is read: the reader's child, or the
 * program before it, or before an ancestor of it, in a pipeline; and those for which that one
 * waits. */
function workersOf({ processes, pipes, edges }: Situation, { from, wait, to }: Edge): number[] {
  const ends = "pipe" in wait ? pipes.get(wait.pipe)?.writers ?? [] : [];
  const above = ancestorsOf(processes, from);
  const first = ends.filter((end) => {
    const { parent = 0, isOrphan } = processes.get(end.pid) ?? {};
    // Process 1 takes over whoever has lost its parent.
    const isBefore = parent > 1 && above.includes(parent) && !isOrphan;
    return parent === from || isBefore && isOutput(end);
  }).map(({ pid }) => pid);
  return to.filter((pid) => first.some((one) => one === pid || pathOf(edges, one, pid).length > 0));
}

/** Whether a process has started another, or the one that did, and so on, as far as they are seen.
 */
function isAbove({ processes }: Snapshot, ancestor: number, pid: number): boolean {
  return ancestorsOf(processes, pid).includes(ancestor);
}

function ancestorsOf(processes: Snapshot["processes"], pid: number): number[] {
  const { parent } = processes.get(pid) ?? {};
  return parent === undefined ? [] : [parent, ...ancestorsOf(processes, parent)];
}
