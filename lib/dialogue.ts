/**
 * To take home, alone: a dialogue with another program over two pipes, a question out, an answer
 * back, each within a time limit.
 *
 * @module
 */
// deno-fmt-ignore-file: lines of up to 100 columns; at 80 the file would be a third longer.

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
  /** The error, with the number of the last question, and the line that the child began. */
  constructor(message: string, readonly question: number, readonly partialLine: string) {
    super(message, 124);
  }
}

/** The child exited before it had answered everything; before that it may have closed a pipe. */
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
  /** The child's name in errors (default "the child"). */
  name?: string;
  /** Seconds for each answer, and for the exit (default 10; `Infinity`: no time limit). */
  timeout?: number;
  /** Gets the lines that came while no question was open (default: they are dropped). If it throws,
   * or if the promise that it returns rejects, that ends the dialogue. */
  onUnasked?: (line: string) => unknown;
  /** The longest line to accept, in UTF-16 code units (default 64 Mi). */
  maxLineLength?: number;
}

/** What a dialogue waits for. */
interface Question {
  name: string; // As errors have it.
  task: "reading" | "answering" | "writing"; // What the child has still to do.
  end: string | RegExp | undefined; // Where its answer ends: undefined, at the end of a line.
  onLine: ((line: string) => unknown) | undefined;
  echo: string | undefined; // Its line that makes the child write a mark: it must not come back.
  answered: PromiseWithResolvers<string>; // Resolves with the line or text where the answer ended.
  meeting?: Promise<void>; // Settles when a prompt that was there already has been taken.
}

/**
 * A dialogue with a child whose stdin and stdout are pipes. One question is open at a time.
 *
 * Wait for a greeting first (`waitUntil`), and use `askUntil` for answers of several lines: a line
 * that was read before a question goes out is handed to `onUnasked`, and any other is taken for the
 * answer. The child's exit ends the dialogue once all that it wrote has been read, even where a
 * grandchild keeps the pipe open.
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
  readonly #options: Required<DialogueOptions>;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stdout: ReturnType<typeof textOf>;
  readonly #over = new AbortController(); // Aborts with what ended the dialogue.
  readonly #limit = timeLimit(() => this.#failLate()); // The one of the answer.
  readonly #reading: Promise<void>; // Settles when all that the child wrote has been read.
  #asked = 0; // How many questions there were.
  #question: Question | undefined; // The one that is open.
  #text = ""; // What has come of a line, and nobody has taken.
  #before: "newline" | "prompt" | "mark" = "newline"; // What stands before that text.
  #pause: ReturnType<typeof setTimeout> | undefined; // At the end of stdout: time for end().
  #ending: Promise<Deno.CommandStatus> | undefined; // What end() gives.

  /** Begins to read the child's stdout. The caller ends the child: `await using`.
   *
   * @throws {RangeError} If `timeout` or `maxLineLength` is negative or NaN.
   * @throws {TypeError} If the child's stdin or stdout is not piped, or is in use. */
  constructor(child: Deno.ChildProcess, options: DialogueOptions = {}) {
    const { name = "the child", timeout = 10, onUnasked, maxLineLength = 2 ** 26 } = options;
    if (!(timeout >= 0)) throw new RangeError(`A timeout cannot be ${timeout}`);
    if (!(maxLineLength >= 0)) throw new RangeError(`A maxLineLength cannot be ${maxLineLength}`);
    if (child.stdin.locked || child.stdout.locked) {
      throw new TypeError(`The stdin or stdout of ${name} is in use already`);
    }
    this.#child = child;
    this.#options = { name, timeout, onUnasked: onUnasked ?? (() => {}), maxLineLength };
    this.#stdout = textOf(child);
    this.#stdin = child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Aborts with the error that ended the dialogue. Give it to what waits for the next question:
   * `reader.readLine({ signal: dialogue.signal })`. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Sends a line, and gives the line that comes back. Where that begins with a prompt, such as
   * `> answer`, use {@linkcode Dialogue.askUntil}.
   *
   * @param question One line: with a newline inside it is several, and the child may answer each.
   * @throws {TypeError} If the question before has no answer yet, or after `end()`.
   * @throws {NoAnswerError} If no answer comes in time. The dialogue is over then.
   * @throws {ChildEndedError} If the child exits instead.
   * @throws {ChildStayedError} If it closes its stdout instead, and does not exit in time.
   * @throws {DialogueError} If its stdout cannot be read, or a line of it never ends. */
  async ask(question: string): Promise<string> {
    return await this.#ask(question);
  }

  /** Sends a question, and hands on each line that comes back up to the end of the answer.
   *
   * @param end One of three:
   * - A mark, a text that the question makes the child write: `${question}\necho ${mark}`. It
   *   counts wherever it stands in its line, with a newline or without. The text before it is the
   *   last line, `abc` of `abcMARK`. What follows it is dropped, if it comes within about 20 ms.
   * - A line of the child's own, as a RegExp without `$`: `/^bestmove/`. It is the last line.
   * - A prompt, as a RegExp that ends with `$`: `/\(gdb\) $/`. It has no newline, and counts when
   *   nothing follows for about 20 ms. It is not handed on.
   *
   * A RegExp with `$` ends the answer at a whole line that it matches, too. So let it match no line
   * of an answer: `/^> $/` is safer than `/> $/`.
   * @param onLine While the promise that it returns is pending, nothing more is read. If it throws,
   * that ends the dialogue.
   * @throws {RangeError} If the mark is empty.
   * @throws {DialogueError} If the child sends the question back, as a terminal does, or `cat`.
   * @throws As {@linkcode Dialogue.ask} does; the time limit is that of the whole answer, without
   * the time that `onLine` takes. */
  async askUntil(
    question: string,
    end: string | RegExp,
    onLine?: (line: string) => unknown,
  ): Promise<void> {
    const isEcho = (line: string) => typeof end === "string" && line !== end && line.includes(end);
    await this.#ask(question, end, onLine, question.split("\n").find(isEcho));
  }

  /** Waits for a text that the child writes by itself, such as a greeting, or its first prompt,
   * which may be there already. Call it right after `new Dialogue()`: lines that come before the
   * call are handed to `onUnasked`.
   *
   * @param end As for {@linkcode Dialogue.askUntil}.
   * @throws As {@linkcode Dialogue.askUntil} does. */
  async waitUntil(end: string | RegExp, onLine?: (line: string) => unknown): Promise<void> {
    await this.#ask(undefined, end, onLine);
  }

  /** Sends a line that has no answer, such as `quit` or `stop`, also while an answer is open.
   * Resolves when the pipe has taken the line.
   *
   * @throws {TypeError} After `end()`.
   * @throws {NoAnswerError} If the child does not read the line in time; that ends the dialogue.
   * @throws {DialogueError} If the child has closed its stdin. */
  async tell(line: string): Promise<void> {
    this.signal.throwIfAborted();
    if (this.#ending !== undefined) throw new TypeError("The dialogue has ended");
    const { name, timeout } = this.#options;
    const told = this.#stdin.write(encoder.encode(`${line}\n`)).then(() => true, () => {
      throw new DialogueError(`${name} was not told: its stdin is closed`);
    });
    if (await inTime(told, timeout * 1000, this.signal)) return;
    this.#failLate(`${name} did not read what it was told`);
    throw this.signal.reason;
  }

  /** Closes the child's stdin, which is its end of file, and waits for its exit. The lines that it
   * still writes go to `onUnasked`; a text without a newline is a prompt, and dropped. After a
   * failure, throws the same error again. A second call gives the result of the first.
   *
   * @throws {TypeError} If a question has no answer yet.
   * @throws {ChildStayedError} If the child does not exit in time. */
  async end(): Promise<Deno.CommandStatus> {
    if (this.#question !== undefined) throw new TypeError("The question before has no answer yet");
    return await (this.#ending ??= this.#end());
  }

  async #end(): Promise<Deno.CommandStatus> {
    this.signal.throwIfAborted();
    clearTimeout(this.#pause);
    const status = await this.#exit();
    if (status !== undefined) await this.#reading;
    // `onUnasked` may have thrown meanwhile.
    if (status === undefined || this.signal.aborted) throw this.signal.reason;
    return status;
  }

  #ask(text?: string, end?: string | RegExp, onLine?: Question["onLine"], echo?: string) {
    this.signal.throwIfAborted();
    if (this.#ending !== undefined) throw new TypeError("The dialogue has ended");
    if (this.#question !== undefined) throw new TypeError("The question before has no answer yet");
    if (end === "") throw new RangeError("A mark cannot be empty");
    // First, so that a text that cannot be encoded changes nothing.
    const bytes = text === undefined ? undefined : encoder.encode(`${text}\n`);
    const name = bytes === undefined ? `${end}` : `message ${++this.#asked}`;
    const task = bytes === undefined ? "writing" : "answering";
    const answered = Promise.withResolvers<string>();
    const question: Question = this.#question = { name, task, end, onLine, echo, answered };
    this.#limit.start(this.#options.timeout * 1000);
    // A prompt that is there already is what `waitUntil` waits for, and no answer to a question: it
    // follows a notice, or a line of `tell()`.
    if (bytes === undefined) question.meeting = this.#take(question, this.#text, false);
    else {
      // Not awaited: a child that does not read would keep us here beyond the time limit. If the
      // write fails, the question stays open: its answer may be in the pipe already.
      this.#stdin.write(bytes).catch(() => question.task = "reading");
      if (this.#before !== "newline") this.#text = "";
      else if (findEnd(end, this.#text, false) !== -1) [this.#text, this.#before] = ["", "prompt"];
    }
    return answered.promise;
  }

  /** Reads to the end, question or not: a line that comes before a question is not its answer. */
  async #read(): Promise<void> {
    const { name, maxLineLength } = this.#options;
    let [looks, turnAt] = [0, 0]; // When timers and signals must run, however fast lines come.
    let pieces = 0;
    try {
      for (;;) {
        const read = this.#stdout.read();
        // A text without a newline that stays still may be a prompt.
        const asked = this.#text === "" ? undefined : this.#question;
        if (asked?.end !== undefined && await inTime(read, 10) === undefined) {
          await this.#take(asked, this.#text, false);
        }
        const { text, done } = await read;
        if (this.#question?.meeting !== undefined) await this.#question.meeting;
        // What has been read came before any later question.
        const question = this.#question;
        const lines: string[] = [];
        let start = 0;
        for (let end; (end = text.indexOf("\n", start)) !== -1; start = end + 1) {
          lines.push(this.#text + text.slice(start, end));
          this.#text = "";
        }
        this.#text += text.slice(start);
        // V8 keeps a text in its pieces, 32 bytes each, until a search, which finds 0, joins them.
        if (++pieces * 8 > this.#text.length + 4096) pieces = this.#text.search(/^/);
        if (done && question !== undefined) {
          await this.#take(question, this.#text, false);
          // The last text is a line, unless it was a prompt.
          if (this.#text !== "") lines.push(this.#text);
          this.#text = "";
        }
        const before = this.#before;
        if (lines.length > 0) this.#before = "newline";
        // Behind a prompt, a blank rest of its line may be the answer; behind a mark, it is not.
        const isRest = before === "mark" || before === "prompt" && question === undefined;
        if (isRest && lines[0]?.trim() === "") lines.shift();
        for (let n = 0;; n++) {
          if (++looks % 64 === 0 && performance.now() > turnAt) turnAt = await nextTurn();
          const line = lines[n];
          if (line === undefined) break;
          const isAsked = question !== undefined && question === this.#question;
          const whole = done ? line : lineOf(line, maxLineLength);
          const taken = this.#take(isAsked ? question : undefined, whole, true);
          // Else `onUnasked` has it, which may ask a question, and wait for the answer.
          if (isAsked) await taken;
        }
        if (this.#text.length > maxLineLength) lineOf(this.#text, maxLineLength);
        // Whoever was answered asks before we read on: the child works on that meanwhile. Each
        // async function between an answer and its caller takes one to three of these steps.
        for (let step = 0; step < 8 && this.#question === undefined; step++) await null;
        if (done) break;
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#fail(new DialogueError(`cannot read the stdout of ${name}: ${reason}`));
    }
    if (this.signal.aborted || this.#ending !== undefined) return;
    if (this.#question !== undefined) this.#giveUp();
    // That is fine if there are no more questions: wait a moment for `end()`.
    else this.#pause = setTimeout(() => this.#giveUp(), 200);
  }

  /** Takes a line, or a text without a newline if the answer ends in it. */
  async #take(question: Question | undefined, text: string, isLine: boolean): Promise<void> {
    if (this.signal.aborted) return;
    try {
      if (question === undefined) return void await this.#options.onUnasked(text);
      const { end, onLine, echo } = question;
      const at = findEnd(end, text, isLine);
      if (at === -1 && !isLine) return;
      if (!isLine) [this.#text, this.#before] = ["", typeof end === "string" ? "mark" : "prompt"];
      if (at !== -1 && echo !== undefined && text.includes(echo)) {
        const message = "sent the question back instead of carrying it out";
        throw new DialogueError(`${this.#options.name} ${message}`);
      }
      // A line that a RegExp matches is the answer's last; a mark or a prompt is no part of it.
      const isPart = at === -1 || isLine && typeof end === "object";
      const busy = isPart || at > 0 ? onLine?.(isPart ? text : text.slice(0, at)) : undefined;
      if (busy !== undefined) {
        // The limit is the child's, and does not run while `onLine` is busy.
        const left = this.#limit.left();
        this.#limit.start(Infinity);
        await busy;
        // It may have failed meanwhile.
        if (this.#question !== question) return;
        this.#limit.start(left);
      }
      if (at === -1) return;
      this.#question = undefined;
      this.#limit.start(Infinity);
      question.answered.resolve(text);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Fails with what the child did not do in time, and the unfinished line that it wrote. */
  #failLate(untold?: string): void {
    const { name, timeout } = this.#options;
    const { name: question, task } = this.#question ?? {};
    const late = task === "writing" ? `${name} did not write` : `no answer from ${name} to`;
    const soFar = this.#text && `; so far it wrote ${JSON.stringify(this.#text.slice(0, 1000))}`;
    const unread = task === "reading" ? "; it closed its stdin without reading all of it" : "";
    const message = `${untold ?? `${late} ${question}`} within ${timeout} s${soFar}${unread}`;
    this.#fail(new NoAnswerError(message, this.#asked, this.#text));
  }

  /** Waits for the exit of a child that can answer no more. */
  async #giveUp(): Promise<void> {
    await this.#question?.meeting;
    if (this.signal.aborted || this.#ending !== undefined) return;
    if (this.#text.trim() !== "") this.#take(undefined, this.#text, true);
    this.#text = "";
    const status = await this.#exit();
    if (status === undefined || this.#ending !== undefined) return;
    const message = `${this.#options.name} ${describe(status)} ${this.#undone()}`;
    this.#fail(new ChildEndedError(message, this.#asked, status));
  }

  /** The task that the child has left undone, as the end of a sentence. */
  #undone(): string {
    const { name, task } = this.#question ?? {};
    const done = this.#asked - (task === "reading" || task === "answering" ? 1 : 0);
    const undone = task ? `without ${task} ${name}` : `before message ${done + 1} was sent`;
    return done > 0 ? `after message ${done}, ${undone}` : undone;
  }

  /** Closes the child's stdin, and waits for its exit. Fails and gives undefined if it is late. */
  async #exit(): Promise<Deno.CommandStatus | undefined> {
    const [child, { name, timeout }] = [this.#child, this.#options];
    this.#limit.stop();
    this.#stdin.close().catch(() => {});
    try {
      const status = await inTime(child.status, timeout * 1000, this.signal);
      if (status !== undefined) return status;
      const ended = Promise.all([child.status, child[Symbol.asyncDispose]()]);
      // Deno sends only SIGTERM, which a child may ignore; `child.ts` has its own end and grace.
      const grace = Object.hasOwn(child, Symbol.asyncDispose) ? Infinity : 1000;
      // The child may have exited.
      await inTime(ended, grace).then((end) => end ?? child.kill("SIGKILL")).catch(() => {});
      const [end] = await ended;
      const undone = this.#ending === undefined ? `, ${this.#undone()}` : "";
      const late = `${name} did not exit within ${timeout} s after its stdin closed${undone}`;
      throw new ChildStayedError(`${late}; after SIGTERM it ${describe(end)}`, end);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.signal.aborted) return;
    clearTimeout(this.#pause);
    this.#limit.stop();
    this.#over.abort(error);
    this.#stdin.abort().catch(() => {});
    const question = this.#question;
    this.#question = undefined;
    const reject = () => question?.answered.reject(error);
    this.#stdout.cancel().then(reject, reject);
  }
}

/** Where the end of an answer begins in a line, or in a text that may go on; or -1. */
function findEnd(end: Question["end"], text: string, isLine: boolean): number {
  if (end === undefined) return isLine ? 0 : -1;
  if (typeof end === "string") return text.indexOf(end);
  // A pattern that matches whatever stands behind the text does not mark a prompt.
  const goesOn = (more: string) => `${text}${more}`.search(end) !== -1;
  return !isLine && (text === "" || goesOn("a") && goesOn("\n")) ? -1 : text.search(end);
}

/** A line without the `\r` of `\r\n`. */
function lineOf(text: string, maxLength: number): string {
  const line = text.endsWith("\r") ? text.slice(0, -1) : text;
  if (line.length <= maxLength) return line;
  throw new RangeError(`A line is longer than ${maxLength} UTF-16 code units`);
}

/** What a child writes, to the end; or, as another process may hold its pipe, from its exit until
 * nothing comes for 0.1 s, at the latest after 1 s of waiting or 1 MiB more. */
function textOf({ stdout, status }: Deno.ChildProcess) {
  let reader: ReadableStreamBYOBReader | ReadableStreamDefaultReader<Uint8Array>;
  try {
    reader = stdout.getReader({ mode: "byob" });
  } catch {
    reader = stdout.getReader();
  }
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** The memory for the next read: the same each time, which saves a third of the work. */
  let buffer: Uint8Array = new Uint8Array(64 * 1024);
  let next: ReturnType<typeof reader.read>;
  /** Once the child has exited, each ms of waiting and each KiB read costs 1. */
  let patience = Infinity;
  const endIfStill = async () => {
    if (await inTime(next, 50).catch(() => true) === undefined) reader.cancel().catch(() => {});
  };
  status.then(() => {
    patience = 1000;
    endIfStill();
  });
  return {
    cancel: () => reader.cancel(),
    async read(): Promise<{ text: string; done: boolean }> {
      if (patience < 0) await reader.cancel();
      const start = patience < Infinity ? performance.now() : 0;
      next = reader.read(buffer);
      if (start > 0) endIfStill();
      const { done, value } = await next;
      if (start > 0) patience -= performance.now() - start + (value?.byteLength ?? 0) / 1024;
      if (done) return { text: decoder.decode(), done };
      buffer = new Uint8Array(value.buffer);
      return { text: decoder.decode(value, { stream: true }), done };
    },
  };
}

/** What a promise gives, or undefined if it is late; rejects if the signal aborts meanwhile. */
async function inTime<T>(promise: Promise<T>, milliseconds: number, signal?: AbortSignal) {
  const { promise: result, resolve, reject } = Promise.withResolvers<T | undefined>();
  const limit = timeLimit(() => resolve(undefined), Math.min(milliseconds, 50));
  const fail = () => reject(signal?.reason);
  signal?.addEventListener("abort", fail);
  promise.then(resolve, reject);
  limit.start(milliseconds);
  return await result.finally(() => {
    limit.stop();
    signal?.removeEventListener("abort", fail);
  });
}

/** A time limit that is started again and again: a timer for each question would cost as much as
 * the pipe. Looks `again` milliseconds after the first time. */
function timeLimit(onLate: () => void, again = 50) {
  let [deadline, isStopped] = [Infinity, false];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = (isSecond: boolean) => {
    timer = undefined;
    const left = deadline - performance.now();
    if (left === Infinity) return;
    // With a longer delay than this, some 24 days, setTimeout calls at once.
    if (left > 0) timer = setTimeout(look, Math.min(left, 2 ** 31 - 1), false);
    // Looks twice: after Ctrl-Z and fg, timers fire before pending input is seen.
    else if (!isSecond) timer = setTimeout(look, again, true);
    else onLate();
  };
  return {
    /** `Infinity` stops the clock, but keeps the timer for the next start. */
    start(milliseconds: number): void {
      if (isStopped) return;
      deadline = milliseconds === Infinity ? Infinity : performance.now() + milliseconds;
      // A timer that runs already is no later: it looks again.
      if (timer === undefined) look(false);
    },
    left: () => deadline - performance.now(),
    /** Ends it for good. */
    stop(): void {
      clearTimeout(timer);
      isStopped = true;
    },
  };
}

/** Lets timers, signals and other input run, and returns when they must run again. */
function nextTurn(): Promise<number> {
  return new Promise((resolve) => setTimeout(() => resolve(performance.now() + 20)));
}

const encoder = new TextEncoder();

function describe({ code, signal }: Deno.CommandStatus): string {
  return signal === null ? `exited with status ${code}` : `was ended by ${signal}`;
}
