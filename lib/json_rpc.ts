/**
 * JSON-RPC 2.0 over any two pipes: many requests at a time, each with an id, in both directions. What
 * servers of the Model Context Protocol (a message a line) and language servers (`Content-Length`)
 * speak. Copy this file, `line_reader.ts` and `byte_reader.ts`.
 *
 * @module
 */
import { ByteReader, IncompleteReadError } from "./byte_reader.ts";
import { LineReader } from "./line_reader.ts";

/** The error that a request was answered with; thrown by a method, the error that it answers with. */
export class JsonRpcError extends Error {
  /** The exit code for a script that ends with this error. */
  readonly exitCode = 1;

  /** The error. JSON-RPC reserves the codes from -32768 to -32000. */
  constructor(message: string, readonly code: number, readonly data?: unknown) {
    super(message);
    this.name = "JsonRpcError";
  }
}

/** The connection closed before a request was answered, or before a message could be sent. */
export class ConnectionClosedError extends Error {
  /** The exit code for a script that ends with this error. */
  readonly exitCode = 1;
  /** What errors of this kind are called. */
  override readonly name = "ConnectionClosedError";
}

/** What the other side writes is not in the framing that was agreed on. */
export class FramingError extends Error {
  /** The exit code for a script that ends with this error. */
  readonly exitCode = 1;
  /** What errors of this kind are called. */
  override readonly name = "FramingError";
}

/** The settings of a {@linkcode JsonRpcPeer}. */
export interface JsonRpcPeerOptions {
  /** Where a message ends: each is a line (default), or follows a header with its length in bytes. */
  framing?: "lines" | "content-length";
  /** What the other side may request, by name. What a method returns, or its promise resolves to, is
   * the answer. `signal` aborts when the connection closes: nobody waits for the answer any more. */
  methods?: Record<string, (params: unknown, signal: AbortSignal) => unknown>;
  /** Is handed the requests that want no answer, in order. An error of it ends the connection. */
  onNotification?: (method: string, params: unknown) => void;
  /** Is handed what is no message, such as a log line, and answers to what was never asked. Without
   * it they are dropped. An error of it ends the connection. */
  onNoise?: (text: string) => void;
  /** The longest message to accept (default 64 Mi): UTF-16 code units of a line, bytes of a body. */
  maxLength?: number;
  /** Such as `child.status`: once it has settled, the stream ends when nothing more comes for a
   * moment, although another process may keep the pipe open. */
  until?: Promise<unknown>;
}

/** What {@linkcode JsonRpcPeer.request} and `notify` send. */
interface Call {
  id?: number;
  method: string;
  params: unknown;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

type Message = Record<string, unknown>;

/** What goes out in one write. */
interface Batch {
  texts: string[];
  notifications: Call[];
}

/** In UTF-16 code units: with so much unsent, requests wait for their turn. */
const MUCH = 2 ** 20;
/** With so much unsent, what the other side requests waits, too. Its requests may grow so long. */
const TOO_MUCH = 2 * MUCH;

/**
 * One end of a connection in JSON-RPC 2.0. A child is `{ readable: child.stdout, writable:
 * child.stdin }`; a server has `Deno.stdin.readable` and `Deno.stdout.writable`.
 *
 * Answers are paired by their ids alone, in whatever order they come. There is no time limit but the
 * `signal` of a request. When the other side closes its end, what it wrote is read first; then every
 * open request rejects with a {@linkcode ConnectionClosedError}. A stream that is not in the agreed
 * framing ends the connection with a {@linkcode FramingError}; a log line between messages does not.
 *
 * What is sent in one turn goes out in one write. While the other side does not read, requests wait,
 * and so does what it requests: do not change `params` before the answer has come. A rejection that
 * nobody looks at is not reported.
 *
 * @example A server that answers in reverse order, asked twice at once
 * ```ts
 * import { JsonRpcPeer } from "./json_rpc.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const [there, back] = [new TransformStream(), new TransformStream()];
 * const wait = Promise.withResolvers<void>();
 * const server = new JsonRpcPeer({ readable: there.readable, writable: back.writable }, {
 *   methods: {
 *     first: () => wait.promise.then(() => "slow"),
 *     second: () => (wait.resolve(), "fast"),
 *   },
 * });
 * const client = new JsonRpcPeer({ readable: back.readable, writable: there.writable });
 * const answers = await Promise.all([client.request("first"), client.request("second", [1])]);
 * assertEquals(answers, ["slow", "fast"]);
 * await Promise.all([client.close(), server.closed, server.close(), client.closed]);
 * ```
 */
export class JsonRpcPeer {
  /** Settles when all that the other side wrote has been read: it has closed its end. Rejects with what
   * else ended the connection, such as a {@linkcode FramingError}. */
  readonly closed: Promise<void>;
  readonly #isLines: boolean;
  readonly #methods: NonNullable<JsonRpcPeerOptions["methods"]>;
  readonly #onNotification: (method: string, params: unknown) => void;
  readonly #onNoise: (text: string) => void;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  /** Aborts when nobody waits for answers any more. */
  readonly #over = new AbortController();
  /** Aborts when reading must end: what is handed to the user was refused with an error. */
  readonly #failure = new AbortController();
  /** Settles when nothing can be written any more. */
  readonly #deaf = Promise.withResolvers<void>();
  #lastId = 0;
  /** The requests that have been sent, by id; undefined for one that was given up. */
  #open = new Map<unknown, Call | undefined>();
  /** What is called, and waits until less is unsent. A Set is a queue that anyone can leave. */
  #waiting = new Set<Call>();
  /** What the next write takes, and all that has not been written, that of the current one too. */
  #batch: Batch = { texts: [], notifications: [] };
  #unsent = 0;
  #writing: Promise<void> | undefined;
  /** What the other side requests while it does not read, and how much that is. */
  #held: string[] = [];
  #heldLength = 0;
  /** Ends the wait of the reader for the other side to read. */
  #resume: (() => void) | undefined;
  /** Whether a message has come: from then on the framing is beyond doubt. */
  #hasMet = false;
  /** What every new call meets. */
  #end: Error | undefined;
  #closing: Promise<void> | undefined;

  /** Locks both pipes, and begins to read. */
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
      maxLength = 2 ** 26,
      until = new Promise(() => {}),
    }: JsonRpcPeerOptions = {},
  ) {
    if (!(maxLength >= 0)) throw new RangeError(`A maxLength cannot be ${maxLength}`);
    this.#isLines = framing === "lines";
    this.#methods = methods;
    this.#onNotification = onNotification;
    this.#onNoise = onNoise;
    this.#writer = writable.getWriter();
    this.#writer.closed.catch((error) => this.#stopWriting(error));
    // Who has closed the pipe that we write to may still have answered: that is read first.
    const both = { until: Promise.race([until, this.#deaf.promise]), signal: this.#failure.signal };
    const reading = this.#isLines
      ? this.#readLines(new LineReader(readable, { maxLineLength: maxLength, ...both }))
      : this.#readBodies(new ByteReader(readable, { maxLength: 8192, ...both }), maxLength);
    this.closed = reading.then(() => this.#finish(), (error) => {
      this.#finish(error);
      this.#writer.abort(error).catch(() => {});
      throw error;
    });
    // Every request tells of it.
    this.closed.catch(() => {});
  }

  /**
   * Asks the other side, and resolves with its answer.
   *
   * @param params An array or an object.
   * @param options.signal Gives the request up. Nothing is sent for it (LSP and MCP each have a
   * notification of their own), and its late answer is dropped.
   * @throws {JsonRpcError} If the answer is an error.
   * @throws {ConnectionClosedError} If the connection closes before the answer has come.
   * @throws {FramingError} If the other side writes in another framing.
   * @throws {TypeError} If `params` cannot be written as JSON.
   */
  request(
    method: string,
    params?: unknown,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const id = ++this.#lastId;
    const call = { id, method, params, resolve, reject };
    if (signal?.aborted) {
      reject(signal.reason);
      promise.catch(() => {});
      return promise;
    }
    const giveUp = () => {
      this.#waiting.delete(call);
      if (this.#open.has(id)) this.#open.set(id, undefined);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", giveUp);
    const forget = () => signal?.removeEventListener("abort", giveUp);
    // Also a failure of many requests at once, awaited one by one, must not end the program.
    if (signal) promise.then(forget, forget);
    else promise.catch(() => {});
    this.#call(call, this.#unsent < MUCH);
    return promise;
  }

  /**
   * Tells the other side something that has no answer. Await it where much is told: it resolves when
   * the message has been written.
   *
   * @param params An array or an object.
   * @throws {ConnectionClosedError} If the message cannot be written.
   * @throws {TypeError} If `params` cannot be written as JSON.
   */
  notify(method: string, params?: unknown): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    promise.catch(() => {});
    this.#call({ method, params, resolve, reject }, true);
    const written = promise.then(() => {});
    written.catch(() => {});
    return written;
  }

  /** Closes our end, which is end of file for the other side, after all that has been sent. Open
   * requests still get their answers; requests of the other side get none any more. */
  close(): Promise<void> {
    return this.#closing ??= (async () => {
      this.#end ??= new ConnectionClosedError("this side has closed the connection");
      await this.#writing;
      this.#over.abort(this.#end);
      // Where nobody reads any more, there is nothing to close.
      await this.#writer.close().catch(() => {});
    })();
  }

  async #readLines(lines: LineReader): Promise<void> {
    await using reader = lines;
    for await (const lines of reader.batches()) {
      for (const line of lines) {
        if (!this.#hasMet && /^content-length: *\d+$/i.test(line)) {
          throw new FramingError(
            `the other side wrote ${JSON.stringify(line)}: it speaks in the framing ` +
              `"content-length", not in "lines"`,
          );
        }
        if (/\S/.test(line)) this.#receive(line);
      }
      if (this.#heldLength > TOO_MUCH) await this.#pause();
    }
  }

  async #readBodies(bytes: ByteReader, maxLength: number): Promise<void> {
    await using reader = bytes;
    try {
      for (;;) {
        const length = await readHeader(reader);
        if (length === null) return;
        if (length > maxLength) {
          throw new FramingError(`a message of ${length} bytes is over the bound of ${maxLength}`);
        }
        const body = await reader.readBytes(length);
        // As for an end between two messages: the open requests tell.
        if (body === null) return;
        this.#receive(decoder.decode(body));
        if (this.#heldLength > TOO_MUCH) await this.#pause();
      }
    } catch (error) {
      if (!(error instanceof IncompleteReadError)) throw error;
      // It ended inside a message, or in words that are none, such as why it did.
      this.#onNoise(decoder.decode(error.partial));
    }
  }

  /** What it requests is held back until it reads: then so is the rest. */
  #pause(): Promise<void> {
    return new Promise((resolve) => this.#resume = resolve);
  }

  #receive(text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text.startsWith("\ufeff") ? text.slice(1) : text);
    } catch {
      this.#onNoise(text);
      // Of a line, nobody knows whether it was meant as a message, unless it begins like one.
      if (!this.#isLines || /^\s*\[?\s*\{\s*"jsonrpc"/.test(text)) {
        this.#put(errorMessage(null, new JsonRpcError("Parse error: this is not JSON", -32700)));
      }
      return;
    }
    const messages = Array.isArray(message) ? message : [message];
    const isCall = messages.length === 0 || !messages.every(isResponse);
    if (isCall && (this.#held.length > 0 || this.#unsent >= TOO_MUCH)) {
      this.#held.push(text);
      this.#heldLength += text.length;
    } else if (!Array.isArray(message)) {
      this.#take(message, text, (answer) => this.#put(answer));
    } else if (message.length === 0) {
      this.#refuse(text, (answer) => this.#put(answer));
    } else this.#takeBatch(message, text);
  }

  /** The answers to a batch are one message, when all are there. */
  #takeBatch(messages: unknown[], text: string): void {
    const answers: string[] = [];
    let missing = messages.filter((message) => !isResponse(message) && !isNotification(message))
      .length;
    const answer = (text: string) => {
      answers.push(text);
      if (--missing === 0) this.#put(`[${answers.join()}]`);
    };
    for (const message of messages) this.#take(message, text, answer);
  }

  #take(message: unknown, text: string, answer: (text: string) => void): void {
    if (isResponse(message)) return this.#settle(message, text);
    if (isNotification(message)) {
      this.#hasMet = true;
      return this.#onNotification(String(message.method), message.params);
    }
    if (!isRequest(message)) {
      const isLog = this.#isLines && !(isObject(message) && "jsonrpc" in message) &&
        !text.trimStart().startsWith("[");
      return isLog ? this.#onNoise(text) : this.#refuse(text, answer, idOf(message));
    }
    this.#hasMet = true;
    this.#answer(message).then(answer);
  }

  #refuse(text: string, answer: (text: string) => void, id: unknown = null): void {
    this.#onNoise(text);
    const what = "Invalid Request: not as JSON-RPC 2.0 has it";
    answer(errorMessage(id, new JsonRpcError(what, -32600)));
  }

  /** What a method returns, or throws, as a message. */
  async #answer({ id, method, params }: Message): Promise<string> {
    try {
      const name = String(method);
      const called = Object.hasOwn(this.#methods, name) ? this.#methods[name] : undefined;
      if (called === undefined) throw new JsonRpcError(`Method not found: ${name}`, -32601);
      const result = await called(params, this.#over.signal) ?? null;
      return JSON.stringify({ jsonrpc: "2.0", id, result });
    } catch (error) {
      return errorMessage(id, error);
    }
  }

  #settle({ id, result, error }: Message, text: string): void {
    if (!this.#open.has(id)) return this.#onNoise(text);
    this.#hasMet = true;
    const call = this.#open.get(id);
    this.#open.delete(id);
    if (error === undefined || error === null) call?.resolve(result);
    else call?.reject(errorOf(error));
  }

  /** Sends a call now, or when its turn comes. */
  #call(call: Call, hasRoom: boolean): void {
    const { params, reject } = call;
    if (params !== undefined && (typeof params !== "object" || params === null)) {
      reject(new TypeError(`params are an array or an object, not ${String(params)}`));
    } else if (this.#end !== undefined) {
      reject(closedError(`${call.method} cannot be sent`, this.#end));
    } else if (hasRoom && this.#waiting.size === 0) this.#send(call);
    else this.#waiting.add(call);
  }

  #send(call: Call): void {
    const { id, method, params, reject } = call;
    try {
      this.#put(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
      if (id !== undefined) this.#open.set(id, call);
      else this.#batch.notifications.push(call);
    } catch (error) {
      // It has no form in JSON. That concerns nobody else.
      reject(error);
    }
  }

  /** Has a text written, together with all that is put in the same turn. */
  #put(text: string): void {
    const framed = this.#isLines
      ? `${text}\n`
      : `Content-Length: ${byteLength(text)}\r\n\r\n${text}`;
    this.#batch.texts.push(framed);
    this.#unsent += framed.length;
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    // Lets the messages of this turn come together.
    await undefined;
    while (this.#batch.texts.length > 0) {
      const [{ texts, notifications }, length] = [this.#batch, this.#unsent];
      this.#batch = { texts: [], notifications: [] };
      try {
        await this.#writer.write(encoder.encode(texts.join("")));
        for (const { resolve } of notifications) resolve(undefined);
      } catch (error) {
        this.#stopWriting(error);
        for (const { method, reject } of notifications) {
          reject(closedError(`${method} cannot be sent`, error));
        }
      }
      this.#unsent -= length;
      this.#admit();
    }
    this.#writing = undefined;
  }

  /** Goes on with what had to wait. */
  #admit(): void {
    for (const call of this.#waiting) {
      if (this.#unsent >= MUCH) break;
      this.#waiting.delete(call);
      this.#send(call);
    }
    if (this.#held.length === 0) return;
    const held = this.#held.splice(0);
    this.#heldLength = 0;
    try {
      for (const text of held) this.#receive(text);
    } catch (error) {
      this.#failure.abort(error);
    }
    if (this.#heldLength <= TOO_MUCH) this.#resume?.();
  }

  /** Nobody reads what we write. What the other side has answered is still read. */
  #stopWriting(error: unknown): void {
    this.#end ??= new ConnectionClosedError(`the other side does not read: ${messageOf(error)}`);
    this.#deaf.resolve();
    for (const { method, reject } of this.#waiting) {
      reject(closedError(`${method} cannot be sent`, this.#end));
    }
    this.#waiting.clear();
  }

  /** Nothing more is read: no open request will be answered. */
  #finish(error?: unknown): void {
    const end = new ConnectionClosedError("the other side has closed the connection");
    this.#end ??= error instanceof Error ? error : end;
    for (const call of [...this.#open.values(), ...this.#waiting]) {
      call?.reject(error ?? closedError(`${call.method} was not answered`, end));
    }
    this.#open.clear();
    this.#waiting.clear();
    this.#over.abort(error ?? end);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function byteLength(text: string): number {
  // deno-lint-ignore no-control-regex
  return /^[\x00-\x7f]*$/.test(text) ? text.length : encoder.encode(text).length;
}

/** The length that a header tells, in bytes; null at the end of the stream. */
async function readHeader(reader: ByteReader): Promise<number | null> {
  let [first, length]: [first?: Uint8Array, length?: number] = [];
  for (;;) {
    const bytes = await reader.readUntil("\n").catch((error) => {
      throw error instanceof RangeError ? noHeader(reader.buffered) : error;
    });
    if (bytes === null) return null;
    const line = decoder.decode(bytes);
    if (line === "" || line === "\r") {
      if (length !== undefined) return length;
      if (first !== undefined) throw noHeader(first);
      // Before a header it belongs to nothing.
      continue;
    }
    first ??= bytes;
    const [, digits] = /^content-length\s*:\s*(\d+)\s*$/i.exec(line) ?? [];
    if (digits !== undefined) length = Number(digits);
    // A log line may look like a header, but ends as lines do on Unix.
    else if (!/^[\w-]+:.*\r$/.test(line)) throw noHeader(bytes);
  }
}

function noHeader(bytes: Uint8Array): FramingError {
  const text = JSON.stringify(decoder.decode(bytes.subarray(0, 200)).trim());
  return new FramingError(
    `the other side wrote ${text} where a header with Content-Length belongs: ` +
      `a log line, a length not in bytes, or the framing "lines"`,
  );
}

function isObject(value: unknown): value is Message {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What has a method asks. What has an id, and no method, answers. */
function isResponse(message: unknown): message is Message {
  return isObject(message) && !("method" in message) &&
    ("result" in message || "error" in message || "id" in message && "jsonrpc" in message);
}

function isRequest(message: unknown): message is Message {
  return isObject(message) && message.jsonrpc === "2.0" && typeof message.method === "string" &&
    (message.params === undefined ||
      typeof message.params === "object" && message.params !== null) &&
    (!("id" in message) || idOf(message) === message.id);
}

function isNotification(message: unknown): message is Message {
  return isRequest(message) && !("id" in message);
}

/** The id of a message, null unless it is a valid one. */
function idOf(message: unknown): string | number | null {
  const id = isObject(message) ? message.id : null;
  return typeof id === "string" || typeof id === "number" ? id : null;
}

function errorMessage(id: unknown, error: unknown): string {
  const { code, data } = error instanceof JsonRpcError ? error : { code: -32603, data: undefined };
  try {
    return JSON.stringify({ jsonrpc: "2.0", id, error: { code, message: messageOf(error), data } });
  } catch {
    // What else it has to say has no form in JSON.
    return JSON.stringify({ jsonrpc: "2.0", id, error: { code, message: messageOf(error) } });
  }
}

function errorOf(error: unknown): JsonRpcError {
  const { message, code, data } = isObject(error) ? error : {} as Message;
  return new JsonRpcError(
    typeof message === "string" ? message : JSON.stringify(error),
    typeof code === "number" ? code : -32603,
    data,
  );
}

function closedError(what: string, why: unknown): ConnectionClosedError {
  return new ConnectionClosedError(`${what}: ${messageOf(why)}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
