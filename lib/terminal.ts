/**
 * What stands out at a terminal, where it can.
 *
 * @module
 */
import { onEnd } from "./child.ts";
import { scriptName } from "./failure.ts";
import { LineReader } from "./line_reader.ts";

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

/** Where a child's stderr goes: at a terminal through {@linkcode markStderr}, else past this
 * script. */
export const childStderr: "piped" | "inherit" = Deno.stderr.isTerminal() ? "piped" : "inherit";

/**
 * Shows what a child writes to a piped stderr apart from what the script writes itself.
 *
 * @returns Its disposal waits until all has been shown, and takes place where the script ends
 * early.
 */
export function markStderr(child: Deno.ChildProcess, name: string): AsyncDisposable {
  const show = async () => {
    if (childStderr === "inherit") return;
    for await (const line of new LineReader(child.stderr, { until: child.status })) {
      console.error(faint(`${name}: ${line}`));
    }
  };
  const shown = show().catch((error) => {
    console.error(`${scriptName}: cannot read the stderr of ${name}: ${error.message}`);
  });
  return onEnd(() => shown);
}
