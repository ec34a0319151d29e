/**
 * What a person would try with a program that does not answer over pipes: ask it and wait, close
 * its stdin, ask it at a terminal, try the cures.
 *
 * @module
 */
import { Answer, readable } from "./answer.ts";
import { ByteReader } from "../byte_reader.ts";
import { untilExit } from "../until_exit.ts";
import { describeStatus, onEnd, startChild } from "../child.ts";
import { interactiveWordsFor, wordsFor } from "../script/cures.ts";
import { Failure } from "../script/failure.ts";
import { byteCount, quote } from "../script/format.ts";
import { explainInside, type Verdict } from "./hang.ts";
import { doing, labelOf, list, READS_STDIN, who } from "./words.ts";
import { activityOf, type End, endAllWith, look } from "./proc.ts";
import { untilStill } from "../script/still.ts";

/** What a program did that was asked over its stdin. */
export interface Trial {
  /** The command. */
  command: string[];
  /** What the process is called that runs it: `python3` for a script whose first line says so. */
  name: string;
  /** After how many milliseconds it came to the rest in which it was asked. */
  startup: number;
  /** What it wrote to stdout before it was asked. */
  before: string;
  /** What it wrote then. */
  answer: string;
  /** After how many milliseconds a line of the answer was there; undefined if none was. */
  milliseconds?: number;
  /** What it wrote once its stdin was closed; undefined if that was not tried. */
  atEnd?: string;
  /** How many milliseconds after the question it wrote that. */
  atEndAfter?: number;
  /** What it wrote to stderr when it was asked. */
  complaint: string;
  /** How many bytes it wrote to stderr in all. */
  errors: number;
  /** The last line of these. */
  lastError: string;
  /** How many bytes of the question it did not read; undefined where that cannot be seen. */
  unread?: number | undefined;
  /** What it did instead of an answer; empty where that cannot be seen. */
  does: string;
  /** What keeps it and its children from going on, if that is a pipe among them. */
  inside?: Verdict;
  /** Who held its pipes when it had exited, if that was before it was asked. */
  left?: string;
  /** How it ended, if that was before its stdin was closed. */
  status?: Deno.CommandStatus;
}

/** Whoever writes as many bytes unasked floods, and is soon read no further. */
export const FLOOD = 1_000_000;
/** What makes Python write at once, wherever it is set. */
export const UNBUFFERED = "PYTHONUNBUFFERED";

/**
 * Starts a program over pipes, asks it, and ends it with all that it started.
 *
 * @param timeout Seconds in which nothing must move before it counts as having no answer.
 * @param first What came of it over pipes, if that was tried: then this is another try. Without it
 * the trial also looks at what the program waits for, and then closes its stdin.
 * @throws {StartError} If it cannot be started.
 */
export async function ask(
  words: string[],
  question: string,
  timeout: number,
  first?: Trial,
): Promise<Trial> {
  const [program = "", ...args] = words;
  // What runs at a terminal has a session of its own, and is not in the group that ends as one.
  const mark = crypto.randomUUID();
  await using _rest = onEnd(() => endAllWith(`WHY_TRIAL=${mark}`));
  const command = new Deno.Command(program, {
    args,
    // script(1) has the user's shell run its line, and that of a service runs nothing.
    env: { WHY_TRIAL: mark, ...program === "script" && { SHELL: "/bin/sh" } },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  });
  await using child = startChild(command, { name: program });
  const trial: Trial = {
    command: words,
    name: program.replace(/.*\//, ""),
    startup: 0,
    before: "",
    answer: "",
    complaint: "",
    errors: 0,
    lastError: "",
    does: "",
  };
  const bytes = new TextEncoder().encode(`${question}\n`);
  const isUnread = () => observe(child.pid).unread === bytes.length;
  let answer: Answer | undefined;
  // Whether it was asked before it was seen to wait for that.
  let isEarly = false;
  let isClosed = false;
  await using stdout = collect(child.stdout, child.status, (text) => {
    if (answer === undefined) return;
    if (isClosed) trial.atEndAfter ??= answer.passed;
    else if (isEarly && isUnread()) answer.skip(text);
    else answer.add(text);
  });
  await using stderr = collect(child.stderr, child.status);
  let status: Deno.CommandStatus | undefined;
  child.status.then((end) => {
    status = end;
    if (answer === undefined) Object.assign(trial, observeLeft());
  });
  const hasEnded = () => status !== undefined && stdout.isDone && stderr.isDone;
  const isFlood = () => Math.max(stdout.text.length, stderr.count) >= FLOOD;
  const progress = () => activityOf(child.pid) + stdout.text.length + stderr.count;
  const until = (isOver: () => boolean, seconds: number) => {
    // A slow start has time, but one that never comes to rest is not waited for.
    const latest = performance.now() + seconds * 5_000;
    return untilStill(progress, seconds, () => isOver() || performance.now() > latest);
  };

  // A rest in which it does not read its stdin is not yet the end of its start.
  const begin = performance.now();
  const { startup = 0, before = "" } = first ?? {};
  do {
    trial.startup = performance.now() - begin;
    await until(() => hasEnded() || isFlood(), 0.3);
    const rest = progress();
    isEarly = !mayRead(observe(child.pid).does ?? "") || progress() !== rest;
  } while (
    (isEarly || trial.startup < startup || stdout.text.length < before.length) &&
    performance.now() - begin < startup + timeout * 1000 && !hasEnded() && !isFlood()
  );
  trial.before = stdout.text;
  if (!isFlood()) {
    const complained = stderr.text.length;
    // Some show it on stderr.
    const prompt = /[^\n]*$/.exec(stderr.text)?.[0].trim() ?? "";
    const writer = child.stdin.getWriter();
    const pose = async () => {
      const posed = answer = new Answer(trial.before, (line) => isOther(line, question, first));
      // The pipe breaks if it has closed its stdin. If it has exited, others may hold it, and not
      // read.
      if (status === undefined) writer.write(bytes).catch(() => trial.unread = bytes.length);
      await until(() => hasEnded() || posed.milliseconds !== undefined, timeout);
      return posed;
    };
    let posed = await pose();
    if (isEarly && status === undefined && !isUnread()) {
      // It read late, and what it wrote may be what it begins with. Whoever answers does so again.
      isEarly = false;
      trial.before = stdout.text;
      trial.startup = performance.now() - begin;
      const again = await pose();
      if (again.milliseconds !== undefined || !isUnread()) posed = again;
    }
    Object.assign(trial, posed.result());
    const complaint = stderr.text.slice(complained).trim();
    trial.complaint = complaint.endsWith(prompt)
      ? complaint.slice(0, complaint.length - prompt.length).trim()
      : complaint;
    if (status !== undefined) trial.status = status;
    else if (first === undefined) {
      Object.assign(trial, observe(child.pid));
      const written = stdout.text.length;
      isClosed = true;
      writer.close().catch(() => {});
      await until(hasEnded, timeout);
      const lines = readable(stdout.text.slice(written)).split("\n");
      trial.atEnd = lines.filter((line) => !posed.isUnasked(line)).join("\n");
    }
  }
  trial.errors = stderr.count;
  trial.lastError = stderr.text.trim().split("\n").at(-1) ?? "";
  return trial;
}

/** Whether a program waits for more on its stdin, or that cannot be seen. */
export function mayRead(does: string): boolean {
  return does === "" || does.includes(READS_STDIN);
}

/** Whether a line of another try is known to be no answer: a terminal shows what goes to stderr, and
 * an editor of lines there what it is asked, or an empty line. */
function isOther(line: string, question: string, first?: Trial): boolean {
  if (first === undefined || first.milliseconds !== undefined) return false;
  const { complaint, unread, atEnd } = first;
  const text = line.trim();
  // The program may name itself there, with its folder or without, and the line that it reads.
  const texts = complaint.split("\n").map((text) =>
    text.trim().replace(/^\S*\//, "").replace(/^(\S+: )line \d+: /, "$1")
  );
  if (texts.some((complaint) => complaint !== "" && text.endsWith(complaint))) return true;
  // Whoever answers so has done it over pipes as well, at end of file.
  const lines = atEnd?.split("\n").slice(0, -1).map((line) => line.trim()) ?? [];
  if (text === "") return !lines.includes("");
  const isEditor = !unread && atEnd !== undefined && !atEnd.includes(question.trim());
  return isEditor && question.trim() !== "" && text.endsWith(question.trim());
}

/** What can be seen of a program that was asked; nothing if it has just exited. */
function observe(pid: number): Partial<Trial> {
  try {
    const snapshot = look(pid);
    const stdin = [...snapshot.pipes.values()].find(({ readers, writers }) =>
      readers.some((end) => end.pid === pid && end.descriptor === 0) &&
      writers.some((end) => end.pid === Deno.pid)
    );
    const { name = "" } = snapshot.processes.get(pid) ?? {};
    const inside = explainInside(pid, snapshot, Deno.pid);
    return {
      name,
      ...stdin && { unread: stdin.held },
      ...inside && { inside },
      does: doing(pid, snapshot),
    };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return {};
  }
}

/** Who holds the pipes of a program that has just exited, other than this process. */
function observeLeft(): Pick<Trial, "left"> {
  try {
    const { pipes, processes } = look(Deno.pid);
    // It alone holds the other end of those that it has made.
    const isMade = (ends: End[]) =>
      ends.length > 0 && ends.every(({ pid, descriptor }) => pid === Deno.pid && descriptor > 2);
    const ends = [...pipes.values()].flatMap(({ readers, writers }) =>
      isMade(readers) ? writers : isMade(writers) ? readers : []
    );
    const holders = new Set(ends.map(({ pid }) => pid).filter((pid) => pid !== Deno.pid));
    const left = [...holders].map((holder) => {
      const held = ends.filter(({ pid }) => pid === holder).map(({ descriptor }) => descriptor);
      const labels = [...new Set(held.sort())].map(labelOf);
      return `${who(processes, holder)} still holds its ${list(labels)}`;
    });
    return left.length > 0 ? { left: left.join("; ") } : {};
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return {};
  }
}

/** Reads a stream until its end, the exit of the child, or a flood, which then fills the pipe: if
 * it were closed, the program would end for that. */
function collect(
  stream: ReadableStream<Uint8Array>,
  until: Promise<unknown>,
  onText = (_text: string) => {},
) {
  const reader = new ByteReader(untilExit(stream, until));
  const end = () => reader[Symbol.asyncDispose]();
  const output = { text: "", count: 0, isDone: false, [Symbol.asyncDispose]: end };
  const decoder = new TextDecoder();
  (async () => {
    for await (const chunk of reader) {
      const text = decoder.decode(chunk, { stream: true });
      output.count += chunk.length;
      output.text += text;
      onText(text);
      if (output.count >= FLOOD * 2) break;
    }
    output.isDone = true;
  })();
  return output;
}

/** The commands that may make a program write each line at once over pipes, the simplest first. */
export function curesOf(trial: Trial): string[][] {
  const { command, name } = trial;
  const isPython = nameAt(trial) < 0 && name.startsWith("python");
  return [
    ...withWords(trial, wordsFor(name)),
    ...(isPython ? [["env", `${UNBUFFERED}=1`, ...command]] : []),
    ...(command[0] === "stdbuf" ? [] : [["stdbuf", "-oL", ...command]]),
  ];
}

/** The command that may make an interpreter answer each line, instead of reading a program. */
export function interactiveCuresOf(trial: Trial): string[][] {
  return withWords(trial, interactiveWordsFor(trial.name));
}

/** The command with words after its name, which may follow that of another: nice, env, stdbuf. */
function withWords(trial: Trial, words: string[]): string[][] {
  const at = nameAt(trial);
  return at < 0 || words.length === 0 ? [] : [trial.command.toSpliced(at + 1, 0, ...words)];
}

function nameAt({ command, name }: Trial): number {
  return command.findIndex((word) => word.replace(/.*\//, "") === name);
}

/** What happened in a trial, in a line. */
export function describe(trial: Trial, question: string, timeout: number): string {
  const { before, milliseconds, answer, status, unread, does, errors, lastError, atEnd } = trial;
  const { complaint } = trial;
  const line = quote(answer.split("\n").find((line) => line.trim() !== "") ?? "");
  if (before.length >= FLOOD) return `wrote ${byteCount(before.length)} without being asked`;
  if (errors >= FLOOD) return `wrote ${byteCount(errors)} to stderr, and was read no further`;
  if (milliseconds !== undefined) return `answered ${line} after ${milliseconds} ms`;
  if (status !== undefined) {
    return `${describeStatus(status)}${lastError && `: ${quote(lastError)}`}`;
  }
  const length = new TextEncoder().encode(question).length + 1;
  const facts = [
    unread === undefined ? "" : `read ${length - unread} of ${byteCount(length)}`,
    `wrote ${answer !== "" ? quote(answer) : before === "" ? "nothing" : "nothing more"}`,
    complaint === "" ? "" : `to stderr ${quote(complaint)}`,
    does,
    atEnd === undefined ? "" : `at end of file ${atEnd === "" ? "nothing" : quote(atEnd)}`,
  ];
  const missing = answer.trim() === "" || answer.includes("\n") ? "answer" : "whole line";
  return `no ${missing} within ${timeout} s: ${facts.filter((fact) => fact !== "").join(", ")}`;
}

/** Whether a trial leaves open why there was no answer. */
export function isUnclear({ before, errors, milliseconds }: Trial): boolean {
  return Math.max(before.length, errors) < FLOOD && milliseconds === undefined;
}
