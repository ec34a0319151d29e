/**
 * What a person types to `rpc.ts`, and how it shows what comes back.
 *
 * @module
 */
import { Failure } from "./failure.ts";
import { escapeControls, quote } from "./format.ts";
import { JsonRpcError } from "./json_rpc.ts";
import { within } from "./within.ts";

/** What a person types to call a method of another program. */
export interface Call {
  /** Its name. */
  method: string;
  /** An array or an object; undefined if there are none. */
  params: unknown;
  /** Whether it is a notification, which has no answer. */
  isNotification: boolean;
}

/**
 * Reads `METHOD [PARAMS]`, with `!` before it for a notification; undefined if it is something
 * else, or PARAMS are no array or object in JSON.
 */
function parseCall(line: string): Call | undefined {
  const [, mark, method, json] = /^\s*(!?)\s*([^\s!]\S*)\s*(.*)$/.exec(line) ?? [];
  if (method === undefined) return undefined;
  try {
    const params = json ? JSON.parse(json) : undefined;
    if (typeof params === "object" ? params === null : params !== undefined) return undefined;
    return { method, params, isNotification: mark === "!" };
  } catch {
    return undefined;
  }
}

/** Reads calls, each a line; undefined for an empty line. A line that is no call is told and left out,
 * and the script then exits with 2. */
export async function* readCalls(lines: AsyncIterable<string>): AsyncGenerator<Call | undefined> {
  for await (const line of lines) {
    const call = parseCall(line);
    if (call !== undefined || line.trim() === "") yield call;
    else {
      console.error(`rpc: expected [!]METHOD [PARAMS], PARAMS in JSON; got ${quote(line)}`);
      Deno.exitCode = 2;
    }
  }
}

/**
 * The calls, as lines, that have a language server open a small file in memory and say what it knows
 * of it. Before the last of them it waits for the diagnostics.
 *
 * @param timeout Seconds that the diagnostics may take.
 * @throws {Failure} If they do not come in time.
 */
export async function* callsAboutAFile(
  diagnosed: Promise<true>,
  timeout: number,
): AsyncGenerator<string> {
  const uri = "file:///hello.ts";
  const text = '/** A greeting. */\nconst hello:number = "how are you"\n';
  const textDocument = { uri, languageId: "typescript", version: 1, text };
  const options = { tabSize: 2, insertSpaces: true };
  const about = JSON.stringify({ textDocument, position: { line: 1, character: 6 }, options });
  yield* ['initialize {"capabilities": {}, "initializationOptions": {"enable": true}}', ""];
  yield* ["!initialized {}", `!textDocument/didOpen ${about}`];
  // The first needs the compiler; the last, nothing.
  yield* ["hover", "documentSymbol", "formatting"].map((what) => `textDocument/${what} ${about}`);
  yield* ["no/such/method", ""];
  if (!await within(timeout, diagnosed)) throw new Failure("no diagnostics came", 124);
  yield* ["shutdown", "", "!exit"];
}

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
