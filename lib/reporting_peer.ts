/**
 * A JSON-RPC peer for a person: its errors say what to do.
 *
 * @module
 */
import { describeStatus } from "./child.ts";
import { seeWhy } from "./cures.ts";
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
  stdinLines(): AsyncGenerator<string> {
    return stdinLines(this.#over.signal, this.#options.name);
  }

  /**
   * Asks the child, and resolves with its answer.
   *
   * @throws {JsonRpcError} If the answer is an error.
   */
  override async request(method: string, params?: unknown): Promise<unknown> {
    const { name, timeout, advice, command } = this.#options;
    try {
      // `within` has undefined for an answer that is late.
      const answer = super.request(method, params).then((result = null) => result);
      const result = await within(timeout, answer);
      if (result !== undefined) return result;
      const late = `no answer from ${name} to ${method} within ${timeout} s`;
      throw new Failure(`${late}; ${advice}${seeWhy(command)}`, 124);
    } catch (error) {
      if (error instanceof JsonRpcError) throw error;
      this.#over.abort();
      return await this.#explain(error);
    }
  }

  /** Sends the child a message that has no answer. */
  override notify(method: string, params?: unknown): Promise<void> {
    return super.notify(method, params).catch((error) => this.#explain(error));
  }

  /** Resolves when the child sends such a notification. */
  notification(method: string): Promise<true> {
    return new Promise((resolve) => this.#notified.set(method, resolve));
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
    const { name, timeout } = this.#options;
    await within(timeout, this.closed); // Throws if something else has ended the connection.
    const status = await within(timeout, this.#child.status);
    const how = status ? describeStatus(status) : "has not exited";
    throw new Failure(`${error.message}; ${name} ${how}`, status?.code || 1);
  }
}
