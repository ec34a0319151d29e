/**
 * What stands out at a terminal, where it can.
 *
 * @module
 */
import { wrap } from "./format.ts";

/** Only at a terminal, and only where nobody has set NO_COLOR. */
const isColourful = Deno.stdout.isTerminal() && !Deno.noColor;

/** A text that stands out at a terminal, for what a line is about. */
export function strong(text: string): string {
  return isColourful ? `\x1b[1m${text}\x1b[22m` : text;
}

/** A text that warns at a terminal. */
export function red(text: string): string {
  return isColourful ? `\x1b[31m${text}\x1b[39m` : text;
}

/** A text that is dimmed at a terminal, for what a reader may skip. */
export function faint(text: string): string {
  return isColourful ? `\x1b[2m${text}\x1b[22m` : text;
}

/** How many columns the terminal has; 80 where stdout is none, or one that does not know. */
export function columns(): number {
  return Deno.stdout.isTerminal() && Deno.consoleSize().columns || 80;
}

/** Breaks a text between words where it does not fit the terminal; further lines begin as far in as
 * the first. */
export function fold(text: string): string {
  const [indent = ""] = /^ */.exec(text) ?? [];
  return Deno.stdout.isTerminal() ? wrap(text, columns(), indent) : text;
}
