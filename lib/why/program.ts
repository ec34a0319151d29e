/**
 * A program that is started for a trial, with all that it starts.
 *
 * @module
 */
import { onEnd, startChild } from "../child.ts";
import { READY } from "../script/paste.ts";
import { untilStill } from "../script/still.ts";
import { untilExit } from "../until_exit.ts";
import { observeHolders, ownPipes } from "./observe.ts";
import { activityOf, endAll, endAllWith } from "./proc.ts";

/** Whoever writes as many bytes unasked floods, and is soon read no further. */
export const FLOOD = 1_000_000;

/** A program that was started for a trial. */
export interface Program extends AsyncDisposable {
  /** The process id of what was started, which may be script(1). */
  pid: number;
  /** Its stdin. */
  stdin: WritableStreamDefaultWriter<Uint8Array>;
  /** What has come of its stdout. */
  stdout: Output;
  /** What has come of its stderr. */
  stderr: Output;
  /** How it ended, once it has. */
  status?: Deno.CommandStatus;
  /** Who held its pipes then, if that was before it was asked. */
  left?: string;
  /** Whether it has been asked. */
  isAsked: boolean;
  /** Whether it is script(1), which runs the program at a terminal. */
  isAtTerminal: boolean;
  /** Its pipes, by their links in `/proc`. */
  links: ReadonlySet<string>;
  /** It and all whom it was seen to start, with the time of their start. */
  family: Map<number, string>;
}

/** What has come of one of its outputs. */
export interface Output {
  /** The text, as far as it was kept. */
  text: string;
  /** How many bytes there were. */
  count: number;
  /** Whether it has ended. */
  isDone: boolean;
  /** Told of each text that comes. */
  onText: (text: string) => void;
}

/**
 * Starts a program over pipes, in a group of its own, which ends with it.
 *
 * @throws {StartError} If it cannot be started.
 */
export function startProgram([name = "", ...args]: string[]): Program {
  // What runs at a terminal has a session of its own, and is not in the group that ends as one.
  const mark = crypto.randomUUID();
  const resources = new AsyncDisposableStack();
  const family = new Map<number, string>();
  // What has left its environment as well is found by who started it.
  resources.use(onEnd(() => {
    endAllWith(`WHY_TRIAL=${mark}`);
    endAll(family);
  }));
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
  let child: Deno.ChildProcess;
  try {
    child = resources.use(startChild(command, { name }));
  } catch (error) {
    // Not awaited: nothing has begun that takes time to end.
    resources.disposeAsync();
    throw error;
  }
  const stdin = child.stdin.getWriter();
  // What nobody has read of the question is given up.
  resources.defer(() => stdin.abort().catch(() => {}));
  const program: Program = {
    pid: child.pid,
    links: ownPipes().difference(others),
    family,
    stdin,
    stdout: collect(child.stdout, child.status, resources),
    stderr: collect(child.stderr, child.status, resources),
    isAsked: false,
    isAtTerminal: name === "script",
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
  child.status.then((status) => {
    program.status = status;
    if (!program.isAsked) program.left = observeHolders(program.links);
  });
  return program;
}

/** Whether it has exited, and all that it wrote has come. */
export function hasEnded({ status, stdout, stderr }: Program): boolean {
  return status !== undefined && stdout.isDone && stderr.isDone;
}

/** Whether it writes more than anybody waits for. */
export function isFlooding({ stdout, stderr }: Program): boolean {
  return Math.max(stdout.text.length, stderr.count) >= FLOOD;
}

/** A number that grows while it does anything. */
export function progressOf({ pid, family, stdout, stderr }: Program): number {
  return activityOf(pid, family) + stdout.text.length + stderr.count;
}

/** Waits until nothing has moved for some seconds, or it is over. */
export function untilRest(program: Program, seconds: number, isOver: () => boolean): Promise<void> {
  // A slow start has time, but one that never comes to rest is not waited for.
  const latest = performance.now() + seconds * 5_000;
  const isLate = () => performance.now() > latest;
  return untilStill(() => progressOf(program), seconds, () => isOver() || isLate());
}

/** Waits until the terminal of a program echoes no more: that line is none of the program. */
export async function untilReady(program: Program): Promise<void> {
  const { stdout } = program;
  const isReady = () => stdout.text.includes(`${READY}\r\n`) || hasEnded(program);
  for (const start = performance.now(); !isReady() && performance.now() - start < 5000;) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  stdout.text = stdout.text.replace(`${READY}\r\n`, "");
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
