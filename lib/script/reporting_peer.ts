/**
 * A JSON-RPC peer for a person: its errors say what to do.
 *
 * @module
 */
import { describeStatus } from "../child.ts";
import { ConnectionClosedError, FramingError, JsonRpcError, JsonRpcPeer } from "../json_rpc.ts";
import type { LineReader } from "../line_reader.ts";
import { untilExit } from "../until_exit.ts";
import { within } from "../within.ts";
import { Failure, scriptName } from "./failure.ts";
import { quote } from "./format.ts";
import { answerOf, notificationLine } from "./message.ts";
import { print } from "./stdout.ts";
import { exitOf, lateFailure, soFar, stdinLines, Unasked, type WatchOptions } from "./watch.ts";

/** The settings of a {@linkcode ReportingPeer}. */
export interface ReportingPeerOptions extends Omit<WatchOptions, "advice"> {
  /** How messages are framed. */
  framing: "lines" | "content-length";
  /** What to answer to the child's own requests, by method. */
  answers: Record<string, unknown>;
}

/**
 * A {@linkcode JsonRpcPeer} that a person watches: shows notifications and lines that are no
 * message, with a silent child says what to do and how to find out why, and with one that has gone
 * how it ended. What goes wrong is a {@linkcode Failure}.
 */
export class ReportingPeer {
  readonly #peer: JsonRpcPeer;
  readonly #child: Deno.ChildProcess;
  readonly #options: ReportingPeerOptions;
  readonly #advice: string;
  readonly #over = Promise.withResolvers<void>();

  /** Locks the child's stdin and stdout, and begins to read. */
  constructor(child: Deno.ChildProcess, options: ReportingPeerOptions) {
    const { name, timeout, framing, answers } = options;
    const unasked = new Unasked(name, timeout);
    const readable = untilExit(child.stdout, child.status);
    this.#peer = new JsonRpcPeer({ readable, writable: child.stdin }, {
      framing,
      onRequest: answerer(name, answers),
      onNoise: (text) => unasked.report(text),
      onNotification: (method, params) => print(notificationLine(method, params)),
    });
    this.#child = child;
    this.#options = options;
    const other = framing === "lines" ? "content-length" : "lines";
    this.#advice = `try --framing ${other}, and see what must be asked first`;
    const stop = () => this.#over.resolve();
    this.#peer.closed.then(stop, stop);
  }

  /** The lines of this script's own stdin, until they end, a call fails, or the child closes its
   * end: nobody needs another question then. */
  stdinLines(): LineReader {
    return stdinLines(this.#over.promise, this.#options.name);
  }

  /** Asks the child. An error that it answers with is an answer, too. */
  ask(method: string, params?: unknown): Promise<unknown> {
    const { name, framing } = this.#options;
    const asked = this.#peer.request(method, params).catch(answerOf);
    // A header is no line, which is all that why.ts asks.
    const line = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const question = framing === "lines" ? line : undefined;
    return this.#inTime(asked, `no answer from ${name} to ${method}`, question);
  }

  /** Sends the child a message that has no answer. */
  async notify(method: string, params?: unknown): Promise<void> {
    const late = `${this.#options.name} did not read the notification ${method}`;
    await this.#inTime(this.#peer.notify(method, params), late);
  }

  /** Closes the child's stdin, which is its sign to exit, and reads on until it has. */
  async close(): Promise<void> {
    this.#peer.close();
    const { name, timeout } = this.#options;
    await exitOf(this.#child, name, timeout);
    await this.#peer.closed.catch((error) => this.#explain(error));
  }

  async #inTime(task: Promise<unknown>, late: string, question?: string): Promise<unknown> {
    const { timeout, command } = this.#options;
    try {
      // `within` has undefined for what is late.
      const result = await within(timeout, task.then((result = null) => result));
      if (result !== undefined) return result;
      const what = `${late} within ${timeout} s (--timeout)${soFar(this.#peer.partialMessage)}`;
      throw lateFailure(what, this.#advice, question === undefined ? [] : command, question);
    } catch (error) {
      this.#over.resolve();
      return await this.#explain(error);
    }
  }

  /** If the child has closed a pipe, its status tells why. */
  async #explain(error: unknown): Promise<never> {
    if (error instanceof FramingError) {
      // A dialect needs more than another framing.
      const isDialect = !error.message.includes("framing");
      throw new Failure(isDialect ? error.message : `${error.message}; ${this.#advice}`);
    }
    if (!(error instanceof ConnectionClosedError)) throw error;
    const { name } = this.#options;
    await this.#peer.closed; // Throws if something else has ended the connection.
    const status = await within(1, this.#child.status);
    const how = status ? describeStatus(status) : "has not exited";
    // Nothing went wrong there.
    const next = status?.success ? `; ${this.#advice}` : "";
    throw new Failure(`${error.message}; ${name} ${how}${next}`, status?.code || 1);
  }
}

/** Answers the child's own requests. A person is told what it asks for in vain, once for each of
 * ten methods. */
function answerer(name: string, answers: Record<string, unknown>): (method: string) => unknown {
  const told = new Set<string>();
  return (method) => {
    if (Object.hasOwn(answers, method)) return answers[method];
    if (told.size < 10 && !told.has(method)) {
      const option = `--answer ${quote(`${method}=RESULT`)} answers it`;
      console.error(`${scriptName}: ${name} asked for ${quote(method)}: refused; ${option}`);
      told.add(method);
    }
    throw new JsonRpcError(`Method not found: ${method}`, -32601);
  };
}
