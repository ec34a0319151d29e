import { writeBytes } from "./script.ts";

/**
 * Waits until nothing has moved for a stretch of time: until `progress` has given the same number at
 * each of ten looks. Time that has passed proves nothing by itself: a process that was stopped
 * meanwhile, or starved, still looks ten times, with a turn of the event loop before each.
 *
 * @param seconds The length of the stretch, at least 0.1.
 */
export async function untilStill(progress: () => number, seconds: number): Promise<void> {
  let last = progress();
  for (let looks = 0; looks < 10; looks++) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0.01, seconds / 10) * 1000));
    if (progress() !== last) looks = 0;
    last = progress();
  }
}

/**
 * Copies a pipe to stdout. `done` settles at its end of file, or rejects when nobody reads stdout.
 * `finish()` passes on what is in the pipe, but does not wait for whoever still holds its write end.
 */
export function passOn(
  pipe: ReadableStream<Uint8Array<ArrayBuffer>>,
): { done: Promise<void>; finish: () => Promise<void> } {
  let passed = 0;
  const stdout = new WritableStream<Uint8Array<ArrayBuffer>>({
    write(chunk) {
      passed += chunk.length;
      return writeBytes(chunk);
    },
  });
  const enough = new AbortController();
  const done = pipe.pipeTo(stdout, { signal: enough.signal });
  return {
    done,
    finish: async () => {
      await Promise.race([done, untilStill(() => passed, 0.1)]);
      enough.abort();
      await done.catch((error) => error.name === "AbortError" || Promise.reject(error));
    },
  };
}
