import { JsonRpcError } from "./json_rpc.ts";
import { escapeControls, quote } from "./format.ts";

/** A question that has its answer. */
export interface Answered {
  /** Which it was, from 1. */
  number: number;
  /** The method that was called. */
  method: string;
  /** When it was asked, as of `performance.now()`. */
  start: number;
  /** The result, or the error. */
  answer: unknown;
}

/** How a dialogue in JSON-RPC is shown. */
export interface CallView {
  /** An answer, as a line. */
  answer(answered: Answered): string;
  /** A notification of the other side, as a line. */
  notification(method: string, params: unknown): string;
}

/** All that comes, each in one line. */
export const lines: CallView = {
  answer: ({ method, answer }) => escapeControls(`${method} → ${textOf(answer)}`),
  notification: (method, params) =>
    escapeControls(`! ${method} ${JSON.stringify(params) ?? ""}`.trimEnd()),
};

/** For a demonstration: what belongs to which question, after how long, and how it begins. */
export const rows: CallView = {
  answer({ number, method, start, answer }) {
    const took = `${(performance.now() - start).toFixed()} ms`.padStart(36 - method.length);
    return escapeControls(`${number} ← ${method}${took}  ${textOf(answer).slice(0, 56)}`);
  },
  notification: (method) => escapeControls(`  ← ${method}`),
};

function textOf(answer: unknown): string {
  return answer instanceof JsonRpcError
    ? `error ${answer.code}: ${quote(answer.message)}`
    : JSON.stringify(answer);
}
