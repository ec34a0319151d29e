/**
 * The system calls in which threads wait on Linux.
 *
 * @module
 */

/** The system calls that a thread can wait in, and their numbers: x86-64, arm64. */
const CALLS: [name: string, x86: number, arm: number][] = [
  ["read", 0, 63],
  ["read", 19, 65], // readv
  ["read", 45, 207], // recvfrom
  ["read", 47, 212], // recvmsg
  ["read", 43, 202], // accept
  ["read", 288, 242], // accept4
  ["write", 1, 64],
  ["write", 20, 66], // writev
  ["write", 44, 206], // sendto
  ["write", 46, 211], // sendmsg
  ["splice", 275, 76],
  ["sendfile", 40, 71],
  ["poll", 7, -1],
  ["poll", 271, 73], // ppoll
  ["select", 23, -1],
  ["select", 270, 72], // pselect6
  ["epoll", 232, -1],
  ["epoll", 281, 22], // epoll_pwait
  ["epoll", 441, 441], // epoll_pwait2
  ["wait4", 61, 260],
  ["waitid", 247, 95],
  ["open", 2, -1],
  ["openat", 257, 56],
  ["sleep", 35, 101], // nanosleep
  ["sleep", 230, 115], // clock_nanosleep
  ["signal", 34, -1], // pause
  ["signal", 130, 133], // rt_sigsuspend
  ["signal", 128, 137], // rt_sigtimedwait
  ["futex", 202, 98],
  ["connect", 42, 203],
  ["flock", 73, 32],
  ["fcntl", 72, 25],
  ["ioctl", 16, 29],
  ["io_uring", 426, 426],
  ["restarted", 219, 128], // restart_syscall: which one it was, the place alone tells
  // Memory: the kernel may take a moment, but it waits for nobody.
  ["running", 9, 222], // mmap
  ["running", 10, 226], // mprotect
  ["running", 11, 215], // munmap
  ["running", 12, 214], // brk
  ["running", 25, 216], // mremap
  ["running", 28, 233], // madvise
];

/** What the kernel calls the place where a thread waits, for whoever may see no more than that. */
const PLACES: [place: RegExp, name: string, isSocket?: true][] = [
  [/pipe_read/, "read"],
  [/pipe_write/, "write"],
  [/unix_stream_(read|data_wait)/, "read", true],
  [/sock_alloc_send/, "write", true],
  [/do_wait/, "wait4"],
  [/nanosleep/, "sleep"],
  [/futex/, "futex"],
  [/ep_poll|epoll/, "epoll"],
  [/poll/, "poll"],
  [/sigsuspend|sigtimedwait/, "signal"],
  [/wait_for_partner/, "open"],
];

/** The call that a thread is in. */
export interface SystemCall {
  /** What the call does: `read` for read(2), readv(2), recvfrom(2) and their like. */
  name: string;
  /** Its arguments, if they may be seen. */
  args?: bigint[];
  /** Whether it waits for a socket, if no more may be seen. */
  isSocket?: boolean;
}

/**
 * The call that a thread is in.
 *
 * @param syscall What `/proc/PID/task/TID/syscall` says: the number and the arguments; empty if
 * that may not be seen, as on Ubuntu without sudo.
 * @param place What `wchan` beside it says: where in the kernel the thread waits.
 *
 * @example
 * ```ts
 * import { syscallOf } from "./syscalls.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(syscallOf("63 0x3 0x7f00 0x2000", "", "aarch64").name, "read");
 * assertEquals(syscallOf("", "anon_pipe_write", "x86_64").name, "write");
 * ```
 */
export function syscallOf(
  syscall: string,
  place: string,
  arch: typeof Deno.build.arch = Deno.build.arch,
): SystemCall {
  const [number = "", ...words] = syscall.trim().split(" ");
  const column = arch === "x86_64" ? 1 : 2;
  const name = CALLS.find((call) => call[column] === Number(number))?.[0];
  if (number === "" || name === "restarted") {
    const [, seen, isSocket = false] = PLACES.find(([part]) => part.test(place)) ?? [];
    return { name: seen ?? (number === "" ? place : "restarted"), isSocket };
  }
  if (number === "running" || number === "-1") return { name: "running" };
  return { name: name ?? `system call ${number}`, args: words.map(BigInt) };
}
