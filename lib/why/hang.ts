/**
 * Why processes hang on their pipes, as a snapshot of them shows it.
 *
 * @module
 */
import { hintFor } from "../script/cures.ts";
import { byteCount } from "../script/format.ts";
import {
  type Edge,
  edgesFrom,
  edgesToOnly,
  findCircle,
  type Knot,
  opened,
  pathOf,
  waysOf,
} from "./knot.ts";
import { awaited, COMPUTES, type End, type Snapshot, type Wait } from "./proc.ts";
import { SECTIONS } from "./sections.ts";
import { describe, doingElse, labelOf, list, STOPPED, who } from "./words.ts";

/** Why it hangs. */
export interface Verdict {
  /** A sentence that names the processes. */
  what: string;
  /** What to do about it, the likeliest first. */
  cures: string[];
  /** The pages and the headings that say more. */
  sections: string[];
  /** The processes that are said to hang; none if that is not for a pipe. */
  waiting: number[];
}

/** What helps against an end that a process has for no reason. */
const KEEP_AWAY = "keep the write end away (close_fds, O_CLOEXEC)";

/** What is said before what has nothing to do with pipes. */
const NOT_A_PIPE = "not a pipe: ";

/** What a child of Node.js has written before its program begins. */
const OWN_BYTE = 1;

/** What helps a child that waits for more than it gets. */
const CLOSE_STDIN = "close the child's stdin when all is sent: that is its end of file";

/** What may be wrong, the surest first: each looks at the knot and says what it sees. */
const VERDICTS: ((knot: Knot) => Verdict | undefined)[] = [
  function exited({ pid, processes }) {
    const { state, parent } = processes.get(pid) ?? {};
    if (state !== "exited" || parent === undefined) return;
    return {
      what: `${who(processes, pid)} has exited; its parent ${parent} has not asked for its status`,
      cures: [`look at its parent: --pid ${parent}`],
      sections: [SECTIONS.endOfFile],
      waiting: [pid],
    };
  },

  function stopped(knot) {
    const { pid, processes, edges } = knot;
    const everybody = [pid, ...edges.flatMap(({ to }) => to)];
    const idle = everybody.find((other) => processes.get(other)?.state === "stopped");
    if (idle === undefined) return;
    const { group, act } = processes.get(idle)?.stop ?? {};
    const background = act ? `: it ${act} the terminal, and is in the background` : "";
    return {
      what: `${who(processes, idle)} ${STOPPED}${background}${waiterOf(knot, idle)}`,
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
  },

  function opening(knot) {
    const { processes, edges } = knot;
    const edge = edges.find(({ wait }) => "path" in wait);
    if (edge === undefined || !("path" in edge.wait)) return;
    const { from, wait: { for: other, path } } = edge;
    const sections = [SECTIONS.namedPipe];
    const all = opened(knot);
    const isOther = all.some(({ pid, wait }) => pid !== from && wait.path !== path);
    if (isOther) {
      const chain = all.map(({ pid, wait }) =>
        `${who(processes, pid)} ${describe(processes, wait)}`
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
        waiterOf(knot, from)
      }`,
      cures: [`start whoever is to ${act} there: opening a FIFO waits until both ends are open`],
      sections,
      waiting: [from],
    };
  },

  function ownWriteEnd(knot) {
    const { pid, processes, pipes, edges } = knot;
    // A pool of workers shares its pipes, so that each worker holds both ends: others may write.
    const edge = edges.find(({ from, wait, to, isOnly }) =>
      wait.for === "read" && to.includes(from) && isOnly && (from === pid || to.length === 1)
    );
    if (edge?.wait.for !== "read") return;
    const { from, wait, to } = edge;
    const circle = findCircle(knot);
    const isAwaited = circle.some(({ wait }) => wait.for === "exit");
    if (isAwaited && circle.some((edge) => edge.from === from)) return;
    const own = pipes.get(wait.pipe)?.writers.find((end) => end.pid === from);
    const others = to.filter((pid) => pid !== from);
    const names = list(others.map((pid) => who(processes, pid)));
    const also = names && `, as ${names} ${others.length > 1 ? "do" : "does"}`;
    const [end, kind] = wait.pipe.startsWith("socket:") ? ["other", "socket"] : ["write", "pipe"];
    const busy = others.find((pid) => doingElse(processes.get(pid)).length > 0) ?? from;
    const does = `${who(processes, busy)} ${doingElse(processes.get(busy))[0]}`;
    return {
      what: `${who(processes, from)} gets no end of file from its ${labelOf(wait.descriptor)}: ` +
        `it holds the ${end} end of that ${kind} itself (${labelOf(own?.descriptor)})${also}`,
      cures: [
        ...(busy === from ? [] : [`if one of these is to write: ${does}`]),
        `close the ${end} end in the process that reads, as soon as whoever writes has it`,
      ],
      sections: [SECTIONS.fromPython],
      waiting: [from],
    };
  },

  function deadlock(knot) {
    const { processes } = knot;
    const circle = findCircle(knot);
    const ways = circle.map((edge) => waysOf(knot, edge));
    const all = (kind: Wait["for"]) =>
      ways.every((waits) => waits.some((wait) => wait.for === kind));
    const some = (kind: Wait["for"]) => ways.flat().some((wait) => wait.for === kind);
    if (!some("write") && all("read")) return;
    const waiting = circle.map(({ from }) => from);
    const chain = list(circle.map((edge, index) => say(knot, edge, ways[index] ?? [])), ", and ");
    const what = `deadlock: ${chain}${unless(processes, waiting)}`;
    if (all("write")) {
      return {
        what,
        cures: ["read while you write"],
        sections: [SECTIONS.readWhileWriting],
        waiting,
      };
    }
    if (!some("write")) {
      const own = circle.filter(({ from, wait }) => awaited(knot, wait).includes(from));
      const inherited = circle.flatMap((edge) => inheritorsOf(knot, edge));
      const isClosed = circle.every(({ from, wait }) =>
        wait.for !== "read" || inherited.some(({ reader }) => reader === from)
      );
      const cures = [
        ...inherited.map(({ reader, pids, descriptors }) =>
          `if ${list(pids.map((pid) => who(processes, pid)))} ${pids[1] ? "are" : "is"} not to ` +
          `write to ${who(processes, reader)}: close the write end there, after fork ` +
          `(${list(descriptors.map(labelOf))})`
        ),
        ...(isClosed ? [] : [CLOSE_STDIN]),
        ...own.map(({ from }) => `and close the write end in ${who(processes, from)} itself`),
      ];
      const sections = [
        ...(inherited.length > 0 ? [SECTIONS.fromPython] : []),
        ...(isClosed ? [] : [SECTIONS.closeStdin]),
      ];
      return { what, cures, sections, waiting };
    }
    const isStderr = circle.some((edge) => labelsOf(knot, edge, edge.wait).includes("stderr"));
    if (some("exit") && !isStderr) {
      const isReading = some("read");
      const both = isReading ? "both outputs at the same time, and " : "";
      const cures = [`read ${both}before you wait for the exit, as communicate() does`];
      const sections = [...(isReading ? [SECTIONS.readBoth] : []), SECTIONS.readWhileWriting];
      return { what, cures, sections, waiting };
    }
    return {
      what,
      cures: ["read both outputs at the same time"],
      sections: [SECTIONS.readBoth],
      waiting,
    };
  },

  function allRead(knot) {
    const { processes } = knot;
    const circle = findCircle(knot);
    const [first, second] = circle;
    if (first === undefined || second === undefined) return;
    const waiting = circle.map(({ from }) => from);
    const isParent = ({ from }: Edge) =>
      circle.some((edge) => processes.get(edge.from)?.parent === from);
    const { from: parent } = circle.find(isParent) ?? first;
    const { from: child } = circle.find(({ to }) => to.includes(parent)) ?? second;
    const { name = "", args = [], written = 0 } = processes.get(child) ?? {};
    const asked = who(processes, child);
    // What lies unread, as in its stderr, is not what was read.
    const held = [...knot.pipes.values()].filter(({ writers }) =>
      writers.some(({ pid }) => pid === child)
    ).reduce((sum, { held = 0 }) => sum + held, 0);
    const isMore = written - held > OWN_BYTE;
    return {
      what: `${list(waiting.map((pid) => who(processes, pid)))} ${waiting[2] ? "all" : "both"} ` +
        `wait to read, and nothing is in their pipes: ${asked} ` +
        (isMore
          ? `has written ${byteCount(written - held)}, and what came here of them was read; ` +
            `${who(processes, parent)} waits for more, which comes only when more is sent, ` +
            `or at end of file, unless it is in the buffer of ${asked}`
          : `has read what was sent, so the answer is in its buffer, or there is none before ` +
            `more is sent, or end of file`) +
        unless(processes, waiting),
      cures: [
        ...(isMore
          ? ["read no more than has come: read(N), readline() and read() wait for all of it"]
          : []),
        `${asked}: ${hintFor([name, ...args])}`,
        "if it shows a prompt, on stdout or stderr: that has no newline, so read up to the prompt",
        "if it answers only at end of file: close its stdin",
        `and see that ${who(processes, parent)} flushes what it sends`,
      ],
      sections: [SECTIONS.buffer, SECTIONS.prompt],
      waiting,
    };
  },

  function lastHolder(knot) {
    const { processes, isPartial, edges } = knot;
    const isWaiting = (pid: number) => edges.some(({ from }) => from === pid);
    const last = (kind: "write" | "read") =>
      edges.find(({ wait, to }) => wait.for === kind && !to.every(isWaiting)) ??
        edges.find(({ wait, to }) => wait.for === kind && to.length === 0);
    const edge = last("write") ?? last("read");
    if (edge === undefined || !("pipe" in edge.wait)) return;
    const { from, wait } = edge;
    const waiter = who(processes, from);
    const waiting = [from];
    const to = edge.to.filter((pid) => !isWaiting(pid));
    if (to.length === 0) {
      const other = wait.for === "read" ? "writes" : "reads";
      const why = isPartial ? "it may be another user's: try sudo" : "it may have just gone";
      const what = `${waiter} waits until somebody ${other}, who cannot be seen; ${why}`;
      const sections = [wait.for === "read" ? SECTIONS.endOfFile : SECTIONS.readWhileWriting];
      return { what, cures: ["look again"], sections, waiting };
    }
    return (wait.for === "write" ? unread : unwritten)(knot, { ...edge, to });
  },
];

/**
 * Why a process hangs, as two looks at it show.
 *
 * @param before A look a moment before: who has moved since does not hang.
 * @returns Undefined if all that wait have moved, or if one of them has just woken, or
 * runs and had no time yet.
 */
export function explain(pid: number, now: Snapshot, before = now): Verdict | undefined {
  const hasMoved = (pid: number) =>
    now.processes.get(pid)?.waited !== before.processes.get(pid)?.waited;
  const others = new Set(edgesFrom(now, pid).flatMap(({ to }) => to));
  for (const one of before === now ? [] : [pid, ...others]) {
    const [last, first] = [now, before].map(({ processes }) => processes.get(one));
    if (!doingElse(last).includes(COMPUTES)) continue;
    // A millisecond is enough to answer, if the machine is too busy to give it more.
    if (!doingElse(first).includes(COMPUTES) || (last?.ran ?? 0) - (first?.ran ?? 0) < 1e6) return;
  }
  const verdict = findVerdict({ ...now, pid, edges: edgesFrom(now, pid) });
  if (verdict.waiting.length > 0) return verdict.waiting.every(hasMoved) ? undefined : verdict;
  // Somebody else may wait for this process alone.
  for (const other of now.processes.keys()) {
    if (others.has(other)) continue;
    const edges = edgesToOnly(now, pid, other);
    if (edges.length === 0 || hasMoved(other)) continue;
    const { what, ...more } = findVerdict({ ...now, pid: other, edges });
    return { ...more, what: `${verdict.what.replace(NOT_A_PIPE, "")}. Meanwhile ${what}` };
  }
  return verdict;
}

/** Why a process hangs that does not wait for its parent; undefined if it does, or if no pipe is in
 * the way. */
export function explainInside(pid: number, now: Snapshot, parent: number): Verdict | undefined {
  if (edgesFrom(now, pid).some(({ to }) => to.includes(parent))) return;
  const verdict = explain(pid, now);
  return verdict?.waiting.length ? verdict : undefined;
}

function findVerdict(knot: Knot): Verdict {
  for (const look of VERDICTS) {
    const verdict = look(knot);
    if (verdict !== undefined) return verdict;
  }
  return notAPipe(knot);
}

/** Nobody reads from a full pipe; `to` are those that do something else. */
function unread(knot: Knot, { from, wait, to }: Edge): Verdict {
  const { processes } = knot;
  const waiter = who(processes, from);
  const names = to.map((pid) => who(processes, pid));
  const s = to.length > 1 ? "" : "s";
  const does = to.length > 1 ? "" : ` and ${doesOf(knot, to[0])}`;
  const others = awaited(knot, wait).filter((pid) => !to.includes(pid));
  const also = others.map((pid) => {
    const all = pid === from ? [] : processes.get(pid)?.threads.flat() ?? [];
    const waits = all.find((one) => awaited(knot, one).some((other) => to.includes(other))) ??
      all[0];
    const meanwhile = waits ? `, and ${describe(processes, waits)}` : "";
    return `; ${who(processes, pid)} holds it too${meanwhile}`;
  });
  const all = [...names, ...others.filter((pid) => pid !== from).map((pid) => who(processes, pid))];
  const end = others.length > 0 ? "" : `, or close the read end: then ${waiter} gets a broken pipe`;
  return {
    what: `${waiter} waits for a reader of its ${labelOf(descriptorOf(wait))}: ` +
      `${list(names)} hold${s} the read end, do${s && "es"} not read${does}${also.join("")}`,
    cures: [`have ${others.length > 0 ? list(all, " or ") : list(names)} read${end}`],
    sections: [SECTIONS.readWhileWriting],
    waiting: [from],
  };
}

/** Nobody writes to an empty pipe; `to` are those that do something else. */
function unwritten(knot: Knot, edge: Edge): Verdict {
  const { processes, pipes } = knot;
  const { from, wait, to } = edge;
  const [holder = 0] = to;
  const waiter = who(processes, from);
  const names = list(to.map((pid) => who(processes, pid)));
  const waiting = [from];
  const working = workersOf(knot, edge);
  if (working.length > 0) {
    return keeps(knot, from, working) ?? works(knot, edge, working);
  }
  const ends = "pipe" in wait ? pipes.get(wait.pipe)?.writers : undefined;
  const end = ends?.find(({ pid }) => pid === holder);
  if (to.length === 1 && ancestorsOf(processes, from).includes(holder)) {
    return {
      what: `${waiter} waits until ${names} writes or closes the write end ` +
        `(${labelOf(end?.descriptor)}), and ${names} ${doesOf(knot, holder)}`,
      cures: [CLOSE_STDIN],
      sections: [SECTIONS.closeStdin],
      waiting,
    };
  }
  const [they, are, s] = to.length > 1 ? ["they", "are", ""] : ["it", "is", "s"];
  const does = to.length > 1 ? "" : ` and ${doesOf(knot, holder)}`;
  return {
    what: `${waiter} gets no end of file from its ${labelOf(descriptorOf(wait))} before ${names} ` +
      `exit${s}: ${they} hold${s} the write end (${labelOf(end?.descriptor)})${does}`,
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
function workersOf({ processes, pipes, edges }: Knot, { from, wait, to }: Edge): number[] {
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

/** Who holds the write end of what a process reads as other children of its parent do that have it
 * from that. */
function inheritorsOf({ processes, pipes }: Knot, { from, wait }: Edge) {
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

/** A program in the middle of a pipeline has read something, and written nothing. */
function keeps(knot: Knot, pid: number, before: number[]): Verdict | undefined {
  const { processes, pipes } = knot;
  const { name = "", args = [], written = NaN } = processes.get(pid) ?? {};
  // Of a child it is known that more is to come.
  const source = before.find((one) => {
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

/** The parent of a process, the parent of that, and so on, as far as they are seen. */
function ancestorsOf(processes: Snapshot["processes"], pid: number): number[] {
  const { parent } = processes.get(pid) ?? {};
  return parent === undefined ? [] : [parent, ...ancestorsOf(processes, parent)];
}

/** Whether a program writes there by itself: it knows of other ends only if it is told. */
function isOutput({ descriptor }: End): boolean {
  return descriptor === 1 || descriptor === 2;
}

/** The child works on what is waited for, or waits for something else than its parent. */
function works(knot: Knot, { from, wait, to }: Edge, working: number[]): Verdict {
  const { processes, pipes } = knot;
  const names = list(working.map((pid) => who(processes, pid)));
  const s = working.length > 1 ? "" : "s";
  const acts = working.map((pid) =>
    `${who(processes, pid)} ${doesOf(knot, pid)}${unreadBy(knot, pid)}`
  );
  const isAsking = working.some((pid) =>
    processes.get(pid)?.threads.flat().some((wait) => wait.for === "else" && wait.isTerminal)
  );
  const ends = "pipe" in wait ? pipes.get(wait.pipe)?.writers ?? [] : [];
  const isPipe = "pipe" in wait && !wait.pipe.startsWith("socket:");
  const isTold = isPipe && ends.some((end) => working.includes(end.pid) && !isOutput(end));
  return {
    what:
      `${who(processes, from)} waits until ${names} write${s}${
        to.length > working.length ? "" : ` or exit${s}`
      }, ` +
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

/** What a process does that nobody's pipe keeps from it. */
function doesOf({ processes }: Snapshot, pid = 0): string {
  return doingElse(processes.get(pid))[0] ?? "goes on";
}

function descriptorOf(wait: Wait): number | undefined {
  return "descriptor" in wait ? wait.descriptor : undefined;
}

/** What waits in the stdin of a process. */
function unreadBy({ pipes }: Snapshot, pid: number): string {
  const isStdin = (end: End) => end.pid === pid && end.descriptor === 0;
  const held = [...pipes.values()].find(({ readers }) => readers.some(isStdin))?.held;
  return held ? `, with ${byteCount(held)} of its stdin unread` : "";
}

/** What is left if no pipe is in the way. */
function notAPipe(knot: Knot): Verdict {
  const { pid, processes, edges } = knot;
  const isWaiting = (pid: number) => edges.some(({ from }) => from === pid);
  const all = edges.flatMap(({ to }) => to);
  const end = all.find((pid) => !isWaiting(pid)) ??
    all.find((pid) => doingElse(processes.get(pid)).length > 0) ?? pid;
  const chain = pathOf(edges, pid, end).map((edge) => say(knot, edge, [edge.wait]));
  const last = who(processes, end);
  const does = list(doingElse(processes.get(end))) || "goes on";
  const { isOrphan = false } = processes.get(pid) ?? {};
  const first = who(processes, pid);
  const left = isOrphan ? [`whoever started ${first} has gone`] : [];
  return {
    what: `${NOT_A_PIPE}${[...chain, `${last} ${does}`, ...left].join("; ")}`,
    cures: [
      `no pipe is in the way: look at what ${last} does`,
      ...(isOrphan ? [`if ${first} is not to live on: kill ${pid}`] : []),
    ],
    sections: [SECTIONS.elsewhere, ...(isOrphan ? [SECTIONS.livesOn] : [])],
    waiting: [],
  };
}

/** Who waits for a process, to be told after it. */
function waiterOf(knot: Knot, pid: number): string {
  const waiter = knot.edges.find(({ to }) => to.includes(pid));
  return waiter ? `, and ${say(knot, waiter, [waiter.wait])}` : "";
}

/** What could end a deadlock: other threads of these processes, which do something else. */
function unless(processes: Snapshot["processes"], pids: number[]): string {
  return pids.flatMap((pid) =>
    doingElse(processes.get(pid)).map((does) =>
      `, unless another thread of ${who(processes, pid)}, which ${does}, goes on`
    )
  ).join("");
}

/** Who waits for whom, and until when. */
function say(snapshot: Snapshot, edge: Edge, waits: Wait[]): string {
  const { processes } = snapshot;
  const s = edge.to.length > 1 ? "" : "s";
  const acts = waits.map((wait) =>
    wait.for === "exit"
      ? `exit${s}`
      : wait.for === "write"
      ? `read${s} its ${list(labelsOf(snapshot, edge, wait))}`
      : `write${s}`
  );
  const others = list(edge.to.map((pid) => who(processes, pid)));
  return `${who(processes, edge.from)} waits until ${others} ${[...new Set(acts)].join(" or ")}`;
}

/** What a pipe is to the child, which writes or reads it: the parent's end has only a number. */
function labelsOf({ pipes }: Snapshot, { from, to }: Edge, wait: Wait): string[] {
  const { readers = [], writers = [] } = "pipe" in wait ? pipes.get(wait.pipe) ?? {} : {};
  const written = writers.filter((end) => end.pid === from && end.descriptor < 3);
  const ends = written.length > 0 ? written : readers.filter(({ pid }) => to.includes(pid));
  return [...new Set(ends.map(({ descriptor }) => labelOf(descriptor)))];
}
