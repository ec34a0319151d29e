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
 *     future = futures[1] = Future()
 *     child.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n'); child.stdin.flush()
 *     print(future.result())
 *
 * In Deno, where a JsonRpcPeer (lib/json_rpc.ts) gives out the ids, and keeps the promises by them:
 *
 *     const peer = new JsonRpcPeer({ readable: child.stdout, writable: child.stdin });
 *     console.log(await Promise.all([peer.request("ping"), peer.request("ping")]));
 *     await peer.close();
 *
 *     deno run --allow-run scripts/rpc.ts
 *     echo ping | deno run --allow-run scripts/rpc.ts npx SERVER
 *
 * @module
 */
import { askWhatIsTyped } from "../lib/script/call.ts";
import { startChild } from "../lib/child.ts";
import { answerRow, notificationLine } from "../lib/script/message.ts";
import { parseOptions, seconds, word } from "../lib/script/options.ts";
import { ReportingPeer } from "../lib/script/reporting_peer.ts";
import { Failure, print } from "../lib/script/script.ts";

const { options: { framing, timeout }, operands } = parseOptions({
  shows: `Asks PROGRAM in JSON-RPC, without waiting for an answer before it asks again.
Each line of stdin is METHOD [PARAMS], PARAMS in JSON; with ! before it, it is a
notification, which has no answer. An empty line waits for all answers so far.
Without PROGRAM: deno lsp, and a few questions about a small file.`,
  operands: "[PROGRAM [ARG…]]",
  maximumOperands: Infinity,
  example: "rpc.ts",
}, {
  framing: word(["lines", "content-length"], "PROGRAM's: lines (MCP), content-length (LSP)"),
  timeout: seconds(10, "how long to wait for each answer, and for the end", 0.001),
});
const isDemo = operands.length === 0;
const [program = "", ...args] = isDemo ? [Deno.execPath(), "lsp", "-q"] : operands;

const command = new Deno.Command(program, {
  args,
  stdin: "piped", // One pipe for our questions,
  stdout: "piped", // and one for the answers.
  detached: true, // A group, which ends as one; where --allow-run has a list, only the child.
});
await using child = startChild(command);
// A JsonRpcPeer for a person. It adds answer(), notification() and end(): close(), then the exit.
const peer = new ReportingPeer(child, {
  name: operands[0] ?? "deno lsp",
  timeout,
  framing: isDemo ? "content-length" : framing,
  advice: "see whether --framing is right, and what must be asked first",
  command: operands,
  // The other side sends these when it likes, also between a question and its answer.
  onNotification: (method, params) =>
    print(isDemo ? `  ← ${method}` : notificationLine(method, params)),
});
let asked = 0;
const order: number[] = [];
await (isDemo ? askAboutAFile() : askWhatIsTyped(peer));
// Our end of file is the other side's sign to exit.
await peer.end();

async function askAboutAFile() {
  const text = "/** A greeting. */\nconst hello:string = 5\n";
  const textDocument = { uri: "file:///hello.ts", languageId: "typescript", version: 1, text };
  const options = { tabSize: 2, insertSpaces: true };
  const about = { textDocument, position: { line: 1, character: 6 }, options };
  // Without `enable` it looks into no file: a hover is null, and nothing is slow.
  await ask("initialize", { capabilities: {}, initializationOptions: { enable: true } });
  await peer.notify("initialized", {});
  const diagnosed = peer.notification("textDocument/publishDiagnostics");
  await peer.notify("textDocument/didOpen", about);
  // Four open at once; `about` has what any of them needs. The first waits for the compiler.
  const methods = ["hover", "documentSymbol", "formatting"].map((what) => `textDocument/${what}`);
  await Promise.all([...methods, "no/such/method"].map((method) => ask(method, about)));
  if (order.join() === order.toSorted().join()) throw new Failure("all answers came in order");
  await print(`  asked 1 2 3 4 5, answered ${order.join(" ")}: each by its id`);
  await diagnosed;
  await ask("shutdown");
  await peer.notify("exit");
}

/** Prints the answer when it comes, which may be long after the next question went out. */
async function ask(method: string, params?: unknown) {
  const [number, start] = [++asked, performance.now()];
  await print(`${number} → ${method}`);
  const answer = await peer.answer(method, params);
  order.push(number);
  await print(answerRow(number, method, performance.now() - start, answer));
}
