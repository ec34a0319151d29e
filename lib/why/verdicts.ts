/**
 * Why processes hang on their pipes, as a snapshot of them shows it.
 *
 * @module
 */
import { unaskingCures } from "../script/cures.ts";
import { circleVerdict } from "./circles.ts";
import { edgesFrom, openings, pathOf, type Situation, situationOf, waiterOf } from "./edges.ts";
import { lastHolder, sharedStdin } from "./holders.ts";
import { SECTIONS } from "./sections.ts";
import { awaited, COMPUTES, type Snapshot, type Wait } from "./snapshot.ts";
import { activityOf, isWaiting, unreadBy, unreadFrom, type Verdict } from "./verdict.ts";
import { edgeInWords, labelOf, list, otherActivities, STOPPED, waitInWords, who } from "./words.ts";

/** What is said before what has nothing to do with pipes. */
const NOT_A_PIPE = "not a pipe: ";

/** What may be wrong, the surest first: the first that fits is said. */
const VERDICTS: ((situation: Situation) => Verdict | undefined)[] = [
  isStopped,
  waitsInOpen,
  asksAtTerminal,
  holdsOwnWriteEnd,
  circleVerdict,
  waitsForLock,
  lastHolder,
];

/**
 * Why a process hangs, as two looks at it show: the same for all that wait for each other, or for
 * the same one.
 *
 * @param before A look a moment before: who has moved since does not hang.
 * @returns Undefined if all that wait have moved, or if one of them has just woken, or
 * runs and had no time yet.
 */
export function verdictOn(pid: number, now: Snapshot, before = now): Verdict | undefined {
  if (now.processes.get(pid)?.state === "exited") return verdictOnExited(pid, now, before);
  const situation = situationOf(now, pid);
  const hasMoved = (pid: number) =>
    now.processes.get(pid)?.waited !== before.processes.get(pid)?.waited;
  for (const one of before === now ? [] : new Set([pid, ...situation.cause])) {
    const [last, first] = [now, before].map(({ processes }) => processes.get(one));
    if (!otherActivities(last).includes(COMPUTES)) continue;
    // A millisecond is enough to answer, if the machine is too busy to give it more.
    if (!otherActivities(first).includes(COMPUTES)) return;
    if ((last?.ran ?? 0) - (first?.ran ?? 0) < 1e6) return;
  }
  const verdict = firstVerdict(situation);
  const { waiting } = verdict;
  return waiting.length > 0 && waiting.every(hasMoved) ? undefined : verdict;
}

function verdictOnExited(pid: number, now: Snapshot, before: Snapshot): Verdict | undefined {
  const { processes } = now;
  const { parent = 0 } = processes.get(pid) ?? {};
  const verdict = processes.has(parent) ? verdictOn(parent, now, before) : undefined;
  return {
    what: `${who(processes, pid)} has exited; its parent ${parent} has not asked for its status` +
      (verdict ? `; ${verdict.what}` : ""),
    cures: verdict?.cures ?? [`look at its parent: --pid ${parent}`],
    sections: verdict?.sections ?? [SECTIONS.endOfFile],
    waiting: verdict?.waiting ?? [pid],
  };
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

function isStopped(situation: Situation): Verdict | undefined {
  const { processes, cause, last } = situation;
  const idle = [...cause].find((other) => processes.get(other)?.state === "stopped");
  // A lock may have others who can free it.
  if (idle === undefined || cause.size > 1 && last?.wait.for === "lock") return;
  const { group, act } = processes.get(idle)?.stop ?? {};
  const background = act ? `: it ${act} the terminal, and is in the background` : "";
  return {
    what: `${who(processes, idle)} ${STOPPED}${background}${andWaiter(situation, idle)}`,
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
  const { processes, last } = situation;
  if (last === undefined || !("path" in last.wait)) return;
  const { from, wait: { for: other, path } } = last;
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
      andWaiter(situation, from)
    }`,
    cures: [`start whoever is to ${act} there: opening a FIFO waits until both ends are open`],
    sections,
    waiting: [from],
  };
}

function holdsOwnWriteEnd(situation: Situation): Verdict | undefined {
  const { processes, pipes, edges, cause, circle, last } = situation;
  const edge = last ??
    edges.find(({ from, to }) => cause.has(from) && to.length === 1 && to.includes(from));
  if (edge?.wait.for !== "read" || !edge.isOnly || !edge.to.includes(edge.from)) return;
  const { from, wait, to } = edge;
  const isAwaited = circle.some(({ wait }) => wait.for === "exit");
  if (isAwaited && circle.some((edge) => edge.from === from)) return;
  const own = pipes.get(wait.pipe)?.writers.find((end) => end.pid === from);
  const others = to.filter((pid) => pid !== from);
  const names = list(others.map((pid) => who(processes, pid)));
  const [end, kind] = wait.pipe.startsWith("socket:") ? ["other", "socket"] : ["write", "pipe"];
  if (others.length > 0) {
    const busy = others.find((pid) => !isWaiting(situation, pid));
    if (busy === undefined) return;
    return {
      what:
        `${who(processes, from)} waits to read its ${labelOf(wait.descriptor)}, and nothing is ` +
        `there: ${names} could write it, and ${who(processes, busy)} ` +
        `${activityOf(situation, busy)}. No end of file comes before it and ${names} close the ` +
        `${end} end${unreadText(situation, [from, ...others])}`,
      cures: [
        `if data is missing: see what ${who(processes, busy)} does`,
        `if an end of file is missing: close the ${end} end in the process that reads, as soon as ` +
        "whoever writes has it",
      ],
      sections: [SECTIONS.fromPython],
      waiting: [from],
    };
  }
  return {
    what: `${who(processes, from)} gets no end of file from its ${labelOf(wait.descriptor)}: ` +
      `it holds the ${end} end of that ${kind} itself (${labelOf(own?.descriptor)}), and nobody ` +
      `else does`,
    cures: [
      `close the ${end} end in the process that reads, as soon as whoever writes has it`,
      "if data is missing: it can come from this process alone",
    ],
    sections: [SECTIONS.fromPython],
    waiting: [from],
  };
}

/** Somebody waits for what is typed at a terminal, and perhaps others for that one. */
function asksAtTerminal(situation: Situation): Verdict | undefined {
  const { pid, processes, pipes, edges, cause } = situation;
  const terminalOf = (wait: Wait) => {
    if (wait.for === "else") return wait.terminal;
    return wait.for === "read" && wait.pipe.endsWith(" typed") && pipes.get(wait.pipe)?.terminal;
  };
  const all = new Set([pid, ...edges.flatMap(({ from, to }) => [from, ...to])]);
  for (const asker of [...cause, ...all]) {
    const wait = processes.get(asker)?.threads.flat().find(terminalOf);
    if (wait === undefined) continue;
    if (!cause.has(asker) && !awaited(situation, wait).some((pid) => cause.has(pid))) continue;
    const keyboards = awaited(situation, wait).filter((pid) => pid !== asker);
    const other = keyboards.map((pid) => `${who(processes, pid)} ${doingOf(situation, pid)}`);
    const waiter = waiterOf(situation, asker);
    const isAsked = waiter !== undefined && !keyboards.includes(waiter.from);
    const at = `the terminal ${terminalOf(wait)}`;
    const unasking = unaskingCures([...all].map((pid) => processes.get(pid)?.name ?? ""));
    const names = list(keyboards.map((pid) => who(processes, pid)));
    const failing = isAsked
      ? [`or have it fail instead: ${list([...unasking, "detached: true (setsid)"], " or ")}`]
      : [];
    return {
      what:
        `${isAsked || names ? "" : NOT_A_PIPE}${who(processes, asker)} waits for what is typed ` +
        `at ${at}${unreadBy(situation, asker)}${
          other.map((does) => `, and ${does} there`).join("")
        }` +
        (isAsked ? `, and ${edgeInWords(situation, waiter)}` : ""),
      cures: names
        ? [
          `have ${names} write there: does what was sent end with a newline, and did it come after ` +
          `${who(processes, asker)} had begun to read?`,
          "if it shows a prompt: that has no newline, so read up to the prompt",
          ...failing,
        ]
        : [
          "answer there, even if you see no question; or give it a terminal of its own",
          ...failing,
        ],
      sections: [SECTIONS.elsewhere, SECTIONS.password],
      waiting: isAsked ? [waiter.from] : [],
    };
  }
}

/** A lock that somebody has who does something else, or that nobody who lives has. */
function waitsForLock(situation: Situation): Verdict | undefined {
  const { processes, last, isPartial } = situation;
  if (last?.wait.for !== "lock") return;
  const { from, wait: { lock }, to } = last;
  const waiter = who(processes, from);
  const holders = to.map((pid) => `${who(processes, pid)} ${doingOf(situation, pid)}`);
  const chain = andWaiter(situation, from);
  if (to.length > 0) {
    return {
      what: `${waiter} waits for ${lock}, and ${list(holders, ", and ")}${chain}`,
      cures: [
        ...to.filter((pid) => processes.get(pid)?.state === "stopped")
          .map((pid) => `continue ${who(processes, pid)}: kill -CONT ${pid}`),
        `have ${list(to.map((pid) => who(processes, pid)), " or ")} free it, or end that`,
      ],
      sections: [SECTIONS.elsewhere],
      waiting: [from],
    };
  }
  const isMemory = lock.includes("memory");
  return {
    what: isMemory
      ? `${waiter} waits for ${lock}, which nobody who lives can free${chain}`
      : `${waiter} waits for ${lock}; who has it cannot be seen${chain}`,
    cures: isMemory
      ? [
        "end it; and see who took the lock: a thread before a fork, a process that was killed, or " +
        "it itself, twice",
      ]
      : [isPartial ? "it may be another user's: try sudo" : "look again"],
    sections: [SECTIONS.elsewhere],
    waiting: [from],
  };
}

/** What a process does, in a subordinate clause. */
function doingOf(situation: Situation, pid: number): string {
  const { processes } = situation;
  const waits = processes.get(pid)?.threads.flat() ?? [];
  const [wait] = waits;
  return processes.get(pid)?.state === "stopped"
    ? STOPPED
    : wait
    ? waitInWords(processes, wait)
    : activityOf(situation, pid);
}

function unreadText(situation: Situation, pids: number[]): string {
  const unread = unreadFrom(situation, pids);
  return unread.length > 0 ? `; ${list(unread)}` : "";
}

/** What is left if no pipe is in the way. */
function notAPipe(situation: Situation): Verdict {
  const { processes, edges, cause } = situation;
  const [end = 0] = cause;
  // Whoever waits for that one, and whoever waits for those, as far as a person started them.
  const pid = topOf(situation, end);
  const chain = pathOf(edges, pid, end).map((edge) => edgeInWords(situation, edge));
  const last = who(processes, end);
  const doing = (list(otherActivities(processes.get(end))) || "goes on") +
    unreadBy(situation, end) + unreadText(situation, [end]);
  const { isOrphan = false } = processes.get(pid) ?? {};
  const first = who(processes, pid);
  const left = isOrphan ? [`whoever started ${first} has gone`] : [];
  const keepAway = sharedStdin(situation, [end]);
  return {
    what: `${NOT_A_PIPE}${[...chain, `${last} ${doing}`, ...left].join("; ")}`,
    cures: [
      `no pipe is in the way: look at what ${last} does`,
      ...keepAway,
      ...(isOrphan ? [`if ${first} is not to live on: kill ${pid}`] : []),
    ],
    sections: [
      SECTIONS.elsewhere,
      ...(keepAway.length > 0 ? [SECTIONS.eatsStdin] : []),
      ...(isOrphan ? [SECTIONS.livesOn] : []),
    ],
    waiting: [],
  };
}

/** Who waits for a process, or for one that does, above all others. */
function topOf(situation: Situation, pid: number, below: number[] = []): number {
  const above = waiterOf(situation, pid);
  return above && !below.includes(above.from) ? topOf(situation, above.from, [pid, ...below]) : pid;
}

/** Who waits for a process, to be told after it. */
function andWaiter(situation: Situation, pid: number): string {
  const waiter = waiterOf(situation, pid);
  return waiter ? `, and ${edgeInWords(situation, waiter)}` : "";
}
