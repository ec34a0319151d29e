/**
 * To take home, with `byte_reader.ts`: messages over a pipe, which has no notion of them. Each
 * follows its length, four bytes, the most significant first, as `struct.pack(">I", len(message)) +
 * message` writes it in Python; or it is text, framed as JSON-RPC has it.
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

/** How to tell where a text ends. `"lines"`: each is a line. `"content-length"`: a header before it
 * tells its length in bytes. `"nul"`: a byte of value 0 stands behind it. */
export type Framing = "lines" | "content-length" | "nul";

/** A text in its frame. */
export function framed(text: string, framing: Framing): string {
  if (framing !== "content-length") return text + (framing === "lines" ? "\n" : "\0");
  return `Content-Length: ${encoder.encode(text).length}\r\n\r\n${text}`;
}

/** The longest header, and the longest banner before the first one, in UTF-16 code units. */
const MOST_HEADER = 2 ** 16;

/** Cuts bytes into texts that are framed: all that a chunk completes, in one step. */
export class MessageCutter {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** What has come of a text, or of a line of a header. */
  #partial = "";
  /** The lines of the header before that. */
  #header = "";
  /** Whether the first header has come. */
  #hasMet = false;
  /** The length in the header; then the body, as far as it has come. */
  #length: number | undefined;
  #body: Uint8Array | undefined;
  #filled = 0;

  /** Cuts what comes in one framing; `onBanner` gets each line before the first header. */
  constructor(
    readonly framing: Framing,
    readonly maxLength: number,
    readonly onBanner: (line: string) => void,
  ) {}

  /** What has come of a text whose end has not. */
  get partial(): string {
    return this.#body ? decoder.decode(this.#body.subarray(0, this.#filled)) : this.#partial;
  }

  /**
   * The texts that a chunk completes.
   *
   * @throws {FrameError} If a text is longer than `maxLength`, in UTF-16 code units or, where its
   * length stands before it, in bytes; or if something else stands where a header belongs.
   */
  *take(chunk: Uint8Array): Iterable<string> {
    if (this.framing !== "content-length") return yield* this.#takeTexts(chunk);
    for (let [at, end] = [0, 0]; at < chunk.length; at = end) {
      if (this.#body === undefined) {
        end = chunk.indexOf(10, at) + 1 || chunk.length;
        this.#partial += this.#decode(chunk.subarray(at, end));
        this.#lookAtLine(this.#partial);
      } else {
        end = Math.min(chunk.length, at + this.#body.length - this.#filled);
        this.#body.set(chunk.subarray(at, end), this.#filled);
        this.#filled += end - at;
        if (this.#filled < this.#body.length) return;
        const text = decoder.decode(this.#body);
        [this.#body, this.#filled, this.#header] = [undefined, 0, ""];
        yield text;
      }
    }
  }

  /**
   * A last text without an end, at the end of the stream; `""` if there is none.
   *
   * @throws {FrameError} If something came, and never a header.
   */
  end(): string {
    if (this.framing !== "content-length") return this.partial;
    const header = this.#header + this.#partial;
    if (!this.#hasMet && header !== "") throw noHeader(header);
    return this.partial;
  }

  *#takeTexts(chunk: Uint8Array): Iterable<string> {
    const end = this.framing === "lines" ? "\n" : "\0";
    const texts = this.#decode(chunk).split(end);
    texts[0] = this.#partial + texts[0];
    this.#partial = texts.pop() ?? "";
    for (const text of texts) yield this.#checked(text);
    this.#checked(this.#partial);
  }

  /** Bytes that do not end inside a character are decoded by themselves, in half the time. */
  #decode(bytes: Uint8Array): string {
    const isCut = (bytes.at(-1) ?? 0) > 127;
    return this.#decoder.decode(bytes, isCut ? { stream: true } : undefined);
  }

  #checked(text: string): string {
    if (text.length <= this.maxLength) return text;
    throw new FrameError(`a message is longer than ${this.maxLength} UTF-16 code units`);
  }

  #lookAtLine(line: string): void {
    const header = this.#header + line;
    if (header.length > MOST_HEADER) throw noHeader(header);
    const isField = (this.#hasMet ? /^[\w-]+:/ : /^content-(length|type):/i).test(line);
    if (!line.endsWith("\n")) {
      // If a length was counted in characters, the rest of a body stands here, and has no end.
      if (this.#hasMet && !isField && /[^\w\r-]/.test(line)) throw noHeader(line);
      return;
    }
    [this.#partial, this.#header] = ["", header];
    if (isField) {
      this.#hasMet = true;
      const length = /^content-length: *(\d+)\s*$/i.exec(line)?.[1];
      if (length !== undefined) this.#length = Number(length);
    } else if (line.trim() !== "") {
      if (this.#hasMet) throw noHeader(line);
      this.onBanner(line.trimEnd());
    } else if (this.#length !== undefined) {
      if (this.#length > this.maxLength) {
        throw new FrameError(
          `a message of ${this.#length} bytes is over the bound of ${this.maxLength}`,
        );
      }
      [this.#body, this.#length] = [new Uint8Array(this.#length), undefined];
    } else if (this.#hasMet && header.trim() !== "") throw noHeader(header);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function noHeader(text: string): FrameError {
  const start = JSON.stringify(text.trim().slice(0, 200));
  const instead = 'a log line, a length not in bytes, or the framing "lines"';
  return new FrameError(`${start} stands where a header with Content-Length belongs: ${instead}`);
}
