/**
 * What the trials of a program have shown.
 *
 * @module
 */
import { compact, readable } from "./answer.ts";
import type { Trial } from "./trial.ts";

/** What has been tried with a program. */
export interface Evidence {
  /** Over pipes. */
  piped: Trial;
  /** At a terminal, if that was tried. */
  terminal?: Trial | undefined;
  /** The first cure that made it answer. */
  cured?: Trial | undefined;
  /** The first way to make it interactive that made it answer. */
  interactive?: Trial | undefined;
  /** With its stdout at a terminal, and its stdin a pipe. */
  output?: Trial | undefined;
  /** Over pipes, without PYTHONUNBUFFERED, if that is set. */
  unset?: Trial | undefined;
  /** At a terminal, asked as soon as that was ready. */
  pasted?: Trial | undefined;
  /** Over pipes, asked many times at once. */
  many?: Trial | undefined;
  /** With an empty stdin that is no pipe. */
  unfed?: Trial | undefined;
  /** Asked in JSON-RPC, if it answered that. */
  rpc?: { framing: string; trial: Trial };
  /** Whether it was not to be started again. */
  isOnce?: boolean;
  /** What it wrote at a terminal, unasked, and not over pipes, if it did. */
  missing?: string;
}

/** What it wrote at a terminal, unasked, and not over pipes: the last of it that says something. */
export function missingOverPipes({ piped, terminal }: Evidence, question: string): string {
  // What it writes before it exits is in no buffer then.
  if (terminal === undefined || terminal.status || terminal.milliseconds !== undefined) return "";
  const { before, answer, errorText, atEnd = "" } = piped;
  const seen = compact(before + answer + errorText + (piped.status ? atEnd : ""));
  const lines = readable(terminal.before + terminal.answer).split("\n").map((line) => line.trim());
  return lines.findLast((line) =>
    line !== "" && !seen.includes(compact(line)) && (question === "" || !line.includes(question))
  ) ?? "";
}
