/**
 * What Linux tells of processes and the pipes between them: who holds which end, what is in a pipe,
 * what each thread waits for. It is read from `/proc` and changes nothing there: no FIFO is opened,
 * nothing is signalled, and an anonymous pipe whose bytes are counted is open for that moment only.
 *
 * @module
 */
import { Failure } from "../script/failure.ts";
import { syscallOf, type SystemCall } from "./syscalls.ts";

/** An end of a pipe, as one process holds it. */
export interface End {
  /** The process. */
  pid: number;
  /** The number of the descriptor: 0 is stdin, 1 stdout, 2 stderr. */
  descriptor: number;
}

/** A pipe, a FIFO, or one direction of a pair of sockets, which Node.js uses in place of a pipe. */
export interface Pipe {
  /** Who can read from it. */
  readers: End[];
  /** Who can write to it. */
  writers: End[];
  /** How many bytes are in it; undefined if that cannot be seen. */
  held?: number | undefined;
  /** How many bytes it has room for; undefined if that cannot be seen. */
  capacity?: number | undefined;
}

/** What a thread waits for. */
export type Wait =
  /** Bytes in a pipe, or room in it. */
  | { for: "read" | "write"; pipe: string; descriptor: number }
  /** The exit of a child. */
  | { for: "exit"; pid: number }
  /** Somebody who opens the other end of a FIFO: its writer, or its reader. */
  | { for: "writer" | "reader"; path: string }
  /** Anything else, or nothing at all: `sleeps`; or whoever types at a terminal. */
  | { for: "else"; does: string; isTerminal?: boolean };

/** What a thread is said to do that waits for nothing. */
export const COMPUTES = "computes";

/** What is seen of a process that is stopped. */
export interface Stop {
  /** Its group, if a terminal stops that as a whole and more are in it. */
  group?: number;
  /** What it does to its terminal while another group has that. */
  act?: "reads" | "sets";
}

/** What a process does that waits for no other, if its call tells. */
const IDLE: Record<string, string> = {
  signal: "waits for a signal",
  futex: "waits for a lock or for a thread of its own",
};

/** A process at one moment. */
export interface Process {
  /** The program's name. */
  name: string;
  /** The words after it. */
  args: string[];
  /** Whether a signal stopped it, or it has exited and its parent has not asked for its status. */
  state: "alive" | "stopped" | "exited";
  /** If it is stopped: what had it so. */
  stop?: Stop;
  /** The process that started it, or has taken it over. */
  parent: number;
  /** Whether the process that started it has gone, as far as that can be seen. */
  isOrphan: boolean;
  /** What each thread waits for: each of these alone lets the thread go on. Threads that only wait
   * for another thread of the process, for a timer or a signal, are left out if there are others.
   */
  threads: Wait[][];
  /** How often those that wait for others have begun to wait: a number that grows if they move. */
  waited: number;
  /** Nanoseconds that those that compute have had of a processor; NaN if that cannot be seen. */
  ran: number;
  /** How many bytes it has written, wherever that was to; NaN if that cannot be seen. */
  written: number;
}

/** A process, whoever it waits for, and the pipes between them. */
export interface Snapshot {
  /** By process id. Those that only hold an end of a pipe of the first are here too. */
  processes: Map<number, Process>;
  /** By the name that `/proc` gives them: `pipe:[123]`, `socket:[123]`, or a path. */
  pipes: Map<string, Pipe>;
  /** Whether there are processes whose descriptors may not be seen: they may hold ends, too. */
  isPartial: boolean;
}

/** A snapshot that is being taken. */
interface View extends Snapshot {
  /** Who takes it, and is not to be told among those that hold an end. */
  observer: number | undefined;
  /** What each descriptor of each process refers to. */
  links: Map<number, Map<number, string>>;
  /** Who holds what a link refers to. */
  holders: Map<string, End[]>;
  /** The other end of each socket of a pair, and how many bytes wait at this one. */
  sockets?: Map<string, { peer: string; held: number }>;
  /** What each process waits for at each of its sockets that is none of a pair. */
  networks: Map<number, Map<string, string>>;
}

/** Whether Deno allows to look at processes: it guards `/proc`, and asks for all permissions. */
export function mayLook(): boolean {
  const names = ["read", "write", "net", "env", "sys", "run", "ffi"] as const;
  return names.every((name) => Deno.permissions.querySync({ name }).state === "granted");
}

/**
 * Looks at a process, at whoever it waits for, and so on; and at its neighbours, which hold an end
 * of one of its pipes.
 *
 * @param observer A process that only looks on: it is not told among those that hold an end.
 * @throws {Failure} If there is no such process, if it may not be looked at, if there is no /proc,
 * or without `-A`, since Deno guards `/proc`.
 */
export function look(pid: number, observer?: number): Snapshot {
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

/** The processes of which one can let a thread go on that waits for this. */
export function awaited({ pipes }: Pick<Snapshot, "pipes">, wait: Wait): number[] {
  if (wait.for === "exit") return [wait.pid];
  if (wait.for !== "read" && wait.for !== "write") return [];
  const pipe = pipes.get(wait.pipe);
  const ends = (wait.for === "read" ? pipe?.writers : pipe?.readers) ?? [];
  return [...new Set(ends.map(({ pid }) => pid))];
}

/**
 * A number that grows while a process or one that it has started does anything: runs, reads, writes
 * or begins to wait. 0 where that cannot be seen.
 */
export function activityOf(pid: number): number {
  let sum = 0;
  const family = mayLook() ? [pid] : [];
  for (const one of family) {
    family.push(...childrenOf(one));
    // Among them the state, and the time on a processor.
    const fields = statOf(one);
    if (fields[0] === "R") sum += performance.now();
    sum += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    sum += Number(field(readText(`/proc/${one}/status`), "voluntary_ctxt_switches"));
    for (const [count] of readText(`/proc/${one}/io`).matchAll(/\d+/g)) sum += Number(count);
  }
  return sum;
}

/** Ends all processes with this in their environment, `NAME=value`, where that can be seen. */
export function endAllWith(variable: string): void {
  for (const { name } of mayLook() ? readFolder("/proc") : []) {
    const environment = readText(`/proc/${name}/environ`).split("\0");
    if (environment.includes(variable)) attempt(() => Deno.kill(Number(name), "SIGKILL"));
  }
}

function linksOf(pid: number): Map<number, string> {
  const folder = `/proc/${pid}/fd`;
  const links = new Map<number, string>();
  try {
    for (const { name } of Deno.readDirSync(folder)) {
      try {
        links.set(Number(name), Deno.readLinkSync(`${folder}/${name}`));
      } catch (error) {
        // Closed since.
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  } catch {
    const isThere = readText(`/proc/${pid}/stat`) !== "";
    if (isThere) {
      throw new Failure(`may not look at process ${pid}: is it another user's? Try sudo`);
    }
    if (readText("/proc/self/stat") === "") {
      throw new Failure("there is no /proc here to look at a process with: Linux has it");
    }
    throw new Failure(`there is no process ${pid}: it has exited, or never was`);
  }
  return links;
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
    const does = isKernel ? "is a part of the kernel" : "only looks on";
    return { ...process, threads: [[{ for: "else", does }]] };
  }
  if (state.startsWith("t")) {
    const tracer = field(status, "TracerPid");
    const does = `is held by ${nameOf(Number(tracer))}, which debugs it`;
    return { ...process, threads: [[{ for: "else", does }]] };
  }
  for (const { name: thread } of readFolder(`${folder}/task`)) {
    const waits = waitsOf(view, pid, thread);
    if (waits.length === 0) continue;
    process.threads.push(waits);
    const isBusy = waits.some((wait) => wait.for === "else" && wait.does === COMPUTES);
    if (isBusy) process.ran += parseInt(readText(`${folder}/task/${thread}/schedstat`));
    if (waits.every((wait) => wait.for === "else")) continue;
    const status = readText(`${folder}/task/${thread}/status`);
    process.waited += Number(field(status, "voluntary_ctxt_switches"));
  }
  if (process.threads.length === 0) {
    const { name } = callOf(`${folder}/task/${pid}`);
    const does = IDLE[name] ?? "waits for a timer, a signal or a thread of its own";
    process.threads.push([{ for: "else", does }]);
  }
  return process;
}

/** Who else waits in open, at a FIFO in the same folder: this process may wait for that one. */
function addOpening(view: View, { threads }: Process): void {
  const pathOf = (wait: Wait) => "path" in wait ? [wait.path.replace(/[^/]*$/, "")] : [];
  const folders = new Set(threads.flat().flatMap(pathOf));
  if (folders.size === 0) return;
  for (const pid of view.links.keys()) {
    if (view.processes.has(pid) || pid === view.observer) continue;
    const task = `/proc/${pid}/task`;
    const isOpening = readFolder(task).some(({ name }) =>
      /^open/.test(callOf(`${task}/${name}`).name)
    );
    const process = isOpening ? readProcess(view, pid) : undefined;
    const isNear = process?.threads.flat().flatMap(pathOf).some((folder) => folders.has(folder));
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

function callOf(task: string): SystemCall {
  return syscallOf(readText(`${task}/syscall`), readText(`${task}/wchan`));
}

/** What a thread waits for; nothing if that is a timer, a signal or a thread of its process. */
function waitsOf(view: View, pid: number, thread: string): Wait[] {
  const task = `/proc/${pid}/task/${thread}`;
  const { name, args, isSocket } = callOf(task);
  const number = (index: number) => Number(BigInt.asIntN(32, args?.[index] ?? 0n));
  const on = (index: number, direction: "read" | "write") =>
    waitOn(view, pid, number(index), direction);
  const does = (text: string): Wait[] => [{ for: "else", does: text }];
  const exit = (child: number): Wait => ({ for: "exit", pid: child });
  const children = () => childrenOf(pid).map(exit);
  const either = (from: number, to: number): Wait[] => {
    const reading = on(from, "read");
    const isEmpty = reading?.for === "read" && !view.pipes.get(reading.pipe)?.held;
    return [isEmpty ? reading : on(to, "write")].filter((wait) => wait !== undefined);
  };
  /** Watches descriptors; a child's exit interrupts it, if the process wants to know of that. */
  const watch = (all: Wait[]) => {
    const others = all.filter((wait) => !isOwn(view, wait, pid));
    const waits = others.length > 0 ? others : all;
    const isTold = BigInt(`0x0${field(readText(`${task}/status`), "SigCgt")}`) >> 16n & 1n;
    const isAlone = waits.every((wait) => wait.for !== "else");
    return isTold && isAlone ? [...waits, ...children()] : waits;
  };
  switch (name) {
    case "running":
      return does(COMPUTES);
    case "read":
    case "write": {
      const waits = args
        ? [on(0, name)].filter((wait) => wait !== undefined)
        : possibleWaits(view, pid, name, isSocket);
      // A pair of sockets between threads of one process, as Deno has it.
      const isHelper = thread !== String(pid);
      const isPair = (wait: Wait) => "pipe" in wait && wait.pipe.startsWith("socket:");
      const others = waits.filter((wait) => !(isHelper && isPair(wait) && isOwn(view, wait, pid)));
      if (waits.length > 0 && others.length < 2) return others;
      if (args === undefined) return does(`waits to ${name}; sudo would tell what`);
      const link = view.links.get(pid)?.get(number(0));
      if (link !== undefined) return does(`waits in ${name} for ${link}`);
      // Opened since the look began: then the thread moves.
      const isOpen = () => attempt(() => Deno.lstatSync(`/proc/${pid}/fd/${number(0)}`));
      const hasMoved = isOpen() || callOf(task).args?.join() !== args.join() || isOpen();
      return does(hasMoved ? COMPUTES : `waits in ${name} for a closed descriptor`);
    }
    case "splice":
      return either(0, 2);
    case "sendfile":
      return either(1, 0);
    case "poll":
      if (args === undefined) return does("watches descriptors, which cannot be seen");
      if (args[1] === 0n) return does("sleeps");
      return watch(polled(view, pid, args[0] ?? 0n, number(1)));
    case "select":
      if (args === undefined) return does("watches descriptors, which cannot be seen");
      if (number(0) === 0) return does("sleeps");
      return watch(selected(view, pid, number(0), args));
    case "epoll":
      return watch(epolled(view, pid, args && number(0)));
    case "wait4": {
      const waits = args && number(0) > 0 ? [exit(number(0))] : children();
      return waits.length > 0 ? waits : does("waits for a child");
    }
    case "waitid": {
      // Its first argument tells what the second is: 1 a process, 3 a descriptor of one.
      if (number(0) === 1) return [exit(number(1))];
      const wait = number(0) === 3 ? on(1, "read") : undefined;
      return wait ? [wait] : children();
    }
    case "open":
    case "openat": {
      if (args === undefined) return does("waits in open for the other end of a FIFO");
      const at = name === "open" ? 0 : 1;
      const path = textAt(pid, args[at] ?? 0n);
      const base = name === "open" || number(0) < 0 ? "cwd" : `fd/${number(0)}`;
      const folder = attempt(() => Deno.readLinkSync(`/proc/${pid}/${base}`)) ?? "";
      const full = path.startsWith("/") ? path : `${folder}/${path}`;
      if (!isFifo(full)) return does(`opens ${full}`);
      const real = attempt(() => Deno.realPathSync(full)) ?? full;
      return [{ for: (number(at + 1) & 3) === 0 ? "writer" : "reader", path: real }];
    }
    case "sleep":
      return does("sleeps");
    case "signal":
      return watch([]);
    case "futex":
      return [];
    case "connect":
      return does("waits for a connection to be made");
    case "io_uring":
      return does("waits for an io_uring, which does not tell what for");
    case "restarted":
      return does("waits on after a stop, for what cannot be seen");
    case "file lock":
      return does("waits for a file lock");
    default:
      return does(`waits in ${name || "a place that cannot be seen"}`);
  }
}

/** The wait for a descriptor; undefined if it leads to no other process, such as an eventfd. */
function waitOn(
  view: View,
  pid: number,
  descriptor: number,
  direction: "read" | "write",
): Wait | undefined {
  const link = view.links.get(pid)?.get(descriptor) ?? "";
  if (link === "anon_inode:[pidfd]") {
    const info = readText(`/proc/${pid}/fdinfo/${descriptor}`);
    const child = Number(field(info, "Pid"));
    return child > 0 ? { for: "exit", pid: child } : undefined;
  }
  if (link.startsWith("socket:")) return waitOnSocket(view, pid, link, descriptor, direction);
  if (link.startsWith("pipe:") || link.startsWith("/") && isFifo(`/proc/${pid}/fd/${descriptor}`)) {
    const pipe = view.pipes.get(link) ?? readPipe(view.holders.get(link) ?? [], link);
    view.pipes.set(link, pipe);
    const ends = direction === "read" ? pipe.readers : pipe.writers;
    const isOpen = ends.some((end) => end.pid === pid && end.descriptor === descriptor);
    return isOpen ? { for: direction, pipe: link, descriptor } : undefined;
  }
  if (link === "anon_inode:inotify") return { for: "else", does: "waits for a file to change" };
  if (!link.startsWith("/dev/") || link === "/dev/null") return undefined;
  if (!/tty|pts|ptmx/.test(link)) return { for: "else", does: `waits for ${link}` };
  const does = `waits for ${terminal(view, pid, descriptor)}`;
  // Whoever runs a program at a terminal holds the other end.
  return { for: "else", does, isTerminal: !link.endsWith("/ptmx") };
}

/** A terminal, and who holds its other end: `script` and its like, or what runs there. */
function terminal(view: View, pid: number, descriptor: number): string {
  const pathOf = ({ pid, descriptor }: End) => {
    const index = field(readText(`/proc/${pid}/fdinfo/${descriptor}`), "tty-index");
    return index === "" ? view.links.get(pid)?.get(descriptor) ?? "" : `/dev/pts/${index}`;
  };
  const path = pathOf({ pid, descriptor });
  const masters = [...view.holders].flatMap(([link, ends]) => link.endsWith("/ptmx") ? ends : []);
  const isMaster = masters.some((end) => end.pid === pid && end.descriptor === descriptor);
  const others = isMaster
    ? view.holders.get(path) ?? []
    : masters.filter((end) => pathOf(end) === path);
  const names = [...new Set(others.map((end) => end.pid))].filter((other) => other !== pid)
    .map(nameOf);
  return `the terminal ${path}${names.length > 0 ? ` (other end: ${names.join(", ")})` : ""}`;
}

function nameOf(pid: number): string {
  return `${readText(`/proc/${pid}/comm`).trim()} ${pid}`;
}

function waitOnSocket(
  view: View,
  pid: number,
  link: string,
  descriptor: number,
  direction: "read" | "write",
): Wait {
  view.sockets ??= readSockets();
  const socket = view.sockets.get(link);
  if (socket === undefined) return { for: "else", does: describeSocket(view, pid, link) };
  const [from, to] = direction === "read" ? [socket.peer, link] : [link, socket.peer];
  view.pipes.set(to, {
    readers: view.holders.get(to) ?? [],
    writers: view.holders.get(from) ?? [],
    held: view.sockets.get(to)?.held,
  });
  return { for: direction, pipe: to, descriptor };
}

/** What a read or a write can be waiting for, if its arguments may not be seen. */
function possibleWaits(view: View, pid: number, name: "read" | "write", isSocket = false): Wait[] {
  const waits = [...view.links.get(pid) ?? []]
    .filter(([, link]) => link.startsWith("socket:") === isSocket)
    .flatMap(([descriptor]) => watched(view, pid, descriptor, name === "read" ? IN : OUT | EDGE))
    .filter((wait) => wait.for === name);
  if (name === "read") return waits;
  // The fill of some pipes cannot be seen: one that is known to be full goes before them.
  const full = waits.filter((wait) => "pipe" in wait && view.pipes.get(wait.pipe)?.held);
  return full.length > 0 ? full : waits;
}

/** Whether only the process itself holds the other end: so it wakes its own event loop. */
function isOwn(view: View, wait: Wait, pid: number): boolean {
  return "pipe" in wait && awaited(view, wait).every((other) => other === pid);
}

/** The bits of poll(2) and epoll(7): in, out, and "tell me of changes only". */
const [IN, OUT, EDGE] = [1, 4, 0x80000000];

/** What a watched descriptor is waited for. */
function watched(view: View, pid: number, descriptor: number, events: number): Wait[] {
  const waits: Wait[] = [];
  for (const [bit, direction] of [[IN, "read"], [OUT, "write"]] as const) {
    const wait = events & bit ? waitOn(view, pid, descriptor, direction) : undefined;
    if (wait === undefined) continue;
    const pipe = "pipe" in wait ? view.pipes.get(wait.pipe) : undefined;
    // What is there already is not waited for. Who watches the edges has been told and reads
    // nothing.
    if (wait.for === "read" && pipe?.held) continue;
    const room = (pipe?.capacity ?? 0) - (pipe?.held ?? 0);
    if (wait.for === "write" && events & EDGE && room >= 4096) continue;
    waits.push(wait);
  }
  return waits;
}

function polled(view: View, pid: number, address: bigint, count: number): Wait[] {
  const entries = memoryAt(pid, address, count * 8);
  return Array.from({ length: count }, (_, index) => index * 8).flatMap((at) =>
    watched(view, pid, entries.getInt32(at, true), entries.getInt16(at + 4, true))
  );
}

function selected(view: View, pid: number, count: number, args: bigint[]): Wait[] {
  return [IN, OUT].flatMap((event, index) => {
    const address = args[index + 1] ?? 0n;
    if (address === 0n) return [];
    const bits = memoryAt(pid, address, Math.ceil(count / 64) * 8);
    return Array.from({ length: count }, (_, descriptor) => descriptor)
      .filter((descriptor) => bits.getUint8(descriptor >> 3) >> (descriptor & 7) & 1)
      .flatMap((descriptor) => watched(view, pid, descriptor, event));
  });
}

/** Of one epoll descriptor, or of all that the process has. */
function epolled(view: View, pid: number, descriptor?: number): Wait[] {
  const all = [...view.links.get(pid) ?? []].filter(([, link]) => link.includes("[eventpoll]"));
  const epolls = descriptor === undefined ? all.map(([number]) => number) : [descriptor];
  return epolls.flatMap((number) => {
    const info = readText(`/proc/${pid}/fdinfo/${number}`);
    return [...info.matchAll(/^tfd: +(\d+) events: +([0-9a-f]+)/gm)].flatMap(
      ([, watching, events]) => {
        const waits = watched(view, pid, Number(watching), parseInt(events ?? "", 16));
        return waits.filter((wait) => !isOwn(view, wait, pid));
      },
    );
  });
}

function readPipe(holders: End[], link: string): Pipe {
  const pipe: Pipe = { readers: [], writers: [] };
  for (const end of holders) {
    const { mode } = attempt(() => Deno.lstatSync(`/proc/${end.pid}/fd/${end.descriptor}`)) ?? {};
    // The rights of the link are those of the descriptor.
    if ((mode ?? 0) & 0o400) pipe.readers.push(end);
    if ((mode ?? 0) & 0o200) pipe.writers.push(end);
  }
  const [reader] = pipe.readers;
  // To open a FIFO would wake whoever waits for a reader.
  if (reader === undefined || !link.startsWith("pipe:")) return pipe;
  return { ...pipe, ...measure(`/proc/${reader.pid}/fd/${reader.descriptor}`) };
}

/** How many bytes are in a pipe, and how many it has room for. */
function measure(path: string): Pick<Pipe, "held" | "capacity"> {
  const [O_RDONLY_NONBLOCK_CLOEXEC, FIONREAD, F_GETPIPE_SZ] = [0o2004000, 0x541b, 1032];
  const libc = attempt(() =>
    Deno.dlopen("libc.so.6", {
      open: { parameters: ["buffer", "i32"], result: "i32" },
      ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
      fcntl: { parameters: ["i32", "i32"], result: "i32" },
      close: { parameters: ["i32"], result: "i32" },
    })
  );
  if (libc === undefined) return {};
  const { open, ioctl, fcntl, close } = libc.symbols;
  const descriptor = open(new TextEncoder().encode(`${path}\0`), O_RDONLY_NONBLOCK_CLOEXEC);
  const held = new Int32Array(1);
  ioctl(descriptor, BigInt(FIONREAD), held);
  const capacity = fcntl(descriptor, F_GETPIPE_SZ);
  close(descriptor);
  libc.close();
  return descriptor < 0 ? {} : { held: held[0], capacity };
}

/** The sockets that are joined in pairs, as ss of iproute2 tells; none where that is missing. */
function readSockets(): Map<string, { peer: string; held: number }> {
  const command = new Deno.Command("ss", { args: ["-xnH"], stdin: "null", stderr: "null" });
  const output = attempt(() => command.outputSync().stdout) ?? new Uint8Array();
  const lines = new TextDecoder().decode(output).matchAll(
    /^\S+ +ESTAB +(\d+) +\d+ .* (\d+) +\S+ +(\d+) *$/gm,
  );
  return new Map(
    [...lines].map(([, held, own, peer]) =>
      [`socket:[${own}]`, { peer: `socket:[${peer}]`, held: Number(held) }] as const
    ),
  );
}

function describeSocket(view: View, pid: number, link: string): string {
  const known = view.networks.get(pid) ?? new Map<string, string>();
  // Each table once: it has as many lines as there are connections.
  if (!view.networks.has(pid)) {
    view.networks.set(pid, known);
    const rows = (table: string) =>
      readText(`/proc/${pid}/net/${table}`).split("\n").map((row) => row.trim().split(/\s+/));
    for (const row of ["tcp", "tcp6"].flatMap(rows)) {
      const port = (address = "") => parseInt(address.split(":")[1] ?? "", 16);
      const does = row[3] === "0A"
        ? `waits for a network connection to its port ${port(row[1])}`
        : `waits for the network: a connection to port ${port(row[2])}`;
      known.set(`socket:[${row[9]}]`, does);
    }
    for (const row of rows("unix")) {
      const path = row.slice(7).join(" ");
      if (path !== "") known.set(`socket:[${row[6]}]`, `waits for a connection at ${path}`);
    }
  }
  return known.get(link) ?? "waits for a socket; ss cannot tell whose";
}

function childrenOf(pid: number): number[] {
  const folder = `/proc/${pid}/task`;
  const lists = readFolder(folder).map(({ name }) => readText(`${folder}/${name}/children`));
  return lists.join(" ").split(" ").filter((word) => word.trim() !== "").map(Number);
}

function isFifo(path: string): boolean {
  return attempt(() => Deno.statSync(path))?.isFifo ?? false;
}

/** The fields of `/proc/PID/stat` after the name, which may have spaces. */
function statOf(pid: number): string[] {
  const stat = readText(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** A value of `/proc/PID/status` and its like. */
function field(text: string, name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(text)?.[1] ?? "";
}

function memoryAt(pid: number, address: bigint, length: number): DataView {
  const bytes = new Uint8Array(length);
  attempt(() => {
    using file = Deno.openSync(`/proc/${pid}/mem`);
    file.seekSync(address, Deno.SeekMode.Start);
    file.readSync(bytes);
  });
  return new DataView(bytes.buffer);
}

function textAt(pid: number, address: bigint): string {
  const bytes = memoryAt(pid, address, 4096).buffer;
  return new TextDecoder().decode(bytes).split("\0")[0] ?? "";
}

function readText(path: string): string {
  return attempt(() => Deno.readTextFileSync(path)) ?? "";
}

function readFolder(path: string): Deno.DirEntry[] {
  return attempt(() => [...Deno.readDirSync(path)]) ?? [];
}

/** A process may go while it is looked at, and may not let everybody look. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
