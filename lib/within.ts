/**
 * Waits for a promise, but no longer than a number of seconds, and then looks again a moment later:
 * after Ctrl-Z and fg, timers fire before pending input is seen.
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
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await within(10, Promise.resolve("answer")), "answer");
 * assertEquals(await within(0.01, new Promise(() => {})), undefined);
 * ```
 */
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
