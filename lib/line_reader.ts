/**
 * To take home, alone: lines of text out of a stream of bytes, as they come, in bounded memory.
 *
 * @module
 */
// deno-fmt-ignore-file: lines of up to 100 columns; at 80 the file would be a third longer.

/**
 * Lines of text out of a stream of bytes: `readline()` for a pipe.
 *
 * A line ends with `\n` or `\r\n`, which is not part of it; a lone `\r` is text, and a last line
 * without an end is a line. Bytes that are not UTF-8 become U+FFFD; a byte order mark stays.
 *
 * The three ways to read may be mixed. After `break` you can go on reading from the same reader: a
 * pipe must not close while the program at its other end still writes. Disposal closes it. An error
 * comes after the whole lines before it. However fast lines come, timers and signals still run.
 *
 * For a time limit, use `readLine({ signal })`. `Promise.race()` only looks like one: the call that
 * lost the race takes the next line, and nobody sees it. Of few lines out of many, keep copies, by
 * `decodeURIComponent(encodeURIComponent(line))`: each may keep the 64 KiB that it came with.
 *
 * @example
 * ```ts
 * import { LineReader } from "./line_reader.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const args = ["ready\\none\\n? "];
 * const command = new Deno.Command("printf", { args, stdout: "piped" });
 * await using child = command.spawn();
 * await using reader = new LineReader(child.stdout);
 * for await (const line of reader) if (line === "ready") break;
 * deepEqual(await reader.readLine(), "one");
 * deepEqual(await Array.fromAsync(reader.batches()), [["? "]]);
 * ```
 */
export class LineReader implements AsyncDisposable {
  readonly #reader: ReadableStreamBYOBReader | ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #maxLineLength: number;
  #memory: Uint8Array = new Uint8Array(65_536); // For the next read: new one costs a third more.
  #lines: string[] = []; // Whole lines,
  #taken = 0; // and how many of them have been taken.
  #beginning = ""; // What has come of the next line,
  #tail = ""; // and its last pieces, while they are small.
  #calls = new Set<() => boolean>(); // Those that wait, in order: each takes its answer, or fails.
  #reading: Promise<void> | undefined; // For them, or for one that was given up.
  #pauseAt = performance.now() + 20; // When timers and signals must run next.
  #end: Promise<null> | undefined; // What every call gets after the lines: null, or the error.
  #disposal: Promise<void> | undefined; // Settles when the stream has been cancelled.

  /** Locks `readable` until disposal.
   *
   * @param options.maxLineLength The longest line to accept, in UTF-16 code units (default 64 Mi).
   * @throws {TypeError} If `readable` is locked already.
   * @throws {RangeError} If `maxLineLength` is negative or NaN. */
  constructor(readable: ReadableStream<Uint8Array>, options: { maxLineLength?: number } = {}) {
    const { maxLineLength = 2 ** 26 } = options;
    if (!(maxLineLength >= 0)) throw new RangeError(`A maxLineLength cannot be ${maxLineLength}`);
    this.#maxLineLength = maxLineLength;
    try {
      this.#reader = readable.getReader({ mode: "byob" });
    } catch {
      this.#reader = readable.getReader(); // No byte stream; or locked, and refused here as well.
    }
  }

  /** The beginning of a line that is not complete yet, such as a prompt; `""` if there is none. */
  get partialLine(): string {
    return this.#beginning + this.#tail;
  }

  /** The next line, `""` for an empty one; `null` at the end of the stream and after disposal.
   * Calls made before earlier ones have settled are answered in order.
   *
   * @param options.signal Gives this call up: it rejects with the reason, and takes nothing.
   * @throws {RangeError} If the line is longer than `maxLineLength`. The stream is cancelled. */
  readLine(options?: { signal?: AbortSignal }): Promise<string | null> {
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const line = this.#mustWait() ? undefined : this.#lines[this.#taken++];
    if (line !== undefined) return Promise.resolve(line);
    return this.#wait(() => this.#lines[this.#taken++], signal);
  }

  /** The lines one at a time, to the end of the stream. */
  [Symbol.asyncIterator](): AsyncIterableIterator<string> {
    return this.#iterate(() => this.#lines[this.#taken++]);
  }

  /** All lines that one read completed, at least one: the fastest way to read many. */
  batches(): AsyncIterableIterator<string[]> {
    return this.#iterate(() => {
      const lines = this.#lines.splice(this.#taken);
      return lines.length > 0 ? lines : undefined;
    });
  }

  /** Cancels the stream, which closes a pipe's read end, drops what is left, releases the lock. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposal ??= (async () => {
      this.#end = Promise.resolve(null);
      this.#lines = [];
      this.#beginning = this.#tail = "";
      this.#answer();
      const cancelled = this.#reader.cancel();
      const hasFailed = await this.#reader.closed.then(() => false, () => true);
      this.#reader.releaseLock();
      await this.#reading; // It may pause.
      // The calls got a failed stream's error. A stream that cannot be cancelled throws here.
      await (hasFailed ? cancelled.catch(() => {}) : cancelled);
    })();
  }

  /** An iterator that ends when a loop is left. A generator would take twice the time. */
  #iterate<T>(take: () => T | undefined): AsyncIterableIterator<T> {
    const end: IteratorResult<T> = { done: true, value: undefined };
    let isLeft = false;
    return {
      next: () => {
        if (isLeft) return Promise.resolve(end);
        const value = this.#mustWait() ? undefined : take();
        if (value !== undefined) return Promise.resolve({ done: false, value });
        return this.#wait(take).then((value) => value === null ? end : { done: false, value });
      },
      return: () => {
        isLeft = true;
        return Promise.resolve(end);
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** The clock costs as much as a line: a look now and then. */
  #mustWait(): boolean {
    return this.#calls.size > 0 || this.#taken % 64 === 63 && performance.now() > this.#pauseAt;
  }

  /** Answers a call with what it takes, or at the end, when all earlier ones have been answered. */
  #wait<T>(take: () => T | undefined, signal?: AbortSignal): Promise<T | null> {
    const { promise, resolve, reject } = Promise.withResolvers<T | null>();
    const giveUp = () => {
      this.#calls.delete(answer);
      reject(signal?.reason);
    };
    const answer = () => {
      const result = take() ?? this.#end;
      if (result === undefined) return false;
      resolve(result);
      signal?.removeEventListener("abort", giveUp);
      return this.#calls.delete(answer);
    };
    signal?.addEventListener("abort", giveUp);
    this.#calls.add(answer);
    this.#reading ??= this.#read();
    return promise;
  }

  /** Answers the calls that wait, in order. False if one cannot be answered before more is read. */
  #answer(): boolean {
    for (const answer of this.#calls) if (!answer()) return false;
    return true;
  }

  /** Reads until all calls are answered, and pauses before lines are handed out or read. */
  async #read(): Promise<void> {
    do {
      if (performance.now() > this.#pauseAt) {
        this.#pauseAt = await new Promise((end) => setTimeout(() => end(performance.now() + 20)));
        if (this.#answer()) break;
      }
      try {
        const { done, value } = await this.#reader.read(this.#memory);
        if (this.#end === undefined) this.#receive(done, value);
      } catch (error) {
        this.#end ??= Promise.reject(error);
        this.#end.catch(() => {}); // Each call gets it by itself.
        this.#reader.cancel(error).catch(() => {});
      }
    } while (!this.#answer());
    this.#reading = undefined;
  }

  #receive(isLast: boolean, bytes?: Uint8Array): void {
    // A chunk that does not end inside a character is decoded by itself, in half the time.
    const isCut = !isLast && !((bytes?.at(-1) ?? 128) < 128);
    const text = this.#decoder.decode(bytes, isCut ? { stream: true } : undefined);
    if (bytes !== undefined) this.#memory = new Uint8Array(bytes.buffer);
    // An array that grows costs batches() a sixth; this one costs more for a short message.
    const lines = new Array<string>(text.length < 1024 ? 0 : text.length >> 3);
    let [count, start] = [0, 0];
    for (let end; (end = text.indexOf("\n", start)) !== -1; start = end + 1) {
      let line = start > 0 ? text.slice(start, end) : this.partialLine + text.slice(0, end);
      if (line.charCodeAt(line.length - 1) === 13) line = line.slice(0, -1);
      if (line.length > this.#maxLineLength) break; // It stays in the rest, which is too long then.
      if (start === 0) this.#beginning = this.#tail = "";
      lines[count++] = line;
    }
    if (lines.length > count) lines.length = count;
    [this.#lines, this.#taken] = [lines, 0];
    this.#tail += text.slice(start);
    if (this.#tail.length > 4096) {
      /^/.test(this.#tail); // Makes one text of its pieces, which take 35 bytes each.
      [this.#beginning, this.#tail] = [this.partialLine, ""];
    }
    const rest = this.partialLine;
    // A `\r` at the end may be half of `\r\n`.
    const isFull = !isLast && rest.length > this.#maxLineLength;
    if ((isFull ? rest.replace(/\r$/, "") : rest).length > this.#maxLineLength) {
      throw new RangeError(`A line is longer than ${this.#maxLineLength} UTF-16 code units`);
    }
    if (!isLast) return;
    if (rest !== "") lines.push(rest);
    this.#beginning = this.#tail = "";
    this.#end = Promise.resolve(null);
  }
}
