/**
 * A dialogue with another program over two pipes: a question out, an answer back, each within a time
 * limit. Copy this file and `line_reader.ts`.
 *
 * @module
 */
import { LineReader } from "./line_reader.ts";

/** What ended a dialogue. */
export class DialogueError extends Error {
  /** The error, and what timeout(1) and shells exit with in this case. */
  constructor(message: string, readonly exitCode: number = 1) {
    super(message);
    this.name = new.target.name;
  }
}

/** The child did not answer in time. */
export class NoAnswerError extends DialogueError {
  /**
   * The error, with what is known of the answer.
   *
   * @param question The number of the question, from 1.
   * @param partialLine The beginning of a line that was not complete.
   */
  constructor(message: string, readonly question: number, readonly partialLine: string) {
    super(message, 124);
  }
}

/** The child exited, or closed its end of a pipe, before it had answered everything. */
export class ChildEndedError extends DialogueError {
  /** The error, with the number of questions that had been sent, and how the child ended. */
  constructor(message: string, readonly questions: number, readonly status: Deno.CommandStatus) {
    super(message, status.code || 1);
  }
}

/** The child did not exit in time after its stdin had closed, and was ended. */
export class ChildStayedError extends DialogueError {
  /** The error, with the status that the child exited with when it was ended. */
  constructor(message: string, readonly status: Deno.CommandStatus) {
    super(message, 124);
  }
}

/** The settings of a {@linkcode Dialogue}. */
export interface DialogueOptions {
  /** What errors call the child (default "the child"). */
  name?: string;
  /** Seconds that the child may take for each answer, and for its end (default 10). */
  timeout?: number;
  /** Is handed the lines that came when no question was open. An error of it ends the dialogue. */
  onUnasked?: (line: string) => void;
}

/**
 * A dialogue with a child whose stdin and stdout are pipes. One question at a time.
 *
 * All that the child writes is read as it comes. A line that has come before a question goes out is
 * handed to `onUnasked`; one that comes later is taken for the answer. So wait for a greeting first,
 * and use `askUntil` for answers of several lines. The child's exit ends the dialogue, even where a grandchild keeps the pipe open; what
 * the child wrote before it exited is read first.
 *
 * If the child leaves a question unread, that write keeps the script alive until no process holds the
 * read end of the pipe. A child whose family may outlive it is best started `detached`, by `child.ts`.
 *
 * @example
 * ```ts
 * import { Dialogue } from "./dialogue.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const command = new Deno.Command("sed", { args: ["-u", "s/a/b/"], stdin: "piped", stdout: "piped" });
 * await using child = command.spawn();
 * const dialogue = new Dialogue(child, { timeout: 5 });
 * assertEquals(await dialogue.ask("cat"), "cbt");
 * assertEquals((await dialogue.end()).code, 0);
 * ```
 */
export class Dialogue {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: LineReader;
  readonly #name: string;
  readonly #timeout: number;
  readonly #onUnasked: (line: string) => void;
  readonly #over = new AbortController();
  /** Settles when all that the child wrote has been read. */
  readonly #reading: Promise<void>;
  #hasRead = false;
  /** How many lines have come, and whether one is being handed on. */
  #received = 0;
  #isReceiving = false;
  /** How many questions went out. */
  #sent = 0;
  /** Takes a line of the answer that is waited for; false if it was the last. */
  #take: ((line: string) => boolean | Promise<boolean>) | undefined;
  #answer = Promise.withResolvers<void>();
  #isEnding = false;
  /** The caller has no more questions. */
  #hasEnded = false;
  /** One timer for all time limits: one for each question would cost as much as the pipe. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #deadline = Infinity;
  #onLate: (() => void) | undefined;
  /** A second timer, for what the child's exit leaves to be seen. */
  #pause: ReturnType<typeof setTimeout> | undefined;

  /** Begins to read the child's stdout. Ending the child is the caller's: `await using`.
   *
   * @throws {RangeError} If `timeout` is negative or NaN. With `Infinity` there is none. */
  constructor(child: Deno.ChildProcess, options: DialogueOptions = {}) {
    const { name = "the child", timeout = 10, onUnasked = () => {} } = options;
    if (!(timeout >= 0)) throw new RangeError(`A timeout cannot be ${timeout}`);
    this.#child = child;
    this.#name = name;
    this.#timeout = timeout;
    this.#onUnasked = onUnasked;
    this.#writer = child.stdin.getWriter();
    this.#lines = new LineReader(child.stdout);
    this.#reading = this.#read();
    child.status.then(() => this.#closeWhenStill());
  }

  /** Aborts with the error that ended the dialogue. For what waits elsewhere meanwhile, as for the
   * next question: `new LineReader(Deno.stdin.readable, { signal: dialogue.signal })`. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /**
   * Sends a line, and gives the line that comes back.
   *
   * @param question One line: with a newline inside it is several, and each may be answered.
   * @throws {TypeError} If the question before has no answer yet, or after `end()`.
   * @throws {NoAnswerError} If it does not come in time.
   * @throws {ChildEndedError} If the child exits, or closes a pipe, instead.
   * @throws {ChildStayedError} If it closes a pipe instead, and does not exit in time.
   * @throws {DialogueError} If its stdout cannot be read, or a line of it never ends.
   */
  async ask(question: string): Promise<string> {
    let answer = "";
    await this.#ask(question, (line) => {
      answer = line;
      return false;
    });
    return answer;
  }

  /**
   * Sends a question, and hands on each line that comes back before the text `mark`. The question
   * must make the child write that text: `${question}\necho ${mark}`. After an answer without a last
   * newline, the mark stands on its last line.
   *
   * @param onLine While the promise that it returns is pending, nothing more is read.
   * @throws {RangeError} If `mark` is empty.
   * @throws {DialogueError} If the child sends the question back, as a terminal does, or `cat`.
   * @throws As {@linkcode Dialogue.ask} does; the time limit is that of the whole answer.
   */
  async askUntil(
    question: string,
    mark: string,
    onLine: (line: string) => unknown,
  ): Promise<void> {
    if (mark === "") throw new RangeError("A mark cannot be empty");
    const lastLine = question.slice(question.lastIndexOf("\n") + 1);
    await this.#ask(question, async (line) => {
      const isLast = line.endsWith(mark);
      if (isLast && line.endsWith(lastLine) && lastLine !== mark) {
        throw new DialogueError(`${this.#name} sent the question back instead of carrying it out`);
      }
      const text = isLast ? line.slice(0, -mark.length) : line;
      if (!isLast || text !== "") await onLine(text);
      return !isLast;
    });
  }

  /**
   * Closes the child's stdin, which is its end of file, and waits for its exit. What it still writes
   * goes to `onUnasked`. After a failure, throws that failure again.
   *
   * @throws {TypeError} If a question has no answer yet.
   * @throws {ChildStayedError} If it does not exit in time.
   */
  async end(): Promise<Deno.CommandStatus> {
    this.signal.throwIfAborted();
    if (this.#take !== undefined) throw new TypeError("The question before has no answer yet");
    this.#isEnding = this.#hasEnded = true;
    try {
      const status = await this.#exit("");
      // A process that the child started may write for ever.
      this.#limit(() => this.#lines[Symbol.asyncDispose]());
      await this.#reading;
      this.#limit(undefined);
      clearTimeout(this.#pause);
      // Such as what onUnasked threw meanwhile.
      this.signal.throwIfAborted();
      return status;
    } catch (error) {
      this.#fail(error);
      await this.#lines[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #ask(question: string, take: (line: string) => boolean | Promise<boolean>): Promise<void> {
    this.signal.throwIfAborted();
    if (this.#hasEnded) throw new TypeError("The dialogue has ended");
    if (this.#take !== undefined) throw new TypeError("The question before has no answer yet");
    const number = ++this.#sent;
    this.#take = take;
    this.#answer = Promise.withResolvers();
    // Not awaited: a child that does not read would keep us here beyond the time limit.
    this.#writer.write(encoder.encode(`${question}\n`))
      .catch(() => this.#giveUp(`without reading message ${number}`));
    this.#limit(() => this.#fail(this.#noAnswer()));
    if (this.#hasRead) this.#giveUp(`without answering message ${number}`);
    await this.#answer.promise;
  }

  /** Reads to the end, question or not: what comes before a question is not its answer. */
  async #read(): Promise<void> {
    try {
      for await (const lines of this.#lines.batches()) {
        for (const line of lines) {
          const receiving = this.#receive(line);
          // Else at once: what came together with an answer came before the next question.
          if (this.#isReceiving) await receiving;
        }
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#fail(new DialogueError(`cannot read the stdout of ${this.#name}: ${reason}`));
    }
    this.#hasRead = true;
    clearTimeout(this.#pause);
    if (this.#take !== undefined) this.#giveUp(`without answering message ${this.#sent}`);
    else if (!this.#isEnding && !this.signal.aborted) {
      // Fine if there are no more questions, so these have a moment to end.
      this.#pause = setTimeout(
        () => this.#giveUp(`before message ${this.#sent + 1} was sent`),
        200,
      );
    }
  }

  async #receive(line: string): Promise<void> {
    this.#received++;
    this.#isReceiving = true;
    try {
      if (this.#take === undefined) return this.#onUnasked(line);
      const more = this.#take(line);
      if (more instanceof Promise ? await more : more) return;
      this.#take = this.#onLate = undefined;
      this.#answer.resolve();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isReceiving = false;
    }
  }

  /** After the child's exit: closes the pipe when nothing more comes. Its end of file comes only when
   * the last holder of the write end has gone, which may be somebody whom the child started. */
  #closeWhenStill(before = "", again = false): void {
    if (this.#hasRead || this.signal.aborted) return;
    const rest = this.#lines.partialLine;
    const now = `${this.#received} ${rest.length} ${this.#isReceiving}`;
    const isStill = now === before && !this.#isReceiving;
    if (isStill && again) {
      if (rest !== "") this.#receive(rest);
      this.#lines[Symbol.asyncDispose]();
      return;
    }
    // Looked at twice: this process may have been kept waiting itself.
    this.#pause = setTimeout(() => this.#closeWhenStill(now, isStill), 100);
  }

  /** Calls `onLate` when the time limit is over, unless another call comes before. */
  #limit(onLate: (() => void) | undefined): void {
    this.#onLate = onLate;
    this.#deadline = performance.now() + this.#timeout * 1000;
    if (onLate !== undefined) this.#timer ??= this.#lookLater(this.#timeout * 1000);
    else {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  #lookLater(milliseconds: number): ReturnType<typeof setTimeout> {
    // setTimeout takes no more, some 24 days, and calls at once.
    return setTimeout(() => this.#look(), Math.min(milliseconds, 2 ** 31 - 1));
  }

  #look(again = false): void {
    this.#timer = undefined;
    if (this.#onLate === undefined) return;
    const left = this.#deadline - performance.now();
    if (left > 0) this.#timer = this.#lookLater(left);
    // Looked at twice: a process that was stopped hears of the time before it hears of the pipe.
    else if (!again) this.#timer = setTimeout(() => this.#look(true), 50);
    else this.#onLate();
  }

  #noAnswer(): NoAnswerError {
    const part = this.#lines.partialLine;
    const soFar = part === "" ? "" : `; so far it wrote ${JSON.stringify(part.slice(0, 1000))}`;
    return new NoAnswerError(
      `no answer from ${this.#name} to message ${this.#sent} within ${this.#timeout} s${soFar}`,
      this.#sent,
      part,
    );
  }

  /** Waits for the exit of a child that can answer no more. */
  async #giveUp(undone: string): Promise<void> {
    if (this.#isEnding || this.signal.aborted) return;
    this.#isEnding = true;
    this.#take = undefined;
    const asked = undone.startsWith("before") ? this.#sent : this.#sent - 1;
    const when = asked > 0 ? `after message ${asked}, ${undone}` : undone;
    try {
      const status = await this.#exit(when);
      throw new ChildEndedError(`${this.#name} ${describe(status)} ${when}`, this.#sent, status);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #exit(undone: string): Promise<Deno.CommandStatus> {
    this.#writer.close().catch(() => {});
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    this.#limit(() => resolve(undefined));
    const status = await Promise.race([this.#child.status, late]);
    this.#limit(undefined);
    if (status !== undefined) return status;
    // One that ignores SIGTERM does not keep us here either.
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 1000);
    await this.#child[Symbol.asyncDispose]();
    clearTimeout(timer);
    const end = await this.#child.status;
    throw new ChildStayedError(
      `${this.#name} did not exit within ${this.#timeout} s after its stdin closed` +
        `${undone && `, ${undone}`}; after SIGTERM it ${describe(end)}`,
      end,
    );
  }

  #fail(error: unknown): void {
    if (this.signal.aborted) return;
    this.#take = undefined;
    clearTimeout(this.#pause);
    this.#limit(undefined);
    this.#over.abort(error);
    this.#writer.abort().catch(() => {});
    this.#answer.promise.catch(() => {}); // Nobody may be waiting.
    const tell = () => this.#answer.reject(error);
    this.#lines[Symbol.asyncDispose]().then(tell, tell);
  }
}

const encoder = new TextEncoder();

function describe({ code, signal }: Deno.CommandStatus): string {
  return signal === null ? `exited with status ${code}` : `was ended by ${signal}`;
}
