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
  type Process,
  type Snapshot,
  type Stop,
  type View,
  type Wait,
} from "./snapshot.ts";
import { callOf, waitOn, waitsOf } from "./waits.ts";

/** What a process waits for that waits for no other, if its call tells. */
const IDLE: Record<string, string> = {
  signal: "waits for a signal",
  futex: "waits for a lock or for a thread of its own",
};

/**
 * Looks at a process, at whoever it waits for, and so on; and at its neighbours, which hold an end
 * of one of its pipes.
 *
 * @param observer A process that only looks on: it is not told among those that hold an end.
 * @throws {Failure} If there is no such process, if it may not be looked at, if there is no /proc,
 * or without `-A`, since Deno guards `/proc`.
 */
export function takeSnapshot(pid: number, observer?: number): Snapshot {
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
  // Grows while it is walked.
  const queue = new Set([pid]);
  for (const next of queue) {
    const process = readProcess(view, next);
    if (process === undefined) continue;
    view.processes.set(next, process);
    for (const wait of process.threads.flat()) {
      for (const other of awaited(view, wait)) queue.add(other);
    }
  }
  for (const process of [...view.processes.values()]) addOpening(view, process);
  for (const descriptor of view.links.get(pid)?.keys() ?? []) {
    for (const direction of ["read", "write"] as const) {
      const wait = waitOn(view, pid, descriptor, direction);
      for (const neighbour of wait === undefined ? [] : awaited(view, wait)) {
        const process = view.processes.get(neighbour) ?? readProcess(view, neighbour);
        if (process !== undefined) view.processes.set(neighbour, process);
      }
    }
  }
  return view;
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
    const { name } = callOf(`${folder}/task/${pid}`);
    const doing = IDLE[name] ?? "waits for a timer, a signal or a thread of its own";
    process.threads.push([{ for: "else", doing }]);
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
    const process = isOpening ? readProcess(view, pid) : undefined;
    const isNear = process?.threads.flat().flatMap(folderOf).some((folder) => folders.has(folder));
    if (process !== undefined && isNear) view.processes.set(pid, process);
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
  const isTerminal = wait?.for === "else" && wait.isTerminal;
  if (isTerminal && foreground !== group) {
    if (name === "read") return { act: "reads" };
    if (name === "ioctl") return { act: "sets" };
  }
  const isShared = [...view.links.keys()].some((one) => one !== pid && statOf(one)[2] === group);
  return isShared ? { group: Number(group) } : {};
}
