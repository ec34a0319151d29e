/**
 * To take home, with `byte_reader.ts`: messages over a pipe, which has no notion of them. Each
 * follows its length, four bytes, the most significant first, as `struct.pack(">I", len(message)) +
 * message` writes it in Python.
 *
 * @module
 */
// deno-fmt-ignore-file: lines of up to 100 columns; at 80 the file would be a third longer.
import { ByteReader, IncompleteReadError } from "./byte_reader.ts";

/** A stream that is not made of frames: it ends inside a frame, or announces one too long. */
export class FrameError extends Error {
  /** What the error is called where it is printed. */
  override readonly name = "FrameError";
  /** The exit code for a script that ends with this error. */
  readonly exitCode = 1;
}

/**
 * A message with its length before it, for a single `writer.write()`.
 *
 * @throws {RangeError} For a message of 4 GiB or more, whose length four bytes cannot hold.
 */
export function frame(message: Uint8Array): Uint8Array<ArrayBuffer>;
/**
 * The same with a choice of the order of the length. A separate overload: `map` passes an index as
 * second argument.
 *
 * @param options.littleEndian Writes the least significant byte of the length first, as the native
 * messaging of browsers has it on nearly every machine.
 */
export function frame(
  message: Uint8Array,
  options: { littleEndian: boolean },
): Uint8Array<ArrayBuffer>;
export function frame(
  message: Uint8Array,
  { littleEndian = false }: { littleEndian?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  if (message.length > 0xffffffff) {
    throw new RangeError("A message must be shorter than 4 GiB");
  }
  const bytes = new Uint8Array(4 + message.length);
  new DataView(bytes.buffer).setUint32(0, message.length, littleEndian);
  bytes.set(message, 4);
  return bytes;
}

/**
 * The messages in a stream of frames, however it is cut. A loop that is left early, or that fails,
 * cancels the stream: to read one message and go on, call `next()`.
 *
 * @param options.maxLength The longest message to accept, in bytes (default 16 MiB). Without a
 * bound, four wrong bytes would collect up to 4 GiB before anybody noticed.
 * @param options.littleEndian Expects the least significant byte of a length first.
 * @throws {TypeError} At once, if the stream is locked.
 * @throws {RangeError} At once, if `maxLength` is negative or NaN.
 * @throws {FrameError} If a length is over the bound, or the stream ends inside a frame.
 *
 * @example
 * ```ts
 * import { frame, readFrames } from "./frames.ts";
 * import { equal } from "node:assert/strict";
 *
 * const command = new Deno.Command("cat", { stdin: "piped", stdout: "piped" });
 * await using cat = command.spawn();
 * const writer = cat.stdin.getWriter();
 * const messages = readFrames(cat.stdout);
 * await writer.write(frame(new TextEncoder().encode("how\nare\nyou")));
 * const { value } = await messages.next();
 * equal(new TextDecoder().decode(value), "how\nare\nyou");
 * await writer.close();
 * equal((await messages.next()).done, true);
 * ```
 */
export function readFrames(
  readable: ReadableStream<Uint8Array>,
  { maxLength = 16 * 1024 * 1024, littleEndian = false }: {
    maxLength?: number;
    littleEndian?: boolean;
  } = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = new ByteReader(readable, { maxLength });
  let isLeft = false;
  const frames = async function* () {
    let length: number | null | undefined;
    try {
      while ((length = await reader.readUint32({ littleEndian })) !== null) {
        if (length > maxLength) {
          throw new FrameError(
            `a frame of ${length} bytes is over the bound of ${maxLength}`,
          );
        }
        const message = await reader.readBytes(length);
        if (message === null) throw new IncompleteReadError(new Uint8Array(0));
        yield message;
        length = undefined;
      }
    } catch (error) {
      if (!(error instanceof IncompleteReadError)) throw error;
      if (isLeft) return;
      const whole = length === undefined ? "4 bytes of a length" : `${length} bytes of a message`;
      const where = `${error.partial.length} of ${whole}`;
      throw new FrameError(`the stream ended inside a frame: ${where}`);
    } finally {
      // An error thrown above says more than that the stream cannot be cancelled.
      await reader[Symbol.asyncDispose]().catch(() => {});
    }
  }();
  // A generator queues return() behind a pending next(), so it could not cancel.
  const [leave, fail] = [frames.return.bind(frames), frames.throw.bind(frames)];
  const close = async () => {
    isLeft = true;
    await reader[Symbol.asyncDispose]();
  };
  frames.return = (value) => close().then(() => leave(value));
  frames.throw = (error) => close().then(() => fail(error));
  return frames;
}
