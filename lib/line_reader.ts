/** The settings of a {@linkcode LineReader}. */
export interface LineReaderOptions {
  /**
   * The longest line that is accepted, in UTF-16 code units, its end not counted.
   *
   * @default {67108864}
   */
  maxLineLength?: number;
}

/**
 * Lines of text out of a stream of bytes: `readline()` for a pipe.
 *
 * A line ends with `\n` or `\r\n`, which is not part of it; a lone `\r` is text, and a last line
 * without an end is a line. The bytes are UTF-8, however the stream cuts them; what is not UTF-8
 * becomes U+FFFD, and a byte order mark stays as U+FEFF.
 *
 * The three ways to read, {@linkcode LineReader.readLine}, iteration and
 * {@linkcode LineReader.batches}, may be mixed: each goes on where the one before it stopped.
 * Leaving a loop early leaves the reader open, as in Python: the pipe must not close while the
 * program at its other end still writes. Disposal closes it.
 *
 * A line longer than `maxLineLength` is a `RangeError`, and the stream is cancelled. An error of
 * the stream itself is passed on. Either comes after the whole lines before it, and again with
 * every later call. The stream must not be locked.
 *
 * @example Wait for a line, then read the rest
 * ```ts
 * import { LineReader } from "./line_reader.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { body } = new Response("ready\none\ntwo");
 * await using reader = new LineReader(body ?? new ReadableStream());
 * assertEquals(await reader.readLine(), "ready");
 *
 * const rest: string[] = [];
 * for await (const line of reader) rest.push(line);
 * assertEquals(rest, ["one", "two"]);
 * ```
 */
export class LineReader implements AsyncDisposable {
  readonly #reader: Chunks;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #maxLineLength: number;

  /** Whole lines, of which those from `#next` on have not been handed out. */
  #lines: string[] = [];
  #next = 0;
  /** How many lines the last chunk completed, a guess for the next. */
  #lastCount = 0;

  /** The line whose end has not come, as it came: joining it once keeps the cost linear. */
  #pieces: string[] = [];
  #partialLength = 0;

  #ended = false;
  #disposed = false;
  #failure: { error: unknown } | undefined;

  /** The calls that wait for the stream; a new one waits for the last of them. */
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /**
   * Reads from `readable`, which stays locked until the reader is disposed.
   *
   * @throws {TypeError} If the stream is locked already.
   * @throws {RangeError} If `maxLineLength` is negative or not a number.
   */
  constructor(readable: ReadableStream<Uint8Array>, options: LineReaderOptions = {}) {
    const { maxLineLength = 64 * 1024 * 1024 } = options;
    if (!(maxLineLength >= 0)) {
      throw new RangeError(`maxLineLength must be 0 or more, got ${maxLineLength}`);
    }
    this.#maxLineLength = maxLineLength;
    this.#reader = readChunks(readable);
  }

  /**
   * The text that has come of a line whose end has not: what a program that fell silent in the
   * middle of a line had said. Empty when there is none.
   *
   * @example A prompt ends without a newline
   * ```ts
   * import { LineReader } from "./line_reader.ts";
   * import { assertEquals } from "@std/assert";
   *
   * const stream = ReadableStream.from([new TextEncoder().encode("hello\nlogin: ")]);
   * await using reader = new LineReader(stream);
   * await reader.readLine();
   * assertEquals(reader.partialLine, "login: ");
   * ```
   */
  get partialLine(): string {
    return this.#pieces.join("");
  }

  /**
   * The next line, `""` for an empty one, `null` at the end of the stream and after disposal.
   * Calls made before earlier ones have settled are answered in order.
   *
   * @example
   * ```ts
   * import { LineReader } from "./line_reader.ts";
   * import { assertEquals } from "@std/assert";
   *
   * const { body } = new Response("how are you\r\n\nfine");
   * await using reader = new LineReader(body ?? new ReadableStream());
   * assertEquals(await reader.readLine(), "how are you");
   * assertEquals(await reader.readLine(), "");
   * assertEquals(await reader.readLine(), "fine");
   * assertEquals(await reader.readLine(), null);
   * ```
   */
  readLine(): Promise<string | null> {
    const line = this.#takeBuffered();
    return line !== undefined ? Promise.resolve(line) : this.#inTurn(() => this.#takeLine());
  }

  /**
   * The lines one at a time, to the end of the stream.
   *
   * @example
   * ```ts
   * import { LineReader } from "./line_reader.ts";
   * import { assertEquals } from "@std/assert";
   *
   * const child = new Deno.Command("printf", { args: ["1\\n2\\n"], stdout: "piped" }).spawn();
   * await using reader = new LineReader(child.stdout);
   * assertEquals(await Array.fromAsync(reader), ["1", "2"]);
   * await child.status;
   * ```
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<string> {
    return iterate(() => this.#takeBuffered(), () => this.#inTurn(() => this.#takeLine()));
  }

  /**
   * The lines as they come: each array holds the lines that one read of the stream completed, and
   * is never empty. The fastest way to read many lines.
   *
   * @example
   * ```ts
   * import { LineReader } from "./line_reader.ts";
   * import { assertEquals } from "@std/assert";
   *
   * const chunks = ["one\ntwo\nth", "ree", "\n"].map((text) => new TextEncoder().encode(text));
   * await using reader = new LineReader(ReadableStream.from(chunks));
   * assertEquals(await Array.fromAsync(reader.batches()), [["one", "two"], ["three"]]);
   * ```
   */
  batches(): AsyncIterableIterator<string[]> {
    return iterate(() => undefined, () => this.#inTurn(() => this.#takeLines()));
  }

  /**
   * Closes the reader: cancels what is left to read, which closes the read end of a pipe, and
   * releases the lock. Lines not handed out are dropped; calls still waiting get `null`.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = this.#ended = true;
    this.#lines = [];
    this.#pieces = [];
    try {
      if (this.#failure === undefined) await this.#reader.cancel();
    } finally {
      this.#reader.releaseLock();
    }
  }

  /** A line that need wait neither for the stream nor for an earlier call: most lines. */
  #takeBuffered(): string | undefined {
    return this.#waiting === 0 ? this.#takeLine() : undefined;
  }

  #takeLine(): string | undefined {
    const line = this.#lines[this.#next];
    if (line !== undefined) this.#next++;
    return line;
  }

  #takeLines(): string[] | undefined {
    const lines = this.#next === 0 ? this.#lines : this.#lines.slice(this.#next);
    this.#lines = [];
    this.#next = 0;
    return lines.length > 0 ? lines : undefined;
  }

  /** Calls `take` when all earlier calls have been answered, and again after each read, until it
   * takes something. */
  #inTurn<T>(take: () => T | undefined): Promise<T | null> {
    const answer = async () => {
      try {
        for (;;) {
          const value = take();
          if (value !== undefined) return value;
          if (!await this.#read()) return null;
        }
      } finally {
        this.#waiting--;
      }
    };
    const taken = this.#waiting++ === 0 ? answer() : this.#turn.then(answer);
    // A failure is told to the call that met it; the next call meets it by itself.
    this.#turn = taken.catch(() => {});
    return taken;
  }

  /** Replaces `#lines`, all of which have been handed out, by what one more chunk completes.
   * False when there is nothing more to read. */
  async #read(): Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#ended) return false;
    this.#lines = [];
    this.#next = 0;
    try {
      const { done, value } = await this.#reader.read();
      if (this.#disposed) return false;
      this.#ended = done;
      this.#split(this.#decoder.decode(value, { stream: !done }));
    } catch (error) {
      this.#failure = { error };
      // The failure itself is what the caller is told; that a failed stream cannot be cancelled
      // adds nothing to it.
      this.#reader.cancel(error).catch(() => {});
    }
    return true;
  }

  #split(text: string): void {
    const mayBeTooLong = this.#partialLength + text.length > this.#maxLineLength;
    // Chunks of one size differ by a few lines.
    const { lines, rest } = splitAtNewlines(text, this.#lastCount + 64);
    this.#lastCount = lines.length;
    const first = lines[0];
    if (first !== undefined && this.#pieces.length > 0) lines[0] = this.#joinPartial(first);

    if (lines[0]?.endsWith("\r") || text.includes("\r")) {
      lines.forEach((line, index) => {
        if (line.endsWith("\r")) lines[index] = line.slice(0, -1);
      });
    }
    if (rest !== "") {
      this.#pieces.push(rest);
      this.#partialLength += rest.length;
    }
    if (this.#ended && this.#pieces.length > 0) lines.push(this.#joinPartial(""));
    this.#lines = lines;
    if (mayBeTooLong) this.#checkLengths();
  }

  #joinPartial(end: string): string {
    this.#pieces.push(end);
    const line = this.partialLine;
    this.#pieces = [];
    this.#partialLength = 0;
    return line;
  }

  /** Keeps the lines before the first that is too long. A `\r` at the end of the partial line does
   * not count yet: it may be half of `\r\n`. */
  #checkLengths(): void {
    const limit = this.#maxLineLength;
    const counted = this.#partialLength - (this.#pieces.at(-1)?.endsWith("\r") ? 1 : 0);
    let tooLong = this.#lines.findIndex((line) => line.length > limit);
    if (tooLong === -1 && counted > limit) tooLong = this.#lines.length;
    if (tooLong === -1) return;
    this.#lines.length = tooLong;
    throw new RangeError(`A line is longer than ${limit} UTF-16 code units, the maxLineLength`);
  }
}

/** The lines that end in `text`, and what comes after them: in two thirds of the time of
 * `text.split("\n")`, by a loop, into an array that need not grow up to `room` lines. */
function splitAtNewlines(text: string, room: number): { lines: string[]; rest: string } {
  const lines = new Array<string>(room);
  let count = 0;
  let start = 0;
  for (let end; (end = text.indexOf("\n", start)) !== -1; start = end + 1) {
    lines[count++] = text.slice(start, end);
  }
  lines.length = count;
  return { lines, rest: text.slice(start) };
}

/** What a reader needs of a stream. */
type Chunks = Pick<ReadableStreamDefaultReader<Uint8Array>, "read" | "cancel" | "releaseLock">;

/** The chunks of a stream, each good until the next is read: a pipe fills the same memory again and
 * again, which takes a third off the work of a short answer. */
function readChunks(readable: ReadableStream<Uint8Array>): Chunks {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = readable.getReader({ mode: "byob" });
  } catch {
    // Not a stream of a type that can, or a locked one, which is refused here as well.
    return readable.getReader();
  }
  let buffer = new Uint8Array(64 * 1024);
  return {
    async read() {
      const { done, value } = await reader.read(buffer);
      if (done || value === undefined) return { done: true };
      buffer = new Uint8Array(value.buffer);
      return { done, value };
    },
    cancel: (reason) => reader.cancel(reason),
    releaseLock: () => reader.releaseLock(),
  };
}

/** An iterator that ends itself when it is left, and not what it reads. It takes what is there, and
 * waits for the rest. */
function iterate<T>(
  take: () => T | undefined,
  read: () => Promise<T | null>,
): AsyncIterableIterator<T> {
  const end: IteratorResult<T> = { done: true, value: undefined };
  let left = false;
  return {
    next() {
      if (left) return Promise.resolve(end);
      const value = take();
      if (value !== undefined) return Promise.resolve({ done: false, value });
      return read().then((value) => value === null ? end : { done: false, value });
    },
    return() {
      left = true;
      return Promise.resolve(end);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
