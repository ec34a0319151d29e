import { seeWhy } from "./cures.ts";
import { NoAnswerError } from "./dialogue.ts";
import { Failure } from "./failure.ts";

/** For `catch()`: says with a {@linkcode NoAnswerError} what to do, and how to find out why. */
export function explainSilence(
  advice: string,
  command: readonly string[],
): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof NoAnswerError)) throw error;
    throw new Failure(`${error.message}; ${advice}${seeWhy(command)}`, error.exitCode);
  };
}
