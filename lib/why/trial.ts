/**
 * A trial of a program: start it over pipes, ask it and wait, close its stdin, end it.
 *
 * @module
 */
import { Answer, readable } from "./answer.ts";
import { describeStatus, onEnd, startChild } from "../child.ts";
import { byteCount, quote } from "../script/format.ts";
import { untilStill } from "../script/still.ts";
import { untilExit } from "../until_exit.ts";
import { observe, observeLeft, ownPipes } from "./observe.ts";
import { activityOf, endAllWith } from "./proc.ts";
import type { Verdict } from "./verdict.ts";
import { READS_STDIN } from "./words.ts";

/** How a program began. */
interface Beginning {
  /** After how many milliseconds it came to the rest in which it was asked. */
  startup: number;
  /** What it wrote to stdout before it was asked. */
  before: string;
}

/** What came of a question. */
interface Reply extends Beginning {
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
interface Ending {
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
  /** The last line of these. */
  lastError: string;
  /** Who held its pipes when it had exited, if that was before it was asked. */
  left?: string;
}

/** Whoever writes as many bytes unasked floods, and is soon read no further. */
export const FLOOD = 1_000_000;

/** A program that was started for a trial. */
interface Program extends AsyncDisposable {
  pid: number;
  stdin: WritableStreamDefaultWriter<Uint8Array>;
  stdout: Output;
  stderr: Output;
  /** How it ended, once it has. */
  status?: Deno.CommandStatus;
  /** Who held its pipes then, if that was before it was asked. */
  left?: string;
  /** Whether it has been asked. */
  isAsked: boolean;
}

/** What has come of one of its outputs. */
interface Output {
  text: string;
  count: number;
  isDone: boolean;
  /** Told of each text that comes. */
  onText: (text: string) => void;
}

/**
 * Starts a program over pipes, asks it, and ends it with all that it started.
 *
 * @param timeout Seconds in which nothing must move before it counts as having no answer.
 * @param first What came of it over pipes, if that was tried: then this is another try. Without it
 * the trial also looks at what the program waits for, and then closes its stdin.
 * @throws {StartError} If it cannot be started.
 */
export async function tryCommand(
  command: string[],
  question: string,
  timeout: number,
  first?: Trial,
): Promise<Trial> {
  await using program = startProgram(command);
  const { stderr } = program;
  const beginning = await awaitRest(program, timeout, first);
  let outcome: Partial<Trial> = { ...beginning, answer: "", complaint: "" };
  if (!isFlooding(program)) {
    const [reply, answer] = await askQuestion(program, question, timeout, beginning, first);
    outcome = reply;
    if (program.status !== undefined) outcome.status = program.status;
    else if (first === undefined) {
      outcome = { ...outcome, ...await closeStdin(program, timeout, answer) };
    }
  }
  return {
    command,
    name: (command[0] ?? "").replace(/.*\//, ""),
    doing: "",
    answer: "",
    complaint: "",
    ...beginning,
    ...outcome,
    errors: stderr.count,
    lastError: stderr.text.trim().split("\n").at(-1) ?? "",
    ...program.left && { left: program.left },
  };
}

function startProgram([name = "", ...args]: string[]): Program {
  // What runs at a terminal has a session of its own, and is not in the group that ends as one.
  const mark = crypto.randomUUID();
  const resources = new AsyncDisposableStack();
  resources.use(onEnd(() => endAllWith(`WHY_TRIAL=${mark}`)));
  const command = new Deno.Command(name, {
    args,
    // script(1) has the user's shell run its line, and that of a service runs nothing.
    env: { WHY_TRIAL: mark, ...name === "script" && { SHELL: "/bin/sh" } },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  });
  const others = ownPipes();
  const child = resources.use(startChild(command, { name }));
  const pipes = ownPipes().difference(others);
  const program: Program = {
    pid: child.pid,
    stdin: child.stdin.getWriter(),
    stdout: collect(child.stdout, child.status, resources),
    stderr: collect(child.stderr, child.status, resources),
    isAsked: false,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
  child.status.then((status) => {
    program.status = status;
    if (!program.isAsked) program.left = observeLeft(pipes);
  });
  return program;
}

function hasEnded({ status, stdout, stderr }: Program): boolean {
  return status !== undefined && stdout.isDone && stderr.isDone;
}

function isFlooding({ stdout, stderr }: Program): boolean {
  return Math.max(stdout.text.length, stderr.count) >= FLOOD;
}

function progressOf({ pid, stdout, stderr }: Program): number {
  return activityOf(pid) + stdout.text.length + stderr.count;
}

/** Waits until nothing has moved for some seconds, or it is over. */
function untilRest(program: Program, seconds: number, isOver: () => boolean): Promise<void> {
  // A slow start has time, but one that never comes to rest is not waited for.
  const latest = performance.now() + seconds * 5_000;
  const isLate = () => performance.now() > latest;
  return untilStill(() => progressOf(program), seconds, () => isOver() || isLate());
}

/** Waits until it has begun: until it rests, and reads its stdin, as far as that can be seen. */
async function awaitRest(
  program: Program,
  timeout: number,
  { startup: leastTime, before: leastText }: Beginning = { startup: 0, before: "" },
): Promise<Beginning & { isEarly: boolean }> {
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
  question: string,
  timeout: number,
  { isEarly, ...beginning }: Beginning & { isEarly: boolean },
  first?: Trial,
): Promise<[Reply, Answer]> {
  const { stdin, stdout, stderr } = program;
  const bytes = new TextEncoder().encode(`${question}\n`);
  const isUnread = () => observe(program.pid)?.unread === bytes.length;
  const complained = stderr.text.length;
  // Some show it on stderr.
  const prompt = /[^\n]*$/.exec(stderr.text)?.[0].trim() ?? "";
  let broken: Pick<Reply, "unread"> = {};
  const pose = async (before: string, isEarly: boolean) => {
    const answer = new Answer(before, (line) => isNoAnswer(line, question, first));
    program.isAsked = true;
    stdout.onText = (text) => isEarly && isUnread() ? answer.skip(text) : answer.add(text);
    // The pipe breaks if it has closed its stdin. If it has exited, others may hold it, and not
    // read.
    const isBroken = () => void (broken = { unread: bytes.length });
    if (program.status === undefined) stdin.write(bytes).catch(isBroken);
    const isOver = () => hasEnded(program) || answer.milliseconds !== undefined;
    await untilRest(program, timeout, isOver);
    return answer;
  };
  const begin = performance.now() - beginning.startup;
  let answer = await pose(beginning.before, isEarly);
  if (isEarly && program.status === undefined && !isUnread()) {
    beginning = { before: stdout.text, startup: performance.now() - begin };
    const again = await pose(stdout.text, false);
    if (again.milliseconds !== undefined || !isUnread()) answer = again;
  }
  stdout.onText = () => {};
  const complaint = stderr.text.slice(complained).trim();
  const isPrompt = complaint.endsWith(prompt);
  return [{
    ...beginning,
    ...broken,
    ...answer.result(),
    complaint: isPrompt ? complaint.slice(0, complaint.length - prompt.length).trim() : complaint,
  }, answer];
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

/** Whether a line of another try is known to be no answer: a terminal shows what goes to stderr, and
 * an editor of lines there what it is asked, or an empty line. */
function isNoAnswer(line: string, question: string, first?: Trial): boolean {
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

/** Reads a stream until its end, the exit of the child, or a flood, which then fills the pipe: if
 * it were closed, the program would end for that. */
function collect(
  stream: ReadableStream<Uint8Array>,
  exit: Promise<unknown>,
  resources: AsyncDisposableStack,
): Output {
  const reader = untilExit(stream, exit).getReader();
  resources.defer(() => reader.cancel());
  const output: Output = { text: "", count: 0, isDone: false, onText: () => {} };
  const decoder = new TextDecoder();
  (async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const text = decoder.decode(next.value, { stream: true });
      output.count += next.value.length;
      output.text += text;
      output.onText(text);
      if (output.count >= FLOOD * 2) break;
    }
    output.isDone = true;
  })();
  return output;
}

/** What happened in a trial, in a line. */
export function trialInWords(trial: Trial, question: string, timeout: number): string {
  const { before, milliseconds, answer, status, unread, doing, errors, lastError, atEnd } = trial;
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
    doing,
    atEnd === undefined ? "" : `at end of file ${atEnd === "" ? "nothing" : quote(atEnd)}`,
  ];
  const missing = answer.trim() === "" || answer.includes("\n") ? "answer" : "whole line";
  return `no ${missing} within ${timeout} s: ${facts.filter((fact) => fact !== "").join(", ")}`;
}

/** Whether a trial leaves open why there was no answer. */
export function isUnclear({ before, errors, milliseconds }: Trial): boolean {
  return Math.max(before.length, errors) < FLOOD && milliseconds === undefined;
}
