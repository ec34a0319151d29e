/**
 * To take home, alone: waits for a promise, but no longer than a number of seconds, and then looks
 * again a moment later: after Ctrl-Z and fg, timers fire before pending input is seen.
 *
 * Not for a read that others follow: it would go on, and keep what it reads to itself. The readers
 * of this folder take a `signal`.
 *
 * @returns What the promise resolves to, or undefined when the time has passed first. The promise
 * goes on; a later rejection goes unnoticed.
 *
 * @example
 * ```ts
 * import { within } from "./within.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(await within(10, Promise.resolve("answer")), "answer");
 * equal(await within(0.01, new Promise(() => {})), undefined);
 * ```
 */
// deno-fmt-ignore-file: lines of up to 100 columns; at 80 the file would be a third longer.
export async function within<T>(seconds: number, promise: Promise<T>): Promise<T | undefined> {
  const { promise: passed, resolve } = Promise.withResolvers<undefined>();
  const look = () => timer = setTimeout(() => resolve(undefined), 50);
  let timer = setTimeout(look, seconds * 1000);
  try {
    return await Promise.race([promise, passed]);
  } finally {
    clearTimeout(timer);
  }
}
