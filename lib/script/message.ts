/**
 * Messages in JSON-RPC, as a person reads them.
 *
 * @module
 */
import { escapeControls, quote } from "./format.ts";
import { JsonRpcError } from "../json_rpc.ts";
import { columns } from "./terminal.ts";

/** A notification of the other side, whole, in one line. */
export function notificationLine(method: string, params: unknown): string {
  return escapeControls(`! ${method} ${JSON.stringify(params) ?? ""}`.trimEnd());
}

/** An answer, whole, in one line. */
export function answerLine(method: string, answer: unknown): string {
  return escapeControls(`${method} → ${textOf(answer)}`);
}

/** An answer, as a row: to which question, after how many milliseconds, and how it begins. */
export function answerRow(
  number: number,
  method: string,
  milliseconds: number,
  answer: unknown,
): string {
  const took = `${milliseconds.toFixed()} ms`.padStart(36 - method.length);
  const row = escapeControls(`${number} ← ${method}${took}  ${textOf(answer)}`);
  return row.length > columns() ? `${row.slice(0, columns() - 1)}…` : row;
}

function textOf(answer: unknown): string {
  return answer instanceof JsonRpcError
    ? `error ${answer.code}: ${quote(answer.message)}`
    : JSON.stringify(answer);
}

/** An error that a request was answered with is an answer, too. */
export function answerOf(error: unknown): JsonRpcError {
  if (error instanceof JsonRpcError) return error;
  throw error;
}
