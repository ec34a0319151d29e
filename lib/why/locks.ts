/**
 * Locks that a thread waits for, and who can free them.
 *
 * @module
 */
import { readFolder, readText } from "./proc.ts";
import type { View, Wait } from "./snapshot.ts";
import type { SystemCall } from "./syscalls.ts";

/** The wait for a lock on a file: flock(2) or fcntl(2) for this descriptor. */
export function waitForFile(view: View, pid: number, descriptor: number): Wait {
  const link = view.links.get(pid)?.get(descriptor) ?? "a file";
  const path = link.replace(/ \(deleted\)$/, "");
  // Whoever has a lock by flock has it with whoever shares its descriptor: that one is told there.
  const sharing = (view.holders.get(link) ?? []).filter((end) =>
    /^lock:/m.test(readText(`/proc/${end.pid}/fdinfo/${end.descriptor}`))
  ).map((end) => end.pid);
  const rows = readText("/proc/locks").split("\n").map((row) => row.trim().split(/\s+/));
  // `1: POSIX ADVISORY WRITE 42 …` has it, and `1: -> POSIX ADVISORY WRITE 43 …` waits for that.
  const number = rows.find((row) => row.includes("->") && row.includes(`${pid}`))?.[0];
  const owner = rows.find((row) => row[0] === number && !row.includes("->"))?.[4];
  const owners = number !== undefined && view.links.has(Number(owner)) ? [Number(owner)] : [];
  const all = new Set([...sharing, ...owners]);
  // It may have the lock itself, by another descriptor.
  const others = [...all].filter((holder) => holder !== pid);
  return {
    for: "lock",
    lock: `the lock on ${path}`,
    holders: others.length > 0 ? others : [...all],
  };
}

/**
 * The wait for a lock in memory, if that is all that a thread does; undefined for a timer.
 *
 * @param call A call of futex(2).
 */
export function waitForMemory(
  view: View,
  pid: number,
  { args = [] }: SystemCall,
): Wait | undefined {
  const [address = 0n, operation = 0n, , limit = 0n] = args;
  const FUTEX_PRIVATE_FLAG = 128n;
  if (args.length === 0 || limit !== 0n) return;
  const mapping = operation & FUTEX_PRIVATE_FLAG ? undefined : sharedMappingAt(pid, address);
  if (mapping === undefined) {
    return { for: "lock", lock: "a lock in its memory", holders: [] };
  }
  const holders = [...view.links.keys()].filter((other) =>
    other !== pid && mappingsOf(other).some(({ file }) => file === mapping)
  );
  return { for: "lock", lock: "a lock in shared memory", holders };
}

/** Whether every thread of a process waits for a lock: then none of them can free one. */
export function isLocked(pid: number, callOf: (task: string) => SystemCall): boolean {
  const folder = `/proc/${pid}/task`;
  const calls = readFolder(folder).map(({ name }) => callOf(`${folder}/${name}`));
  return calls.every(({ name, args = [] }) => name === "futex" && args[3] === 0n);
}

/** Who waits for a lock that a process may have. */
export function lockWaiters({ links }: View, pid: number): number[] {
  const waiting = readText("/proc/locks").matchAll(/-> \S+ +\S+ +\S+ +(\d+)/g);
  return [...waiting].map(([, waiter]) => Number(waiter))
    .filter((waiter) => waiter !== pid && links.has(waiter));
}

/** The file that is mapped there and shared, by its device and number. */
function sharedMappingAt(pid: number, address: bigint): string | undefined {
  return mappingsOf(pid).find(({ from, to }) => from <= address && address < to)?.file;
}

function mappingsOf(pid: number) {
  const rows = readText(`/proc/${pid}/maps`).matchAll(
    /^([0-9a-f]+)-([0-9a-f]+) ..[-x]s \S+ (\S+ [1-9]\d*)/gm,
  );
  return [...rows].map(([, from, to, file = ""]) => ({
    from: BigInt(`0x${from}`),
    to: BigInt(`0x${to}`),
    file,
  }));
}
