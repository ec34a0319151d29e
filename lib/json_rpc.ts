/**
 * To take home, with `frames.ts`, `byte_reader.ts` and `until_exit.ts`: JSON-RPC 2.0 over any two
 * pipes, many requests at a time, each with an id, in both directions. What servers of the Model
 * Context Protocol (a message a line) and language servers (`Content-Length`) speak.
 *
 * @module
 */
// deno-fmt-ignore-file: lines of up to 100 columns; at 80 the file would be a third longer.
import { framed, FrameError, type Framing, MessageCutter } from "./frames.ts";
import { untilExit } from "./until_exit.ts";

/** An answer that is an error. `request()` throws it; a method throws it to answer with it. */
export class JsonRpcError extends Error {
  /** The exit code for a script that ends with this error. */
  readonly exitCode = 1;
  /** What errors of this kind are called. */
  override readonly name = "JsonRpcError";

  /** JSON-RPC reserves the codes from -32768 to -32000.
   *
   * @throws {RangeError} If the code is no integer. */
  constructor(message: string, readonly code: number, readonly data?: unknown) {
    super(message);
    if (!Number.isInteger(code)) throw new RangeError(`The code of an error cannot be ${code}`);
  }
}

/** The connection closed before a request was answered, or before a message was sent. */
export class ConnectionClosedError extends Error {
  /** What the error is called where it is printed. */
  override readonly name: string = "ConnectionClosedError";
  /** The exit code for a script that ends with this error. */
  readonly exitCode = 1;
}

/** The connection closed because the other side does not write what was agreed. */
export class FramingError extends ConnectionClosedError {
  /** What the error is called where it is printed. */
  override readonly name = "FramingError";
}

export type { Framing };

/** Answers a request, with what it returns or with what its promise resolves to. `signal` aborts
 * when the connection closes; `id` is the request's, for a notification that cancels it. */
export type Method = (params: unknown, signal: AbortSignal, id: string | number | null) => unknown;

/** The settings of a {@linkcode JsonRpcPeer}. */
export interface JsonRpcPeerOptions {
  /** Of both directions (default `"lines"`), or of each. */
  framing?: Framing | { read: Framing; write: Framing };
  /** What the other side may request, by name. */
  methods?: Record<string, Method>;
  /** Answers what `methods` does not list; without it, an error of the code -32601 does. */
  onRequest?: (method: string, ...request: Parameters<Method>) => unknown;
  /** Gets the messages that want no answer, in order. If it throws, or a promise that it
   * returns rejects, that ends the connection. */
  onNotification?: (method: string, params: unknown) => unknown;
  /** Gets text that is no message, such as a log line, and answers to requests that are not open.
   * By default these are dropped. Ends the connection as `onNotification` does. */
  onNoise?: (text: string) => unknown;
  /** For a dialect: `read` makes a message of JSON-RPC, with or without `jsonrpc`, out of one of
   * the other side, or undefined if it is noise; `write` makes one of the dialect out of ours. */
  translate?: { read(message: object): object | undefined; write(message: object): object };
  /** The longest message to read (default 256 Mi): UTF-16 code units of a line, bytes of a body.
   * Answers that wait for a side that asks and does not read, together longer, end the connection.
   */
  maxLength?: number;
}

/** The settings of a request. */
export interface RequestOptions {
  /** Gives the request up: it rejects with the signal's reason, and a late answer is dropped. The
   * other side is not told. */
  signal?: AbortSignal;
  /** Gets the id when the pipe has taken the request. With it, a protocol's own notification tells
   * the other side that it was given up: `$/cancelRequest` with `{ id }` of language servers,
   * `notifications/cancelled` with `{ requestId: id }` of MCP. */
  onSent?: (id: number) => void;
}

/** A message of ours. What is more than its text belongs to a call; a notification has no id. */
interface OwnMessage {
  /** Empty once it is with the pipe, or given up. */
  text: string;
  method?: string;
  id?: number;
  resolve?: (result?: unknown) => void;
  reject?: (error: unknown) => void;
  onSent?: ((id: number) => void) | undefined;
}

/** A call of the other side; a notification has no id. */
interface Call {
  id?: Id;
  method: string;
  params?: unknown;
}

type Id = string | number | WrittenId | null;

/** In UTF-16 code units: what goes out in one write. All that waits may be longer than a string. */
const MOST_AT_ONCE = 2 ** 20;
/** So many requests that were given up are remembered. A late answer to another is noise. */
const MOST_GIVEN_UP = 10_000;

/**
 * One end of a connection in JSON-RPC 2.0. A child is `{ readable: untilExit(child.stdout,
 * child.status), writable: child.stdin }`; a server has `Deno.stdin.readable` and
 * `Deno.stdout.writable`.
 *
 * Reading never waits for writing, nor for what a method or a listener returns, and a call never
 * waits for an answer to another. So as many methods run at a time as the other side asks for.
 * Messages go out in the order of the calls, those that are ready together in one write. To go at
 * the other side's pace, await `notify()`, or the `onSent` of a request: what the pipe has not
 * taken is kept in memory.
 *
 * Answers are paired by their ids alone, in whatever order they come. The only time limit is the
 * `signal` of a request. When the other side closes its end, all that it wrote is read first; then
 * every open request rejects with a {@linkcode ConnectionClosedError}. So they do when a write
 * fails, once nothing has come for 0.1 s: whoever reads no more may have answered before. A client
 * learns of the end from its requests; a server awaits `closed`. A rejected request that nobody
 * awaits is not reported.
 *
 * @example
 * ```ts
 * import { JsonRpcPeer } from "./json_rpc.ts";
 * import { untilExit } from "./until_exit.ts";
 * import { equal } from "node:assert/strict";
 *
 * const args = ["-c", `read -r request; echo '{"jsonrpc":"2.0","id":1,"result":"pong"}'`];
 * const pipes = { stdin: "piped", stdout: "piped" } as const;
 * await using child = new Deno.Command("sh", { args, ...pipes }).spawn();
 * const readable = untilExit(child.stdout, child.status);
 * const peer = new JsonRpcPeer({ readable, writable: child.stdin });
 * equal(await peer.request("ping"), "pong");
 * await peer.close();
 * ```
 */
export class JsonRpcPeer {
  /** Resolves when the other side has closed its end, and all that it wrote has been read; or when
   * a write has failed. Rejects with any other error that ends the connection. */
  readonly closed: Promise<void>;
  readonly #options: JsonRpcPeerOptions;
  readonly #framing: { read: Framing; write: Framing };
  readonly #readable: ReadableStream<Uint8Array>;
  #reader: ReadableStreamBYOBReader | ReadableStreamDefaultReader<Uint8Array>;
  readonly #cutter: MessageCutter;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #lastId = 0;
  /** Our requests without an answer by their ids, and notifications that the pipe has not taken. */
  readonly #open = new Map<unknown, OwnMessage>();
  /** The ids of the last requests that were given up, whose answers may still come. */
  readonly #givenUp = new Set<unknown>();
  /** Who waits for a notification, by its method. */
  readonly #expected = new Map<string, Set<PromiseWithResolvers<unknown>>>();
  /** What the pipe has not got yet, in order. */
  #queue: OwnMessage[] = [];
  /** How long the answers in the queue are together. */
  #answersLength = 0;
  /** Resolves when the queue is empty, and all is written. */
  #writing: Promise<void> | undefined;
  /** Whether a message has come: from then on the framing is beyond doubt. */
  #hasMet = false;
  /** So many more times we answer what is no request. Two sides could do so for ever. */
  #refusalsLeft = 10;
  /** The last error without an id, and the last noise: they may tell why no answer comes. */
  #complaint = "";
  #noise = "";
  /** Aborts when the connection closes: no method needs to go on. */
  readonly #over = new AbortController();
  /** Ends the connection with an error. */
  readonly #fail: (error: unknown) => void;
  /** Why no call can be sent any more. */
  #end: Error | undefined;
  /** Why no answer comes any more. */
  #reason = "the other side has closed the connection";
  #hasStoppedReading = false;
  #hasStoppedWriting = false;
  #closing: Promise<void> | undefined;

  /** Locks both pipes, and begins to read.
   *
   * @throws {TypeError} If one is locked already.
   * @throws {RangeError} If `maxLength` is negative or NaN. */
  constructor(
    { readable, writable }: {
      readable: ReadableStream<Uint8Array>;
      writable: WritableStream<Uint8Array>;
    },
    options: JsonRpcPeerOptions = {},
  ) {
    const { framing = "lines", maxLength = 2 ** 28 } = options;
    if (!(maxLength >= 0)) throw new RangeError(`A maxLength cannot be ${maxLength}`);
    if (readable.locked || writable.locked) throw new TypeError("A pipe is in use already");
    this.#options = options;
    this.#framing = typeof framing === "string" ? { read: framing, write: framing } : framing;
    this.#cutter = new MessageCutter(this.#framing.read, maxLength, (line) => {
      if (!this.#hasMet && claims(parse(line), line)) {
        throw new FramingError(`${quote(line)} has come: the framing is "lines"`);
      }
      this.#tellNoise(line);
    });
    this.#readable = readable;
    this.#reader = readerOf(readable);
    this.#writer = writable.getWriter();
    this.#writer.closed.catch((error) => this.#stopWriting(error));
    const { promise: failure, reject } = Promise.withResolvers<void>();
    this.#fail = reject;
    const ended = Promise.race([this.#read(), failure]);
    this.closed = ended.then(() => this.#stopReading(), (error) => this.#endWith(error));
    this.closed.catch(() => {}); // Each request rejects as well.
  }

  /** What has come of a message whose end has not; `""` if there is none. */
  get partialMessage(): string {
    return this.#cutter.partial;
  }

  /** Asks the other side, and resolves with its answer.
   *
   * @param params An array or an object.
   * @throws {JsonRpcError} If the answer is an error.
   * @throws {ConnectionClosedError} If the connection closes before the answer has come.
   * @throws Any other error that ends the connection, or that `params` cannot be written as JSON.
   */
  request(method: string, params?: unknown, options: RequestOptions = {}): Promise<unknown> {
    const { signal, onSent } = options;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const call: OwnMessage = { text: "", method, id: ++this.#lastId, resolve, reject, onSent };
    this.#giveUpBy(signal, promise, reject, () => {
      call.text = "";
      if (!this.#open.delete(call.id)) return;
      // A server may never answer: only so many are remembered.
      const [oldest] = this.#givenUp;
      if (this.#givenUp.size === MOST_GIVEN_UP) this.#givenUp.delete(oldest);
      this.#givenUp.add(call.id);
    });
    if (!signal?.aborted) this.#call(call, params);
    return promise;
  }

  /** Sends the other side a message that has no answer. Resolves when the pipe has taken it: await
   * it if you send many.
   *
   * @param params An array or an object.
   * @throws {ConnectionClosedError} If the message cannot be written.
   * @throws {TypeError} If `params` cannot be written as JSON.
   */
  notify(method: string, params?: unknown): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {});
    this.#call({ text: "", method, resolve: () => resolve(), reject }, params);
    return promise;
  }

  /** Waits for the next such notification, and resolves with its params. One that came before this
   * call has passed. `onNotification` gets it as well.
   *
   * @param options.signal Gives this call up: it rejects with the signal's reason.
   * @throws {ConnectionClosedError} If the connection closes before one has come.
   */
  notification(method: string, { signal }: { signal?: AbortSignal } = {}): Promise<unknown> {
    const call = Promise.withResolvers<unknown>();
    const calls = this.#expected.get(method) ?? new Set();
    this.#expected.set(method, calls.add(call));
    this.#giveUpBy(signal, call.promise, call.reject, () => calls.delete(call));
    if (this.#hasStoppedReading) call.reject(this.#closedError(`${method} has not come`));
    return call.promise;
  }

  /** Closes our end, which is end of file for the other side, after all messages have been written.
   * While the other side does not read, this does not resolve; but it does so a second after that
   * has closed its own end. At end of file a child exits, as a rule: await its `status`.
   *
   * The other side may still answer our open requests. Where it is a JsonRpcPeer, the `signal` of
   * its methods aborts: one that heeds it gives up, any other is answered. Methods of ours that
   * still run can answer nobody any more: a server calls this when they are done, if at all.
   */
  close(): Promise<void> {
    return this.#closing ??= (async () => {
      this.#end ??= new ConnectionClosedError("this side has closed the connection");
      const closing = (async () => {
        while (this.#writing !== undefined) await this.#writing;
        this.#hasStoppedWriting = true;
        this.#over.abort(this.#end);
        await this.#writer.close();
      })();
      // Whoever is gone may have left its stdin to a process that does not read it.
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = this.closed.then(() =>
        this.#hasStoppedWriting || new Promise((resolve) => {
          timer = setTimeout(resolve, 1000);
        })
      );
      await Promise.race([closing, late]).catch(() => {});
      clearTimeout(timer);
    })();
  }

  async #read(): Promise<void> {
    let memory: Uint8Array = new Uint8Array(65_536);
    let yieldAt = performance.now() + 50;
    for (;;) {
      const reader = this.#reader;
      let result;
      try {
        result = await reader.read(memory);
      } catch (error) {
        // When writing fails, another reader reads on; the memory stays with the first.
        if (reader === this.#reader) throw error;
        memory = new Uint8Array(65_536);
        continue;
      }
      if (result.done || this.#hasStoppedReading) break;
      if (this.#answersLength > this.#cutter.maxLength) {
        const what =
          `the other side asks and does not read: ${this.#answersLength} characters wait`;
        throw new ConnectionClosedError(what);
      }
      // A pipe has taken the memory, and gives it back with what has come.
      if (memory.length === 0) memory = new Uint8Array(result.value.buffer);
      for (const text of this.#cutter.take(result.value)) this.#receive(text);
      if (performance.now() < yieldAt) continue;
      // However fast messages come, timers and signals run.
      await new Promise((resolve) => setTimeout(resolve));
      yieldAt = performance.now() + 50;
    }
    const rest = this.#hasStoppedReading ? "" : this.#cutter.end();
    if (this.#framing.read !== "content-length") this.#receive(rest);
    else if (rest !== "") this.#tellNoise(rest);
  }

  #receive(text: string): void {
    if (!/\S/.test(text)) return;
    const { read } = this.#framing;
    if (read === "lines" && !this.#hasMet && /^\ufeff?content-length: *\d+\s*$/i.test(text)) {
      throw new FramingError(`${quote(text)} has come: the framing is "content-length"`);
    }
    const message = parse(text);
    if (
      !Array.isArray(message) ||
      !message.some((part) => claims(part) || isResponse(part) || isCall(part))
    ) {
      const answer = this.#take(message, text, claims(message, text));
      if (typeof answer === "string") this.#answer(answer);
      else answer?.then((text) => this.#answer(text)).catch(this.#fail);
      return;
    }
    const isClaimed = message.some((part) => claims(part));
    const answers = message.map((part) => this.#take(part, JSON.stringify(part), isClaimed))
      .filter((answer) => answer !== undefined);
    // The answers to a batch are one message.
    if (answers.length === 0) return;
    Promise.all(answers).then((texts) => this.#answer(`[${texts.join()}]`)).catch(this.#fail);
  }

  /** Takes a message, and gives its answer if it wants one: a promise if a method returned one. */
  #take(part: unknown, text: string, isClaimed: boolean): string | Promise<string> | undefined {
    const { translate } = this.#options;
    const message = translate && isObject(part) ? translate.read(part) : part;
    if (isResponse(message)) return this.#settle(message, text);
    if (isCall(message)) return this.#serve(message);
    if (!this.#hasMet && !isClaimed && this.#framing.read === "content-length") {
      const isDialect = isObject(part) && "seq" in part && "type" in part;
      const whose = isDialect ? ", but with seq and type, as a debug adapter's or tsserver's" : "";
      throw new FramingError(`${quote(text)} has come: no message of JSON-RPC${whose}`);
    }
    this.#tellNoise(text);
    const id = isObject(message) && isId(message.id) ? message.id : null;
    if (!isClaimed || id === null && this.#refusalsLeft-- <= 0) return undefined;
    return part === undefined
      ? this.#errorText(null, new JsonRpcError("Parse error: this is not JSON", -32700))
      : this.#errorText(id, new JsonRpcError("Invalid Request", -32600));
  }

  /** Answers a request, or hands on a notification. */
  #serve({ id, method, params: given }: Call): string | Promise<string> | undefined {
    this.#hasMet = true;
    const { methods = {}, onRequest, onNotification } = this.#options;
    const params = given ?? undefined; // Many write null for none.
    if (id === undefined) {
      for (const { resolve } of this.#expected.get(method) ?? []) resolve(params);
      this.#expected.delete(method);
      return this.#tell(onNotification?.(method, params));
    }
    try {
      const own = Object.hasOwn(methods, method) ? methods[method] : undefined;
      const called = own ?? onRequest?.bind(undefined, method);
      if (called === undefined) throw new JsonRpcError(`Method not found: ${method}`, -32601);
      const plainId = id instanceof WrittenId ? Number(id.source) : id;
      const result = called(params, this.#over.signal, plainId);
      if (!isObject(result) || !("then" in result)) return this.#resultText(id, result);
      return Promise.resolve(result).then((result) => this.#resultText(id, result))
        .catch((error) => this.#errorText(id, error));
    } catch (error) {
      return this.#errorText(id, error);
    }
  }

  #settle({ id = null, result, error = null }: Record<string, unknown>, text: string): undefined {
    const call = this.#open.get(id);
    if (call === undefined && !this.#givenUp.delete(id)) {
      const isComplaint = id === null && error !== null && this.#open.size > 0;
      if (isComplaint) this.#complaint = errorOf(error).message;
      return this.#tellNoise(text);
    }
    this.#hasMet = true;
    this.#open.delete(id);
    if (error === null) call?.resolve?.(result);
    else call?.reject?.(errorOf(error));
  }

  #tellNoise(text: string): undefined {
    this.#noise = text.trim();
    return this.#tell(this.#options.onNoise?.(text.replace(/\r$/, "")));
  }

  /** Sees to the promise that a listener may have returned. */
  #tell(returned: unknown): undefined {
    if (isObject(returned)) Promise.resolve(returned).catch(this.#fail);
  }

  #call(call: OwnMessage, params: unknown): void {
    const { id, method } = call;
    try {
      if (params !== undefined && (typeof params !== "object" || params === null)) {
        throw new TypeError(`params are an array or an object, not ${String(params)}`);
      }
      if (this.#end instanceof FramingError) throw this.#end;
      if (this.#end !== undefined) {
        throw new ConnectionClosedError(`${method} cannot be sent: ${this.#end.message}`);
      }
      call.text = this.#textOf({ jsonrpc: "2.0", id, method, params });
      this.#open.set(id ?? call, call);
      this.#put(call);
    } catch (error) {
      call.reject?.(error); // Params may have no form in JSON.
    }
  }

  #answer(text: string): void {
    if (!this.#hasStoppedWriting) this.#put({ text });
  }

  #put(message: OwnMessage): void {
    message.text = framed(message.text, this.#framing.write);
    if (message.reject === undefined) this.#answersLength += message.text.length;
    this.#queue.push(message);
    this.#writing ??= this.#write();
  }

  /** Writes all that waits. What is put in the same step, or during a write, goes out together. */
  async #write(): Promise<void> {
    await null;
    while (this.#queue.length > 0) {
      let [count, text] = [0, ""];
      for (const message of this.#queue) {
        if (text !== "" && text.length + message.text.length > MOST_AT_ONCE) break;
        count++;
        text += message.text;
        if (message.reject === undefined) this.#answersLength -= message.text.length;
      }
      const sent = this.#queue.splice(0, count).filter(({ text }) => text !== "");
      for (const message of sent) message.text = "";
      try {
        if (text !== "") await this.#writer.write(encoder.encode(text));
      } catch (error) {
        this.#stopWriting(error);
        break;
      }
      for (const message of sent) this.#tellSent(message);
    }
    this.#writing = undefined;
  }

  #tellSent(message: OwnMessage): void {
    try {
      if (message.id !== undefined) message.onSent?.(message.id);
      else if (this.#open.delete(message)) message.resolve?.();
    } catch (error) {
      this.#fail(error);
    }
  }

  #textOf(message: object): string {
    return JSON.stringify(this.#options.translate?.write(message) ?? message);
  }

  #resultText(id: Id, result: unknown): string {
    // A function, for one, has no form in JSON.
    const hasForm = !["undefined", "function", "symbol"].includes(typeof result);
    return this.#textOf({ jsonrpc: "2.0", id, result: hasForm ? result : null });
  }

  #errorText(id: Id, error: unknown): string {
    const [code, data] = error instanceof JsonRpcError ? [error.code, error.data] : [-32603];
    try {
      return this.#textOf({ jsonrpc: "2.0", id, error: { code, message: messageOf(error), data } });
    } catch {
      // What was thrown may be anything.
      return this.#textOf({ jsonrpc: "2.0", id, error: { code, message: "has no form in JSON" } });
    }
  }

  /** The other side reads no more, but may have answered before. */
  #stopWriting(error: unknown): void {
    if (this.#hasStoppedWriting) return;
    [this.#hasStoppedWriting, this.#queue] = [true, []];
    const isBroken = error instanceof Error && error.name === "BrokenPipe";
    const why = isBroken ? "has closed its stdin" : `does not read: ${messageOf(error)}`;
    this.#reason = `the other side ${why}`;
    this.#end ??= new ConnectionClosedError(this.#reason);
    for (const call of this.#open.values()) if (call.id === undefined) this.#giveUp(call);
    if (this.#hasStoppedReading) return;
    // Reads on for a moment, with another reader. The read that waits rejects, and loses nothing.
    this.#reader.releaseLock();
    this.#reader = readerOf(untilExit(this.#readable, Promise.resolve()));
  }

  /** Answers of ours may still be written. */
  #stopReading(error?: unknown): void {
    this.#hasStoppedReading = true;
    const end = error ?? new ConnectionClosedError(this.#reason);
    this.#end ??= end instanceof Error ? end : new ConnectionClosedError(messageOf(end));
    this.#queue = this.#queue.filter((message) => message.reject === undefined);
    for (const call of this.#open.values()) this.#giveUp(call, error);
    for (const [method, calls] of this.#expected) {
      for (const { reject } of calls) reject(error ?? this.#closedError(`${method} has not come`));
    }
    this.#over.abort(end);
  }

  #endWith(reason: unknown): never {
    const error = reason instanceof FrameError ? new FramingError(reason.message) : reason;
    this.#stopReading(error);
    [this.#hasStoppedWriting, this.#queue] = [true, []];
    this.#reader.cancel(error).catch(() => {});
    this.#writer.abort(error).catch(() => {});
    throw error;
  }

  #giveUp(call: OwnMessage, error?: unknown): void {
    this.#open.delete(call.id ?? call);
    const what = call.id === undefined ? "cannot be sent" : "was not answered";
    call.reject?.(error ?? this.#closedError(`${call.method} ${what}`));
  }

  #closedError(what: string): ConnectionClosedError {
    return new ConnectionClosedError(`${what}: ${this.#reason}${this.#lastWords}`);
  }

  /** What may tell why no answer comes. */
  get #lastWords(): string {
    const complaint = this.#complaint && `; it wrote the error ${quote(this.#complaint)}`;
    return complaint + (this.#noise && `; it wrote ${quote(this.#noise)}, which is no message`);
  }

  /** Gives up what a promise stands for when a signal aborts. Many may reject at once, and be
   * awaited one by one: that must not end the program. */
  #giveUpBy(
    signal: AbortSignal | undefined,
    promise: Promise<unknown>,
    reject: (error: unknown) => void,
    giveUp: () => void,
  ): void {
    if (signal === undefined) return void promise.catch(() => {});
    const abort = () => {
      giveUp();
      const { reason } = signal;
      const isLate = reason instanceof DOMException && reason.name === "TimeoutError";
      const words = isLate ? this.#lastWords : "";
      reject(words === "" ? reason : new DOMException(reason.message + words, reason.name));
    };
    const forget = () => signal.removeEventListener("abort", abort);
    promise.then(forget, forget);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
  }
}

const encoder = new TextEncoder();

/** A reader that fills our memory, where the stream has that. */
function readerOf(readable: ReadableStream<Uint8Array>) {
  try {
    return readable.getReader({ mode: "byob" });
  } catch {
    return readable.getReader();
  }
}

/** An id that JavaScript cannot hold as a number, such as 2 ** 53 + 1. */
class WrittenId {
  constructor(readonly source: string) {}

  toJSON(): unknown {
    const rawJSON: unknown = Reflect.get(JSON, "rawJSON");
    return typeof rawJSON === "function" ? rawJSON(this.source) : Number(this.source);
  }
}

/** Finds what may be such an id. */
const UNSAFE_ID = /"id"\s*:\s*-?(\d{16}|[\d.]+e)/i;

/** The value of a JSON text, with ids as they were written; undefined if the text is not JSON. */
function parse(text: string): unknown {
  try {
    const json = text.startsWith("\ufeff") ? text.slice(1) : text;
    return UNSAFE_ID.test(json) ? JSON.parse(json, idKeeper()) : JSON.parse(json);
  } catch {
    return undefined;
  }
}

function idKeeper() {
  const ids = new Map<unknown, WrittenId>();
  return function (this: unknown, key: string, value: unknown, context?: { source?: string }) {
    const isUnsafe = typeof value === "number" && !Number.isSafeInteger(value);
    if (key === "id" && isUnsafe) ids.set(this, new WrittenId(context?.source ?? `${value}`));
    // At last comes the message itself, with no key. Inside params, an id is a number as any other.
    for (const part of key === "" ? [value].flat() : []) {
      if (isObject(part) && ids.has(part)) part.id = ids.get(part);
    }
    return value;
  };
}

/** Whether a text was meant as a message of JSON-RPC, valid or not. */
function claims(message: unknown, text = ""): boolean {
  if (message === undefined) return /^\s*\[?\s*\{\s*"jsonrpc"/.test(text);
  return isObject(message) && "jsonrpc" in message;
}

/** A message with a method is a call; one with an id and no method is an answer. */
function isResponse(message: unknown): message is Record<string, unknown> {
  if (!isObject(message) || message.method !== undefined) return false;
  const hasResult = "result" in message || "error" in message;
  return "jsonrpc" in message ? hasResult || "id" in message : hasResult && isBare(message);
}

function isCall(message: unknown): message is Call {
  if (!isObject(message) || typeof message.method !== "string") return false;
  const { jsonrpc, id, params } = message;
  return (jsonrpc === "2.0" || !("jsonrpc" in message) && isBare(message) && id !== null) &&
    (params === undefined || typeof params === "object") && (id === undefined || isId(id));
}

/** Whether a message without a version has nothing that a message has not, as a log line has. */
function isBare(message: object): boolean {
  return Object.keys(message).every((key) => /^(id|method|params|result|error)$/.test(key));
}

function isId(id: unknown): id is Id {
  return id === null || typeof id === "string" || typeof id === "number" || id instanceof WrittenId;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function errorOf(error: unknown): JsonRpcError {
  const { message, code, data } = isObject(error) ? error : {};
  const text = typeof message === "string" ? message : JSON.stringify(error);
  return new JsonRpcError(text, Number.isInteger(code) ? Number(code) : -32603, data);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function quote(text: string): string {
  return JSON.stringify(text.trim().slice(0, 200));
}
