/**
 * A JSON-RPC peer for a person: its errors say what to do.
 *
 * @module
 */
import { describeStatus } from "../child.ts";
import { seeWhy } from "./paste.ts";
import {
  ConnectionClosedError,
  FramingError,
  JsonRpcError,
  JsonRpcPeer,
  type JsonRpcPeerOptions,
} from "../json_rpc.ts";
import { Failure, scriptName } from "./failure.ts";
import { quote } from "./format.ts";
import { stdinLines, Unasked, type WatchOptions } from "./watch.ts";
import { within } from "../within.ts";

/** The settings of a {@linkcode ReportingPeer}. */
export interface ReportingPeerOptions
  extends WatchOptions, Required<Pick<JsonRpcPeerOptions, "framing" | "onNotification">> {}

/**
 * A {@linkcode JsonRpcPeer} that a person watches: shows lines that are no message, with a silent
 * child says what to do and how to find out why, and with one that has gone how it ended. What goes
 * wrong is a {@linkcode Failure}.
 */
export class ReportingPeer extends JsonRpcPeer {
  readonly #child: Deno.ChildProcess;
  readonly #options: ReportingPeerOptions;
  readonly #over = Promise.withResolvers<void>();
  readonly #notified = new Map<string, (came: true) => void>();
  #hasFailed = false;

  /** Locks the child's stdin and stdout, and begins to read. */
  constructor(child: Deno.ChildProcess, options: ReportingPeerOptions) {
    const { name, timeout, framing, onNotification } = options;
    const unasked = new Unasked(name, timeout);
    super({ readable: child.stdout, writable: child.stdin }, {
      framing,
      until: child.status,
      methods: refusals(name),
      onNoise: (text) => unasked.report(text),
      onNotification: (method, params) => {
        onNotification(method, params);
        this.#notified.get(method)?.(true);
      },
    });
    this.#child = child;
    this.#options = options;
    const stop = () => this.#over.resolve();
    this.closed.then(stop, stop);
  }

  /** The lines of this script's own stdin, until they end, a request fails, or the child closes its
   * end: nobody needs another question then. */
  async *stdinLines(): AsyncGenerator<string> {
    for await (const line of stdinLines(this.#over.promise, this.#options.name)) {
      if (this.#hasFailed) return;
      yield line;
    }
  }

  /**
   * Asks the child, and resolves with its answer.
   *
   * @throws {JsonRpcError} If the answer is an error.
   */
  override async request(method: string, params?: unknown): Promise<unknown> {
    const { name, framing, command } = this.#options;
    const late = `no answer from ${name} to ${method}`;
    const asked = super.request(method, params);
    // A header is no line, which is all that why.ts asks.
    const why = framing === "lines"
      ? seeWhy(command, JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }))
      : "";
    return await this.#inTime(asked, late, why);
  }

  /** Asks the child. An error that it answers with is an answer, too. */
  answer(method: string, params?: unknown): Promise<unknown> {
    return this.request(method, params).catch((error) => {
      if (error instanceof JsonRpcError) return error;
      throw error;
    });
  }

  /** Sends the child a message that has no answer. */
  override async notify(method: string, params?: unknown): Promise<void> {
    const { name, command } = this.#options;
    const late = `${name} did not read what it was told, ${method},`;
    await this.#inTime(super.notify(method, params), late, seeWhy(command));
  }

  async #inTime(task: Promise<unknown>, late: string, why: string): Promise<unknown> {
    const { timeout, advice } = this.#options;
    try {
      // `within` has undefined for what is late.
      const result = await within(timeout, task.then((result = null) => result));
      if (result !== undefined) return result;
      const partial = this.partialMessage;
      const soFar = partial && `; so far it wrote ${quote(partial)}, which is no whole message`;
      throw new Failure(`${late} within ${timeout} s${soFar}; ${advice}${why}`, 124);
    } catch (error) {
      if (error instanceof JsonRpcError) throw error;
      this.#hasFailed = true;
      this.#over.resolve();
      return await this.#explain(error);
    }
  }

  /**
   * Waits until the child sends such a notification.
   *
   * @throws {Failure} If it sends none in time.
   */
  async notification(method: string): Promise<void> {
    const { name, timeout } = this.#options;
    const coming = new Promise<true>((resolve) => this.#notified.set(method, resolve));
    if (await within(timeout, coming)) return;
    throw new Failure(`no ${method} from ${name} within ${timeout} s`, 124);
  }

  /**
   * Closes the child's stdin, and waits for its exit.
   *
   * @throws {Failure} If it does not exit in time, or with another status than 0.
   */
  async end(): Promise<void> {
    const { name, timeout } = this.#options;
    const ends = Promise.all([this.#child.status, this.close(), this.closed]);
    const [status] = await within(timeout, ends) ?? [];
    if (!status) {
      throw new Failure(`${name} did not exit within ${timeout} s of its end of file`, 124);
    }
    if (!status.success) throw new Failure(`${name} ${describeStatus(status)}`, status.code);
  }

  /** If the child has closed its end, its status tells why. */
  async #explain(error: unknown): Promise<never> {
    if (!(error instanceof ConnectionClosedError) || error instanceof FramingError) throw error;
    const { name, timeout, advice } = this.#options;
    await within(timeout, this.closed); // Throws if something else has ended the connection.
    const status = await within(timeout, this.#child.status);
    const how = status ? describeStatus(status) : "has not exited";
    // Nothing went wrong there.
    const next = status?.success ? `; ${advice}` : "";
    throw new Failure(`${error.message}; ${name} ${how}${next}`, status?.code || 1);
  }
}

/** For whatever the child asks of a person: it is told that there is no such method, and the person
 * that it asked, once for each of ten. */
function refusals(name: string): NonNullable<JsonRpcPeerOptions["methods"]> {
  const told = new Set<string | symbol>();
  const refuse = (method: string | symbol) => () => {
    if (told.size < 10 && !told.has(method)) {
      console.error(`${scriptName}: ${name} asked for ${quote(String(method))}: refused`);
      told.add(method);
    }
    throw new JsonRpcError(`Method not found: ${String(method)}`, -32601);
  };
  return new Proxy({}, {
    getOwnPropertyDescriptor: () => ({ configurable: true }),
    get: (_, method) => refuse(method),
  });
}
