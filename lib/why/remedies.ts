/**
 * Other ways to start a program that does not answer over pipes.
 *
 * @module
 */
import { interactiveWordsFor, wordsFor } from "../script/cures.ts";

/** What makes Python write at once, wherever it is set. */
export const UNBUFFERED = "PYTHONUNBUFFERED";

/** A command, and what the process is called that runs it. */
export interface Named {
  /** Its words. */
  command: string[];
  /** The name of the process. */
  name: string;
}

/** The commands that may make a program write each line at once over pipes, the simplest first. */
export function unbufferedCommands(program: Named): string[][] {
  const { command, name } = program;
  const isPython = nameAt(program) < 0 && name.startsWith("python");
  return [
    ...withWords(program, wordsFor(name)),
    ...(isPython ? [["env", `${UNBUFFERED}=1`, ...command]] : []),
    // By the line; and at once, for what shows prompts without a newline.
    ...(command[0] === "stdbuf" ? [] : ["-oL", "-o0"].map((how) => ["stdbuf", how, ...command])),
  ];
}

/** The command that may make an interpreter answer each line, instead of reading a program. */
export function interactiveCommands(program: Named): string[][] {
  const words = program.command.slice(nameAt(program) + 1);
  return withWords(program, interactiveWordsFor(program.name, words));
}

/** The command with words after its name, which may follow that of another: nice, env, stdbuf. */
function withWords(program: Named, words: string[]): string[][] {
  const at = nameAt(program);
  return at < 0 || words.length === 0 ? [] : [program.command.toSpliced(at + 1, 0, ...words)];
}

function nameAt({ command, name }: Named): number {
  return command.findIndex((word) => word.replace(/.*\//, "") === name);
}
