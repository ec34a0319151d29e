/**
 * A JSON-RPC peer for a person: its errors say what to do.
 *
 * @module
 */
import { describeStatus } from "./child.ts";
import { seeWhy } from "./paste.ts";
import {
  ConnectionClosedError,
  FramingError,
  JsonRpcError,
  JsonRpcPeer,
  type JsonRpcPeerOptions,
} from "./json_rpc.ts";
import { Failure } from "./failure.ts";
import { stdinLines } from "./stdin.ts";
import { Unasked, type WatchOptions } from "./unasked.ts";
import { within } from "./within.ts";

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
  readonly #over = new AbortController();
  readonly #notified = new Map<string, (came: true) => void>();
  #hasFailed = false;

  /** Locks the child's stdin and stdout, and begins to read. */
  constructor(child: Deno.ChildProcess, options: ReportingPeerOptions) {
    const { name, timeout, framing, onNotification } = options;
    const unasked = new Unasked(name, timeout);
    super({ readable: child.stdout, writable: child.stdin }, {
      framing,
      until: child.status,
      onNoise: (text) => unasked.report(text),
      onNotification: (method, params) => {
        onNotification(method, params);
        this.#notified.get(method)?.(true);
      },
    });
    this.#child = child;
    this.#options = options;
    const stop = () => this.#over.abort();
    this.closed.then(stop, stop);
  }

  /** The lines of this script's own stdin, until they end, a request fails, or the child closes its
   * end: nobody needs another question then. */
  async *stdinLines(): AsyncGenerator<string> {
    for await (const line of stdinLines(this.#over.signal, this.#options.name)) {
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
    const late = `no answer from ${this.#options.name} to ${method}`;
    return await this.#inTime(super.request(method, params), late);
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
    const late = `${this.#options.name} did not read what it was told, ${method},`;
    await this.#inTime(super.notify(method, params), late);
  }

  async #inTime(task: Promise<unknown>, late: string): Promise<unknown> {
    const { timeout, advice, command } = this.#options;
    try {
      // `within` has undefined for what is late.
      const result = await within(timeout, task.then((result = null) => result));
      if (result !== undefined) return result;
      throw new Failure(`${late} within ${timeout} s; ${advice}${seeWhy(command)}`, 124);
    } catch (error) {
      if (error instanceof JsonRpcError) throw error;
      this.#hasFailed = true;
      this.#over.abort();
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
