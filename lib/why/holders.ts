/**
 * Pipes that somebody holds and does not serve: nobody reads what is full, nobody writes to what is
 * empty.
 *
 * @module
 */
import { hintFor } from "../script/cures.ts";
import { byteCount } from "../script/format.ts";
import { type Edge, pathOf, type Situation } from "./edges.ts";
import { SECTIONS } from "./sections.ts";
import { awaited, type Snapshot, type Wait } from "./snapshot.ts";
import { CLOSE_STDIN, isOutput, OWN_BYTE, type Verdict } from "./verdict.ts";
import { descriptorOf, labelOf, list, otherActivities, waitInWords, who } from "./words.ts";

/** What helps against an end that a process has for no reason. */
const KEEP_AWAY = "keep the write end away (close_fds, O_CLOEXEC)";

/** The end of the chain: a pipe whose other end is held by somebody who does something else. */
export function lastHolder(situation: Situation): Verdict | undefined {
  const { processes, isPartial, edges } = situation;
  const isWaiting = (pid: number) => edges.some(({ from }) => from === pid);
  const last = (kind: "write" | "read") =>
    edges.find(({ wait, to }) => wait.for === kind && !to.every(isWaiting)) ??
      edges.find(({ wait, to }) => wait.for === kind && to.length === 0);
  const edge = last("write") ?? last("read");
  if (edge === undefined) return;
  const { from, wait } = edge;
  const to = edge.to.filter((pid) => !isWaiting(pid));
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
  const verdicts = wait.for === "write" ? [unread] : [middleWroteNothing, writerIsBusy, unwritten];
  for (const verdict of verdicts) {
    const found = verdict(situation, { ...edge, to });
    if (found !== undefined) return found;
  }
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

/** A program in the middle of a pipeline has read something, and written nothing. */
function middleWroteNothing(situation: Situation, edge: Edge): Verdict | undefined {
  const { from: pid } = edge;
  const { processes, pipes } = situation;
  const { name = "", args = [], written = NaN } = processes.get(pid) ?? {};
  // Of a child it is known that more is to come.
  const source = workersOf(situation, edge).find((one) => {
    const { parent, written = 0 } = processes.get(one) ?? {};
    return parent !== pid && written > OWN_BYTE;
  });
  if (source === undefined || !(written <= OWN_BYTE)) return;
  const isReading = (wait: Wait) =>
    wait.for === "read" &&
    pipes.get(wait.pipe)?.writers.some((end) => end.pid === pid && isOutput(end));
  const reader = [...processes].find(([, { threads }]) => threads.flat().some(isReading))?.[0];
  if (reader === undefined) return;
  const program = who(processes, pid);
  return {
    what: `${program} has read what ${who(processes, source)} wrote there, and has written ` +
      `nothing: its answer is in its buffer, or there is none before more comes; ` +
      `and ${who(processes, reader)} waits until ${program} writes`,
    cures: [`${program}: ${hintFor([name, ...args])}`],
    sections: [SECTIONS.buffer],
    waiting: [pid],
  };
}

/** The child works on what is waited for, or waits for something else than its parent. */
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
  const isAsking = working.some((pid) =>
    processes.get(pid)?.threads.flat().some((wait) => wait.for === "else" && wait.isTerminal)
  );
  const ends = "pipe" in wait ? pipes.get(wait.pipe)?.writers ?? [] : [];
  const isPipe = "pipe" in wait && !wait.pipe.startsWith("socket:");
  const isTold = isPipe && ends.some((end) => working.includes(end.pid) && !isOutput(end));
  const orExits = to.length > working.length ? "" : ` or exit${s}`;
  return {
    what: `${who(processes, from)} waits until ${names} write${s}${orExits}, ` +
      `and ${list(acts, ", and ")}`,
    cures: [
      isAsking
        ? "answer there, even if you see no question; or give it a terminal of its own"
        : "give it time; or see what it does",
      ...(isTold ? [`if ${names} ${s ? "is" : "are"} not to write there, ${KEEP_AWAY}`] : []),
    ],
    sections: [
      SECTIONS.elsewhere,
      ...(isAsking ? [SECTIONS.password] : []),
      ...(isTold ? [SECTIONS.endOfFile] : []),
    ],
    waiting: [from],
  };
}

/** Nobody writes to an empty pipe; `to` are those that do something else. */
function unwritten(situation: Situation, { from, wait, to }: Edge): Verdict {
  const { processes, pipes } = situation;
  const [holder = 0] = to;
  const waiter = who(processes, from);
  const names = list(to.map((pid) => who(processes, pid)));
  const waiting = [from];
  const ends = "pipe" in wait ? pipes.get(wait.pipe)?.writers : undefined;
  const end = ends?.find(({ pid }) => pid === holder);
  if (to.length === 1 && ancestorsOf(processes, from).includes(holder)) {
    return {
      what: `${waiter} waits until ${names} writes or closes the write end ` +
        `(${labelOf(end?.descriptor)}), and ${names} ${activityOf(situation, holder)}`,
      cures: [CLOSE_STDIN],
      sections: [SECTIONS.closeStdin],
      waiting,
    };
  }
  const [they, are, s] = to.length > 1 ? ["they", "are", ""] : ["it", "is", "s"];
  const doing = to.length > 1 ? "" : ` and ${activityOf(situation, holder)}`;
  return {
    what: `${waiter} gets no end of file from its ${labelOf(descriptorOf(wait))} before ${names} ` +
      `exit${s}: ${they} hold${s} the write end (${labelOf(end?.descriptor)})${doing}`,
    cures: [
      (end?.descriptor ?? 0) > 2
        ? `if ${names} ${are} not to write there, ${KEEP_AWAY}`
        : `end ${names}; or wait for the exit of the child instead of end of file`,
    ],
    sections: [SECTIONS.endOfFile],
    waiting,
  };
}

/** Of those that hold the write end, the ones whose output is read: the reader's child, or the
 * program before it, or before an ancestor of it, in a pipeline; and those for whose exit that one
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
  const exits = edges.filter(({ wait }) => wait.for === "exit");
  return to.filter((pid) => first.some((one) => one === pid || pathOf(exits, one, pid).length > 0));
}

/** The parent of a process, the parent of that, and so on, as far as they are seen. */
function ancestorsOf(processes: Snapshot["processes"], pid: number): number[] {
  const { parent } = processes.get(pid) ?? {};
  return parent === undefined ? [] : [parent, ...ancestorsOf(processes, parent)];
}

/** What a process does that nobody's pipe keeps from it. */
function activityOf({ processes }: Snapshot, pid = 0): string {
  return otherActivities(processes.get(pid))[0] ?? "goes on";
}

/** What waits in the stdin of a process. */
function unreadBy({ pipes }: Snapshot, pid: number): string {
  const isStdin = (end: { pid: number; descriptor: number }) =>
    end.pid === pid && end.descriptor === 0;
  const held = [...pipes.values()].find(({ readers }) => readers.some(isStdin))?.held;
  return held ? `, with ${byteCount(held)} of its stdin unread` : "";
}
