/**
 * Processes that wait for each other, and the pipes between them, at one moment.
 *
 * @module
 */
import type { End, Pipe } from "./pipes.ts";
import type { Connection } from "./sockets.ts";

/** What a thread waits for. */
export type Wait =
  /** Bytes in a pipe, or room in it. */
  | { for: "read" | "write"; pipe: string; descriptor: number }
  /** The exit of a child. */
  | { for: "exit"; pid: number }
  /** A lock, which these processes can free; nobody if none of them lives. */
  | { for: "lock"; lock: string; holders: number[] }
  /** Somebody who opens the other end of a FIFO: its writer, or its reader. */
  | { for: "writer" | "reader"; path: string }
  /** Anything else, or nothing at all: `sleeps`; or whoever types at a terminal. */
  | { for: "else"; doing: string; terminal?: string };

/** What a thread is said to do that waits for nothing. */
export const COMPUTES = "computes";

/** What is seen of a process that is stopped. */
export interface Stop {
  /** Its group, if a terminal stops that as a whole and more are in it. */
  group?: number;
  /** What it does to its terminal while another group has that. */
  act?: "reads" | "sets";
}

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
  /** How many bytes it has written since it was born, wherever that was to and whatever program it
   * then was; NaN if that cannot be seen. */
  written: number;
}

/** A process, whoever it waits for or waits for it, and the pipes between them. */
export interface Snapshot {
  /** By process id. Those that only hold an end of a pipe of these are here too. */
  processes: Map<number, Process>;
  /** By the name that `/proc` gives them: `pipe:[123]`, `socket:[123]`, or a path. */
  pipes: Map<string, Pipe>;
  /** Whether there are processes whose descriptors may not be seen: they may hold ends, too. */
  isPartial: boolean;
}

/** A snapshot that is being taken. */
export interface View extends Snapshot {
  /** Who takes it, and is not to be told among those that hold an end. */
  observer: number | undefined;
  /** What each descriptor of each process refers to. */
  links: Map<number, Map<number, string>>;
  /** Who holds what a link refers to. */
  holders: Map<string, End[]>;
  /** The sockets whose other end is on this machine, by their links. */
  connections?: Map<string, Connection>;
  /** What each process waits for at each of its other sockets. */
  networks: Map<number, Map<string, string>>;
}

/** The processes of which one can let a thread go on that waits for this. */
export function awaited({ pipes }: Pick<Snapshot, "pipes">, wait: Wait): number[] {
  if (wait.for === "exit") return [wait.pid];
  if (wait.for === "lock") return wait.holders;
  if (wait.for !== "read" && wait.for !== "write") return [];
  const pipe = pipes.get(wait.pipe);
  const ends = (wait.for === "read" ? pipe?.writers : pipe?.readers) ?? [];
  return [...new Set(ends.map(({ pid }) => pid))];
}

/** The waits of those threads that wait for others alone: whoever also waits for a person, a timer
 * or the network is idle. */
export function waitsForOthers({ threads }: Process): Wait[] {
  return threads.filter((waits) => waits.every((wait) => wait.for !== "else")).flat();
}

/** Whether a process that is waited for holds an end of which it may not know. */
export function isInherited({ pipes }: Pick<Snapshot, "pipes">, wait: Wait, pid: number): boolean {
  if (wait.for !== "read") return false;
  const ends = (pipes.get(wait.pipe)?.writers ?? []).filter((end) => end.pid === pid);
  return ends.length > 0 && ends.every((end) => end.isInherited);
}
