/**
 * Commands to paste into a shell.
 *
 * @module
 */

import { escapeControls } from "./format.ts";

/** The line that says that a terminal echoes no more: what is written there before it is echoed. */
export const READY = "ready";

/**
 * The command that runs another at a terminal, which does not echo what is sent once its first
 * line, {@linkcode READY}, has come. What that command writes to stderr comes on stdout as well.
 *
 * @param isPiped Whether the stdin of that is a pipe nevertheless.
 */
export function atTerminal(command: string[], isPiped = false): string[] {
  const line = `stty -echo; echo ${READY}; ${isPiped ? "cat | " : "exec "}${
    command.map(quoted).join(" ")
  }`;
  return Deno.build.os === "linux"
    ? ["script", "-qec", line, "/dev/null"]
    : ["script", "-q", "/dev/null", "sh", "-c", line];
}

/** A command as one types it into a shell, in one line: bash, zsh and ksh know `$'\n'`. */
export function paste(command: readonly string[]): string {
  return command.map((word) => {
    if (!/[\p{Cc}\p{Cf}]/u.test(word)) return quoted(word);
    return `$'${escapeControls(word.replaceAll(/[\\']/g, "\\$&"))}'`;
  }).join(" ");
}

function quoted(word: string): string {
  return /^[\w%+,./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The end of a message that a program does not answer: how to find out why. `question` is a line
 * to ask it, if not any. */
export function seeWhy(command: readonly string[], question?: string): string {
  if (command.length === 0) return "";
  const words = question === undefined ? command : ["--question", question, ...command];
  return `; why: deno run -A scripts/why.ts ${paste(words)}`;
}
