/**
 * Why processes hang on their pipes, told from a snapshot of them: who waits for whom, a picture,
 * and a verdict with its cure.
 *
 * @module
 */
import { hintFor } from "./cures.ts";
import { byteCount } from "./format.ts";
import { awaited, COMPUTES, type End, type Process, type Snapshot, type Wait } from "./proc.ts";

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

/** A process that waits, what for, and the processes of which one can let it go on. */
interface Edge {
  from: number;
  wait: Wait;
  to: number[];
  /** Whether its thread waits for nothing else. */
  isOnly: boolean;
}

/** Everybody whom a process waits for, one after the other. */
interface Knot extends Snapshot {
  pid: number;
  /** Beginning with those of `pid`. */
  edges: Edge[];
}

/** The sections that a verdict leads to, as `page: heading`. */
export const SECTIONS = {
  buffer: "README.md: No answer from the child, or all answers at once when it exits",
  prompt: "lib/README.md: talk to a program that shows a prompt",
  readWhileWriting: "README.md: It hangs when much goes through, though little works",
  readBoth: "README.md: It hangs as soon as the child writes much to stderr",
  closeStdin: "README.md: The child never exits",
  endOfFile: "README.md: The child has exited, and reading its output still does not end",
  elsewhere: "README.md: The child does something else, or is stopped",
  livesOn: "README.md: The script ended and its child lives on",
  namedPipe: "lib/README.md: use a named pipe",
  fromPython: "scripts/README.md: From Python to Deno",
  timeLimit: "lib/README.md: limit the time of a child and its family",
  password: "README.md: ssh, sudo or getpass cannot ask for a password",
  brokenPipe: "README.md: Uncaught (in promise) BrokenPipe: Broken pipe (os error 32)",
  dialogue: "lib/README.md: hold a dialogue",
  bothOutputs: "lib/README.md: read stdout and stderr",
  wholeAnswers: "lib/README.md: get whole answers, of any number of lines",
};

/** What may be wrong, the surest first: each looks at the knot and says what it sees, if anything. */
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
    return {
      what: `${who(processes, idle)} ${STOPPED}${waiterOf(knot, idle)}`,
      cures: [`continue it: kill -CONT ${idle}`],
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
    const busy = others.find((pid) => doingElse(processes.get(pid)).length > 0) ?? from;
    const does = `${who(processes, busy)} ${doingElse(processes.get(busy))[0]}`;
    return {
      what: `${who(processes, from)} gets no end of file from its ${labelOf(wait.descriptor)}: ` +
        `it holds the write end of that pipe itself (${labelOf(own?.descriptor)})${also}`,
      cures: [
        ...(busy === from ? [] : [`if one of these is to write: ${does}`]),
        "close the write end in the process that reads, as soon as whoever writes has it",
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
      const cures = [
        "close the child's stdin when all is sent: that is its end of file",
        ...own.map(({ from }) => `and close the write end in ${who(processes, from)} itself`),
      ];
      return { what, cures, sections: [SECTIONS.closeStdin], waiting };
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
    const isParent = processes.get(first.from)?.parent === second.from;
    const [child, parent] = isParent ? [first.from, second.from] : [second.from, first.from];
    const { name = "", args = [] } = processes.get(child) ?? {};
    const asked = who(processes, child);
    return {
      what: `${list(waiting.map((pid) => who(processes, pid)))} ${waiting[2] ? "all" : "both"} ` +
        `wait to read, and nothing is in their pipes: ${asked} has read what was sent, so the ` +
        `answer is in its buffer, or there is none before more is sent, or end of file` +
        unless(processes, waiting),
      cures: [
        `${asked}: ${hintFor([name, ...args])}`,
        "if it shows a prompt, on stdout or stderr: that has no newline, so read up to the prompt",
        "if it answers only at end of file: close its stdin",
        `and see that ${who(processes, parent)} flushes what it sends`,
      ],
      sections: [SECTIONS.buffer, SECTIONS.prompt],
      waiting,
    };
  },

  function lastHolder({ processes, pipes, isPartial, edges }) {
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
    const [holder = 0] = to;
    const names = list(to.map((pid) => who(processes, pid)));
    const s = to.length > 1 ? "" : "s";
    const does = to.length > 1 ? "" : ` and ${doingElse(processes.get(holder))[0] ?? "goes on"}`;
    if (wait.for === "write") {
      return {
        what: `${waiter} waits for a reader of its ${labelOf(wait.descriptor)}: ` +
          `${names} hold${s} the read end, do${s && "es"} not read${does}`,
        cures: [`have ${names} read, or close the read end: then ${waiter} gets a broken pipe`],
        sections: [SECTIONS.readWhileWriting],
        waiting,
      };
    }
    const end = pipes.get(wait.pipe)?.writers.find(({ pid }) => pid === holder);
    const isLeaked = (end?.descriptor ?? 0) > 2;
    const [they, are] = to.length > 1 ? ["they", "are"] : ["it", "is"];
    return {
      what: `${waiter} gets no end of file from its ${labelOf(wait.descriptor)} before ${names} ` +
        `exit${s}: ${they} hold${s} the write end (${labelOf(end?.descriptor)})${does}`,
      cures: [
        isLeaked
          ? `if ${names} ${are} not to write there, keep the write end away (close_fds, O_CLOEXEC)`
          : `end ${names}; or wait for the exit of the child instead of end of file`,
      ],
      sections: [SECTIONS.endOfFile],
      waiting,
    };
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
    return { ...more, what: `${verdict.what}. Meanwhile ${what}` };
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

/** What is left if no pipe is in the way. */
function notAPipe(knot: Knot): Verdict {
  const { pid, processes, edges } = knot;
  const isWaiting = (pid: number) => edges.some(({ from }) => from === pid);
  const all = edges.flatMap(({ to }) => to);
  const end = all.find((pid) => !isWaiting(pid)) ??
    all.find((pid) => doingElse(processes.get(pid)).length > 0) ?? pid;
  const chain = pathOf(edges, pid, end).map((edge) => say(knot, edge, [edge.wait]));
  const last = who(processes, end);
  const does = doingElse(processes.get(end)).join(" and ") || "goes on";
  const { isOrphan = false } = processes.get(pid) ?? {};
  const first = who(processes, pid);
  const left = isOrphan ? [`whoever started ${first} has gone`] : [];
  return {
    what: `not a pipe: ${[...chain, `${last} ${does}`, ...left].join("; ")}`,
    cures: [
      `no pipe is in the way: look at what ${last} does`,
      ...(isOrphan ? [`if ${first} is not to live on: kill ${pid}`] : []),
    ],
    sections: [SECTIONS.elsewhere, ...(isOrphan ? [SECTIONS.livesOn] : [])],
    waiting: [],
  };
}

/** What a stopped process is said to do. */
export const STOPPED = "is stopped by a signal";

/** What a process is said to do that can be given more. */
export const READS_STDIN = "waits to read stdin";

/** What a process does, and the children that it waits for: `waits to read stdin`. */
export function doing(pid: number, { processes }: Snapshot): string {
  const does: string[] = [];
  const family = new Set([pid]);
  for (const one of family) {
    const { state, threads = [] } = processes.get(one) ?? {};
    const waits = threads.flat();
    for (const wait of waits) if (wait.for === "exit") family.add(wait.pid);
    const all = waits.map((wait) => describe(processes, wait)).join(" or ");
    does.push(state === "stopped" ? STOPPED : all);
  }
  return [...new Set(does)].join(", which ");
}

/** What each process waits for, and the pipes between them, in lines of at most `width` columns. */
export function draw(pid: number, snapshot: Snapshot, width: number): string[] {
  const { processes, pipes } = snapshot;
  const edges = edgesFrom(snapshot, pid);
  for (const other of processes.keys()) edges.push(...edgesToOnly(snapshot, pid, other));
  const drawn = new Set([pid, ...edges.flatMap(({ from, to }) => [from, ...to])]);
  const openers = new Set(opened(snapshot).map(({ pid }) => pid));
  const all = drawn.isDisjointFrom(openers) ? drawn : drawn.union(openers);
  const lines: string[] = [];
  for (const one of all) {
    const { state, threads } = processes.get(one) ?? {};
    if (threads === undefined) continue;
    const waits = new Set(threads.flat().map((wait) => describe(processes, wait)));
    lines.push(`${who(processes, one)}  ${state === "alive" ? [...waits].join(", or ") : state}`);
  }
  const awaitedPipes = new Set(edges.map(({ wait }) => "pipe" in wait ? wait.pipe : ""));
  const side = (ends: End[]) => {
    const names = ends.map((end) => `${who(processes, end.pid)} [${labelOf(end.descriptor)}]`);
    const more = names.length > 2 ? ` and ${names.length - 2} more` : "";
    return names.slice(0, 2).join(", ") + more || "nobody to be seen";
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
function edgesFrom(snapshot: Snapshot, pid: number): Edge[] {
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
function edgesToOnly(snapshot: Snapshot, pid: number, other: number): Edge[] {
  if (other === pid) return [];
  return edgesOf(snapshot, other)
    .filter(({ wait, to }) => "pipe" in wait && to.length === 1 && to[0] === pid);
}

/** The shortest circle of processes that wait for each other, which nobody else can set going. */
function findCircle(knot: Knot): Edge[] {
  const stuck = new Set(knot.processes.keys());
  const isStuck = (wait: Wait) => {
    const others = awaited(knot, wait);
    return others.length > 0 && others.every((other) => stuck.has(other));
  };
  // Whoever can go on by itself is not stuck, nor is whoever waits for that one.
  for (let size = -1; size !== stuck.size;) {
    size = stuck.size;
    for (const pid of stuck) {
      const threads = knot.processes.get(pid)?.threads ?? [];
      if (!threads.some((waits) => waits.every(isStuck))) stuck.delete(pid);
    }
  }
  // Whoever holds both ends of a pipe waits for the others that could write there.
  const edges = knot.edges.filter(({ from, wait }) => stuck.has(from) && isStuck(wait))
    .map((edge) => {
      const others = edge.to.filter((pid) => pid !== edge.from);
      return others.length > 0 ? { ...edge, to: others } : edge;
    });
  const starts = [...new Set(edges.map(({ from }) => from))];
  return starts.map((start) => pathOf(edges, start, start)).filter(({ length }) => length > 0)
    .sort((a, b) => a.length - b.length)[0] ?? [];
}

/** The shortest way from one process to another that it waits for, or back to itself. */
function pathOf(edges: Edge[], start: number, end: number): Edge[] {
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
function waysOf(knot: Knot, { from, to }: Edge): Wait[] {
  return knot.edges.filter((edge) => edge.from === from && edge.to.some((pid) => to.includes(pid)))
    .map(({ wait }) => wait);
}

/** Who waits in open, and for whom. */
function opened({ processes }: Snapshot) {
  return [...processes].flatMap(([pid, { threads }]) =>
    threads.flat().flatMap((wait) => "path" in wait ? [{ pid, wait }] : [])
  );
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

function who(processes: Snapshot["processes"], pid: number): string {
  return `${processes.get(pid)?.name ?? "process"} ${pid}`;
}

function labelOf(descriptor: number | undefined): string {
  return ["stdin", "stdout", "stderr"][descriptor ?? -1] ?? `descriptor ${descriptor}`;
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

/** What a thread waits for, without its name. */
function describe(processes: Snapshot["processes"], wait: Wait): string {
  switch (wait.for) {
    case "read":
      return `waits to read ${labelOf(wait.descriptor)}`;
    case "write":
      return `waits to write to ${labelOf(wait.descriptor)}`;
    case "exit":
      return `waits for the exit of ${who(processes, wait.pid)}`;
    case "writer":
    case "reader":
      return `waits in open for a ${wait.for} of ${wait.path}`;
    case "else":
      return wait.does;
  }
}

/** What threads of a process do that has nothing to do with pipes. */
function doingElse(process: Process | undefined): string[] {
  const waits = process?.threads.flat() ?? [];
  return [...new Set(waits.flatMap((wait) => wait.for === "else" ? [wait.does] : []))];
}

function list(names: string[], and = " and "): string {
  return names.slice(0, -1).join(", ") + (names.length > 1 ? and : "") + (names.at(-1) ?? "");
}
