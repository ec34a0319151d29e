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

/** How many columns the terminal has; 80 where stdout is none. */
export function columns(): number {
  return Deno.stdout.isTerminal() ? Deno.consoleSize().columns : 80;
}

/** Breaks a text between words where it does not fit the terminal; further lines begin as far in as
 * the first. */
export function fold(text: string): string {
  if (!Deno.stdout.isTerminal()) return text;
  const [indent = ""] = /^ */.exec(text) ?? [];
  let folded = "";
  let room = 0;
  for (const word of text.trim().split(" ")) {
    if (word.length >= room) {
      folded += `${folded && "\n"}${indent}${word}`;
      room = columns() - indent.length - word.length;
    } else {
      folded += ` ${word}`;
      room -= word.length + 1;
    }
  }
  return folded;
}
