import { scriptName, writeBytes } from "./script.ts";

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
 * Copies a pipe to stdout, and returns how to finish that. All that is in the pipe is passed on
 * still. What another process goes on writing, which holds the pipe too, is cut off with a word. With
 * `isLate` nobody waits for the reader of stdout either.
 */
export function passOn(
  pipe: ReadableStream<Uint8Array<ArrayBuffer>>,
): (isLate: boolean) => Promise<void> {
  let passed = 0;
  let isBlocked = false;
  let isDone = false;
  const stdout = new WritableStream<Uint8Array<ArrayBuffer>>({
    async write(chunk) {
      isBlocked = true;
      await writeBytes(chunk);
      isBlocked = false;
      passed += chunk.length;
    },
  });
  const enough = new AbortController();
  const passing = pipe.pipeTo(stdout, { signal: enough.signal }).catch((error) => {
    if (error.name !== "AbortError") throw error;
  }).finally(() => isDone = true);
  return async (isLate) => {
    // More than a pipe holds, and enough looks for all of that.
    const most = passed + 2 ** 21;
    let [looks, still, last] = [0, 0, -1];
    while (!isDone && still < 10 && looks < 100 && passed < most) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (isBlocked && !isLate) continue;
      looks++;
      still = passed === last ? still + 1 : 0;
      last = passed;
    }
    const isCutOff = !isDone && still < 10;
    enough.abort();
    if (!isLate) await passing;
    if (isCutOff) {
      console.error(`${scriptName}: another process still writes; that is cut off here`);
    }
  };
}
