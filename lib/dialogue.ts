/**
 * To take home, with `line_reader.ts`: a dialogue with another program over two pipes, a question
 * out, an answer back, each within a time limit.
 *
 * @module
 */
// deno-fmt-ignore-file: lines of up to 100 columns; at 80 the file would be a third longer.
import { LineReader } from "./line_reader.ts";

/** What ended a dialogue. */
export class DialogueError extends Error {
  /** What the error is called where it is printed. */
  override readonly name: string = "DialogueError";

  /** The error, and what timeout(1) and shells exit with in this case. */
  constructor(message: string, readonly exitCode: number = 1) {
    super(message);
  }
}

/** The child did not answer in time. */
export class NoAnswerError extends DialogueError {
  /** What the error is called where it is printed. */
  override readonly name = "NoAnswerError";

  /**
   * The error, with the part of the answer that has come.
   *
   * @param question The number of the question, from 1; of the one before, if the child did not
   * write what `waitUntil` waits for, or did not read what it was told.
   * @param partialLine The beginning of a line that was not complete.
   */
  constructor(message: string, readonly question: number, readonly partialLine: string) {
    super(message, 124);
  }
}

/** The child exited before it had answered everything; before that it may have closed a pipe. */
export class ChildEndedError extends DialogueError {
  /** What the error is called where it is printed. */
  override readonly name = "ChildEndedError";

  /** The error, with the number of questions that had been sent, and how the child ended. */
  constructor(message: string, readonly questions: number, readonly status: Deno.CommandStatus) {
    super(message, status.code || 1);
  }
}

/** The child did not exit in time after its stdin had closed, and was ended. */
export class ChildStayedError extends DialogueError {
  /** What the error is called where it is printed. */
  override readonly name = "ChildStayedError";

  /** The error, with the status that the child exited with when it was ended. */
  constructor(message: string, readonly status: Deno.CommandStatus) {
    super(message, 124);
  }
}

/** The settings of a {@linkcode Dialogue}. */
export interface DialogueOptions {
  /** The child's name in errors (default "the child"). */
  name?: string;
  /** Seconds that the child may take for each answer, and for its exit (default 10). */
  timeout?: number;
  /** Gets the lines that came while no question was open (default: they are dropped). If it throws,
   * or if the promise that it returns rejects, that ends the dialogue. */
  onUnasked?: (line: string) => unknown;
  /** The longest line to accept, in UTF-16 code units (default 64 Mi). */
  maxLineLength?: number;
}

/** Where an answer goes, and where it ends. */
interface Reply {
  /** Takes a line of the answer; false if it was the last. */
  take: (line: string) => boolean | Promise<boolean>;
  /** Looks for an end in a text without a newline, such as a prompt. Returns where the end begins;
   * -1 if there is none, or if the line may go on. */
  find?: (text: string) => number;
  /** Gets the text before that end. */
  onLine?: (line: string) => unknown;
  /** Of a mark: throws if a text is the question, sent back. */
  refuse?: (text: string) => void;
}

/** What a dialogue waits for. */
interface Question extends Reply {
  /** What errors call it. */
  name: string;
  /** What the child has still to do: a question that it leaves unread may have its answer. */
  task: "reading" | "answering" | "writing";
  answered: PromiseWithResolvers<void>;
}

/**
 * A dialogue with a child whose stdin and stdout are pipes. One question is open at a time.
 *
 * Wait for a greeting first (`waitUntil`), and use `askUntil` for answers of several lines: a line
 * that was read before a question goes out is handed to `onUnasked`, and any other is taken for the
 * answer. All lines are read as they come. The child's exit ends the dialogue, even where a
 * grandchild keeps the pipe open. The lines that the child wrote before its exit are read first.
 *
 * If a child's family may outlive it, start the child `detached`, by `child.ts`. While a question
 * that the child has not read waits in a full pipe, the script does not end by itself.
 *
 * @example
 * ```ts
 * import { Dialogue } from "./dialogue.ts";
 * import { equal } from "node:assert/strict";
 *
 * const args = ["-u", "s/a/b/"];
 * const pipes = { stdin: "piped", stdout: "piped" } as const;
 * await using child = new Deno.Command("sed", { args, ...pipes }).spawn();
 * const dialogue = new Dialogue(child, { timeout: 5 });
 * equal(await dialogue.ask("cat"), "cbt");
 * equal((await dialogue.end()).code, 0);
 * ```
 */
export class Dialogue {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: LineReader;
  readonly #name: string;
  readonly #timeout: number;
  readonly #onUnasked: (line: string) => unknown;
  readonly #over = new AbortController();
  /** The time limit of the answer. */
  readonly #limit = new TimeLimit(() => this.#failLate());
  /** Settles when all that the child wrote has been read. */
  readonly #reading: Promise<void>;
  /** How many questions there were. */
  #asked = 0;
  #question: Question | undefined;
  /** The unfinished line, once all lines before it have been received; `#lines` may be ahead. */
  #partialLine = "";
  /** How many characters of it have been taken, up to the end of a prompt, or of a mark. */
  #prompt = 0;
  /** Whether that was a mark: the newline behind it is no line of the next answer. */
  #isAfterMark = false;
  /** Receives the prompt that was there when `waitUntil` was called. */
  #receiving: Promise<void> | undefined;
  /** After the child has closed its stdout: a short wait for the script to call `end()`. */
  #pause: ReturnType<typeof setTimeout> | undefined;
  #exiting: Promise<Deno.CommandStatus> | undefined;
  #ending: Promise<Deno.CommandStatus> | undefined;

  /** Begins to read the child's stdout. The caller ends the child: `await using`.
   *
   * @throws {RangeError} If `timeout` or `maxLineLength` is negative or NaN. A `timeout` that is
   * `Infinity` means no time limit.
   * @throws {TypeError} If the child's stdin or stdout is not piped, or is in use. */
  constructor(child: Deno.ChildProcess, options: DialogueOptions = {}) {
    const { name = "the child", timeout = 10, onUnasked = () => {}, maxLineLength } = options;
    if (!(timeout >= 0)) throw new RangeError(`A timeout cannot be ${timeout}`);
    if (child.stdin.locked || child.stdout.locked) {
      throw new TypeError(`The stdin or stdout of ${name} is in use already`);
    }
    this.#child = child;
    this.#name = name;
    this.#timeout = timeout;
    this.#onUnasked = onUnasked;
    const bound = maxLineLength === undefined ? {} : { maxLineLength };
    this.#lines = new LineReader(child.stdout, { until: child.status, ...bound });
    this.#writer = child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Aborts with the error that ended the dialogue. Give it to a read that waits for the next
   * question: `new LineReader(Deno.stdin.readable, { signal: dialogue.signal })`. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /**
   * Sends a line, and gives the line that comes back. Where that begins with a prompt, such as
   * `> answer`, use {@linkcode Dialogue.askUntil}.
   *
   * @param question One line: with a newline inside it is several, and the child may answer each.
   * @throws {TypeError} If the question before has no answer yet, or after `end()`.
   * @throws {NoAnswerError} If no answer comes in time, whether or not the child has closed its
   * stdin. The dialogue is over then.
   * @throws {ChildEndedError} If the child exits instead.
   * @throws {ChildStayedError} If it closes its stdout instead, and does not exit in time.
   * @throws {DialogueError} If its stdout cannot be read, or a line of it never ends.
   */
  async ask(question: string): Promise<string> {
    let answer = "";
    const take = (line: string) => {
      answer = line;
      return false;
    };
    await this.#ask({ take }, question);
    return answer;
  }

  /**
   * Sends a question, and hands on each line that comes back up to the end of the answer.
   *
   * @param end One of three:
   * - A mark, a text that the question makes the child write: `${question}\necho ${mark}`. It ends
   *   the answer wherever it stands in its line, with a newline or without. The text before it is
   *   the last line of the answer, `abc` of `abcMARK`. What follows it in its line is dropped. If
   *   that comes more than about 20 ms later, a newline is dropped, and other text is a line.
   * - A line of the child's own, as a RegExp without `$`: `/^bestmove/`. It is handed on as the
   *   last line.
   * - A prompt, as a RegExp that ends with `$`: `/\(gdb\) $/`. It has no newline, and counts when
   *   nothing follows for about 20 ms. It is not handed on.
   *
   * A RegExp with `$` ends the answer at a whole line that it matches, too; but a line whose
   * newline is late is taken for a prompt, and the newline for an empty line of the next answer. So
   * let it match no line of an answer: `/^> $/` is safer than `/> $/`.
   * @param onLine While the promise that it returns is pending, nothing more is read.
   * @throws {RangeError} If the mark is empty.
   * @throws {DialogueError} If the child sends the question back, as a terminal does, or `cat`.
   * @throws As {@linkcode Dialogue.ask} does; the time limit is that of the whole answer, without
   * the time that `onLine` takes.
   */
  async askUntil(
    question: string,
    end: string | RegExp,
    onLine: (line: string) => unknown = () => {},
  ): Promise<void> {
    // The line that makes the child write the mark. A line that is the mark, as sent to `cat`, is
    // to come back.
    const asking = question.split("\n").find((line) => line !== end && line.includes(`${end}`));
    const refuse = (text: string) => {
      if (typeof end !== "string" || asking === undefined || !text.includes(asking)) return;
      throw new DialogueError(`${this.#name} sent the question back instead of carrying it out`);
    };
    await this.#ask(endOf(end, onLine, refuse), question);
  }

  /**
   * Waits for a text that the child writes by itself, such as a greeting or its first prompt. Call
   * it right after `new Dialogue()`: lines that come before the call are handed to `onUnasked`. A
   * prompt may be there already.
   *
   * @param end As for {@linkcode Dialogue.askUntil}.
   * @throws As {@linkcode Dialogue.askUntil} does.
   */
  async waitUntil(
    end: string | RegExp,
    onLine: (line: string) => unknown = () => {},
  ): Promise<void> {
    await this.#ask(endOf(end, onLine), undefined, `${end}`);
  }

  /**
   * Sends a line that has no answer, such as `quit` or `stop`, also while an answer is open.
   *
   * @returns When the pipe has taken the line.
   * @throws {TypeError} After `end()`.
   * @throws {NoAnswerError} If the child does not read the line in time; that ends the dialogue.
   * @throws {DialogueError} If the child has closed its stdin.
   */
  async tell(line: string): Promise<void> {
    this.signal.throwIfAborted();
    if (this.#ending !== undefined) throw new TypeError("The dialogue has ended");
    const told = this.#writer.write(encoder.encode(`${line}\n`)).then(() => true, () => {
      throw new DialogueError(`${this.#name} was not told: its stdin is closed`);
    });
    if (await this.#inTime(told)) return;
    this.#fail(this.#late(`${this.#name} did not read what it was told`));
    throw this.signal.reason;
  }

  /**
   * Closes the child's stdin, which is its end of file, and waits for its exit. The lines that it
   * still writes go to `onUnasked`; a text without a newline is a prompt, and dropped. After a
   * failure, throws the same error again. A second call gives the result of the first.
   *
   * @throws {TypeError} If a question has no answer yet.
   * @throws {ChildStayedError} If the child does not exit in time.
   */
  async end(): Promise<Deno.CommandStatus> {
    if (this.#question !== undefined) throw new TypeError("The question before has no answer yet");
    return await (this.#ending ??= this.#end());
  }

  async #end(): Promise<Deno.CommandStatus> {
    this.signal.throwIfAborted();
    clearTimeout(this.#pause);
    try {
      const status = await this.#exit();
      await this.#reading;
      // `onUnasked` may have thrown meanwhile.
      this.signal.throwIfAborted();
      return status;
    } catch (error) {
      this.#fail(error);
      await this.#lines[Symbol.asyncDispose]();
      throw this.signal.reason;
    }
  }

  async #ask(reply: Reply, text?: string, name = `message ${this.#asked + 1}`): Promise<void> {
    this.signal.throwIfAborted();
    if (this.#ending !== undefined) throw new TypeError("The dialogue has ended");
    if (this.#question !== undefined) throw new TypeError("The question before has no answer yet");
    // First, so that a text that cannot be encoded changes nothing.
    const bytes = text === undefined ? undefined : encoder.encode(`${text}\n`);
    const task = bytes === undefined ? "writing" : "answering";
    const answered = Promise.withResolvers<void>();
    const question: Question = this.#question = { ...reply, name, task, answered };
    // Else the limit of the exit counts.
    if (this.#exiting === undefined) this.#limit.start(this.#timeout * 1000);
    if (bytes !== undefined) {
      this.#asked++;
      // Not awaited: a child that does not read would keep us here beyond the time limit. If the
      // write fails, the question stays open: its answer may be in the pipe already.
      this.#writer.write(bytes).catch(() => question.task = "reading");
    }
    this.#meet(question);
    await answered.promise;
  }

  /** A prompt that is there already is what `waitUntil` waits for, and no answer to a question: it
   * follows a notice, or a line of `tell()`. */
  #meet(question: Question): void {
    const partialLine = this.#partialLine;
    const isThere = partialLine.length > this.#prompt &&
      (question.find?.(partialLine.slice(this.#prompt)) ?? -1) !== -1;
    if (question.task !== "writing") {
      if (this.#prompt > 0 || isThere) this.#prompt = partialLine.length;
    } else if (isThere) this.#receiving = this.#receive(partialLine, question, true);
  }

  /** Reads to the end, question or not: a line that comes before a question is not its answer. */
  async #read(): Promise<void> {
    const batches = this.#lines.batches({ partial: true });
    /** The question that was open at the last read: a later one gets none of its lines. */
    let question: Question | undefined;
    const isOpen = () => question !== undefined && question === this.#question;
    try {
      for (;;) {
        const next = batches.next();
        const mayBePrompt = isOpen() && question?.find !== undefined &&
          this.#partialLine.length > this.#prompt;
        if (mayBePrompt && await isStill(next)) {
          await this.#receive(this.#partialLine, question, true);
        }
        const { done, value } = await next;
        await this.#receiving;
        if (done) break;
        question = this.#question;
        if (value.length > 0) this.#partialLine = "";
        for (const line of value) await this.#receive(line, question);
        this.#partialLine = this.#lines.partialLine;
        // Asked meanwhile: what has been read came before it.
        if (this.#question !== undefined && !isOpen()) this.#meet(this.#question);
        // Whoever was answered asks before we read on: the child works on that meanwhile. Each
        // async function between an answer and its caller takes one to three of these steps.
        for (let step = 0; step < 8 && !isOpen(); step++) await null;
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#fail(new DialogueError(`cannot read the stdout of ${this.#name}: ${reason}`));
    }
    if (isOpen()) await this.#receiveRest(question);
    if (this.signal.aborted || this.#ending !== undefined) return;
    if (this.#question !== undefined) this.#giveUp();
    // That is fine if there are no more questions: wait a moment for `end()`.
    else this.#pause = setTimeout(() => this.#giveUp(), 200);
  }

  /** At the end of the stream, takes a text without a newline for a line. */
  async #receiveRest(question?: Question): Promise<void> {
    const rest = this.#partialLine;
    if (rest.length <= this.#prompt) return;
    const isEnd = (question?.find?.(rest.slice(this.#prompt)) ?? -1) !== -1;
    const received = this.#receive(rest, question, isEnd);
    this.#prompt = rest.length;
    await received;
  }

  /** Takes a line, or a text without a newline that may be a prompt; for the question that was open
   * when it came. */
  async #receive(whole: string, question?: Question, isText = false): Promise<void> {
    if (this.signal.aborted) return;
    const line = whole.slice(this.#prompt);
    const isOpen = question !== undefined && question === this.#question;
    // The rest of a line behind a prompt may be the answer; behind a mark, a blank one is not.
    const isDropped = this.#prompt > 0 && line.trim() === "" && (!isOpen || this.#isAfterMark);
    if (!isText) [this.#prompt, this.#isAfterMark] = [0, false];
    if (isDropped) return;
    try {
      if (!isOpen) {
        // Not awaited: `onUnasked` may ask a question, and wait for the answer.
        Promise.resolve(this.#onUnasked(line)).catch((error) => this.#fail(error));
        return;
      }
      let goesOn = isText ? takeText(question, line) : question.take(line);
      if (typeof goesOn !== "boolean") {
        // The limit is the child's, and does not run while `onLine` is busy.
        const left = this.#limit.hold();
        goesOn = await goesOn;
        // It may have failed meanwhile.
        if (this.#question !== question) return;
        this.#limit.start(left);
      }
      if (goesOn) return;
      if (isText) [this.#prompt, this.#isAfterMark] = [whole.length, question.refuse !== undefined];
      this.#question = undefined;
      this.#limit.hold();
      question.answered.resolve();
    } catch (error) {
      this.#fail(error);
    }
  }

  #failLate(): void {
    const { name, task } = this.#question ?? {};
    const what = task === "writing"
      ? `${this.#name} did not write ${name}`
      : `no answer from ${this.#name} to ${name}`;
    this.#fail(this.#late(what));
  }

  /** The error for a child that is late, with the unfinished line that it wrote. */
  #late(what: string): NoAnswerError {
    const partialLine = this.#partialLine.slice(this.#prompt);
    const soFar = partialLine && `; so far it wrote ${JSON.stringify(partialLine.slice(0, 1000))}`;
    const unread = this.#question?.task === "reading"
      ? "; it closed its stdin without reading all of it"
      : "";
    const message = `${what} within ${this.#timeout} s${soFar}${unread}`;
    return new NoAnswerError(message, this.#asked, partialLine);
  }

  /** Waits for the exit of a child that can answer no more. */
  async #giveUp(): Promise<void> {
    try {
      this.#receiveRest();
      const status = await this.#exit();
      if (this.#ending !== undefined) return;
      const message = `${this.#name} ${describe(status)} ${this.#undone()}`;
      throw new ChildEndedError(message, this.#asked, status);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The task that the child has left undone, as the end of a sentence. */
  #undone(): string {
    const { name, task } = this.#question ?? {};
    const undone = task === undefined
      ? `before message ${this.#asked + 1} was sent`
      : `without ${task} ${name}`;
    const done = task === "reading" || task === "answering" ? this.#asked - 1 : this.#asked;
    return done > 0 ? `after message ${done}, ${undone}` : undone;
  }

  #exit(): Promise<Deno.CommandStatus> {
    return this.#exiting ??= (async () => {
      this.#limit.stop();
      this.#writer.close().catch(() => {});
      const status = await this.#inTime(this.#child.status);
      if (status !== undefined) return status;
      const end = await this.#endChild();
      const undone = this.#ending === undefined ? `, ${this.#undone()}` : "";
      throw new ChildStayedError(
        `${this.#name} did not exit within ${this.#timeout} s after its stdin closed${undone}; ` +
          `after SIGTERM it ${describe(end)}`,
        end,
      );
    })();
  }

  /** What a promise gives, unless the dialogue fails meanwhile; undefined if it is late. */
  async #inTime<T>(promise: Promise<T>): Promise<T | undefined> {
    const { promise: result, resolve, reject } = Promise.withResolvers<T | undefined>();
    const limit = new TimeLimit(() => resolve(undefined));
    const fail = () => reject(this.signal.reason);
    this.signal.addEventListener("abort", fail);
    promise.then(resolve, reject);
    limit.start(this.#timeout * 1000);
    try {
      return await result;
    } finally {
      limit.stop();
      this.signal.removeEventListener("abort", fail);
    }
  }

  async #endChild(): Promise<Deno.CommandStatus> {
    const { status } = this.#child;
    const kill = () => {
      try {
        this.#child.kill("SIGKILL");
      } catch {
        // It has exited.
      }
    };
    // Deno sends only SIGTERM, which a child may ignore; `child.ts` has its own end and grace.
    const isOurs = !Object.hasOwn(this.#child, Symbol.asyncDispose);
    const timer = isOurs ? setTimeout(kill, 1000) : undefined;
    status.finally(() => clearTimeout(timer));
    await this.#child[Symbol.asyncDispose]();
    return await status;
  }

  #fail(error: unknown): void {
    if (this.signal.aborted) return;
    clearTimeout(this.#pause);
    this.#limit.stop();
    this.#over.abort(error);
    this.#writer.abort().catch(() => {});
    const question = this.#question;
    this.#question = undefined;
    const reject = () => question?.answered.reject(this.signal.reason);
    this.#lines[Symbol.asyncDispose]().then(reject, reject);
  }
}

/** A reply whose lines go to `onLine`, up to its end. `refuse` throws if a text is no answer. */
function endOf(
  end: string | RegExp,
  onLine: (line: string) => unknown,
  refuse: (text: string) => void = () => {},
): Reply {
  if (end === "") throw new RangeError("A mark cannot be empty");
  if (typeof end !== "string") {
    return {
      async take(line) {
        await onLine(line);
        return line.search(end) === -1;
      },
      // A pattern that matches whatever stands behind the text does not mark a prompt.
      find: (text) =>
        ["a", "\n"].every((more) => `${text}${more}`.search(end) !== -1) ? -1 : text.search(end),
      onLine,
    };
  }
  const find = (text: string) => text.indexOf(end);
  return {
    async take(line) {
      refuse(line);
      const at = find(line);
      if (at !== 0) await onLine(at === -1 ? line : line.slice(0, at));
      return at === -1;
    },
    find,
    onLine,
    refuse,
  };
}

/** Takes a text without a newline. Returns true if the answer goes on. */
async function takeText({ find, onLine, refuse }: Reply, text: string): Promise<boolean> {
  refuse?.(text);
  const at = find?.(text) ?? -1;
  if (at > 0) await onLine?.(text.slice(0, at));
  return at === -1;
}

/** Whether no bytes come for 20 ms. Looks twice: after Ctrl-Z and fg, timers fire before pending
 * input is seen. */
async function isStill(next: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const moment = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => timer = setTimeout(() => resolve(true), 10), 10);
  });
  try {
    return await Promise.race([next.then(() => false), moment]);
  } finally {
    clearTimeout(timer);
  }
}

/** A time limit that is started again and again: a timer for each question would cost as much as
 * the pipe. */
class TimeLimit {
  readonly #onLate: () => void;
  #deadline = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onLate: () => void) {
    this.#onLate = onLate;
  }

  start(milliseconds: number): void {
    this.#deadline = performance.now() + milliseconds;
    // A timer that runs already is no later: it looks again.
    if (this.#timer === undefined) this.#look();
  }

  /** Stops the clock, but keeps the timer for the next start. Returns the milliseconds left. */
  hold(): number {
    const left = this.#deadline - performance.now();
    this.#deadline = Infinity;
    return left;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(again = false): void {
    this.#timer = undefined;
    const left = this.#deadline - performance.now();
    if (left === Infinity) return;
    // With a longer delay than this, some 24 days, setTimeout calls at once.
    if (left > 0) this.#timer = setTimeout(() => this.#look(), Math.min(left, 2 ** 31 - 1));
    // Looks twice: after Ctrl-Z and fg, timers fire before pending input is seen.
    else if (!again) this.#timer = setTimeout(() => this.#look(true), 50);
    else this.#onLate();
  }
}

const encoder = new TextEncoder();

function describe({ code, signal }: Deno.CommandStatus): string {
  return signal === null ? `exited with status ${code}` : `was ended by ${signal}`;
}
