/**
 * A dialogue with many questions open at once, told apart by their ids: JSON-RPC, which language
 * servers and servers of the Model Context Protocol speak.
 *
 * In Python, a dict of futures by id, and a thread that reads:
 *
 *     def read():
 *         for line in child.stdout:
 *             answer = json.loads(line)
 *             futures.pop(answer["id"]).set_result(answer["result"])
 *     Thread(target=read).start()
 *     futures[1] = Future()
 *     child.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
 *     child.stdin.flush()
 *     print(futures[1].result())
 *
 *     deno run --allow-run scripts/rpc.ts
 *     echo ping | deno run --allow-run=npx scripts/rpc.ts npx SERVER
 *
 * @module
 */
import { type Call, callsAboutAFile, readCalls } from "../lib/call.ts";
import { describeStatus, startChild } from "../lib/child.ts";
import { seeWhy } from "../lib/cures.ts";
import { ConnectionClosedError, FramingError, JsonRpcError, JsonRpcPeer } from "../lib/json_rpc.ts";
import { parseOptions, seconds, word } from "../lib/options.ts";
import { escapeControls, Failure, print, quote, stdinLines } from "../lib/script.ts";
import { Unasked } from "../lib/unasked.ts";
import { within } from "../lib/within.ts";

const { options: { framing, timeout }, operands } = parseOptions({
  shows: `Asks PROGRAM in JSON-RPC, without waiting for an answer before the next question.
Each line of stdin is METHOD [PARAMS], PARAMS in JSON; with ! before it, it is a
notification, which has no answer. An empty line waits for all answers so far.
Without PROGRAM: deno lsp, and a few questions about a small file.`,
  operands: "[PROGRAM [ARG…]]",
  maximumOperands: Infinity,
  example: "rpc.ts --framing content-length deno lsp < /dev/null",
}, {
  framing: word(["lines", "content-length"], "lines as in MCP, content-length as in LSP"),
  timeout: seconds(10, "how long to wait for each answer, and for the end", 0.001),
});

const isDemo = operands.length === 0;
const [program = "", ...args] = isDemo ? [Deno.execPath(), "lsp"] : operands;
const name = isDemo ? "deno lsp" : program;
const stderr = isDemo ? "null" : "inherit";
const pipes = { stdin: "piped", stdout: "piped", stderr, detached: true } as const;
await using child = startChild(new Deno.Command(program, { args, ...pipes }), { name });
const unasked = new Unasked(name, timeout);
const diagnosed = Promise.withResolvers<true>();
const peer = new JsonRpcPeer({ readable: child.stdout, writable: child.stdin }, {
  framing: isDemo ? "content-length" : framing,
  until: child.status,
  onNoise: (text) => unasked.report(text),
  onNotification: (method, params) => {
    const line = isDemo ? `  ← ${method}` : `! ${method} ${JSON.stringify(params) ?? ""}`.trimEnd();
    print(escapeControls(line));
    if (method === "textDocument/publishDiagnostics") diagnosed.resolve(true);
  },
});

// Nobody needs another question when one has failed, or the program has closed its end.
const over = new AbortController();
const stop = () => over.abort();
peer.closed.then(stop, stop);
const answers: Promise<void>[] = [];
const order: number[] = [];
let asked = 0;
const lines = isDemo ? callsAboutAFile(diagnosed.promise, timeout) : stdinLines(over.signal, name);
for await (const call of readCalls(lines)) {
  if (call === undefined) await Promise.all(answers.splice(0)); // An empty line.
  else if (call.isNotification) await peer.notify(call.method, call.params).catch(explain);
  else answers.push(ask(call));
  answers.at(-1)?.catch(stop);
}
await Promise.all(answers);
if (isDemo && order.every((n, at) => n === at + 1)) throw new Failure("all answers came in order");
// Our end of file is the other side's sign to exit.
const ends = Promise.all([child.status, peer.close(), peer.closed]);
const [status] = await within(timeout, ends) ?? [];
if (!status) throw new Failure(`${name} did not exit within ${timeout} s of its end of file`, 124);
if (!status.success) throw new Failure(`${name} ${describeStatus(status)}`, status.code);

/** Prints the answer when it comes, which may be long after the next question went out. */
async function ask({ method, params }: Call) {
  const [number, start] = [++asked, performance.now()];
  if (isDemo) await print(`${number} → ${method}`);
  const answer = peer.request(method, params).then((result = null) => result);
  const result = await within(timeout, answer).catch(explain);
  if (result === undefined) {
    const hint = `is --framing right? Must something else be asked first?${seeWhy(operands)}`;
    throw new Failure(`no answer from ${name} to ${method} within ${timeout} s; ${hint}`, 124);
  }
  order.push(number);
  const text = result instanceof JsonRpcError
    ? `error ${result.code}: ${quote(result.message)}`
    : JSON.stringify(result);
  const took = `${(performance.now() - start).toFixed()} ms`.padStart(36 - method.length);
  const line = `${number} ← ${method}${took}  ${text.slice(0, 56)}`;
  await print(escapeControls(isDemo ? line : `${method} → ${text}`));
}

/** An error may be an answer. If the program has closed its end, its status tells why. */
async function explain(error: unknown): Promise<JsonRpcError> {
  if (error instanceof JsonRpcError) return error;
  if (!(error instanceof ConnectionClosedError) || error instanceof FramingError) throw error;
  await within(timeout, peer.closed); // Throws if something else has ended the connection.
  const status = await within(timeout, child.status);
  const how = status ? describeStatus(status) : "has not exited";
  throw new Failure(`${error.message}; ${name} ${how}`, status?.code || 1);
}
