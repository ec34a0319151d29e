/**
 * To take home, with `line_reader.ts` and `byte_reader.ts`: JSON-RPC 2.0 over any two pipes, many
 * requests at a time, each with an id, in both directions. What servers of the Model Context
 * Protocol (a message a line) and language servers (`Content-Length`) speak.
 *
 * @module
 */
// deno-fmt-ignore-file: lines of up to 100 columns; at 80 the file would be a third longer.
import { ByteReader, IncompleteReadError } from "./byte_reader.ts";
import { LineReader } from "./line_reader.ts";
import { untilExit } from "./until_exit.ts";

/** An answer that is an error. `request()` throws it; a method throws it to answer with it. */
export class JsonRpcError extends Error {
  /** The exit code for a script that ends with this error. */
  readonly exitCode = 1;
  /** What errors of this kind are called. */
  override readonly name = "JsonRpcError";

  /** The error. JSON-RPC reserves the codes from -32768 to -32000. */
  constructor(message: string, readonly code: number, readonly data?: unknown) {
    super(message);
  }
}

/** The connection closed before a request was answered, or before a message was sent. */
export class ConnectionClosedError extends Error {
  /** What the error is called where it is printed. */
  override readonly name: string = "ConnectionClosedError";
  /** The exit code for a script that ends with this error. */
  readonly exitCode = 1;
}

/** The connection closed because the other side does not write in the agreed framing. */
export class FramingError extends ConnectionClosedError {
  /** What the error is called where it is printed. */
  override readonly name = "FramingError";
}

/** The settings of a {@linkcode JsonRpcPeer}. */
export interface JsonRpcPeerOptions {
  /** `"lines"` (default): each message is a line. `"content-length"`: a header before each message
   * tells its length in bytes. */
  framing?: "lines" | "content-length";
  /** What the other side may request, by name. The answer is what a method returns, or what its
   * promise resolves to. `signal` aborts when the connection closes; `id` is the request's, for a
   * notification that cancels it. */
  methods?: Record<
    string,
    (params: unknown, signal: AbortSignal, id: string | number | null) => unknown
  >;
  /** Gets the messages that want no answer, in order. If it throws, or a promise that it
   * returns rejects, that ends the connection. */
  onNotification?: (method: string, params: unknown) => unknown;
  /** Gets text that is no message, such as a log line, and answers to requests that are not open.
   * By default these are dropped. If it throws, or a promise that it returns rejects, that ends the
   * connection. */
  onNoise?: (text: string) => unknown;
  /** The longest message (default 256 Mi): UTF-16 code units of a line, bytes of a body. */
  maxLength?: number;
  /** Give it `child.status`. After it settles, reading stops after 0.1 s of silence, at the latest
   * after 1 s of waiting or 1 MiB more, even if another process holds the pipe open. Without it,
   * reading stops so after a write has failed: who reads no more may still have answered. */
  until?: Promise<unknown>;
}

/** A request; without an id, a notification. */
interface Call {
  id?: string | number | null;
  method: string;
  params?: unknown;
}

/** The settings of a request. */
export interface RequestOptions {
  /** Gives the request up: it rejects with the signal's reason, and a late answer is dropped. The
   * other side is not told. */
  signal?: AbortSignal;
  /** Gets the id when the request is sent. With it, a protocol's own notification tells the other
   * side that it was given up: `$/cancelRequest` with `{ id }` of language servers,
   * `notifications/cancelled` with `{ requestId: id }` of MCP. */
  onSent?: (id: number) => void;
}

/** A call of ours, and the promise of its answer, or of a notification's write. */
interface OwnCall extends Call {
  id?: number;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
  onSent?: ((id: number) => void) | undefined;
  /** How long the request is that was sent. */
  length?: number;
}

/** A limit in UTF-16 code units: if this much is unsent, the calls of both sides wait. */
const MUCH = 2 ** 20;
/** 1. While our own requests without an answer are together this long, we send no more calls.
 * 2. While much of ours is unsent, requests of the other side are held; once those held, without
 *    the last, are longer than this, we stop reading.
 *
 * A side that keeps the first rule, and gives up little of what it has sent, never brings the other
 * to the second. So two such sides never both stop reading, where neither would see the answers of
 * the other. Notifications, which nothing bounds, do not count. */
const TOO_MUCH = 8 * MUCH;
/** How many requests that were given up are remembered. A late answer to another is noise. */
const MOST_GIVEN_UP = 10_000;

/**
 * One end of a connection in JSON-RPC 2.0. A child is `{ readable: child.stdout, writable:
 * child.stdin }`; a server has `Deno.stdin.readable` and `Deno.stdout.writable`.
 *
 * Answers are paired by their ids alone, in whatever order they come. The only time limit is the
 * `signal` of a request. When the other side closes its end, all that it wrote is read first; then
 * every open request rejects with a {@linkcode ConnectionClosedError}. A stream in another framing
 * ends the connection with a {@linkcode FramingError}; log lines between lines do not. A client
 * learns of the end of the connection from its requests; a server awaits `closed`.
 *
 * Messages that are ready together go out in one write. Calls wait while the other side does not
 * read, or has 8 Mi of requests to answer: do not change `params` before the call's promise has
 * settled. A rejected request that nobody awaits is not reported.
 *
 * @example A child
 * ```ts
 * import { JsonRpcPeer } from "./json_rpc.ts";
 * import { equal } from "node:assert/strict";
 *
 * const args = ["-c", `read -r request; echo '{"jsonrpc":"2.0","id":1,"result":"pong"}'`];
 * const pipes = { stdin: "piped", stdout: "piped" } as const;
 * await using child = new Deno.Command("sh", { args, ...pipes }).spawn();
 * const peer = new JsonRpcPeer({ readable: child.stdout, writable: child.stdin });
 * equal(await peer.request("ping"), "pong");
 * await peer.close();
 * ```
 *
 * @example A server that answers in another order, asked twice at once
 * ```ts
 * import { JsonRpcPeer } from "./json_rpc.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const [there, back] = [new TransformStream(), new TransformStream()];
 * const isAsked = Promise.withResolvers<void>();
 * const methods = {
 *   slow: () => isAsked.promise.then(() => "at last"),
 *   fast: () => (isAsked.resolve(), "at once"),
 * };
 * const serverPipes = { readable: there.readable, writable: back.writable };
 * const server = new JsonRpcPeer(serverPipes, { methods });
 * const clientPipes = { readable: back.readable, writable: there.writable };
 * const client = new JsonRpcPeer(clientPipes);
 * const answers = [client.request("slow"), client.request("fast", { n: 1 })];
 * deepEqual(await Promise.all(answers), ["at last", "at once"]);
 * await client.close();
 * await Promise.all([server.closed, server.close(), client.closed]);
 * ```
 */
export class JsonRpcPeer {
  /** Resolves when the other side has closed its end, and all that it wrote has been read. Rejects
   * with any error that ended the connection, such as a {@linkcode FramingError}. */
  readonly closed: Promise<void>;
  readonly #options: Required<Omit<JsonRpcPeerOptions, "until">>;
  readonly #partialMessage: () => string;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  /** Aborts when the connection closes: no method needs to go on. */
  readonly #over = new AbortController();
  /** Aborts when reading must end: a listener threw. */
  readonly #failure = new AbortController();
  readonly #fail = (error: unknown) => this.#failure.abort(error);
  #lastId = 0;
  /** The requests that were sent, by id. */
  #open = new Map<unknown, OwnCall>();
  /** The ids of the last requests that were given up, whose answers may still come. */
  #givenUp = new Set<unknown>();
  /** How long the requests without an answer are together. */
  #openLength = 0;
  /** Our calls that wait until less is unsent. A Set is a queue that a call can leave. */
  #waiting = new Set<OwnCall>();
  /** The other side's requests that wait until less is unsent, and what came behind them. */
  #held: string[] = [];
  /** How long these requests are together, without the last. */
  #heldLength = 0;
  #lastHeldLength = 0;
  /** The messages for the next write. */
  #batch: string[] = [];
  /** Resolves when the last write ends, with its error if it failed. */
  #written: Promise<ConnectionClosedError | undefined> = Promise.resolve(undefined);
  /** The length of all that has not been written yet. */
  #unsent = 0;
  /** Whether a message has come: from then on the framing is beyond doubt. */
  #hasMet = false;
  /** Why nothing can be sent any more. */
  #end: Error | undefined;
  /** Resolves, with true, when reading must not wait for writing any more, since it is to end. */
  readonly #isEnding: Promise<boolean>;
  #closing: Promise<void> | undefined;
  /** Tells `close()` that none of our calls waits any more. */
  #noneWaits = () => {};

  /** Locks both pipes, and begins to read.
   *
   * @throws {TypeError} If one is locked already.
   * @throws {RangeError} If `maxLength` is negative or NaN. */
  constructor(
    { readable, writable }: {
      readable: ReadableStream<Uint8Array>;
      writable: WritableStream<Uint8Array>;
    },
    {
      framing = "lines",
      methods = {},
      onNotification = () => {},
      onNoise = () => {},
      maxLength = 2 ** 28,
      until,
    }: JsonRpcPeerOptions = {},
  ) {
    if (!(maxLength >= 0)) throw new RangeError(`A maxLength cannot be ${maxLength}`);
    if (readable.locked || writable.locked) throw new TypeError("A pipe is in use already");
    this.#options = { framing, methods, onNotification, onNoise, maxLength };
    this.#writer = writable.getWriter();
    const deaf = new Promise<void>((resolve) => this.#writer.closed.catch(() => resolve()));
    const end = until ?? deaf;
    const stream = untilExit(readable, end)
      .pipeThrough(new TransformStream(), { signal: this.#failure.signal });
    const failed = new Promise((resolve) =>
      this.#failure.signal.addEventListener("abort", resolve)
    );
    const ending = () => true;
    this.#isEnding = Promise.race([end, failed]).then(ending, ending);
    let reading;
    if (framing === "lines") {
      const reader = new LineReader(stream, { maxLineLength: maxLength });
      this.#partialMessage = () => reader.partialLine;
      reading = this.#readLines(reader);
    } else {
      const reader = new ByteReader(stream, { maxLength: 8192 });
      this.#partialMessage = () => decoder.decode(reader.buffered);
      reading = this.#readBodies(reader);
    }
    this.closed = reading.then(() => this.#finish(), (error) => {
      this.#finish(error);
      this.#writer.abort(error).catch(() => {});
      throw error;
    });
    // Each request rejects as well.
    this.closed.catch(() => {});
  }

  /** What has come of a message that is not complete: a line without its newline, or less of a
   * body than its header announces; `""` if there is none. */
  get partialMessage(): string {
    return this.#partialMessage();
  }

  /**
   * Asks the other side, and resolves with its answer.
   *
   * @param params An array or an object.
   * @throws {JsonRpcError} If the answer is an error.
   * @throws {ConnectionClosedError} If the connection closes before the answer has come.
   * @throws {FramingError} If the other side writes in another framing.
   * @throws {TypeError} If `params` cannot be written as JSON.
   * @throws Any other error that ends the connection, such as one that a listener throws, as
   * `closed` does.
   */
  request(
    method: string,
    params?: unknown,
    { signal, onSent }: RequestOptions = {},
  ): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const call: OwnCall = { id: ++this.#lastId, method, params, resolve, reject, onSent };
    // Many requests may fail at once, and be awaited one by one: that must not end the program.
    promise.catch(() => {});
    if (signal?.aborted) reject(signal.reason);
    else this.#call(call);
    if (signal === undefined) return promise;
    const giveUp = () => {
      if (!this.#waiting.delete(call) && this.#open.delete(call.id)) {
        this.#openLength -= call.length ?? 0;
        // A server may never answer: only so many are remembered.
        for (const oldest of this.#givenUp) {
          if (this.#givenUp.size < MOST_GIVEN_UP) break;
          this.#givenUp.delete(oldest);
        }
        this.#givenUp.add(call.id);
      }
      reject(signal.reason);
      this.#sendWaiting();
    };
    signal.addEventListener("abort", giveUp);
    const forget = () => signal.removeEventListener("abort", giveUp);
    promise.then(forget, forget);
    return promise;
  }

  /**
   * Sends the other side a message that has no answer. Resolves when the message has been written:
   * await it if you send many.
   *
   * @param params An array or an object.
   * @throws {ConnectionClosedError} If the message cannot be written.
   * @throws {TypeError} If `params` cannot be written as JSON.
   */
  notify(method: string, params?: unknown): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {});
    this.#call({ method, params, resolve: () => resolve(), reject });
    return promise;
  }

  /** Closes our end, which is end of file for the other side. All messages are written first, also
   * calls that wait for answers to earlier ones: while the other side does not read, this does not
   * resolve. At end of file a child exits, as a rule: await its `status`.
   *
   * The other side may still answer our open requests. Where it is a JsonRpcPeer, the `signal` of
   * its methods aborts: one that heeds it gives up, any other is answered. Methods of ours that
   * still run can answer nobody any more: a server calls this when they are done, if at all. */
  close(): Promise<void> {
    return this.#closing ??= (async () => {
      this.#end ??= new ConnectionClosedError("this side has closed the connection");
      // They may wait for answers to earlier ones.
      if (this.#waiting.size > 0) await new Promise<void>((none) => this.#noneWaits = none);
      // Each write may be followed by another, with answers of ours that waited.
      for (let written; written !== this.#written;) await (written = this.#written);
      this.#over.abort(this.#end);
      // If the other side has closed its read end, there is nothing to close.
      await this.#writer.close().catch(() => {});
    })();
  }

  async #readLines(lines: LineReader): Promise<void> {
    await using reader = lines;
    for await (const batch of reader.batches()) {
      for (const line of batch) {
        if (!this.#hasMet && /^\ufeff?content-length: *\d+$/i.test(line)) {
          throw new FramingError(
            `the other side wrote "${line}": its framing is "content-length", not "lines"`,
          );
        }
        if (line.trim() !== "") this.#receive(line);
      }
      await this.#untilMayReadOn();
    }
    this.#takeHeld(Infinity);
  }

  async #readBodies(bytes: ByteReader): Promise<void> {
    await using reader = bytes;
    const { maxLength } = this.#options;
    try {
      for (let length; (length = await readHeader(reader)) !== null;) {
        if (length > maxLength) {
          throw new FramingError(
            `the other side announces ${length} bytes, more than maxLength allows`,
          );
        }
        const body = await reader.readBytes(length);
        if (body !== null) this.#receive(decoder.decode(body));
        // Messages that came together are taken together, so that they are answered together.
        const { buffered } = reader;
        let taken = 0;
        for (
          let next;
          (next = bodyAt(buffered, taken, maxLength)) !== undefined;
          taken = next.end
        ) {
          this.#receive(decoder.decode(buffered.subarray(next.start, next.end)));
        }
        if (taken > 0) await reader.readBytes(taken);
        await this.#untilMayReadOn();
      }
    } catch (error) {
      if (!(error instanceof IncompleteReadError)) throw error;
      // The stream ended inside a message, or with other text, such as why the server exited.
      this.#tell(this.#options.onNoise(decoder.decode(error.partial)));
    }
    this.#takeHeld(Infinity);
  }

  /** Lets those who were answered send more before we read on: the other side works on it while we
   * read. Each async function between an answer and its caller takes one to three of these steps.
   * Then waits while too much is held. */
  async #untilMayReadOn(): Promise<void> {
    for (let step = 0; step < 8; step++) await null;
    while (this.#heldLength > TOO_MUCH) {
      if (await Promise.race([this.#isEnding, this.#written.then(() => false)])) break;
    }
  }

  #receive(text: string): void {
    const message = parse(text);
    if (isResponse(message)) this.#settle(message, text);
    else if (this.#options.framing === "lines" && isLog(message, text)) {
      this.#tell(this.#options.onNoise(text));
    } else if (this.#held.length === 0 && this.#unsent < MUCH) {
      this.#take(message, text);
    } else {
      this.#hasMet = true;
      this.#held.push(text);
      if (isNotification(message)) return;
      this.#heldLength += this.#lastHeldLength;
      this.#lastHeldLength = text.length;
    }
  }

  #take(message: unknown, text: string): void {
    if (!Array.isArray(message) || message.length === 0) {
      const answer = this.#answer(message, text);
      if (typeof answer === "string") this.#put(answer);
      else answer?.then((text) => this.#put(text)).catch(this.#fail);
      return;
    }
    // The answers to a batch are one message.
    const answers = message.map((part) => this.#answer(part, text))
      .filter((answer) => answer !== undefined);
    if (answers.length > 0) {
      Promise.all(answers).then((texts) => this.#put(`[${texts.join()}]`)).catch(this.#fail);
    }
  }

  /** The answer to a message, if it wants one; a promise if a method returned a promise. */
  #answer(message: unknown, text: string): string | Promise<string> | undefined {
    if (isResponse(message)) return this.#settle(message, text);
    if (!isCall(message)) {
      this.#tell(this.#options.onNoise(text));
      return message === undefined
        ? errorText(null, new JsonRpcError("Parse error: this is not JSON", -32700))
        : errorText(idOf(message), new JsonRpcError("Invalid Request", -32600));
    }
    this.#hasMet = true;
    const { id, method, params } = message;
    if (id === undefined) return this.#tell(this.#options.onNotification(method, params));
    const { methods } = this.#options;
    try {
      const called = Object.hasOwn(methods, method) ? methods[method] : undefined;
      if (called === undefined) throw new JsonRpcError(`Method not found: ${method}`, -32601);
      const result = called(params, this.#over.signal, id);
      if (!isObject(result) || !("then" in result)) return resultText(id, result);
      return Promise.resolve(result).then((result) => resultText(id, result))
        .catch((error) => errorText(id, error));
    } catch (error) {
      return errorText(id, error);
    }
  }

  /** Sees to the promise that a listener may have returned. */
  #tell(returned: unknown): undefined {
    if (isObject(returned)) Promise.resolve(returned).catch(this.#fail);
  }

  #settle({ id, result, error }: Record<string, unknown>, text: string): undefined {
    const call = this.#open.get(id);
    if (call === undefined && !this.#givenUp.delete(id)) {
      return this.#tell(this.#options.onNoise(text));
    }
    this.#hasMet = true;
    this.#open.delete(id);
    if (error === undefined || error === null) call?.resolve(result);
    else call?.reject(errorOf(error));
    this.#openLength -= call?.length ?? 0;
    this.#sendWaiting();
  }

  /** Sends a call of ours, or lets it wait. */
  #call(call: OwnCall): void {
    const { params, reject } = call;
    if (params !== undefined && (typeof params !== "object" || params === null)) {
      reject(new TypeError(`params are an array or an object, not ${String(params)}`));
    } else if (this.#end !== undefined) reject(cannotSend(call, this.#end));
    else if (this.#waiting.size === 0 && this.#maySend()) this.#send(call);
    else this.#waiting.add(call);
  }

  #send(call: OwnCall): void {
    const { id, method, params, resolve, reject } = call;
    try {
      const text = JSON.stringify({ jsonrpc: "2.0", id, method, params });
      const written = this.#put(text);
      if (id !== undefined) {
        this.#open.set(id, call);
        this.#openLength += call.length = text.length;
        call.onSent?.(id);
      } else written.then((why) => why ? reject(cannotSend(call, why)) : resolve(undefined));
    } catch (error) {
      // The params cannot be written as JSON.
      reject(error);
    }
  }

  /** Has a message written, together with all messages that are put before the write begins. */
  #put(text: string): Promise<ConnectionClosedError | undefined> {
    const message = this.#options.framing === "lines"
      ? `${text}\n`
      : `Content-Length: ${encoder.encode(text).length}\r\n\r\n${text}`;
    if (this.#batch.length === 0) this.#written = this.#write(this.#written);
    this.#batch.push(message);
    this.#unsent += message.length;
    return this.#written;
  }

  async #write(previous: Promise<unknown>): Promise<ConnectionClosedError | undefined> {
    await previous;
    const messages = this.#batch;
    this.#batch = [];
    let failure: ConnectionClosedError | undefined;
    for (let at = 0; at < messages.length;) {
      // All of them together may be longer than a string can be.
      let text = "";
      do text += messages[at++]; while (text.length + (messages[at]?.length ?? Infinity) <= MUCH);
      try {
        if (failure === undefined) await this.#writer.write(encoder.encode(text));
      } catch (error) {
        failure = new ConnectionClosedError(`the other side does not read: ${messageOf(error)}`);
        this.#stopSending(failure);
      }
      this.#unsent -= text.length;
    }
    this.#admit();
    return failure;
  }

  #maySend(): boolean {
    return this.#unsent < MUCH && this.#openLength < TOO_MUCH;
  }

  #sendWaiting(): void {
    for (const call of this.#waiting) {
      if (!this.#maySend()) break;
      this.#waiting.delete(call);
      this.#send(call);
    }
    if (this.#waiting.size === 0) this.#noneWaits();
  }

  /** Goes on with the calls that wait: half of the room is for theirs, the rest for ours. */
  #admit(): void {
    try {
      this.#takeHeld(MUCH / 2);
    } catch (error) {
      this.#fail(error);
    }
    this.#sendWaiting();
  }

  /** Takes what was held, in its order, while less than this is unsent. */
  #takeHeld(limit: number): void {
    const held = this.#held;
    let taken = 0;
    try {
      for (const text of held) {
        if (this.#unsent >= limit) break;
        taken++;
        const message = parse(text);
        if (!isNotification(message)) this.#heldLength -= text.length;
        this.#take(message, text);
      }
    } finally {
      held.splice(0, taken);
    }
    if (held.length === 0) [this.#heldLength, this.#lastHeldLength] = [0, 0];
  }

  /** The other side does not read any more. Its answers are read as `until` has it. */
  #stopSending(failure: ConnectionClosedError): void {
    this.#end ??= failure;
    for (const call of this.#waiting) call.reject(cannotSend(call, failure));
    this.#waiting.clear();
    this.#noneWaits();
  }

  /** Nothing more is read. */
  #finish(error?: unknown): void {
    const end = new ConnectionClosedError("the other side has closed the connection");
    this.#end ??= error instanceof Error ? error : end;
    for (const { method, reject } of this.#open.values()) {
      const what = `${method} was not answered: ${end.message}`;
      reject(error ?? new ConnectionClosedError(what));
    }
    for (const call of this.#waiting) call.reject(error ?? cannotSend(call, end));
    this.#open.clear();
    this.#waiting.clear();
    this.#noneWaits();
    this.#over.abort(error ?? end);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** A character for each byte. */
const latin1 = new TextDecoder("latin1");

/** Reads a header. Returns the length in it, in bytes; null at the end of the stream. */
async function readHeader(reader: ByteReader): Promise<number | null> {
  for (let header = "";;) {
    const first = await reader.readBytes(1);
    if (first === null) return null;
    // Looked at before its line has ended: if a length was counted in characters, the rest of a
    // body stands here, and has no newline.
    const start = startOf(first, reader);
    const isHeader = /^content-|^\r?(\n|$)/i.test(start);
    if (!isHeader && !"content-".startsWith(start.toLowerCase())) throw noHeader(start);
    const line = start.startsWith("\n") ? "" : decoder.decode(await restOf(first, reader));
    if (line.trim() !== "") header += `${line}\n`;
    else if (header !== "") {
      const [, length] = /^content-length: *(\d+)\s*$/im.exec(header) ?? [];
      if (length === undefined) throw noHeader(header);
      return Number(length);
    }
    if (header.length > 8192) throw noHeader(header);
  }
}

/** What has come of the line that begins with `first`; its first hundred bytes. */
function startOf(first: Uint8Array, { buffered }: ByteReader): string {
  return decoder.decode(Uint8Array.of(...first, ...buffered.subarray(0, 99)));
}

/** The line that begins with `first`. */
async function restOf(first: Uint8Array, reader: ByteReader): Promise<Uint8Array> {
  const rest = await reader.readUntil("\n").catch((error) => {
    if (error instanceof RangeError) throw noHeader(startOf(first, reader));
    if (!(error instanceof IncompleteReadError)) throw error;
    throw new IncompleteReadError(Uint8Array.of(...first, ...error.partial));
  });
  if (rest === null) throw new IncompleteReadError(Uint8Array.of(...first));
  return Uint8Array.of(...first, ...rest);
}

/** Where the body stands whose header begins at `at`, if that header has nothing but the length.
 * Undefined if the body has not all come, or is too long. */
function bodyAt(
  bytes: Uint8Array,
  at: number,
  maxLength: number,
): { start: number; end: number } | undefined {
  const text = latin1.decode(bytes.subarray(at, at + 32));
  const [header = "", length] = /^content-length: (\d+)\r\n\r\n/i.exec(text) ?? [];
  const start = at + header.length;
  const end = start + Number(length);
  return end <= bytes.length && end - start <= maxLength ? { start, end } : undefined;
}

function noHeader(text: string): FramingError {
  return new FramingError(
    `the other side wrote ${JSON.stringify(text.slice(0, 100).trim())} where a header with ` +
      `Content-Length belongs: a log line, a length not in bytes, or the framing "lines"`,
  );
}

/** The value of a JSON text; undefined if the text is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text.startsWith("\ufeff") ? text.slice(1) : text);
  } catch {
    return undefined;
  }
}

/** Whether a line was not meant as a message. Logs may be JSON, too. */
function isLog(message: unknown, line: string): boolean {
  if (message === undefined) return !/^\s*\[?\s*\{\s*"jsonrpc"/.test(line);
  return !Array.isArray(message) && !(isObject(message) && "jsonrpc" in message);
}

/** A message with a method is a request; a message with an id and no method is an answer. */
function isResponse(message: unknown): message is Record<string, unknown> {
  if (!isObject(message) || "method" in message) return false;
  if ("jsonrpc" in message) return "result" in message || "error" in message || "id" in message;
  // Some leave the version out; but a log line has more to say.
  const isBare = Object.keys(message).every((key) => /^(id|result|error)$/.test(key));
  return isBare && ("result" in message || "error" in message);
}

function isNotification(message: unknown): boolean {
  return isObject(message) && "method" in message && !("id" in message);
}

function isCall(message: unknown): message is Call {
  return isObject(message) && message.jsonrpc === "2.0" && typeof message.method === "string" &&
    (message.params === undefined ||
      typeof message.params === "object" && message.params !== null) &&
    (message.id === undefined || idOf(message) === message.id);
}

/** The id of a message; null unless it has a valid one. */
function idOf(message: unknown): string | number | null {
  const id = isObject(message) ? message.id : null;
  return typeof id === "string" || typeof id === "number" ? id : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function resultText(id: Call["id"], result: unknown): string {
  // A function, for one, has no form in JSON.
  const text = JSON.stringify(result) ?? "null";
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${text}}`;
}

function errorText(id: Call["id"], error: unknown): string {
  const { code, data } = error instanceof JsonRpcError ? error : { code: -32603, data: undefined };
  // What was thrown may be anything: a part that cannot be written as JSON is left out.
  const attempts = [
    () => ({ code, message: messageOf(error), data }),
    () => ({ code, message: messageOf(error) }),
  ];
  for (const attempt of attempts) {
    try {
      return JSON.stringify({ jsonrpc: "2.0", id, error: attempt() });
    } catch {
      continue;
    }
  }
  return JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32603, message: "Internal error" } });
}

function errorOf(error: unknown): JsonRpcError {
  const { message, code, data } = isObject(error) ? error : {};
  return new JsonRpcError(
    typeof message === "string" ? message : JSON.stringify(error),
    typeof code === "number" ? code : -32603,
    data,
  );
}

function cannotSend({ method }: Call, why: Error): ConnectionClosedError {
  if (why instanceof FramingError) return why;
  return new ConnectionClosedError(`${method} cannot be sent: ${why.message}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
