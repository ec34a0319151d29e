/**
 * A dialogue for a person: its errors say what to do.
 *
 * @module
 */
import { describeStatus, onEnd } from "../child.ts";
import { seeWhy } from "./paste.ts";
import { ChildEndedError, Dialogue, NoAnswerError } from "../dialogue.ts";
import { Failure, scriptName } from "./failure.ts";
import { quote } from "./format.ts";
import { LineReader } from "../line_reader.ts";
import { untilExit } from "../until_exit.ts";
import { stdinLines } from "./stdin.ts";
import { faint } from "./terminal.ts";
import { Unasked, type WatchOptions } from "./unasked.ts";

/** The settings of a {@linkcode ReportingDialogue}. */
export interface ReportingOptions extends WatchOptions {
  /** Gets the lines that come before the first question; if left out, nobody asked for those
   * either. */
  onGreeting?: (line: string) => unknown;
}

/**
 * A dialogue that a person watches: says of each line that nobody asked for it, with a silent child
 * what to do and how to find out why, and shows at a terminal whose stderr is whose. What goes
 * wrong is a {@linkcode Failure}.
 */
export class ReportingDialogue extends Dialogue {
  readonly #options: ReportingOptions;
  readonly #unasked: Unasked;
  readonly #stderr: AsyncDisposable;
  #farewell: ChildEndedError | undefined;
  #hasAsked = false;
  /** Whether no question is open, because none has come from stdin. */
  #isIdle = false;

  /** Begins to read the child's stdout, and its stderr if that is `childStderr`. */
  constructor(child: Deno.ChildProcess, options: ReportingOptions) {
    const { name, timeout, onGreeting } = options;
    const onUnasked = (line: string) =>
      onGreeting && !this.#hasAsked ? onGreeting(line) : this.#unasked.report(line, this.#isIdle);
    super(child, { name, timeout, onUnasked });
    this.#options = options;
    this.#unasked = new Unasked(name, timeout);
    this.#stderr = markStderr(child, name);
  }

  /**
   * The lines of this script's own stdin, until they end or the dialogue does.
   *
   * @throws {Failure} If one comes after the child's exit.
   */
  async *stdinLines(): AsyncGenerator<string> {
    const { name } = this.#options;
    try {
      this.#isIdle = true;
      for await (const line of stdinLines(this.signal, name)) {
        this.#isIdle = false;
        if (this.#farewell !== undefined) {
          const status = describeStatus(this.#farewell.status);
          throw new Failure(`${name} ${status} before it was asked ${quote(line)}`);
        }
        this.signal.throwIfAborted();
        yield line;
        this.#isIdle = true;
      }
    } finally {
      this.#isIdle = false;
    }
  }

  /** Sends a line, and gives the line that comes back. */
  override ask(question: string): Promise<string> {
    this.#hasAsked = true;
    return super.ask(question).catch((error) => this.#explain(error));
  }

  /** As in a {@linkcode Dialogue}. But an exit with status 0 is an answer, such as that to `quit`;
   * `signal` has aborted then. */
  override async askUntil(
    question: string,
    end: string | RegExp,
    onLine?: (line: string) => unknown,
  ): Promise<void> {
    this.signal.throwIfAborted();
    this.#hasAsked = true;
    try {
      await super.askUntil(question, end, onLine);
    } catch (error) {
      if (!(error instanceof ChildEndedError && error.status.success)) this.#explain(error);
      this.#farewell = error;
    }
  }

  /** Waits for a text that the child writes by itself. */
  override waitUntil(end: string | RegExp, onLine?: (line: string) => unknown): Promise<void> {
    return super.waitUntil(end, onLine).catch((error) => this.#explain(error));
  }

  /**
   * Closes the child's stdin, and waits for its exit.
   *
   * @throws {Failure} If its status is another than 0, or it wrote a line that nobody asked for.
   */
  override async end(): Promise<Deno.CommandStatus> {
    const status = this.#farewell?.status ?? await super.end();
    await this.#stderr[Symbol.asyncDispose]();
    if (!status.success) {
      throw new Failure(`${this.#options.name} ${describeStatus(status)}`, status.code);
    }
    this.#unasked.check();
    return status;
  }

  #explain(error: unknown): never {
    if (!(error instanceof NoAnswerError)) throw error;
    const { advice, command } = this.#options;
    throw new Failure(`${error.message}; ${advice}${seeWhy(command)}`, error.exitCode);
  }
}

/** Where a child's stderr goes: at a terminal through {@linkcode markStderr}, else past this
 * script. */
export const childStderr: "piped" | "inherit" = Deno.stderr.isTerminal() ? "piped" : "inherit";

/**
 * Shows what a child writes to a piped stderr apart from what the script writes itself.
 *
 * @returns Its disposal waits until all has been shown, and takes place where the script ends
 * early.
 */
function markStderr(child: Deno.ChildProcess, name: string): AsyncDisposable {
  const show = async () => {
    if (childStderr === "inherit") return;
    for await (const line of new LineReader(untilExit(child.stderr, child.status))) {
      console.error(faint(`${name}: ${line}`));
    }
  };
  const shown = show().catch((error) => {
    console.error(`${scriptName}: cannot read the stderr of ${name}: ${error.message}`);
  });
  return onEnd(() => shown);
}
