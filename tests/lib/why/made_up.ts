/**
 * Trials of a program, made up.
 *
 * @module
 */
import type { Trial } from "../../../lib/why/trial.ts";

/** A trial in which the program has read the question and said nothing. */
export const silent: Trial = {
  command: ["./program"],
  name: "program",
  startup: 0,
  before: "",
  answer: "",
  complaint: "",
  errors: 0,
  lastError: "",
  errorText: "",
  doing: "waits to read stdin",
  unread: 0,
  atEnd: "",
};
/** One in which it answered. */
export const answered: Trial = { ...silent, answer: "yes\n", milliseconds: 3 };
