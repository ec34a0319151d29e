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
 * In Deno, where a JsonRpcPeer (lib/json_rpc.ts) gives out the ids, and keeps the promises by them:
 *
 *     const peer = new JsonRpcPeer({ readable: child.stdout, writable: child.stdin });
 *     console.log(await Promise.all([peer.request("ping"), peer.request("ping")]));
 *     await peer.close();
 *
 *     deno run --allow-run scripts/rpc.ts
 *     echo ping | deno run --allow-run=npx scripts/rpc.ts npx SERVER
 *
 * @module
 */
import { type Call, callsAboutAFile, lines, readCalls, rows } from "../lib/call.ts";
import { startChild } from "../lib/child.ts";
import { JsonRpcError } from "../lib/json_rpc.ts";
import { parseOptions, seconds, word } from "../lib/options.ts";
import { ReportingPeer } from "../lib/reporting_peer.ts";
import { Failure, print } from "../lib/script.ts";

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
const view = isDemo ? rows : lines;

// "piped" twice: one pipe into the child's stdin, one out of its stdout.
const command = new Deno.Command(program, {
  args,
  stdin: "piped",
  stdout: "piped",
  stderr: isDemo ? "null" : "inherit",
  detached: true, // A group of its own, so that what the child started ends with it.
});
await using child = startChild(command, { name });
// A JsonRpcPeer whose errors tell a person what to do.
const peer = new ReportingPeer(child, {
  name,
  timeout,
  framing: isDemo ? "content-length" : framing,
  advice: "is --framing right? Must something else be asked first?",
  command: operands,
  // The other side sends these when it likes, also between a question and its answer.
  onNotification: (method, params) => print(view.notification(method, params)),
});

const diagnosed = peer.notification("textDocument/publishDiagnostics");
const questions = isDemo ? callsAboutAFile(diagnosed, timeout) : peer.stdinLines();
const open: Promise<void>[] = [];
let [asked, answered, isInOrder] = [0, 0, true];
for await (const call of readCalls(questions)) {
  if (call === undefined) await Promise.all(open.splice(0)); // An empty line.
  else if (call.isNotification) await peer.notify(call.method, call.params);
  else {
    const answer = ask(call); // Not awaited: the next question goes out at once.
    answer.catch(() => {}); // If it fails, Promise.all() says so.
    open.push(answer);
  }
}
await Promise.all(open);
if (isDemo && isInOrder) throw new Failure("all answers came in order");
// Our end of file is the other side's sign to exit.
await peer.end();

/** Prints the answer when it comes, which may be long after the next question went out. */
async function ask({ method, params }: Call) {
  const [number, start] = [++asked, performance.now()];
  if (isDemo) await print(`${number} → ${method}`);
  const answer = await peer.request(method, params).catch((error) => {
    if (error instanceof JsonRpcError) return error; // It is an answer, too.
    throw error;
  });
  if (number !== ++answered) isInOrder = false;
  await print(view.answer({ number, method, start, answer }));
}
