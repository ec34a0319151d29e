/**
 * To take home, alone: pieces out of a stream of bytes, up to an end or of a
 * number of bytes, in bounded memory.
 *
 * @module
 */

/** The stream ended inside a piece. */
export class IncompleteReadError extends Error {
  /** What the error is called where it is printed. */
  override readonly name = "IncompleteReadError";
  /** The exit code for a script that ends with this error. */
  readonly exitCode = 1;

  /** Says how much had come of the piece; `partial` is what. */
  constructor(readonly partial: Uint8Array<ArrayBuffer>) {
    super(
      `The stream ended inside a piece, after ${partial.length} byte${
        partial.length === 1 ? "" : "s"
      } of it`,
    );
  }
}

/**
 * More than the `maxLength` of its {@linkcode ByteReader} stands before an end.
 */
export class PieceTooLongError extends RangeError {
  /** What the error is called where it is printed. */
  override readonly name = "PieceTooLongError";
  /** The exit code for a script that ends with this error. */
  readonly exitCode = 1;
}

/** The settings of a {@linkcode ByteReader}. */
export interface ByteReaderOptions {
  /** The longest piece that `readUntil()` accepts, in bytes (default 64 Mi). */
  maxLength?: number;
  /**
   * Ends all reading when it aborts: every call rejects with its reason, the
   * stream is cancelled, and bytes not handed out are dropped.
   */
  signal?: AbortSignal;
  /**
   * Give it `child.status`: end of file comes only when no process holds the
   * write end, and the child may have left one running. After it settles,
   * reading stops after 0.1 s of silence, at the latest after 1 s of waiting or
   * 1 MiB more; what comes later is not read.
   */
  until?: Promise<unknown>;
}

/**
 * Pieces out of a stream of bytes: `readuntil()` and `readexactly()` of
 * Python's asyncio, for a pipe. For lines alone, `LineReader` is faster, and
 * gives text.
 *
 * All ways to read may be mixed. Calls made before earlier ones have settled
 * are answered in order. A piece is the caller's own: its memory holds nothing
 * else. Leaving a loop early leaves the reader open. Disposal closes it, and
 * every call gives `null` from then on.
 *
 * A call that is given up, or whose piece is too long, takes nothing: the bytes
 * stay in `buffered`, for the next call. Bytes that came before an error of the
 * stream stay, too; calls that ask for more reject with that error. But where
 * the stream ends inside a piece, an {@linkcode IncompleteReadError} takes what
 * had come, as its `partial`. For a time limit, give a call a `signal`: a call
 * that lost a `Promise.race()` would still take the next piece, and nobody
 * would see it. However fast bytes come, timers and signals still run: reading
 * pauses for them every 20 ms.
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
  readonly #reader:
    | ReadableStreamBYOBReader
    | ReadableStreamDefaultReader<Uint8Array>;
  readonly #maxLength: number;
  /** Ends the listening to the signal, which may outlive the reader. */
  readonly #listening = new AbortController();
  /**
   * The memory for the next read: the same each time, which saves a third of
   * the work.
   */
  #memory: Uint8Array = new Uint8Array(64 * 1024);
  /**
   * The bytes not handed out: first the beginning of a piece, with room for its
   * rest, …
   */
  #head = NOTHING;
  /** … then the rest of the last chunk. */
  #chunk: Uint8Array = NOTHING;
  /**
   * Result of a call when the stream has ended and too little is left: null, or
   * an error.
   */
  #end: (() => null) | undefined;
  /** Result of every call after disposal or an abort: null, or an error. */
  #closed: (() => null) | undefined;
  #disposal: Promise<void> | undefined;
  /** The last of the calls that wait for the stream; a new one waits for it. */
  #turn: Promise<void> | undefined;
  /** Has the call that waits look again. */
  #wake = () => {};
  #isReading = false;
  /**
   * When timers and signals must run next. They ran while we waited for the
   * first bytes.
   */
  #yieldAt = Infinity;
  #calls = 0;
  /**
   * After `until`, a budget of 1000: each ms of waiting and each KiB read costs
   * 1. So a full pipe is read to its end, but a process that goes on writing
   * does not hold the reader for ever.
   */
  #patience = Infinity;
  #look: ReturnType<typeof setTimeout> | undefined;

  /** Locks `readable` until disposal.
   *
   * @throws {TypeError} If it is locked already.
   * @throws {RangeError} If `maxLength` is negative or NaN. */
  constructor(
    readable: ReadableStream<Uint8Array>,
    { maxLength = 2 ** 26, signal, until }: ByteReaderOptions = {},
  ) {
    if (!(maxLength >= 0)) {
      throw new RangeError(`A maxLength cannot be ${maxLength}`);
    }
    this.#maxLength = maxLength;
    try {
      this.#reader = readable.getReader({ mode: "byob" });
    } catch {
      // Not a stream that fills a buffer, or a locked one, which is refused
      // here as well.
      this.#reader = readable.getReader();
    }
    const abort = () => {
      // The reason says more than that the stream cannot be cancelled.
      this.#close(() => {
        throw signal?.reason;
      }, signal?.reason).catch(() => {});
    };
    signal?.addEventListener("abort", abort, {
      signal: this.#listening.signal,
    });
    if (signal?.aborted) abort();
    const settled = () => {
      this.#patience = 1000;
      if (this.#isReading) this.#endIfStill();
    };
    until?.then(settled, settled);
  }

  /**
   * A copy of the bytes that have come and were not handed out, such as an
   * unexpected prompt.
   */
  get buffered(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#length);
    bytes.set(this.#head);
    bytes.set(this.#chunk, this.#head.length);
    return bytes;
  }

  /**
   * The bytes before `end`, which is consumed and no part of them; `null` at
   * the end of the stream and after disposal.
   *
   * @param end One byte or more; a text stands for its UTF-8.
   * @param options.signal Gives this call up: it rejects with its reason, and
   * takes nothing.
   * @throws {IncompleteReadError} If the stream ends before `end` has come.
   * @throws {PieceTooLongError} If more than `maxLength` bytes stand before
   * `end`.
   * @throws {RangeError} If `end` is empty.
   */
  readUntil(
    end: string | Uint8Array,
    options?: { signal?: AbortSignal },
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    const bytes = typeof end === "string" ? encoder.encode(end) : end;
    if (bytes.length === 0) {
      return Promise.reject(new RangeError("An end cannot be empty"));
    }
    const find = finder(bytes, this.#maxLength);
    const take = () => {
      const length = find(this.#head, this.#chunk);
      return length === undefined
        ? undefined
        : this.#take(length, bytes.length);
    };
    return this.#call(take, Infinity, options?.signal);
  }

  /**
   * Exactly `count` bytes; `null` after disposal, and at the end of the stream
   * unless `count` is 0. They are kept until all have come, and `maxLength`
   * does not hold for them: check a number that the other side has sent.
   *
   * @param options.signal Gives this call up: it rejects with its reason, and
   * takes nothing.
   * @throws {IncompleteReadError} If the stream ends before `count` bytes have
   * come.
   * @throws {RangeError} If `count` is no whole number, or negative.
   */
  readBytes(
    count: number,
    options?: { signal?: AbortSignal },
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    if (!(Number.isInteger(count) && count >= 0)) {
      return Promise.reject(
        new RangeError(`The number of bytes cannot be ${count}`),
      );
    }
    const take = () => this.#length < count ? undefined : this.#take(count);
    return this.#call(take, count, options?.signal);
  }

  /**
   * A number of four bytes, such as the length before a message, the most
   * significant byte first; `null` and errors as of `readBytes(4)`, in half the
   * time.
   *
   * @param options.littleEndian Expects the least significant byte first, as
   * `DataView` does.
   * @param options.signal Gives this call up: it rejects with its reason, and
   * takes nothing.
   */
  readUint32(
    { littleEndian = false, signal }: {
      littleEndian?: boolean;
      signal?: AbortSignal;
    } = {},
  ): Promise<number | null> {
    const take = () => {
      if (this.#length < 4) return undefined;
      const { buffer, byteOffset } = this.#together(4);
      this.#drop(4);
      return new DataView(buffer, byteOffset).getUint32(0, littleEndian);
    };
    return this.#call(take, 4, signal);
  }

  /**
   * The bytes in chunks as they come, to the end of the stream; first the
   * `buffered` ones.
   */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<
    Uint8Array<ArrayBuffer>
  > {
    const take = () =>
      this.#length === 0 ? undefined : this.#take(this.#length);
    for (let chunk; (chunk = await this.#call(take, Infinity)) !== null;) {
      yield chunk;
    }
  }

  /**
   * Cancels the rest of the stream, which closes the read end of a pipe, and
   * releases the lock. Bytes not handed out are dropped.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposal ??= (async () => {
      this.#listening.abort();
      try {
        await this.#close(() => null);
      } catch (error) {
        // The calls got a failed stream's error. A stream that cannot be
        // cancelled throws here.
        if (await this.#reader.closed.then(() => true, () => false)) {
          throw error;
        }
      } finally {
        this.#reader.releaseLock();
        // A call that still waits gets null.
        await this.#turn;
      }
    })();
  }

  get #length(): number {
    return this.#head.length + this.#chunk.length;
  }

  /**
   * Answers a call when all earlier ones have been answered. `size` is its
   * number of bytes.
   */
  async #call<T>(
    take: () => T | undefined,
    size: number,
    signal?: AbortSignal,
  ): Promise<T | null> {
    signal?.throwIfAborted();
    const piece = this.#mustWait() ? undefined : this.#attempt(take);
    if (piece !== undefined) return piece;
    const { promise, resolve, reject } = Promise.withResolvers<T | null>();
    const giveUp = () => {
      reject(signal?.reason);
      this.#wake();
    };
    signal?.addEventListener("abort", giveUp);
    const answer = async () => {
      try {
        for (;;) {
          if (performance.now() > this.#yieldAt) {
            this.#yieldAt = await nextTurn();
          }
          // No abort may come between taking a piece and handing it out: it
          // would be lost.
          if (signal?.aborted) return;
          const piece = this.#attempt(take);
          if (piece !== undefined) return resolve(piece);
          await this.#more(size);
        }
      } catch (error) {
        reject(error);
      }
    };
    const answered = this.#turn === undefined
      ? answer()
      : this.#turn.then(answer);
    const turn = this.#turn = answered.then(() => {
      if (this.#turn === turn) this.#turn = undefined;
    });
    return await promise.finally(() =>
      signal?.removeEventListener("abort", giveUp)
    );
  }

  /** The clock costs as much as a small piece: a look now and then. */
  #mustWait(): boolean {
    return this.#turn !== undefined ||
      ++this.#calls % 64 === 0 && performance.now() > this.#yieldAt;
  }

  /** A piece; null at the end; undefined if more must come first. */
  #attempt<T>(take: () => T | undefined): T | null | undefined {
    if (this.#closed !== undefined) return this.#closed();
    const piece = take();
    if (piece !== undefined || this.#end === undefined) return piece;
    this.#listening.abort();
    return this.#end();
  }

  /**
   * Waits until more bytes come, the stream ends, or the call is given up. Its
   * read then goes on, for the next call.
   */
  #more(size: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    if (!this.#isReading) this.#read(size);
    return promise;
  }

  async #read(size: number): Promise<void> {
    this.#isReading = true;
    // The next chunk may come into the memory of this one.
    if (this.#chunk.length > 0) this.#gather(this.#chunk.length, size);
    const [patience, start] = [this.#patience, performance.now()];
    if (patience < Infinity) this.#endIfStill();
    try {
      const { done, value } = await this.#reader.read(this.#memory);
      if (this.#closed !== undefined) return;
      if (this.#yieldAt === Infinity) this.#yieldAt = performance.now() + 20;
      if (done) this.#end = () => this.#endPiece();
      else {
        this.#chunk = bytesOf(value);
        const cost = performance.now() - start + this.#chunk.length / 1024;
        this.#patience = Math.min(this.#patience, patience - cost);
        // A pipe took the memory, and gives it back with the chunk; other
        // streams bring their own.
        if (this.#memory.length === 0) {
          this.#memory = new Uint8Array(value.buffer);
        }
      }
    } catch (error) {
      this.#end = () => {
        throw error;
      };
      // After a chunk that is not bytes, nobody will read the stream.
      this.#reader.cancel(error).catch(() => {});
    } finally {
      this.#isReading = false;
      // Even a call for nothing costs a thirtieth of a round trip.
      if (this.#look !== undefined) clearTimeout(this.#look);
      this.#wake();
    }
  }

  #endPiece(): null {
    if (this.#length > 0) {
      throw new IncompleteReadError(this.#take(this.#length));
    }
    return null;
  }

  /**
   * Ends the stream if this read still waits at two looks. One is not enough:
   * after Ctrl-Z and fg, timers fire before pending input is seen.
   */
  #endIfStill(): void {
    // A stream that cannot be cancelled goes on.
    const end = () => this.#reader.cancel().catch(() => {});
    if (this.#patience < 0) end();
    else this.#look = setTimeout(() => this.#look = setTimeout(end, 50), 50);
  }

  #close(closed: () => null, reason?: unknown): Promise<void> {
    this.#closed = closed;
    this.#head = this.#chunk = NOTHING;
    // Ends the read that a call waits for.
    return this.#reader.cancel(reason);
  }

  /** Hands out the next `count` bytes, and drops the `dropped` after them. */
  #take(count: number, dropped = 0): Uint8Array<ArrayBuffer> {
    const bytes = this.#together(count);
    // Memory that holds this piece alone need not be copied.
    const isWhole = this.#head.length > 0 &&
      this.#head.buffer.byteLength === count;
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

  /**
   * Moves `count` bytes of the chunk to the end of the head, for a piece of
   * `size` bytes.
   */
  #gather(count: number, size: number): void {
    const length = this.#head.length + count;
    let { buffer, byteOffset } = this.#head;
    if (byteOffset + length > buffer.byteLength) {
      // Twice the length it has now, so that each byte is copied about once
      // more while it grows.
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
 * Looks for `end` in a head and a chunk, which have grown when it looks again,
 * in time linear in them whatever `end` is (Knuth, Morris and Pratt). Gives how
 * many bytes stand before it.
 */
function finder(
  end: Uint8Array,
  maxLength: number,
): (head: Uint8Array, chunk: Uint8Array) => number | undefined {
  let [seen, matched] = [0, 0];
  /** How much of `end` still matches where one byte more did not. */
  const fallback = [0];
  const match = (byte: number | undefined) => {
    while (matched > 0 && byte !== end[matched]) {
      matched = fallback[matched - 1] ?? 0;
    }
    if (byte === end[matched]) matched++;
    return matched;
  };
  for (let at = 1; at < end.length; at++) fallback.push(match(end[at]));
  matched = 0;
  const [first = 0] = end;
  return (head, chunk) => {
    for (
      const part of [
        rest(head, seen),
        rest(chunk, Math.max(0, seen - head.length)),
      ]
    ) {
      let at = 0;
      while (at < part.length && matched < end.length) {
        if (matched === 0) at = part.indexOf(first, at);
        if (at === -1) at = part.length;
        else match(part[at++]);
      }
      seen += at;
    }
    const length = seen - matched;
    if (length > maxLength) {
      throw new PieceTooLongError(`A piece is longer than ${maxLength} bytes`);
    }
    return matched === end.length ? length : undefined;
  };
}

/**
 * The bytes of a chunk, which in a stream of plain JavaScript may be anything.
 */
function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  throw new TypeError(
    `A chunk of the stream is not bytes but of the type ${typeof chunk}`,
  );
}

/**
 * Lets timers, signals and other input run, and returns when they must run
 * again. Deno looks for input at every 61st turn of its event loop. 64 turns
 * take 0.1 ms, a timer 1 or 2 ms.
 */
async function nextTurn(): Promise<number> {
  const immediate: unknown = Reflect.get(globalThis, "setImmediate");
  const [end, turns] = typeof immediate === "function"
    ? [immediate, 64]
    : [setTimeout, 1];
  for (let n = 0; n < turns; n++) {
    await new Promise<void>((resolve) => end(resolve));
  }
  return performance.now() + 20;
}
