/**
 * To take home, alone: waits for something, but no longer than a number of seconds.
 *
 * @module
 */
// deno-fmt-ignore-file: lines of up to 100 columns; at 80 the file would be a third longer.

/**
 * Waits for a promise; or, for a read that others follow, for that of a function: its signal aborts
 * when the time has passed, so that the read takes nothing. Then looks once more, for 0.05 s: after
 * Ctrl-Z and fg, timers fire before pending input is seen. So the function may be called twice.
 *
 * @returns What the promise resolves to; undefined if that takes longer. A promise goes on then; a
 * later rejection goes unnoticed.
 *
 * @example
 * ```ts
 * import { within } from "./within.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(await within(10, Promise.resolve("answer")), "answer");
 * equal(await within(0.01, new Promise(() => {})), undefined);
 * // With a LineReader: await within(10, (signal) => lines.readLine({ signal }))
 * ```
 */
export async function within<T>(
  seconds: number,
  work: Promise<T> | ((signal: AbortSignal) => Promise<T>),
): Promise<T | undefined> {
  let signal = limitOf(seconds);
  for (let looks = 1;; looks++) {
    try {
      return await (typeof work === "function" ? work(signal) : race(work, signal));
    } catch (error) {
      if (!signal.aborted) throw error;
      if (looks === 2) return undefined;
      signal = AbortSignal.timeout(50);
    }
  }
}

let last: { seconds: number; start: number; signal: AbortSignal } | undefined;

/** Aborts after so many seconds, or up to a hundredth later: one serves all the calls of such a
 * while, since a timer for each costs as much as a pipe. */
function limitOf(seconds: number): AbortSignal {
  const start = performance.now();
  if (last?.seconds !== seconds || start - last.start > seconds * 10) {
    last = { seconds, start, signal: AbortSignal.timeout(Math.min(seconds * 1010, 2 ** 31 - 1)) };
  }
  return last.signal;
}

async function race<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
