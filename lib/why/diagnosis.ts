/**
 * The diagnosis of a program that does not answer over pipes.
 *
 * @module
 */
import { StartError } from "../child.ts";
import { conclude, type Outcome } from "./outcomes.ts";
import { interactiveCommands, UNBUFFERED, unbufferedCommands } from "./remedies.ts";
import { isUnclear, type Trial, trialInWords, tryCommand } from "./trial.ts";
import { escapeControls } from "../script/format.ts";
import { atTerminal, paste } from "../script/paste.ts";
import { mayLook } from "./proc.ts";
import { fold, strong } from "../script/terminal.ts";

/**
 * Starts a program as often as there is something to try, and tells what comes of each trial.
 *
 * @param tell Takes a line for a person.
 * @param timeout Seconds in which nothing must move before it counts as no answer.
 * @throws {StartError} If it cannot be started.
 */
export async function diagnose(
  command: string[],
  question: string,
  timeout: number,
  tell: (line: string) => Promise<void>,
): Promise<Outcome> {
  const attempt = async (command: string[], first?: Trial) => {
    await tell(strong(escapeControls(paste(command))));
    const trial = await tryCommand(command, question, timeout, first);
    await tell(fold(`  ${escapeControls(trialInWords(trial, question, timeout))}`));
    return trial;
  };
  /** Tries a command that may not be installed. */
  const attemptAlso = async (command: string[]): Promise<Trial | undefined> => {
    try {
      return await attempt(command, piped);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      await tell(`  skipped: ${error.message}`);
    }
  };
  const piped = await attempt(command);
  if (!mayLook()) await tell("  what it waits for cannot be seen: that takes Linux, and -A");
  const terminal = isUnclear(piped) ? await attemptAlso(atTerminal(command)) : undefined;
  // Whoever has an answer, but for a terminal alone, or at end of file alone, may hold it back in a
  // buffer.
  const isLate = (piped.atEnd ?? "") !== "" || terminal !== undefined && !isUnclear(terminal);
  const mayBuffer = isLate && isUnclear(piped) && piped.status === undefined;
  const firstThatAnswers = async (commands: string[][]) => {
    for (const command of mayBuffer ? commands : []) {
      const trial = await attemptAlso(command);
      if (trial !== undefined && !isUnclear(trial)) return trial;
    }
  };
  const cured = await firstThatAnswers(unbufferedCommands(piped));
  // A terminal may have made it interactive, or made it write each line at once.
  const isOpen = cured === undefined && (terminal === undefined || !isUnclear(terminal));
  const interactive = isOpen ? await firstThatAnswers(interactiveCommands(piped)) : undefined;
  const output = isOpen && terminal !== undefined && interactive === undefined
    ? await firstThatAnswers([atTerminal(command, true)])
    : undefined;
  // It answers here, where the variable is set. Where it hangs that may not be.
  const isPython = [piped.name, ...command].some((word) => /python|pypy/.test(word));
  const isSet = mayLook() && (Deno.env.get(UNBUFFERED) ?? "") !== "";
  const unset = isPython && isSet && piped.milliseconds !== undefined
    ? await attemptAlso(["env", "-u", UNBUFFERED, ...command])
    : undefined;
  return conclude({ piped, terminal, cured, interactive, output, unset });
}
