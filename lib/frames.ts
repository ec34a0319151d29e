/**
 * Messages over a pipe, which has no notion of them: each follows its length, four bytes, the most
 * significant first, as `struct.pack(">I", len(message)) + message` writes it in Python. Copy this
 * file alone: it imports nothing.
 *
 * @module
 */

/** A stream that is not made of frames: it ends inside one, or announces one that is too long. */
export class FrameError extends Error {
  /** The exit code for a script that ends with this error. */
  readonly exitCode = 1;
}

/**
 * A message with its length before it, for a single `writer.write()`.
 *
 * @throws {RangeError} For a message of 4 GiB or more, whose length four bytes cannot hold.
 */
export function frame(message: Uint8Array): Uint8Array<ArrayBuffer> {
  if (message.length > 0xffffffff) throw new RangeError("A message must be shorter than 4 GiB");
  const bytes = new Uint8Array(4 + message.length);
  new DataView(bytes.buffer).setUint32(0, message.length);
  bytes.set(message, 4);
  return bytes;
}

/**
 * The messages in a stream of frames, however it is cut. A loop that is left early, or that fails,
 * cancels the stream: to read one message and go on, call `next()`.
 *
 * @param options.maxLength The longest message to accept, in bytes (default 16 MiB). Without a bound,
 * four wrong bytes would ask for 4 GiB of memory.
 * @throws {FrameError} If a length is over the bound, or the stream ends inside a frame.
 *
 * @example
 * ```ts
 * import { frame, readFrames } from "./frames.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using cat = new Deno.Command("cat", { stdin: "piped", stdout: "piped" }).spawn();
 * const writer = cat.stdin.getWriter();
 * const messages = readFrames(cat.stdout);
 * await writer.write(frame(new TextEncoder().encode("how\nare\nyou")));
 * const { value } = await messages.next();
 * assertEquals(new TextDecoder().decode(value), "how\nare\nyou");
 * await writer.close();
 * assertEquals((await messages.next()).done, true);
 * ```
 */
export function readFrames(
  readable: ReadableStream<Uint8Array>,
  { maxLength = 16 * 1024 * 1024 }: { maxLength?: number } = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const frames = split(readable, maxLength);
  const leave = frames.return.bind(frames);
  // A generator that is left before it began would let go of nothing.
  frames.return = async (value) => {
    if (!readable.locked) await readable.cancel().catch(() => {});
    return leave(value);
  };
  return frames;
}

async function* split(
  readable: ReadableStream<Uint8Array>,
  maxLength: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let part: "length" | "message" = "length";
  let bytes = new Uint8Array(4);
  let filled = 0;
  let yieldAt = performance.now() + 20;
  // Leaving this loop, by an error too, cancels the stream and releases its lock.
  for await (let chunk of readable) {
    if (performance.now() > yieldAt) {
      await nextTurn();
      yieldAt = performance.now() + 20;
    }
    while (chunk.length > 0) {
      const piece = chunk.subarray(0, bytes.length - filled);
      bytes.set(piece, filled);
      filled += piece.length;
      chunk = chunk.subarray(piece.length);
      if (filled < bytes.length) break;
      if (part === "length") {
        const length = new DataView(bytes.buffer).getUint32(0);
        // So written, a bound that is NaN refuses every length instead of none.
        if (!(length <= maxLength)) {
          throw new FrameError(`a frame of ${length} bytes is over the bound of ${maxLength}`);
        }
        bytes = new Uint8Array(length);
        part = "message";
        filled = 0;
      }
      // Not for the length alone: after the length 0, the message is complete already.
      if (part === "message" && filled === bytes.length) {
        yield bytes;
        bytes = new Uint8Array(4);
        part = "length";
        filled = 0;
      }
    }
  }
  if (part === "message" || filled > 0) {
    const where = `${filled} of ${bytes.length} bytes of a ${part}`;
    throw new FrameError(`the stream ended inside a frame: ${where}`);
  }
}

/** Lets timers, signals and other input run, however fast messages come. Deno looks for input at
 * every 61st turn of its event loop: 64 take 0.1 ms, and a timer would sleep for 1 or 2 ms. */
async function nextTurn(): Promise<void> {
  const [end, turns] = "setImmediate" in globalThis ? [setImmediate, 64] : [setTimeout, 1];
  for (let n = 0; n < turns; n++) await new Promise<void>((resolve) => end(resolve));
}
