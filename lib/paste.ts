/**
 * Commands to paste into a shell.
 *
 * @module
 */

/** The command that runs another at a terminal, which does not echo what is sent. */
export function atTerminal(command: string[]): string[] {
  const line = paste(command);
  return Deno.build.os === "linux"
    ? ["script", "-qec", `stty -echo; ${line}`, "/dev/null"]
    : ["script", "-q", "/dev/null", "sh", "-c", `stty -echo; ${line}`];
}

/** A command as one types it into a shell. */
export function paste(command: readonly string[]): string {
  return command.map((word) =>
    /^[\w%+,./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
  ).join(" ");
}

/** The end of a message that a program does not answer: how to find out why. `question` is a line
 * to ask it, if not any. */
export function seeWhy(command: readonly string[], question?: string): string {
  if (command.length === 0) return "";
  const words = question === undefined ? command : ["--question", question, ...command];
  return `; why: deno run -A scripts/why.ts ${paste(words)}`;
}
