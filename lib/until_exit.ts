/**
 * To take home, alone: the output of a child to the child's exit, though others hold the pipe.
 *
 * @module
 */
// deno-fmt-ignore-file: lines of up to 100 columns; at 80 the file would be a third longer.

/**
 * The bytes of `readable` to its end, or, once `exit` has settled, until nothing comes for 0.1 s:
 * a byte stream if `readable` is one.
 *
 * A pipe ends when nobody holds its write end any more (pipe(7)). A daemon that the child started
 * may hold it for days, and write on. So after the exit, reading stops at the latest after 1 s of
 * waiting or 1 MiB more, which is all that a pipe holds. What comes later is not read.
 *
 * @param readable Is locked from now on, and cancelled with the result, which gets its error.
 * @param exit Such as `child.status`. That it rejects counts as well.
 * @throws {TypeError} If `readable` is locked already.
 *
 * @example
 * ```ts
 * import { untilExit } from "./until_exit.ts";
 * import { equal } from "node:assert/strict";
 *
 * const args = ["-c", "sleep 3 & echo done"];
 * const child = new Deno.Command("sh", { args, stdout: "piped" }).spawn();
 * const output = untilExit(child.stdout, child.status);
 * equal(await new Response(output).text(), "done\n"); // Without untilExit: after 3 s.
 * ```
 */
export function untilExit(
  readable: ReadableStream<Uint8Array>,
  exit: Promise<unknown>,
): ReadableStream<Uint8Array> {
  let reader: ReadableStreamBYOBReader | ReadableStreamDefaultReader<Uint8Array>;
  try {
    reader = readable.getReader({ mode: "byob" });
  } catch {
    reader = readable.getReader(); // Not a byte stream; or locked, and refused here as well.
  }
  let isReading = false;
  /** After the exit, a budget of 1000: each ms of waiting and each KiB that comes costs 1. */
  let patience = Infinity;
  let look: ReturnType<typeof setTimeout> | undefined;
  const end = () => reader.cancel().catch(() => {});
  /** Looks twice: after Ctrl-Z and fg, timers fire before pending input is seen. */
  const endIfSilent = () => {
    if (patience < 0) end();
    else look = setTimeout(() => look = setTimeout(end, 50), 50);
  };
  exit.catch(() => {}).then(() => {
    patience = 1000;
    if (isReading) endIfSilent();
  });

  async function pull(controller: ReadableStreamController<Uint8Array>) {
    isReading = true;
    const since = patience < Infinity && performance.now();
    if (since) endIfSilent();
    // Into the memory of whoever asks, if they brought any: new memory would cost a third more.
    const request = "byobRequest" in controller ? controller.byobRequest : null;
    const { buffer, byteOffset: start, byteLength } = request?.view ?? new Uint8Array(0);
    const size = buffer.byteLength;
    try {
      const { done, value } = await reader.read(new Uint8Array(buffer, start, byteLength));
      if (since) patience -= performance.now() - since + (value?.byteLength ?? 0) / 1024;
      if (done) controller.close();
      else if (request === null) controller.enqueue(value);
      // When it is cancelled, the memory does not come back: other memory of its size must do.
      request?.respondWithNewView(value ?? new Uint8Array(size).subarray(start, start));
    } finally {
      isReading = false;
      clearTimeout(look);
    }
  }
  const cancel = (reason: unknown) => reader.cancel(reason);
  return reader instanceof ReadableStreamBYOBReader
    ? new ReadableStream({ type: "bytes", autoAllocateChunkSize: 65_536, pull, cancel })
    : new ReadableStream({ pull, cancel }, { highWaterMark: 0 });
}
