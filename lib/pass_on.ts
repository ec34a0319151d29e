import { ByteReader } from "./byte_reader.ts";
import { scriptName, writeBytes } from "./script.ts";
import { within } from "./within.ts";

/**
 * Copies a child's stdout to ours, and returns how to finish that once the child has exited: all that
 * is in the pipe is passed on still. What a process beyond its family goes on writing, which holds the
 * pipe too, is cut off with a word. With `isLate` nobody waits for the reader of our stdout either.
 */
export function passOn(child: Deno.ChildProcess): (isLate: boolean) => Promise<void> {
  const reader = new ByteReader(child.stdout, { until: child.status });
  let passed = 0;
  let isBlocked = false;
  const passing = (async () => {
    for await (const chunk of reader) {
      isBlocked = true;
      await writeBytes(chunk);
      isBlocked = false;
      passed += chunk.length;
    }
    return true;
  })();
  return async (isLate) => {
    // More than a pipe holds, and time enough for all of that.
    const most = passed + 2 ** 21;
    for (let looks = 0; looks < 10 && passed < most;) {
      if (await within(0.05, passing)) return;
      if (isLate || !isBlocked) looks++;
    }
    if (!isBlocked) {
      console.error(`${scriptName}: another process still writes; that is cut off here`);
    }
    await reader[Symbol.asyncDispose]();
    if (!isLate) await passing;
  };
}
