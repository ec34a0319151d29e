/**
 * To take home, alone: lines of text out of a stream of bytes, as they come, in bounded memory.
 *
 * @module
 */
// deno-fmt-ignore-file: lines of up to 100 columns; at 80 the file would be a third longer.

/** A line is longer than the `maxLineLength` of its {@linkcode LineReader}. */
export class LineTooLongError extends RangeError {
  /** What the error is called where it is printed. */
  override readonly name = "LineTooLongError";
  /** The exit code for a script that ends with this error. */
  readonly exitCode = 1;
}

/** The settings of a {@linkcode LineReader}. */
export interface LineReaderOptions {
  /** The longest line to accept, in UTF-16 code units (default 64 Mi). */
  maxLineLength?: number;
  /** Ends all reading when it aborts: every call rejects with its reason, the stream is cancelled,
   * and lines not handed out are dropped. */
  signal?: AbortSignal;
  /** Give it `child.status`: end of file comes only when no process holds the write end, and the
   * child may have left one running. After it settles, reading stops after 0.1 s of silence, at the
   * latest after 1 s of waiting or 1 MiB more; what comes later is not read. */
  until?: Promise<unknown>;
}

/**
 * Lines of text out of a stream of bytes: `readline()` for a pipe.
 *
 * A line ends with `\n` or `\r\n`, which is not part of it; a lone `\r` is text, and a last line
 * without an end is a line. Bytes that are not UTF-8 become U+FFFD; a byte order mark stays.
 *
 * The three ways to read may be mixed. Leaving a loop early leaves the reader open: the pipe must
 * not close while the program at its other end still writes. Disposal closes it.
 *
 * A {@linkcode LineTooLongError} cancels the stream; an error of the stream is passed on. Either
 * comes after the whole lines before it, and again with every later call. However fast lines come,
 * timers and signals still run: reading pauses for them every 20 ms.
 *
 * For a line within a time limit, use `readLine({ signal })`. `Promise.race()` only looks like one:
 * the call that lost the race takes the next line, and nobody sees it.
 *
 * A line may keep the memory of the 64 KiB that it came with. To keep few of many lines, keep
 * copies: `decodeURIComponent(encodeURIComponent(line))`.
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
  /** Ends the listening to the signal, which may outlive the reader. */
  readonly #listening = new AbortController();
  /** The memory for the next read: the same each time, which saves a third of the work. */
  #buffer: Uint8Array = new Uint8Array(64 * 1024);
  /** Whole lines, of which those from `#next` on have not been handed out. */
  #lines: string[] = [];
  #next = 0;
  #partialLine = "";
  /** A last line without an end stays in `#partialLine`. */
  #keepsPartialLine = false;
  /** The result of every call after the lines: null, or the error. */
  #end: Promise<null> | undefined;
  #disposal: Promise<void> | undefined;
  /** The calls that wait, in order: each takes its answer, or tells that there is none yet. */
  #calls = new Set<() => boolean>();
  /** When timers and signals must run next. They ran while we waited for the first bytes. */
  #yieldAt = Infinity;
  #isServing = false;
  #isReading = false;
  /** After `until`, a budget of 1000: each ms of waiting and each KiB read costs 1. So a full pipe
   * is read to its end, but a process that goes on writing does not hold the reader for ever. */
  #patience = Infinity;
  #look: ReturnType<typeof setTimeout> | undefined;

  /** Locks `readable` until disposal.
   *
   * @throws {TypeError} If it is locked already.
   * @throws {RangeError} If `maxLineLength` is negative or NaN. */
  constructor(
    readable: ReadableStream<Uint8Array>,
    { maxLineLength = 2 ** 26, signal, until }: LineReaderOptions = {},
  ) {
    if (!(maxLineLength >= 0)) throw new RangeError(`A maxLineLength cannot be ${maxLineLength}`);
    this.#maxLineLength = maxLineLength;
    try {
      this.#reader = readable.getReader({ mode: "byob" });
    } catch {
      // Not a stream that fills a buffer, or a locked one, which is refused here as well.
      this.#reader = readable.getReader();
    }
    const abort = () => this.#fail(signal?.reason);
    signal?.addEventListener("abort", abort, { signal: this.#listening.signal });
    if (signal?.aborted) abort();
    const settled = () => {
      this.#patience = 1000;
      if (this.#isReading) this.#endIfStill();
    };
    until?.then(settled, settled);
  }

  /** The beginning of a line that is not complete yet, such as a prompt; `""` if there is none. */
  get partialLine(): string {
    return this.#partialLine;
  }

  /**
   * The next line, `""` for an empty one; `null` at the end of the stream and after disposal. Calls
   * made before earlier ones have settled are answered in order.
   *
   * @param options.signal Gives this call up: it rejects with its reason, and takes nothing. The
   * line that it waited for is the next call's.
   */
  readLine(options?: { signal?: AbortSignal }): Promise<string | null> {
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const line = this.#mustWait() ? undefined : this.#lines[this.#next++];
    return line !== undefined
      ? Promise.resolve(line)
      : this.#wait(() => this.#lines[this.#next++], null, signal);
  }

  /** The lines one at a time, to the end of the stream. */
  [Symbol.asyncIterator](): AsyncIterableIterator<string> {
    return this.#iterate(() => this.#lines[this.#next++]);
  }

  /**
   * All lines that one read completed, at least one: the fastest way to read many.
   *
   * @param options.partial For programs that prompt: an empty batch then tells that `partialLine`
   * has grown, and a last line without an end is no line: it stays in `partialLine`.
   */
  batches({ partial = false } = {}): AsyncIterableIterator<string[]> {
    if (!partial) return this.#iterate(() => this.#takeLines());
    this.#keepsPartialLine = true;
    let seen = "";
    return this.#iterate(() => {
      const lines = this.#takeLines();
      const hasGrown = this.#partialLine !== seen;
      seen = this.#partialLine;
      return lines ?? (hasGrown ? [] : undefined);
    });
  }

  /** Cancels the rest of the stream, which closes the read end of a pipe, and releases the lock.
   * Lines not handed out are dropped, and every call gives `null` from now on. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposal ??= (async () => {
      this.#end = Promise.resolve(null);
      this.#lines = [];
      this.#partialLine = "";
      this.#listening.abort();
      // Calls that wait get null, without a turn for others first.
      this.#yieldAt = Infinity;
      this.#answer();
      try {
        await this.#reader.cancel();
      } catch (error) {
        // The calls got a failed stream's error. A stream that cannot be cancelled throws here.
        if (await this.#reader.closed.then(() => true, () => false)) throw error;
      } finally {
        this.#reader.releaseLock();
      }
    })();
  }

  /** An iterator that ends when a loop is left. A generator would take twice the time. */
  #iterate<T>(take: () => T | undefined): AsyncIterableIterator<T> {
    const end: IteratorResult<T> = { done: true, value: undefined };
    let left = false;
    const takeNext = (): IteratorResult<T> | undefined => {
      const value = take();
      return value === undefined ? undefined : { done: false, value };
    };
    return {
      next: () => {
        if (left) return Promise.resolve(end);
        const value = this.#mustWait() ? undefined : take();
        return value !== undefined
          ? Promise.resolve({ done: false, value })
          : this.#wait(takeNext, end);
      },
      return: () => {
        left = true;
        return Promise.resolve(end);
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** The clock costs as much as a line: a look now and then. */
  #mustWait(): boolean {
    return this.#calls.size > 0 || this.#next % 64 === 63 && performance.now() > this.#yieldAt;
  }

  #takeLines(): string[] | undefined {
    const lines = this.#next === 0 ? this.#lines : this.#lines.slice(this.#next);
    [this.#lines, this.#next] = [[], 0];
    return lines.length > 0 ? lines : undefined;
  }

  /** Answers a call with what it takes, or with `end`, when all earlier ones have been answered. */
  #wait<T>(take: () => T | undefined, end: T, signal?: AbortSignal): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const giveUp = () => {
      this.#calls.delete(answer);
      reject(signal?.reason);
    };
    const answer = () => {
      const value = take();
      if (value !== undefined) resolve(value);
      else if (this.#end === undefined) return false;
      else {
        this.#listening.abort();
        resolve(this.#end.then(() => end));
      }
      signal?.removeEventListener("abort", giveUp);
      return true;
    };
    signal?.addEventListener("abort", giveUp);
    this.#calls.add(answer);
    // The read of a call that was given up goes on, for the next call.
    if (!this.#isServing) this.#serve();
    return promise;
  }

  /** Answers the calls that wait, in order. False if one cannot be answered before more is read. */
  #answer(): boolean {
    for (const answer of this.#calls) {
      if (!answer()) return false;
      this.#calls.delete(answer);
    }
    return true;
  }

  /** Reads until all calls are answered. Pauses before lines are handed out or read, never between:
   * what has come is told at once. */
  async #serve(): Promise<void> {
    this.#isServing = true;
    do {
      if (performance.now() > this.#yieldAt) this.#yieldAt = await nextTurn();
      if (!this.#answer()) await this.#read();
    } while (!this.#answer());
    this.#isServing = false;
  }

  async #read(): Promise<void> {
    // Let go of these lines before the next come: the garbage collector has half as much to copy.
    this.#takeLines();
    this.#isReading = true;
    const start = this.#patience < Infinity ? performance.now() : undefined;
    if (start !== undefined) this.#endIfStill();
    try {
      const { done, value } = await this.#reader.read(this.#buffer);
      if (this.#end === undefined) {
        if (value !== undefined) this.#buffer = new Uint8Array(value.buffer);
        if (start !== undefined) {
          this.#patience -= performance.now() - start + (value?.byteLength ?? 0) / 1024;
        }
        if (this.#yieldAt === Infinity) this.#yieldAt = performance.now() + 20;
        // A chunk that does not end inside a character is decoded by itself, in half the time.
        const isCut = !done && !((value[value.length - 1] ?? 128) < 128);
        this.#split(this.#decoder.decode(value, isCut ? { stream: true } : undefined), done);
        if (done) this.#end ??= Promise.resolve(null);
      }
    } catch (error) {
      if (this.#end === undefined) this.#fail(error);
    }
    this.#isReading = false;
    // Even a call for nothing costs a thirtieth of a round trip.
    if (this.#look !== undefined) clearTimeout(this.#look);
  }

  /** Ends the stream if this read still waits at two looks. One is not enough: after Ctrl-Z and fg,
   * timers fire before pending input is seen. */
  #endIfStill(): void {
    // A stream that cannot be cancelled goes on.
    const end = () => this.#reader.cancel().catch(() => {});
    if (this.#patience < 0) end();
    else this.#look = setTimeout(() => this.#look = setTimeout(end, 50), 50);
  }

  #split(text: string, isLast: boolean): void {
    const mayBeTooLong = this.#partialLine.length + text.length > this.#maxLineLength;
    // A loop, into an array that need not grow, takes two thirds of the time of `text.split()`.
    // For a message or two, that array would cost more than it saves.
    let lines = new Array<string>(text.length < 1024 ? 0 : text.length >> 3);
    let [count, start, end] = [0, 0, -1];
    while ((end = text.indexOf("\n", start)) !== -1) {
      lines[count++] = text.slice(start, end);
      start = end + 1;
    }
    if (lines.length > count) lines.length = count;
    const rest = count > 0 ? text.slice(start) : this.#partialLine + text;
    if (count > 0) lines[0] = this.#partialLine + lines[0];
    if (lines[0]?.endsWith("\r") || text.includes("\r")) {
      lines = lines.map((line) => line.endsWith("\r") ? line.slice(0, -1) : line);
    }
    const isLine = isLast && !this.#keepsPartialLine;
    if (isLine && rest !== "") lines.push(rest);
    this.#partialLine = isLine ? "" : rest;
    [this.#lines, this.#next] = [lines, 0];
    if (!mayBeTooLong) return;
    // A `\r` at the end may be half of `\r\n`.
    const tooLong = [...lines, this.#partialLine.replace(/\r$/, "")]
      .findIndex((line) => line.length > this.#maxLineLength);
    if (tooLong === -1) return;
    const message = `A line is longer than ${this.#maxLineLength} UTF-16 code units`;
    this.#fail(new LineTooLongError(message), lines.slice(0, tooLong));
  }

  #fail(error: unknown, lines: string[] = []): void {
    [this.#lines, this.#next] = [lines, 0];
    this.#end = Promise.reject(error);
    // Each call gets this error by itself. It says more than that the stream cannot be cancelled.
    Promise.allSettled([this.#end, this.#reader.cancel(error)]);
  }
}

/** Lets timers, signals and other input run, and returns when they must run again. Deno looks for
 * input at every 61st turn of its event loop. 64 turns take 0.1 ms, a timer 1 or 2 ms. */
async function nextTurn(): Promise<number> {
  const immediate: unknown = Reflect.get(globalThis, "setImmediate");
  const [end, turns] = typeof immediate === "function" ? [immediate, 64] : [setTimeout, 1];
  for (let n = 0; n < turns; n++) await new Promise<void>((resolve) => end(resolve));
  return performance.now() + 20;
}
