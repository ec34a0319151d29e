/**
 * What Linux tells of processes that wait for each other: a look at all of them at one moment,
 * which changes nothing and signals nobody.
 *
 * @module
 */
import { Failure } from "../script/failure.ts";
import { field, linksOf, mayLook, nameOf, readFolder, readText, statOf } from "./proc.ts";
import {
  awaited,
  COMPUTES,
  isInherited,
  type Process,
  type Snapshot,
  type Stop,
  type View,
  type Wait,
  waitsForOthers,
} from "./snapshot.ts";
import { whileMeasuring } from "./pipes.ts";
import { isLocked, lockWaiters, waitForMemory } from "./locks.ts";
import { callOf, waitOn, waitsOf } from "./waits.ts";

/** What a process waits for that waits for no other, if its call tells. */
const IDLE: Record<string, string> = {
  signal: "waits for a signal",
  futex: "waits for a lock or for a thread of its own",
};

/**
 * Looks at a process, at whoever it waits for or waits for it, and so on; and at their neighbours,
 * which hold an end of one of their pipes.
 *
 * @param observer A process that only looks on: it is not told among those that hold an end.
 * @param limit A process whose own waits do not matter: as that of whoever tries a program.
 * @throws {Failure} If there is no such process, if it may not be looked at, if there is no /proc,
 * or without `-A`, since Deno guards `/proc`.
 */
export function takeSnapshot(pid: number, observer?: number, limit?: number): Snapshot {
  if (!mayLook()) throw new Failure("Deno guards /proc: run again with -A, which is --allow-all");
  const view: View = {
    observer,
    processes: new Map(),
    pipes: new Map(),
    isPartial: false,
    links: new Map([[pid, linksOf(pid)]]),
    holders: new Map(),
    networks: new Map(),
  };
  readHolders(view);
  return whileMeasuring(() => followAll(view, pid, limit));
}

function followAll(view: View, pid: number, limit: number | undefined): Snapshot {
  const waitsOfOne = (pid: number) => {
    const process = pid === limit ? undefined : read(view, pid);
    return process ? waitsForOthers(process) : [];
  };
  const isWaiting = (pid: number, other: number) =>
    waitsOfOne(pid).some((wait) =>
      awaited(view, wait).includes(other) && !isInherited(view, wait, other)
    );
  // Both grow while they are walked.
  const queue = new Set([pid]);
  // Of one that has exited, its parent is to ask for the status.
  const { state, parent = 0 } = read(view, pid) ?? {};
  if (state === "exited" && view.links.has(parent)) queue.add(parent);
  for (const next of queue) {
    for (const other of waitsOfOne(next).flatMap((wait) => awaited(view, wait))) queue.add(other);
  }
  for (const process of [...view.processes.values()]) addOpening(view, process);
  for (const next of queue) {
    for (const other of neighboursOf(view, next)) {
      if (isWaiting(other, next) && !isJob(other, next)) queue.add(other);
    }
  }
  // Those that one of them alone need not wait for are named, too: no more than anybody reads.
  for (const next of queue) {
    for (const wait of waitsOfOne(next).filter((wait) => wait.for !== "exit")) {
      for (const one of awaited(view, wait).slice(0, 8)) read(view, one);
    }
  }
  return view;
}

/** Whether a process is the job of a shell in which a person types: that waits for all of them. */
function isJob(shell: number, pid: number): boolean {
  const [, , group, session, terminal] = statOf(shell);
  const [, parent, ownGroup, ownSession] = statOf(pid);
  return session === `${shell}` && terminal !== "0" && parent === `${shell}` &&
    ownSession === session && ownGroup !== group;
}

/** A process, which is read once. */
function read(view: View, pid: number): Process | undefined {
  const known = view.processes.get(pid);
  if (known !== undefined) return known;
  const process = readProcess(view, pid);
  if (process === undefined) return;
  view.processes.set(pid, process);
  process.threads = process.threads.map((waits) => waits.map((wait) => byPerson(view, wait)));
  return process;
}

/** What is typed by a program that shows a terminal to a person comes from that person. */
function byPerson(view: View, wait: Wait): Wait {
  const { terminal = "" } = "pipe" in wait ? view.pipes.get(wait.pipe) ?? {} : {};
  if (wait.for !== "read" || !wait.pipe.endsWith(" typed")) return wait;
  const keyboards = awaited(view, wait);
  const isShown = (wait: Wait) => "pipe" in wait && wait.pipe === `${terminal} shown`;
  const isPerson = keyboards.some((pid) =>
    read(view, pid)?.threads.some((waits) =>
      waits.some(isShown) && waits.some((wait) => wait.for === "else")
    )
  );
  if (!isPerson) return wait;
  const doing = `waits for the terminal ${terminal} (other end: ${
    keyboards.map(nameOf).join(", ")
  })`;
  return { for: "else", doing, terminal };
}

/** Who may wait for a process: its parent, and whoever holds the other end of one of its pipes. */
function neighboursOf(view: View, pid: number): Set<number> {
  const neighbours = new Set(lockWaiters(view, pid));
  const parent = Number(statOf(pid)[1]);
  if (view.links.has(parent)) neighbours.add(parent);
  for (const descriptor of view.links.get(pid)?.keys() ?? []) {
    for (const direction of ["read", "write"] as const) {
      const wait = waitOn(view, pid, descriptor, direction);
      const { held } = wait && "pipe" in wait ? view.pipes.get(wait.pipe) ?? {} : {};
      // Nobody waits for room in an empty pipe.
      if (direction === "read" && held === 0) continue;
      for (const other of wait ? awaited(view, wait) : []) neighbours.add(other);
    }
  }
  return neighbours;
}

function readHolders(view: View): void {
  for (const { name } of Deno.readDirSync("/proc")) {
    const pid = Number(name);
    if (!(pid > 0) || pid === view.observer) continue;
    try {
      const links = view.links.get(pid) ?? linksOf(pid);
      view.links.set(pid, links);
      for (const [descriptor, link] of links) {
        const ends = view.holders.get(link) ?? [];
        view.holders.set(link, ends);
        ends.push({ pid, descriptor });
      }
    } catch {
      // It has gone, or is another user's.
      view.isPartial ||= readText(`/proc/${name}/stat`) !== "";
    }
  }
}

function readProcess(view: View, pid: number): Process | undefined {
  const folder = `/proc/${pid}`;
  const status = readText(`${folder}/status`);
  if (status === "") return undefined;
  const [program = "", ...args] = readText(`${folder}/cmdline`).replace(/\0$/, "").split("\0");
  const name = /^[^ ]*?([^/ ]+)$/.exec(program)?.[1] ?? field(status, "Name");
  const state = field(status, "State");
  const process: Process = {
    name: name.replace(/^-/, ""),
    args,
    state: state.startsWith("Z") ? "exited" : state.startsWith("T") ? "stopped" : "alive",
    parent: Number(field(status, "PPid")),
    isOrphan: isOrphan(view, pid),
    threads: [],
    waited: 0,
    ran: 0,
    written: parseInt(field(readText(`${folder}/io`), "wchar")),
  };
  if (process.state === "stopped") return { ...process, stop: stopOf(view, pid) };
  if (process.state === "exited") return process;
  const PF_KTHREAD = 0x200000;
  const isKernel = Number(statOf(pid)[6]) & PF_KTHREAD;
  if (isKernel || pid === view.observer) {
    const doing = isKernel ? "is a part of the kernel" : "only looks on";
    return { ...process, threads: [[{ for: "else", doing }]] };
  }
  if (state.startsWith("t")) {
    const tracer = field(status, "TracerPid");
    const doing = `is held by ${nameOf(Number(tracer))}, which debugs it`;
    return { ...process, threads: [[{ for: "else", doing }]] };
  }
  for (const { name: thread } of readFolder(`${folder}/task`)) {
    const waits = waitsOf(view, pid, thread);
    if (waits.length === 0) continue;
    process.threads.push(waits);
    const isBusy = waits.some((wait) => wait.for === "else" && wait.doing === COMPUTES);
    if (isBusy) process.ran += parseInt(readText(`${folder}/task/${thread}/schedstat`));
    if (waits.every((wait) => wait.for === "else")) continue;
    const status = readText(`${folder}/task/${thread}/status`);
    process.waited += Number(field(status, "voluntary_ctxt_switches"));
  }
  if (process.threads.length === 0) {
    const call = callOf(`${folder}/task/${pid}`);
    const lock = isLocked(pid, callOf) ? waitForMemory(view, pid, call) : undefined;
    const doing = IDLE[call.name] ?? "waits for a timer, a signal or a thread of its own";
    process.threads.push([lock ?? { for: "else", doing }]);
  }
  return process;
}

/** Who else waits in open, at a FIFO in the same folder: this process may wait for that one. */
function addOpening(view: View, { threads }: Process): void {
  const folderOf = (wait: Wait) => "path" in wait ? [wait.path.replace(/[^/]*$/, "")] : [];
  const folders = new Set(threads.flat().flatMap(folderOf));
  if (folders.size === 0) return;
  for (const pid of view.links.keys()) {
    if (view.processes.has(pid) || pid === view.observer) continue;
    const task = `/proc/${pid}/task`;
    const isOpening = readFolder(task).some(({ name }) =>
      /^open/.test(callOf(`${task}/${name}`).name)
    );
    const process = isOpening ? read(view, pid) : undefined;
    const isNear = process?.threads.flat().flatMap(folderOf).some((folder) => folders.has(folder));
    if (!isNear) view.processes.delete(pid);
  }
}

/** Whether a process has another parent than at its start. That one was of the same session; if the
 * process has begun one of its own, a pipe that nobody else holds tells. */
function isOrphan(view: View, pid: number): boolean {
  const [, parent = "0", , session] = statOf(pid);
  if (session !== `${pid}`) return parent !== "0" && statOf(Number(parent))[3] !== session;
  return parent === "1" && [0, 1, 2].some((descriptor) => {
    const link = view.links.get(pid)?.get(descriptor) ?? "";
    const others = view.holders.get(link)?.filter((end) => end.pid !== pid);
    return link.startsWith("pipe:") && others?.length === 0;
  });
}

function stopOf(view: View, pid: number): Stop {
  const [, , group = "", , terminal, foreground] = statOf(pid);
  if (terminal === "0") return {};
  const { name, args } = callOf(`/proc/${pid}/task/${pid}`);
  const wait = args && waitOn(view, pid, Number(args[0]), "read");
  const isTerminal = wait?.for === "else" && wait.terminal ||
    wait?.for === "read" && view.pipes.get(wait.pipe)?.terminal;
  if (isTerminal && foreground !== group) {
    if (name === "read") return { act: "reads" };
    if (name === "ioctl") return { act: "sets" };
  }
  const isShared = [...view.links.keys()].some((one) => one !== pid && statOf(one)[2] === group);
  return isShared ? { group: Number(group) } : {};
}
