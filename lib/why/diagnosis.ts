/**
 * The diagnosis of a program that does not answer over pipes.
 *
 * @module
 */
import { StartError } from "../child.ts";
import { questionFor } from "../script/cures.ts";
import { escapeControls } from "../script/format.ts";
import { atTerminal, paste } from "../script/paste.ts";
import { fold, strong } from "../script/terminal.ts";
import { readable } from "./answer.ts";
import { type Evidence, missingOverPipes } from "./evidence.ts";
import { conclude, type Outcome } from "./outcomes.ts";
import { mayLook } from "./proc.ts";
import { interactiveCommands, UNBUFFERED, unbufferedCommands } from "./remedies.ts";
import { FRAMINGS, isRpcAnswer, rpcRequest } from "./rpc.ts";
import { isUnclear, type Manner, type Trial, trialInWords, tryCommand } from "./trial.ts";

/** What is told of a program, and how. */
export interface Options {
  /** What it is asked; without it, what it is known to answer, or `question`. */
  question?: string | undefined;
  /** Seconds in which nothing must move before it counts as no answer. */
  timeout: number;
  /** Whether it is started once alone: it may delete, send or pay. */
  isOnce?: boolean;
  /** Takes a line for a person. */
  tell: (line: string) => Promise<void>;
}

/**
 * Starts a program as often as there is something to try, and tells what comes of each trial.
 *
 * @throws {StartError} If it cannot be started.
 */
export async function diagnose(command: string[], options: Options): Promise<Outcome> {
  const { question = questionFor(command) ?? "question", timeout, isOnce = false, tell } = options;
  const attempt = async (command: string[], manner: Partial<Manner> = {}, how = "") => {
    const full = { question, timeout, ...manner };
    const trial = await tryCommand(command, full);
    const left = trial.escaped ? [`left behind: ${trial.escaped}`] : [];
    const lines = [trialInWords(trial, full), ...left].map((line) =>
      fold(`  ${escapeControls(line)}`)
    );
    // In one: another trial may end at the same time.
    await tell([strong(escapeControls(paste(command))) + how, ...lines].join("\n"));
    return trial;
  };
  const piped = await attempt(command);
  if (!mayLook()) await tell("  what it waits for cannot be seen: that takes Linux, and -A");
  const evidence: Evidence = { piped };
  // It answers here, where the variable is set. Where it hangs that may not be.
  const isPython = [piped.name, ...command].some((word) => /python|pypy/.test(word));
  const isSet = mayLook() && (Deno.env.get(UNBUFFERED) ?? "") !== "";
  const mayBeUnset = isPython && isSet && piped.milliseconds !== undefined;
  if (!isUnclear(piped) && !mayBeUnset) return conclude(evidence);
  if (isOnce) return conclude({ ...evidence, isOnce });
  await tell("  It is started again for each further trial; with --once it is not.");

  /** Tries a command that may not be installed. */
  const attemptAlso = async (command: string[], manner: Partial<Manner> = {}, how?: string) => {
    try {
      return await attempt(command, { first: piped, ...manner }, how);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      await tell(`  skipped: ${error.message}`);
    }
  };
  if (mayBeUnset) {
    evidence.unset = await attemptAlso(["env", "-u", UNBUFFERED, ...command]);
    return conclude(evidence);
  }
  const terminal = evidence.terminal = await attemptAlso(atTerminal(command));
  // What it writes at a terminal alone may be in a buffer over pipes, whether it was asked or not.
  const missing = evidence.missing = missingOverPipes(evidence, question);
  const hasAnswered = terminal !== undefined && !isUnclear(terminal);
  const wanted = !hasAnswered && missing !== ""
    ? new RegExp(missing.split(/\d+/).map((part) => RegExp.escape(part)).join("\\d+"))
    : undefined;
  const unasked = readable(piped.before + (terminal?.before ?? "")).split("\n");
  const atOnce = { unasked: wanted ? [] : unasked, ...wanted && { wanted } };
  const isAtEnd = (piped.atEnd ?? "") !== "";
  const mayBuffer = piped.status === undefined && (isAtEnd || hasAnswered || missing !== "");
  const firstThatAnswers = async (commands: string[][]) => {
    const trials = await Promise.all(commands.map((words) => attemptAlso(words, atOnce)));
    return trials.find((trial) => trial !== undefined && !isUnclear(trial));
  };
  const mayWantMore = isAtEnd && piped.unread === 0 && !hasAnswered;
  const askedOften = async () => {
    const commands = mayWantMore ? [command, ["stdbuf", "-oL", ...command]] : [];
    const manner = { bytes: manyTimes(question) };
    const how = "   (asked 20 times at once)";
    const trials = await Promise.all(commands.map((words) => attemptAlso(words, manner, how)));
    return trials.find((trial) => trial !== undefined && !isUnclear(trial)) ?? trials[0];
  };
  // Nothing of these needs a terminal, or disturbs the others.
  const [cured, many] = await Promise.all([
    mayBuffer ? firstThatAnswers(unbufferedCommands(piped)) : undefined,
    askedOften(),
  ]);
  Object.assign(evidence, { cured, many });
  if (cured !== undefined || many !== undefined && !isUnclear(many)) return conclude(evidence);
  if (mayBuffer && (hasAnswered || missing !== "")) {
    // A terminal may have made it interactive, or made it write each line at once.
    evidence.interactive = await firstThatAnswers(interactiveCommands(piped));
    if (evidence.interactive === undefined && terminal !== undefined) {
      const [output, pasted] = await Promise.all([
        attemptAlso(atTerminal(command, true), wanted ? atOnce : {}),
        attemptAlso(atTerminal(command), atOnce),
      ]);
      Object.assign(evidence, {
        output: output && !isUnclear(output) ? output : undefined,
        pasted,
      });
    }
  } else if (hasAnswered) evidence.pasted = await attemptAlso(atTerminal(command), atOnce);
  if (terminal?.status && piped.status === undefined) {
    const line = `exec ${paste(command)} </dev/null`;
    evidence.unfed = await attemptAlso(["sh", "-c", line], { unasked: [] });
  }
  if (
    !isAtEnd && !hasAnswered && missing === "" && evidence.unfed === undefined && mayBeRpc(piped)
  ) {
    await Promise.all(FRAMINGS.map(async (framing) => {
      const manner = { bytes: rpcRequest(framing), unasked: [], wanted: isRpcAnswer };
      const trial = await attemptAlso(command, manner, `   (JSON-RPC, --framing ${framing})`);
      if (trial && !isUnclear(trial)) evidence.rpc = { framing, trial };
    }));
  }
  return conclude(evidence);
}

/** Whether it may be a server that speaks JSON-RPC: it has read the question and kept silent, or
 * its name or its complaint says so. */
function mayBeRpc({ command, status, before, unread, lastError }: Trial): boolean {
  if (command.some((word) => /lsp|language-?server|mcp|rpc/i.test(word))) return true;
  return status ? /content-length|json|header/i.test(lastError) : unread === 0 && before === "";
}

function manyTimes(question: string): Uint8Array {
  return new TextEncoder().encode(`${question}\n`.repeat(20));
}
