/** The stream ended inside a piece. */
export class IncompleteReadError extends Error {
  /** The exit code for a script that ends with this error. */
  readonly exitCode = 1;
  /** What errors of this kind are called. */
  override readonly name = "IncompleteReadError";

  /** The error; `partial` is what had come of the piece. */
  constructor(readonly partial: Uint8Array) {
    super(`The stream ended inside a piece, after ${partial.length} bytes of it`);
  }
}

/**
 * Pieces out of a stream of bytes: up to an end, or a number of bytes. One call at a time.
 *
 * @example
 * ```ts
 * import { ByteReader } from "./byte_reader.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using reader = new ByteReader(new Blob(["3\nhow"]).stream());
 * const length = new TextDecoder().decode(await reader.readUntil("\n") ?? undefined);
 * const body = await reader.readBytes(Number(length));
 * assertEquals(new TextDecoder().decode(body ?? undefined), "how");
 * assertEquals(await reader.readUntil("\n"), null);
 * ```
 */
export class ByteReader implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #maxLength: number;
  readonly #listening = new AbortController();
  /** What has come. `#buffer` may have room behind it. */
  #buffer = new Uint8Array(64 * 1024);
  #start = 0;
  #end = 0;
  #isOver = false;
  #failure: { error: unknown } | undefined;
  /** How many reads there were, and whether one waits. */
  #reads = 0;
  #isWaiting = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #yieldAt = performance.now() + 20;

  /** Locks `readable` until disposal. `maxLength`, in bytes, bounds `readUntil` (default 64 Mi). When
   * `signal` aborts, every call rejects with its reason. Once `until` has settled, the stream ends
   * when nothing more comes for a moment. */
  constructor(
    readable: ReadableStream<Uint8Array>,
    { maxLength = 2 ** 26, signal, until }: {
      maxLength?: number;
      signal?: AbortSignal;
      until?: Promise<unknown>;
    } = {},
  ) {
    this.#maxLength = maxLength;
    this.#reader = readable.getReader();
    const abort = () => {
      this.#failure = { error: signal?.reason };
      this.#reader.cancel(signal?.reason).catch(() => {});
    };
    signal?.addEventListener("abort", abort, { signal: this.#listening.signal });
    if (signal?.aborted) abort();
    const settled = () => this.#endWhenStill(-1, -1);
    until?.then(settled, settled);
  }

  /** What has come and was not handed out. */
  get buffered(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /**
   * What stands before `end`, a single character of ASCII, which is consumed; null at the end of the
   * stream.
   *
   * @throws {IncompleteReadError} If the stream ends before `end`.
   * @throws {RangeError} If more than `maxLength` bytes stand before it.
   */
  async readUntil(end: string): Promise<Uint8Array | null> {
    for (let seen = 0;;) {
      const at = this.buffered.indexOf(end.charCodeAt(0), seen);
      if ((at === -1 ? this.buffered.length : at) > this.#maxLength) {
        throw new RangeError(`A piece is longer than ${this.#maxLength} bytes`);
      }
      if (at !== -1) {
        const piece = this.#take(at);
        this.#start++;
        return piece;
      }
      seen = this.buffered.length;
      if (!await this.#read(1)) return this.#takeRest();
    }
  }

  /**
   * Exactly `count` bytes; null at the end of the stream.
   *
   * @throws {IncompleteReadError} If the stream ends before so many have come.
   */
  async readBytes(count: number): Promise<Uint8Array | null> {
    while (this.buffered.length < count) {
      if (!await this.#read(count - this.buffered.length)) return this.#takeRest();
    }
    return this.#take(count);
  }

  /** Cancels what is left to read, and releases the lock. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#listening.abort();
    clearTimeout(this.#timer);
    // A stream that has failed has told its reader.
    await this.#reader.cancel().catch(() => {});
    this.#reader.releaseLock();
  }

  #take(count: number): Uint8Array {
    return this.#buffer.slice(this.#start, this.#start += count);
  }

  #takeRest(): null {
    const rest = this.#take(this.buffered.length);
    if (rest.length > 0) throw new IncompleteReadError(rest);
    return null;
  }

  async #read(missing: number): Promise<boolean> {
    if (performance.now() > this.#yieldAt) this.#yieldAt = await nextTurn();
    if (this.#isOver) return false;
    this.#isWaiting = true;
    this.#reads++;
    const { value } = await this.#reader.read();
    this.#isWaiting = false;
    if (this.#failure) throw this.#failure.error;
    if (value === undefined) this.#isOver = true;
    else this.#keep(value, missing);
    return value !== undefined;
  }

  #keep(chunk: Uint8Array, missing: number): void {
    const kept = this.buffered;
    if (this.#end + chunk.length > this.#buffer.length) {
      // Room for what is missing, or twice as much: so each byte is copied a few times at most.
      const isLong = kept.length + chunk.length > this.#buffer.length / 2;
      const size = Math.min(missing, 2 * this.#buffer.length) + kept.length + chunk.length;
      const room = isLong ? Math.max(2 * kept.length, size) : this.#buffer.length;
      const buffer = isLong ? new Uint8Array(room) : this.#buffer;
      buffer.set(kept);
      [this.#buffer, this.#start, this.#end] = [buffer, 0, kept.length];
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Looks twice: this process may have been kept waiting itself. */
  #endWhenStill(reads: number, before: number): void {
    if (this.#isOver) return;
    if (this.#isWaiting && reads === this.#reads && before === this.#reads) {
      this.#isOver = true;
      this.#reader.cancel().catch(() => {});
      return;
    }
    const now = this.#isWaiting ? this.#reads : -1;
    this.#timer = setTimeout(() => this.#endWhenStill(now, reads), 100);
  }
}

/** Lets timers, signals and other input run, and tells when they must again. Deno looks for input
 * at every 61st turn of its event loop: 64 take 0.1 ms, and a timer would sleep for 1 or 2 ms. */
async function nextTurn(): Promise<number> {
  const [end, turns] = "setImmediate" in globalThis ? [setImmediate, 64] : [setTimeout, 1];
  for (let n = 0; n < turns; n++) await new Promise<void>((resolve) => end(resolve));
  return performance.now() + 20;
}
