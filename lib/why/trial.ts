/**
 * A trial of a program: start it over pipes, ask it and wait, close its stdin, end it.
 *
 * @module
 */
import { Answer, compact, kindOf, readable } from "./answer.ts";
import { describeStatus } from "../child.ts";
import { byteCount, quote } from "../script/format.ts";
import { observe, observeHolders } from "./observe.ts";
import {
  FLOOD,
  hasEnded,
  isFlooding,
  type Program,
  progressOf,
  startProgram,
  untilReady,
  untilRest,
} from "./program.ts";
import type { Verdict } from "./verdict.ts";
import { READS_STDIN } from "./words.ts";

/** How a program is tried. */
export interface Manner {
  /** What it is asked, without the newline. */
  question: string;
  /** Seconds in which nothing must move before it counts as having no answer. */
  timeout: number;
  /** What came of it over pipes, if that was tried: then this is another try. Without it the trial
   * also looks at what the program waits for, and then closes its stdin. */
  first?: Trial | undefined;
  /** What other trials have shown that it writes unasked: it is asked at once, as a parent that
   * writes as soon as it has started a child. Otherwise it is asked when it rests. */
  unasked?: string[];
  /** What it should write, asked or not, if a line after the question is not enough. */
  wanted?: RegExp | undefined;
  /** Bytes to send in place of the question. */
  bytes?: Uint8Array;
}

/** How a program began. */
export interface Beginning {
  /** After how many milliseconds it came to the rest in which it was asked. */
  startup: number;
  /** What it wrote to stdout before it was asked. */
  before: string;
}

/** What came of a question. */
export interface Reply extends Beginning {
  /** What it wrote then. */
  answer: string;
  /** After how many milliseconds a line of the answer was there; undefined if none was. */
  milliseconds?: number;
  /** What it wrote to stderr when it was asked. */
  complaint: string;
  /** How many bytes of the question it did not read; undefined where that cannot be seen. */
  unread?: number | undefined;
  /** How it ended, if that was before its stdin was closed. */
  status?: Deno.CommandStatus;
}

/** What came of the end of its stdin. */
export interface Ending {
  /** What the process is called that runs it: `python3` for a script whose first line says so. */
  name?: string;
  /** What it did instead of an answer; empty where that cannot be seen. */
  doing: string;
  /** What keeps it and its children from going on, if that is a pipe among them. */
  inside?: Verdict;
  /** What it wrote once its stdin was closed; undefined if that was not tried. */
  atEnd?: string;
  /** How many milliseconds after the question it wrote that. */
  atEndAfter?: number;
}

/** What a program did that was asked over its stdin. */
export interface Trial extends Reply, Ending {
  /** The command. */
  command: string[];
  /** What the process is called that runs it. */
  name: string;
  /** How many bytes it wrote to stderr in all. */
  errors: number;
  /** The last useful line of these. */
  lastError: string;
  /** What it began to write there. */
  errorText: string;
  /** Who held its pipes when it had exited, if that was before it was asked. */
  left?: string;
  /** Who held its pipes when all that could be found of it had been ended. */
  escaped?: string;
}

/**
 * Starts a program over pipes, asks it, and ends it with all that it started.
 *
 * @throws {StartError} If it cannot be started.
 */
export async function tryCommand(command: string[], manner: Manner): Promise<Trial> {
  let links: ReadonlySet<string>;
  let trial: Trial;
  {
    await using program = startProgram(command);
    links = program.links;
    trial = await tryProgram(program, command, manner);
  }
  const escaped = observeHolders(links);
  return { ...trial, ...escaped && { escaped } };
}

async function tryProgram(program: Program, command: string[], manner: Manner): Promise<Trial> {
  const { first, unasked } = manner;
  if (program.isAtTerminal) await untilReady(program);
  const rest = unasked
    ? { startup: 0, before: "", isEarly: true }
    : await awaitRest(program, manner);
  const { isEarly, ...beginning } = rest;
  let outcome: Partial<Trial> = beginning;
  if (!isFlooding(program)) {
    const [reply, answer] = await askQuestion(program, manner, { ...beginning, isEarly });
    outcome = reply;
    if (program.status !== undefined) outcome.status = program.status;
    else if (first === undefined) {
      outcome = { ...outcome, ...await closeStdin(program, manner.timeout, answer) };
    }
  }
  const { stderr, left } = program;
  return {
    command,
    name: (command[0] ?? "").replace(/.*\//, ""),
    doing: "",
    answer: "",
    complaint: "",
    ...beginning,
    ...outcome,
    errors: stderr.count,
    lastError: lastUseful(stderr.text),
    errorText: stderr.text.slice(0, 10_000),
    ...left && { left },
  };
}

/** The last line that tells a person something: no frame of a stack, no trailing remark. */
function lastUseful(text: string): string {
  const lines = text.trim().split("\n").filter((line) => line.trim() !== "");
  const isUseful = (line: string) =>
    !/^(\s|Node\.js v\d|note: |\^)/.test(line) && /\p{L}/u.test(line);
  return lines.findLast(isUseful) ?? lines.at(-1) ?? "";
}

/** Waits until it has begun: until it rests, and reads its stdin, as far as that can be seen. */
async function awaitRest(
  program: Program,
  { timeout, first }: Manner,
): Promise<Beginning & { isEarly: boolean }> {
  const { startup: leastTime = 0, before: leastText = "" } = first ?? {};
  const isOver = () => hasEnded(program) || isFlooding(program);
  const begin = performance.now();
  for (;;) {
    const startup = performance.now() - begin;
    await untilRest(program, 0.3, isOver);
    const rest = progressOf(program);
    // A rest in which it does not read its stdin is not yet the end of its start.
    const isEarly = !mayRead(observe(program.pid)?.doing ?? "") || progressOf(program) !== rest;
    const before = program.stdout.text;
    const isReady = !isEarly && startup >= leastTime && before.length >= leastText.length;
    const hasTime = performance.now() - begin < leastTime + timeout * 1000;
    if (isReady || !hasTime || isOver()) return { startup, before, isEarly };
  }
}

/** Asks, and waits for the answer. If it read late, what it wrote may be what it begins with: then
 * asks again, since whoever answers does so again. */
async function askQuestion(
  program: Program,
  manner: Manner,
  { isEarly, ...beginning }: Beginning & { isEarly: boolean },
): Promise<[Reply, Answer]> {
  const { question, timeout, unasked, wanted } = manner;
  const { stdin, stdout, stderr } = program;
  const bytes = manner.bytes ?? new TextEncoder().encode(`${question}\n`);
  const isUnread = () => (observe(program.pid)?.unread ?? 0) >= bytes.length;
  const complained = stderr.text.length;
  // Some show it on stderr.
  const prompt = /[^\n]*$/.exec(stderr.text)?.[0].trim() ?? "";
  let broken: Pick<Reply, "unread"> = {};
  const pose = async (before: string, isEarly: boolean) => {
    const isKnown = knownLines(unasked ?? []);
    const isOther = (line: string) => isKnown(line) || isNoAnswer(line, before, manner);
    const answer = new Answer(before, isOther);
    let wantedAfter: number | undefined;
    program.isAsked = true;
    stdout.onText = (text) => {
      if (wanted?.test(readable(stdout.text))) wantedAfter ??= answer.passed;
      // Whoever is asked at once may write before it reads; script(1) reads what its program does
      // not.
      const mayBeUnread = isEarly || program.isAtTerminal;
      if (mayBeUnread && unasked === undefined && isUnread()) answer.skip(text);
      else answer.add(text);
    };
    // The pipe breaks if it has closed its stdin. If it has exited, others may hold it, and not
    // read.
    const isBroken = () => void (broken = { unread: bytes.length });
    if (program.status === undefined) stdin.write(bytes).catch(isBroken);
    const hasAnswer = () => wanted ? wantedAfter !== undefined : answer.milliseconds !== undefined;
    await untilRest(program, timeout, () => hasEnded(program) || hasAnswer());
    if (wanted === undefined) return { answer, result: answer.result() };
    const { answer: text } = answer.result();
    return {
      answer,
      result: { answer: text, ...wantedAfter !== undefined && { milliseconds: wantedAfter } },
    };
  };
  const begin = performance.now() - beginning.startup;
  let posed = await pose(beginning.before, isEarly);
  if (isEarly && unasked === undefined && program.status === undefined && !isUnread()) {
    beginning = { before: stdout.text, startup: performance.now() - begin };
    const again = await pose(stdout.text, false);
    if (again.result.milliseconds !== undefined || !isUnread()) posed = again;
  }
  stdout.onText = () => {};
  const complaint = stderr.text.slice(complained).trim();
  const isPrompt = complaint.endsWith(prompt);
  return [{
    ...beginning,
    ...broken,
    ...posed.result,
    complaint: isPrompt ? complaint.slice(0, complaint.length - prompt.length).trim() : complaint,
  }, posed.answer];
}

/** Whether a line is one of those that were seen unasked, and has not come as often since. */
function knownLines(lines: string[]): (line: string) => boolean {
  const left = new Map<string, number>();
  for (const line of lines) left.set(kindOf(line), (left.get(kindOf(line)) ?? 0) + 1);
  return (line) => {
    const count = left.get(kindOf(line)) ?? 0;
    left.set(kindOf(line), count - 1);
    return count > 0;
  };
}

/** Looks at what it does instead of an answer, closes its stdin, and waits for what it writes. */
async function closeStdin(program: Program, timeout: number, answer: Answer): Promise<Ending> {
  const { stdin, stdout } = program;
  const observation = observe(program.pid);
  let atEndAfter: number | undefined;
  const written = stdout.text.length;
  stdout.onText = () => void (atEndAfter ??= answer.passed);
  stdin.close().catch(() => {});
  await untilRest(program, timeout, () => hasEnded(program));
  const lines = readable(stdout.text.slice(written)).split("\n");
  const atEnd = lines.filter((line) => !answer.isUnasked(line)).join("\n");
  return { doing: "", ...observation, atEnd, ...atEndAfter !== undefined && { atEndAfter } };
}

/** Whether a program waits for more on its stdin, or that cannot be seen. */
export function mayRead(doing: string): boolean {
  return doing === "" || doing.includes(READS_STDIN);
}

/** Whether a line of another try is known to be no answer: a terminal shows what goes to stderr,
 * and an editor of lines there what it is asked, behind its prompt, or an empty line. */
function isNoAnswer(line: string, before: string, { question, first }: Manner): boolean {
  if (first === undefined || first.milliseconds !== undefined) return false;
  const { errorText, unread, atEnd } = first;
  const text = line.trim();
  // The program may name itself there, with its folder or without, and the line that it reads.
  const texts = errorText.split("\n").map((text) =>
    text.trim().replace(/^\S*\//, "").replace(/^(\S+: )line \d+: /, "$1")
  );
  if (texts.some((complaint) => complaint !== "" && text.endsWith(complaint))) return true;
  if (text !== "" && compact(errorText).includes(compact(text))) return true;
  // Whoever answers so has done it over pipes as well, at end of file.
  const lines = atEnd?.split("\n").slice(0, -1).map((line) => line.trim()) ?? [];
  if (text === "") return !lines.includes("");
  const isEditor = !unread && atEnd !== undefined && !lines.includes(question.trim());
  const prompt = readable(before).split("\n").at(-1)?.trim() ?? "";
  return isEditor &&
    [question.trim(), `${prompt}${question.trim()}`, `${prompt} ${question.trim()}`]
      .includes(text);
}

/** What happened in a trial, in a line. */
export function trialInWords(trial: Trial, { question, timeout }: Manner): string {
  const { before, milliseconds, answer, status, unread, doing, errors, lastError, atEnd } = trial;
  const { complaint } = trial;
  const line = quote(answer.split("\n").find((line) => line.trim() !== "") ?? "");
  if (before.length >= FLOOD) return `wrote ${byteCount(before.length)} without being asked`;
  if (errors >= FLOOD) return `wrote ${byteCount(errors)} to stderr, and was read no further`;
  if (milliseconds !== undefined) return `answered ${line} after ${milliseconds} ms`;
  if (status !== undefined) {
    const wrote = brief(before + answer);
    return (wrote && `wrote ${quote(wrote)} unasked, and `) + describeStatus(status) +
      (lastError && `: ${quote(lastError)}`);
  }
  const length = new TextEncoder().encode(question).length + 1;
  const unasked = brief(before);
  const facts = [
    unread === undefined ? "" : `read ${length - unread} of ${byteCount(length)}`,
    unasked === "" ? "" : `wrote ${quote(unasked)} unasked`,
    answer === "" ? `wrote nothing${unasked && " more"}` : `wrote ${quote(answer)}`,
    complaint === "" ? "" : `to stderr ${quote(complaint)}`,
    doing,
    atEnd === undefined ? "" : `at end of file ${atEnd === "" ? "nothing" : quote(atEnd)}`,
  ];
  const missing = answer.trim() === "" || answer.includes("\n") ? "answer" : "whole line";
  return `no ${missing} within ${timeout} s: ${facts.filter((fact) => fact !== "").join(", ")}`;
}

/** A text that may be long: what a person needs of it. */
export function brief(text: string): string {
  const shown = readable(text).trim();
  return shown.length > 200 ? `${shown.slice(0, 200)}…` : shown;
}

/** Whether a trial leaves open why there was no answer. */
export function isUnclear({ before, errors, milliseconds }: Trial): boolean {
  return Math.max(before.length, errors) < FLOOD && milliseconds === undefined;
}
