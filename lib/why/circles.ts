/**
 * Circles of processes that wait for each other: one function for each kind.
 *
 * @module
 */
import { hintFor, readsToEnd } from "../script/cures.ts";
import { byteCount } from "../script/format.ts";
import { type Edge, type Situation, waysOf } from "./edges.ts";
import { SECTIONS } from "./sections.ts";
import { awaited, type Wait } from "./snapshot.ts";
import { closeCure, isOutput, OWN_BYTE, unless, unreadFrom, type Verdict } from "./verdict.ts";
import { descriptorOf, edgeInWords, labelOf, labelsOf, list, who } from "./words.ts";

/** A circle, and what is waited for in it. */
interface Circle {
  edges: Edge[];
  /** Who waits in it. */
  waiting: number[];
  /** Whether somebody in it waits for this. */
  some: (kind: Wait["for"]) => boolean;
  /** Whether everybody in it does. */
  all: (kind: Wait["for"]) => boolean;
  /** Who waits for whom, in words. */
  what: string;
}

type Kind = (circle: Circle, situation: Situation) => Omit<Verdict, "waiting"> | undefined;

/** The first that fits is said. */
const KINDS: Kind[] = [dialogue, allRead, allWrite, locks, endOfFile, exitBeforeReading, outputs];

/** A circle of processes that wait for each other, if there is one. */
export function circleVerdict(situation: Situation): Verdict | undefined {
  const { processes, circle: edges } = situation;
  if (edges.length === 0) return;
  const waiting = edges.map(({ from }) => from);
  const ways = edges.map((edge) => waysOf(situation, edge));
  const chain = edges.map((edge, index) => edgeInWords(situation, edge, ways[index]));
  const circle: Circle = {
    edges,
    waiting,
    all: (kind) => ways.every((waits) => waits.some((wait) => wait.for === kind)),
    some: (kind) => ways.flat().some((wait) => wait.for === kind),
    what: `deadlock: ${list(chain, ", and ")}${unless(processes, waiting)}`,
  };
  // Whoever reads from itself alone is in no circle with others.
  if (edges.length === 1 && circle.all("read") && !circle.some("write")) return;
  for (const kind of KINDS) {
    const verdict = kind(circle, situation);
    if (verdict !== undefined) return { ...verdict, waiting };
  }
}

/** A child that reads its stdin, and a parent that reads its output. */
function dialogue({ edges, some, all, waiting }: Circle, situation: Situation) {
  if (some("write") || !all("read")) return;
  const { processes, pipes } = situation;
  const [first, second = first] = edges;
  if (first === undefined || second === undefined) return;
  const isParent = ({ from }: Edge) =>
    edges.some((edge) => processes.get(edge.from)?.parent === from);
  const asking = edges.find(isParent) ?? first;
  const { from: parent } = asking;
  const { from: child, wait } = edges.find(({ to }) => to.includes(parent)) ?? second;
  const writers = "pipe" in asking.wait ? pipes.get(asking.wait.pipe)?.writers ?? [] : [];
  if (descriptorOf(wait) !== 0 || !writers.some((end) => end.pid !== parent && isOutput(end))) {
    return;
  }
  const { name = "", args = [], written = NaN } = processes.get(child) ?? {};
  const asked = who(processes, child);
  const unread = unreadFrom(situation, waiting);
  const nothing = unread.length > 0 ? list(unread) : "nothing is in their pipes";
  const hasWritten = written > OWN_BYTE;
  const before = hasWritten
    ? `, or was read already (it has written ${byteCount(written)} in its life, here or elsewhere)`
    : "";
  const close = 'if nothing more is to be sent: close its stdin, or start it with stdin: "null"';
  const isToEnd = readsToEnd(name);
  return {
    what: `${names(situation, waiting)} wait to read, and ${nothing}: ${asked} has read what was ` +
      `sent, so its answer is in its buffer${before}, or there is none before more is sent, or ` +
      `end of file${unless(processes, waiting)}`,
    cures: [
      ...(unread.length > 0 ? ["read that too, at the same time: it may be asking there"] : []),
      ...(isToEnd ? [close] : []),
      `${asked}: ${hintFor([name, ...args])}`,
      ...(hasWritten
        ? ["read no more than has come: read(N), readline() and read() wait for all of it"]
        : []),
      "does what was sent end with a newline, and was it flushed?",
      "if it shows a prompt, on stdout or stderr: that has no newline, so read up to the prompt",
      ...(isToEnd ? [] : [close]),
    ],
    sections: [...(unread.length > 0 ? [SECTIONS.readBoth] : []), SECTIONS.buffer, SECTIONS.prompt],
  };
}

/** All wait for messages, over other ends than a child's stdin and stdout. */
function allRead({ edges, some, all, waiting }: Circle, situation: Situation) {
  if (some("write") || !all("read")) return;
  const unread = unreadFrom(situation, waiting);
  const ends = edges.map(({ from, wait }) =>
    `${who(situation.processes, from)} at its ${labelOf(descriptorOf(wait))}`
  );
  return {
    what: `${names(situation, waiting)} wait to read, ${list(ends)}, and ` +
      `${unread.length > 0 ? list(unread) : "nothing is in their pipes"}` +
      unless(situation.processes, waiting),
    cures: [
      ...(unread.length > 0 ? ["read that first: what is waited for may stand there"] : []),
      "one of them has to write first: what is missing is data, or the end of it",
    ],
    sections: [SECTIONS.dialogue],
  };
}

function allWrite({ all, what }: Circle) {
  if (!all("write")) return;
  return { what, cures: ["read while you write"], sections: [SECTIONS.readWhileWriting] };
}

function locks({ edges, some, what }: Circle, { processes }: Situation) {
  const [first, second] = edges;
  if (!some("lock") || first === undefined) return;
  const isOwn = second === undefined && first.wait.for === "lock" && first.wait.lock;
  return {
    what: isOwn
      ? `${
        who(processes, first.from)
      } waits for ${isOwn}, which it has itself, by another descriptor`
      : what,
    cures: ["free the lock before you wait; take several locks in the same order everywhere"],
    sections: [SECTIONS.elsewhere],
  };
}

/** An exit is awaited of whoever reads to the end of what is never closed. */
function endOfFile({ edges, some, what }: Circle, situation: Situation) {
  if (some("write")) return;
  const { processes } = situation;
  const own = edges.filter(({ from, wait }) => awaited(situation, wait).includes(from));
  const inherited = edges.flatMap((edge) => inheritorsOf(situation, edge));
  const open = edges.filter(({ from, wait, to }) =>
    wait.for === "read" && !inherited.some(({ reader }) => reader === from) &&
    // Children end by themselves.
    !to.some((pid) => processes.get(pid)?.parent === from)
  );
  const others = open.flatMap((edge) => otherReaders(situation, edge));
  const also = others.length > 0
    ? `; ${
      list(others.map((pid) => who(processes, pid)))
    } read there too: each byte goes to one alone`
    : "";
  return {
    what: what + also,
    cures: [
      ...inherited.map(({ reader, pids, descriptors }) =>
        `if ${list(pids.map((pid) => who(processes, pid)))} ${pids[1] ? "are" : "is"} not to ` +
        `write to ${who(processes, reader)}: close the write end there, after fork ` +
        `(${list(descriptors.map(labelOf))})`
      ),
      ...new Set(open.map(({ wait }) => closeCure(descriptorOf(wait)))),
      ...own.map(({ from }) => `and close the write end in ${who(processes, from)} itself`),
    ],
    sections: [
      ...(inherited.length > 0 ? [SECTIONS.fromPython] : []),
      ...(open.length > 0 ? [SECTIONS.closeStdin] : []),
    ],
  };
}

function exitBeforeReading({ edges, some, what }: Circle, situation: Situation) {
  if (!some("exit") || edges.some((edge) => labelsOf(situation, edge).includes("stderr"))) return;
  const both = some("read") ? "both outputs at the same time, and " : "";
  return {
    what,
    cures: [
      `read ${both}before you wait for the exit, as communicate() does`,
      "or close the read end, if another program is to read that, or nobody " +
      "(p1.stdout.close()): then whoever writes gets a broken pipe",
    ],
    sections: [SECTIONS.exitFirst, ...(both ? [SECTIONS.readBoth] : [])],
  };
}

/** One output is read to its end while the other is full. */
function outputs({ what }: Circle) {
  return {
    what,
    cures: ["read both outputs at the same time"],
    sections: [SECTIONS.readBoth],
  };
}

/** Who else waits to read from the same pipe. */
export function otherReaders({ processes }: Situation, { from, wait }: Edge): number[] {
  if (wait.for !== "read") return [];
  return [...processes].filter(([pid, { threads }]) =>
    pid !== from && threads.flat().some((one) => one.for === "read" && one.pipe === wait.pipe)
  ).map(([pid]) => pid);
}

function names({ processes }: Situation, pids: number[]): string {
  return `${list(pids.map((pid) => who(processes, pid)))} ${pids[2] ? "all" : "both"}`;
}

/** Who holds the write end of what a process reads as other children of its parent do that have it
 * from that. */
function inheritorsOf({ processes, pipes }: Situation, { from, wait }: Edge) {
  const ends = wait.for === "read" ? pipes.get(wait.pipe)?.writers ?? [] : [];
  const { parent } = processes.get(from) ?? {};
  const inherited = ends.filter((end) =>
    end.pid !== from && !isOutput(end) && processes.get(end.pid)?.parent === parent
  );
  if (inherited.length === 0) return [];
  const pids = [...new Set(inherited.map(({ pid }) => pid))];
  const descriptors = [...new Set(inherited.map(({ descriptor }) => descriptor))];
  return [{ reader: from, pids, descriptors }];
}
