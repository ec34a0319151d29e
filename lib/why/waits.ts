/**
 * What a thread waits for, as its system call tells.
 *
 * @module
 */
import { waitForFile } from "./locks.ts";
import { isFifo, readPipe } from "./pipes.ts";
import { attempt, childrenOf, field, memoryAt, readText, textAt } from "./proc.ts";
import { awaited, COMPUTES, type View, type Wait } from "./snapshot.ts";
import { readConnections, readNetwork } from "./sockets.ts";
import { syscallOf, type SystemCall } from "./syscalls.ts";
import { terminalAt } from "./terminals.ts";

/** A thread in a system call. */
interface Thread {
  view: View;
  pid: number;
  /** Its folder in `/proc`. */
  task: string;
  call: SystemCall;
}

/** What is done at an end of a pipe. */
export type Direction = "read" | "write";

/** The call that a thread is in, whose folder in `/proc` this is. */
export function callOf(task: string): SystemCall {
  return syscallOf(readText(`${task}/syscall`), readText(`${task}/wchan`));
}

/** What a thread waits for; nothing if that is a timer, a signal or a thread of its process. */
export function waitsOf(view: View, pid: number, id: string): Wait[] {
  const task = `/proc/${pid}/task/${id}`;
  const call = callOf(task);
  const waits = WAITS[call.name];
  return waits
    ? waits({ view, pid, task, call })
    : other(`waits in ${call.name || "a place that cannot be seen"}`);
}

/** By the name of the call. */
const WAITS: Record<string, (thread: Thread) => Wait[]> = {
  running: () => other(COMPUTES),
  read: (thread) => transferring(thread, "read"),
  write: (thread) => transferring(thread, "write"),
  splice: (thread) => copying(thread, argument(thread, 0), argument(thread, 2)),
  sendfile: (thread) => copying(thread, argument(thread, 1), argument(thread, 0)),
  poll: (thread) => {
    const { pid, view, call: { args } } = thread;
    if (args === undefined) return other("watches descriptors, which cannot be seen");
    if (args[1] === 0n) return other("sleeps");
    return watching(thread, polled(view, pid, args[0] ?? 0n, argument(thread, 1)));
  },
  select: (thread) => {
    const { pid, view, call: { args } } = thread;
    if (args === undefined) return other("watches descriptors, which cannot be seen");
    if (argument(thread, 0) === 0) return other("sleeps");
    return watching(thread, selected(view, pid, argument(thread, 0), args));
  },
  epoll: (thread) => {
    const { pid, view, call: { args } } = thread;
    return watching(thread, epolled(view, pid, args && argument(thread, 0)));
  },
  wait4: (thread) => {
    const child = thread.call.args ? argument(thread, 0) : 0;
    const waits = child > 0 ? [exitOf(child)] : childrenOf(thread.pid).map(exitOf);
    return waits.length > 0 ? waits : other("waits for a child");
  },
  waitid: (thread) => {
    // Its first argument tells what the second is: 1 a process, 3 a descriptor of one.
    const kind = argument(thread, 0);
    if (kind === 1) return [exitOf(argument(thread, 1))];
    const wait = kind === 3 ? waitOn(thread.view, thread.pid, argument(thread, 1), "read") : null;
    return wait ? [wait] : childrenOf(thread.pid).map(exitOf);
  },
  open: (thread) => opening(thread, 0),
  openat: (thread) => opening(thread, 1),
  sleep: () => other("sleeps"),
  signal: (thread) => watching(thread, []),
  futex: () => [],
  connect: () => other("waits for a connection to be made"),
  io_uring: () => other("waits for an io_uring, which does not tell what for"),
  restarted: () => other("waits on after a stop, for what cannot be seen"),
  flock: (thread) => [waitForFile(thread.view, thread.pid, argument(thread, 0))],
  fcntl: (thread) => [waitForFile(thread.view, thread.pid, argument(thread, 0))],
};

function other(doing: string): Wait[] {
  return [{ for: "else", doing }];
}

function exitOf(pid: number): Wait {
  return { for: "exit", pid };
}

/** An argument of the call, as a C program means it where it gives an int. */
function argument({ call: { args } }: Thread, index: number): number {
  return Number(BigInt.asIntN(32, args?.[index] ?? 0n));
}

function transferring(thread: Thread, direction: Direction): Wait[] {
  const { view, pid, task, call: { args, isSocket } } = thread;
  const descriptor = argument(thread, 0);
  const waits = args
    ? [waitOn(view, pid, descriptor, direction)].filter((wait) => wait !== undefined)
    : possibleWaits(view, pid, direction, isSocket);
  // A pair of sockets between threads of one process, as Deno has it.
  const isHelper = !task.endsWith(`/${pid}`);
  const isPair = (wait: Wait) => "pipe" in wait && wait.pipe.startsWith("socket:");
  const others = waits.filter((wait) => !(isHelper && isPair(wait) && isOwn(view, wait, pid)));
  if (waits.length > 0 && others.length < 2) return others;
  if (args === undefined) return other(`waits to ${direction}; sudo would tell what`);
  const link = view.links.get(pid)?.get(descriptor);
  if (link !== undefined) return other(`waits in ${direction} for ${link}`);
  // Opened since the look began: then the thread moves.
  const isOpen = () => attempt(() => Deno.lstatSync(`/proc/${pid}/fd/${descriptor}`));
  const hasMoved = isOpen() || callOf(task).args?.join() !== args.join() || isOpen();
  return other(hasMoved ? COMPUTES : `waits in ${direction} for a closed descriptor`);
}

/** Waits for bytes at one descriptor, or for room at another. */
function copying({ view, pid }: Thread, from: number, to: number): Wait[] {
  const reading = waitOn(view, pid, from, "read");
  const isEmpty = reading?.for === "read" && !view.pipes.get(reading.pipe)?.held;
  return [isEmpty ? reading : waitOn(view, pid, to, "write")].filter((wait) => wait !== undefined);
}

function opening(thread: Thread, at: 0 | 1): Wait[] {
  const { pid, call: { args } } = thread;
  if (args === undefined) return other("waits in open for the other end of a FIFO");
  const path = textAt(pid, args[at] ?? 0n);
  const base = at === 0 || argument(thread, 0) < 0 ? "cwd" : `fd/${argument(thread, 0)}`;
  const folder = attempt(() => Deno.readLinkSync(`/proc/${pid}/${base}`)) ?? "";
  const full = path.startsWith("/") ? path : `${folder}/${path}`;
  if (!isFifo(full)) return other(`opens ${full}`);
  const real = attempt(() => Deno.realPathSync(full)) ?? full;
  return [{ for: (argument(thread, at + 1) & 3) === 0 ? "writer" : "reader", path: real }];
}

/** Watches descriptors; a child's exit interrupts it, if the process wants to know of that. */
function watching({ view, pid, task }: Thread, all: Wait[]): Wait[] {
  const others = all.filter((wait) => !isOwn(view, wait, pid));
  const waits = others.length > 0 ? others : all;
  const isTold = BigInt(`0x0${field(readText(`${task}/status`), "SigCgt")}`) >> 16n & 1n;
  const isAlone = waits.every((wait) => wait.for !== "else");
  return isTold && isAlone ? [...waits, ...childrenOf(pid).map(exitOf)] : waits;
}

/** What a read or a write can be waiting for, if its arguments may not be seen. */
function possibleWaits(view: View, pid: number, name: Direction, isSocket = false): Wait[] {
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

/** The wait for a descriptor; undefined if it leads to no other process, such as an eventfd. */
export function waitOn(
  view: View,
  pid: number,
  descriptor: number,
  direction: Direction,
): Wait | undefined {
  const link = view.links.get(pid)?.get(descriptor) ?? "";
  if (link === "anon_inode:[pidfd]") {
    const info = readText(`/proc/${pid}/fdinfo/${descriptor}`);
    const child = Number(field(info, "Pid"));
    return child > 0 ? exitOf(child) : undefined;
  }
  if (link.startsWith("socket:")) return waitOnSocket(view, pid, link, descriptor, direction);
  if (link.startsWith("pipe:") || link.startsWith("/") && isFifo(`/proc/${pid}/fd/${descriptor}`)) {
    const pipe = view.pipes.get(link) ?? readPipe(view.holders.get(link) ?? [], link);
    view.pipes.set(link, pipe);
    const ends = direction === "read" ? pipe.readers : pipe.writers;
    const isOpen = ends.some((end) => end.pid === pid && end.descriptor === descriptor);
    return isOpen ? { for: direction, pipe: link, descriptor } : undefined;
  }
  if (link === "anon_inode:inotify") return { for: "else", doing: "waits for a file to change" };
  if (!link.startsWith("/dev/") || link === "/dev/null") return undefined;
  return waitOnTerminal(view, pid, descriptor, direction) ??
    { for: "else", doing: `waits for ${link}` };
}

function waitOnTerminal(
  view: View,
  pid: number,
  descriptor: number,
  direction: Direction,
): Wait | undefined {
  const terminal = terminalAt(view, { pid, descriptor });
  if (terminal === undefined) return;
  const { path, isKeyboard, typed, shown } = terminal;
  const isTyped = isKeyboard === (direction === "write");
  const pipe = `${path} ${isTyped ? "typed" : "shown"}`;
  view.pipes.set(pipe, isTyped ? typed : shown);
  // Nobody is seen to type: so a person does, elsewhere.
  if (typed.writers.length > 0) return { for: direction, pipe, descriptor };
  return { for: "else", doing: `waits for the terminal ${path}`, terminal: path };
}

function waitOnSocket(
  view: View,
  pid: number,
  link: string,
  descriptor: number,
  direction: Direction,
): Wait {
  view.connections ??= readConnections();
  const { connections, holders } = view;
  const socket = connections.get(link);
  if (socket === undefined || (holders.get(socket.peer) ?? []).length === 0 && socket.port) {
    // Each table once: it has as many lines as there are connections.
    const network = view.networks.get(pid) ?? readNetwork(pid);
    view.networks.set(pid, network);
    return { for: "else", doing: network.get(link) ?? "waits for a socket; ss cannot tell whose" };
  }
  const [from, to] = direction === "read" ? [socket.peer, link] : [link, socket.peer];
  view.pipes.set(`${to} from ${from}`, {
    readers: holders.get(to) ?? [],
    writers: holders.get(from) ?? [],
    held: connections.get(to)?.held,
    ...socket.port !== undefined && { port: socket.port },
  });
  return { for: direction, pipe: `${to} from ${from}`, descriptor };
}
