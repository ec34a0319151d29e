/**
 * To take home, alone: pieces out of a stream of bytes, up to an end or of a number of bytes, in
 * bounded memory.
 *
 * @module
 */
// deno-fmt-ignore-file: lines of up to 100 columns; at 80 the file would be a third longer.

/** The stream ended inside a piece. */
export class IncompleteReadError extends Error {
  /** What the error is called where it is printed. */
  override readonly name = "IncompleteReadError";
  /** The exit code for a script that ends with this error. */
  readonly exitCode = 1;

  /** Says how much had come of the piece; `partial` is what. */
  constructor(readonly partial: Uint8Array<ArrayBuffer>) {
    const bytes = partial.length === 1 ? "byte" : "bytes";
    super(`The stream ended inside a piece, after ${partial.length} ${bytes} of it`);
  }
}

/**
 * Pieces out of a stream of bytes: `readuntil()` and `readexactly()` of Python's asyncio, for a
 * pipe. For lines alone, `LineReader` is faster, and gives text.
 *
 * All ways to read may be mixed. Calls made before earlier ones have settled are answered in order.
 * A piece is the caller's own: its memory holds nothing else. Leaving a loop early leaves the
 * reader open. Disposal closes it, and every call gives `null` from then on.
 *
 * A call that is given up, or whose piece is too long, takes nothing: the bytes stay in `buffered`,
 * for the next call. Bytes that came before an error of the stream stay, too; calls that ask for
 * more reject with that error. But where the stream ends inside a piece, an {@linkcode
 * IncompleteReadError} takes what had come, as its `partial`. For a time limit, give a call a
 * `signal`: a call that lost a `Promise.race()` would still take the next piece, and nobody would
 * see it. However fast bytes come, timers and signals still run.
 *
 * @example
 * ```ts
 * import { ByteReader } from "./byte_reader.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const args = ["Length: 3\\r\\n\\r\\none> "];
 * const command = new Deno.Command("printf", { args, stdout: "piped" });
 * await using child = command.spawn();
 * await using reader = new ByteReader(child.stdout);
 * const bytes = (text: string) => new TextEncoder().encode(text);
 * deepEqual(await reader.readUntil("\r\n\r\n"), bytes("Length: 3"));
 * deepEqual(await reader.readBytes(3), bytes("one"));
 * deepEqual(await reader.readUntil("> "), bytes(""));
 * deepEqual(await reader.readUntil("> "), null);
 * ```
 */
export class ByteReader implements AsyncDisposable {
  readonly #reader: ReadableStreamBYOBReader | ReadableStreamDefaultReader<Uint8Array>;
  readonly #maxLength: number;
  #memory: Uint8Array = new Uint8Array(65_536); // For the next read: new one costs a third more.
  #head = NOTHING; // Bytes not handed out: the beginning of a piece, with room for its rest,
  #chunk: Uint8Array = NOTHING; // and the rest of the last chunk.
  #calls = new Map<() => boolean, number>(); // Those that wait, in order, and how many bytes for.
  #count = 0; // Of the calls: the clock is looked at now and then.
  #reading: Promise<void> | undefined; // For a call that waits, or for one that was given up.
  #pauseAt = performance.now() + 20; // When timers and signals must run next.
  #end: (() => null) | undefined; // What a call gets that wants more than is left; may throw.
  #isDisposed = false; // Every call gets null.
  #disposal: Promise<void> | undefined; // Settles when the stream has been cancelled.

  /** Locks `readable` until disposal.
   *
   * @param options.maxLength The longest piece that `readUntil()` accepts (default 64 Mi bytes).
   * @throws {TypeError} If `readable` is locked already.
   * @throws {RangeError} If `maxLength` is negative or NaN. */
  constructor(readable: ReadableStream<Uint8Array>, options: { maxLength?: number } = {}) {
    const { maxLength = 2 ** 26 } = options;
    if (!(maxLength >= 0)) throw new RangeError(`A maxLength cannot be ${maxLength}`);
    this.#maxLength = maxLength;
    try {
      this.#reader = readable.getReader({ mode: "byob" });
    } catch {
      this.#reader = readable.getReader(); // No byte stream; or locked, and refused here as well.
    }
  }

  /** A copy of the bytes that have come and were not handed out, such as an unexpected prompt. */
  get buffered(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#length);
    bytes.set(this.#head);
    bytes.set(this.#chunk, this.#head.length);
    return bytes;
  }

  /**
   * The bytes before `end`, which is consumed and no part of them; `null` at the end of the stream
   * and after disposal.
   *
   * @param end One byte or more; a text stands for its UTF-8.
   * @param options.signal Gives this call up: it rejects with its reason, and takes nothing.
   * @throws {IncompleteReadError} If the stream ends before `end` has come.
   * @throws {RangeError} If more than `maxLength` bytes stand before `end`.
   * @throws {RangeError} If `end` is empty.
   */
  readUntil(
    end: string | Uint8Array,
    options?: { signal?: AbortSignal },
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    const bytes = typeof end === "string" ? encoder.encode(end) : end.slice();
    if (bytes.length === 0) return Promise.reject(new RangeError("An end cannot be empty"));
    const find = finder(bytes, this.#maxLength);
    const take = () => {
      const length = find(this.#head, this.#chunk);
      return length === undefined ? undefined : this.#take(length, bytes.length);
    };
    return this.#call(take, Infinity, options?.signal);
  }

  /**
   * Exactly `count` bytes; `null` after disposal, and at the end of the stream unless `count` is 0.
   * They are kept until all have come, and `maxLength` does not hold for them: check a number that
   * the other side has sent.
   *
   * @param options.signal Gives this call up: it rejects with its reason, and takes nothing.
   * @throws {IncompleteReadError} If the stream ends before `count` bytes have come.
   * @throws {RangeError} If `count` is no whole number, or negative.
   */
  readBytes(
    count: number,
    options?: { signal?: AbortSignal },
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    if (!(Number.isInteger(count) && count >= 0)) {
      return Promise.reject(new RangeError(`The number of bytes cannot be ${count}`));
    }
    const take = () => this.#length < count ? undefined : this.#take(count);
    return this.#call(take, count, options?.signal);
  }

  /**
   * A number of four bytes, such as the length before a message, the most significant byte first;
   * `null` and errors as of `readBytes(4)`, in half the time.
   *
   * @param options.littleEndian Expects the least significant byte first, as `DataView` does.
   * @param options.signal Gives this call up: it rejects with its reason, and takes nothing.
   */
  readUint32(
    { littleEndian = false, signal }: { littleEndian?: boolean; signal?: AbortSignal } = {},
  ): Promise<number | null> {
    const take = () => {
      if (this.#length < 4) return undefined;
      const { buffer, byteOffset } = this.#together(4);
      this.#drop(4);
      return new DataView(buffer, byteOffset).getUint32(0, littleEndian);
    };
    return this.#call(take, 4, signal);
  }

  /** The bytes in chunks as they come, to the end of the stream; first the `buffered` ones. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    const take = () => this.#length === 0 ? undefined : this.#take(this.#length);
    for (let chunk; (chunk = await this.#call(take, Infinity)) !== null;) yield chunk;
  }

  /** Cancels the stream, which closes a pipe's read end, drops what is left, releases the lock. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposal ??= (async () => {
      this.#isDisposed = true;
      this.#head = this.#chunk = NOTHING;
      this.#answer();
      const cancelled = this.#reader.cancel();
      const hasFailed = await this.#reader.closed.then(() => false, () => true);
      this.#reader.releaseLock();
      await this.#reading; // It may pause.
      // The calls got a failed stream's error. A stream that cannot be cancelled throws here.
      await (hasFailed ? cancelled.catch(() => {}) : cancelled);
    })();
  }

  get #length(): number {
    return this.#head.length + this.#chunk.length;
  }

  /** Answers a call when all earlier ones have been answered. `size` is its number of bytes. */
  async #call<T>(take: () => T | undefined, size: number, signal?: AbortSignal): Promise<T | null> {
    signal?.throwIfAborted();
    // The clock costs as much as a small piece.
    const mustPause = ++this.#count % 64 === 0 && performance.now() > this.#pauseAt;
    const piece = this.#calls.size > 0 || mustPause ? undefined : this.#attempt(take);
    return piece === undefined ? await this.#wait(take, size, signal) : piece;
  }

  /** A piece, or what stands in its place at the end; undefined if more must come first. */
  #attempt<T>(take: () => T | undefined): T | null | undefined {
    return this.#isDisposed ? null : take() ?? this.#end?.();
  }

  #wait<T>(take: () => T | undefined, size: number, signal?: AbortSignal): Promise<T | null> {
    const { promise, resolve, reject } = Promise.withResolvers<T | null>();
    const answer = () => {
      try {
        const piece = this.#attempt(take);
        if (piece === undefined) return false;
        resolve(piece);
      } catch (error) {
        reject(error);
      }
      signal?.removeEventListener("abort", giveUp);
      return this.#calls.delete(answer);
    };
    const giveUp = () => {
      this.#calls.delete(answer);
      reject(signal?.reason);
      this.#answer(); // What has come may be enough for the next.
    };
    signal?.addEventListener("abort", giveUp);
    this.#calls.set(answer, size);
    this.#reading ??= this.#read();
    return promise;
  }

  /** Answers the calls that wait, in order. False if one cannot be answered before more is read. */
  #answer(): boolean {
    for (const answer of this.#calls.keys()) if (!answer()) return false;
    return true;
  }

  /** Reads until all calls are answered, and pauses before pieces are handed out or read. */
  async #read(): Promise<void> {
    do {
      if (performance.now() > this.#pauseAt) {
        this.#pauseAt = await new Promise((end) => setTimeout(() => end(performance.now() + 20)));
        if (this.#answer()) break;
      }
      try {
        // The next chunk may come into the memory of this one.
        const [size = Infinity] = this.#calls.values();
        if (this.#chunk.length > 0) this.#gather(this.#chunk.length, size);
        const { done, value } = await this.#reader.read(this.#memory);
        if (this.#isDisposed) continue;
        if (done) this.#end = () => this.#endPiece();
        else this.#chunk = bytesOf(value);
        // A pipe took the memory, and gives it back with the chunk; other streams bring their own.
        if (value !== undefined && this.#memory.length === 0) {
          this.#memory = new Uint8Array(value.buffer);
        }
      } catch (error) {
        this.#end = () => {
          throw error;
        };
        // After a chunk that is not bytes, nobody will read the stream.
        this.#reader.cancel(error).catch(() => {});
      }
    } while (!this.#answer());
    this.#reading = undefined;
  }

  #endPiece(): null {
    if (this.#length > 0) throw new IncompleteReadError(this.#take(this.#length));
    return null;
  }

  /** Hands out the next `count` bytes, and drops the `dropped` after them. */
  #take(count: number, dropped = 0): Uint8Array<ArrayBuffer> {
    const bytes = this.#together(count);
    // Memory that holds this piece alone need not be copied.
    const isWhole = this.#head.length > 0 && this.#head.buffer.byteLength === count;
    const piece = isWhole ? this.#head : bytes.slice(0, count);
    this.#drop(count + dropped);
    return piece;
  }

  /** Begins with the next `count` bytes, in one place. */
  #together(count: number): Uint8Array {
    const inHead = this.#head.length;
    if (inHead === 0) return this.#chunk;
    if (inHead < count) this.#gather(count - inHead, count);
    return this.#head;
  }

  #drop(count: number): void {
    const inChunk = count - this.#head.length;
    this.#head = rest(this.#head, count);
    if (inChunk > 0) this.#chunk = rest(this.#chunk, inChunk);
  }

  /** Moves `count` bytes of the chunk to the end of the head, for a piece of `size` bytes. */
  #gather(count: number, size: number): void {
    const length = this.#head.length + count;
    let { buffer, byteOffset } = this.#head;
    if (byteOffset + length > buffer.byteLength) {
      // Twice the length it has now, so that each byte is copied about once more while it grows.
      const room = new Uint8Array(Math.min(size, 2 * length));
      room.set(this.#head);
      ({ buffer, byteOffset } = room);
    }
    const grown = new Uint8Array(buffer, byteOffset, length);
    grown.set(this.#chunk.subarray(0, count), this.#head.length);
    this.#head = grown;
    this.#chunk = rest(this.#chunk, count);
  }
}

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();

/** The bytes from `at` on; an empty view of them would keep their memory. */
function rest<T extends ArrayBufferLike>(
  bytes: Uint8Array<T>,
  at: number,
): Uint8Array<T | ArrayBuffer> {
  return at < bytes.length ? bytes.subarray(at) : NOTHING;
}

/**
 * Looks for `end` in a head and a chunk, which have grown when it looks again, in time linear in
 * them whatever `end` is (Knuth, Morris and Pratt). Gives how many bytes stand before it.
 */
function finder(
  end: Uint8Array,
  maxLength: number,
): (head: Uint8Array, chunk: Uint8Array) => number | undefined {
  let [seen, matched] = [0, 0];
  /** How much of `end` still matches where one byte more did not. */
  const fallback = [0];
  const match = (byte: number | undefined) => {
    while (matched > 0 && byte !== end[matched]) matched = fallback[matched - 1] ?? 0;
    if (byte === end[matched]) matched++;
    return matched;
  };
  for (let at = 1; at < end.length; at++) fallback.push(match(end[at]));
  matched = 0;
  const [first = 0] = end;
  return (head, chunk) => {
    for (const part of [rest(head, seen), rest(chunk, Math.max(0, seen - head.length))]) {
      let at = 0;
      while (at < part.length && matched < end.length) {
        if (matched === 0) at = part.indexOf(first, at);
        if (at === -1) at = part.length;
        else match(part[at++]);
      }
      seen += at;
    }
    const length = seen - matched;
    if (length > maxLength) throw new RangeError(`A piece is longer than ${maxLength} bytes`);
    return matched === end.length ? length : undefined;
  };
}

/** The bytes of a chunk, which in a stream of plain JavaScript may be anything. */
function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  throw new TypeError(`A chunk of the stream is not bytes but of the type ${typeof chunk}`);
}
