/**
 * Waits for a promise, but no longer than a number of seconds.
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
  const timer = setTimeout(() => resolve(undefined), seconds * 1000);
  try {
    return await Promise.race([promise, passed]);
  } finally {
    clearTimeout(timer);
  }
}
