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
import { parseCall } from "../lib/call.ts";
import { describeStatus, startChild } from "../lib/child.ts";
import { ConnectionClosedError, JsonRpcError, JsonRpcPeer } from "../lib/json_rpc.ts";
import { parseOptions, seconds, text, UsageError } from "../lib/options.ts";
import { Failure, print, stdinLines } from "../lib/script.ts";
import { quote, Unasked } from "../lib/silence.ts";
import { strong } from "../lib/terminal.ts";
import { within } from "../lib/within.ts";

const { options: { framing, timeout }, operands } = parseOptions({
  shows: `Asks PROGRAM in JSON-RPC, without waiting for one answer before the next question.
Each line of stdin is METHOD [PARAMS], PARAMS in JSON; with ! before it, it is a
notification, which has no answer. An empty line waits for all answers so far.
Without PROGRAM: deno lsp, and a few questions about a small file.`,
  operands: "[PROGRAM [ARG…]]",
  maximumOperands: Infinity,
  example: "rpc.ts --framing content-length deno lsp < /dev/null",
}, {
  framing: text("lines", "lines (as in MCP), or content-length (as in LSP)"),
  timeout: seconds(10, "how long to wait for each answer, and for the end", 0.001),
});
if (framing !== "lines" && framing !== "content-length") {
  throw new UsageError(`--framing takes lines or content-length; got ${quote(framing)}`);
}
const isDemo = operands.length === 0;
const [program = "", ...args] = isDemo ? [Deno.execPath(), "lsp"] : operands;
const name = isDemo ? "deno lsp" : program;
const command = new Deno.Command(program, {
  args,
  stdin: "piped",
  stdout: "piped",
  // What deno lsp logs there.
  stderr: isDemo ? "null" : "inherit",
  detached: true,
});
await using child = startChild(command, name);
const unasked = new Unasked(name, timeout);
const diagnosed = Promise.withResolvers<true>();
const peer = new JsonRpcPeer({ readable: child.stdout, writable: child.stdin }, {
  framing: isDemo ? "content-length" : framing,
  until: child.status,
  onNoise: (line) => unasked.report(line),
  onNotification: (method, params) => {
    print(`! ${method} ${short(params)}`);
    if (method === "textDocument/publishDiagnostics") diagnosed.resolve(true);
  },
});
const over = new AbortController();
peer.closed.then(() => over.abort(null), (error) => over.abort(error));
const answers: Promise<void>[] = [];
const order: number[] = [];
let [asked, exitCode] = [0, 0];

try {
  for await (const line of isDemo ? examples() : stdinLines(over.signal)) await send(line);
} catch (error) {
  // Its exit may be in order: that its status tells, and what it has left unanswered.
  if (error !== null) await explain(error);
}
await Promise.all(answers).catch(explain);
if (isDemo && order.every((n, at) => n === at)) throw new Failure("the answers came in order");
// Our end of file is the other side's sign to exit.
const status = await within(timeout, peer.close().then(() => child.status));
if (!status) throw new Failure(`${name} did not exit within ${timeout} s of its end of file`, 124);
if (!status.success) throw new Failure(`${name} ${describeStatus(status)}`, status.code);
if (exitCode !== 0) throw new Failure("", exitCode);

async function* examples() {
  const uri = "file:///example.ts";
  const code = '/** A greeting. */\nconst hello: number = "how are you";\n';
  const textDocument = { uri, languageId: "typescript", version: 1, text: code };
  const position = { line: 1, character: 6 };
  const about = JSON.stringify({ textDocument: { uri }, position, options: { tabSize: 2 } });
  yield* ['initialize {"capabilities": {}, "initializationOptions": {"enable": true}}', ""];
  yield* ["!initialized {}", `!textDocument/didOpen ${JSON.stringify({ textDocument })}`];
  // The first needs the compiler; these do not have to wait for it.
  yield* ["hover", "documentSymbol", "formatting"].map((what) => `textDocument/${what} ${about}`);
  yield* ["no/such/method", ""];
  if (!await within(timeout, diagnosed.promise)) throw new Failure("no diagnostics came", 124);
  yield* ["shutdown", "", "!exit"];
}

async function send(line: string) {
  if (line.trim() === "") return void await Promise.all(answers.splice(0));
  try {
    const { method, params, isNotification } = parseCall(line);
    if (isNotification) return await peer.notify(method, params);
    const answer = ask(method, params);
    answer.catch((error) => over.abort(error));
    answers.push(answer);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`rpc: ${error.message}`);
    exitCode = error.exitCode;
  }
}

/** Prints the answer when it comes, which may be long after the next question went out. */
async function ask(method: string, params: unknown) {
  if (isDemo) await print(`${strong(`${method}?`)} ${short(params)}`);
  const [number, start] = [asked++, performance.now()];
  const answer = peer.request(method, params).then(short, (error) => {
    if (!(error instanceof JsonRpcError)) throw error;
    return `error ${error.code}: ${quote(error.message)}`;
  });
  // Look twice: if this process was stopped, the answer is still in the pipe.
  const text = await within(timeout, answer) ?? await within(0.1, answer);
  if (text === undefined) {
    const hint = "is --framing right? Must something else be asked first?";
    throw new Failure(`no answer from ${name} to ${method} within ${timeout} s; ${hint}`, 124);
  }
  order.push(number);
  const took = isDemo ? ` (after ${(performance.now() - start).toFixed()} ms)` : "";
  await print(`${strong(method)} → ${text}${took}`);
}

/** Adds what became of the child. */
async function explain(error: unknown) {
  if (!(error instanceof ConnectionClosedError)) throw error;
  const status = await within(timeout, child.status);
  const end = status === undefined ? "still runs" : describeStatus(status);
  throw new Failure(`${error.message}; ${name} ${end}`, status?.code || 1);
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return isDemo && text.length > 72 ? `${text.slice(0, 72)}…` : text;
}
