/**
 * What stands out at a terminal, where it can.
 *
 * @module
 */

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
