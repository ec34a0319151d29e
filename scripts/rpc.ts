/**
 * Many questions open at once, told apart by their ids: JSON-RPC, which language servers and
 * servers of the Model Context Protocol speak. A lesson, and a tool for your own servers.
 *
 * In Python, a dict of futures by id, and a thread that reads:
 *
 *     def read():
 *         for answer in map(json.loads, child.stdout):
 *             futures.pop(answer["id"]).set_result(answer["result"])
 *     Thread(target=read).start()
 *     future = futures[1] = Future()
 *     child.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n'); child.stdin.flush()
 *     print(future.result())
 *
 * In Deno, a JsonRpcPeer (lib/json_rpc.ts) does that: console.log(await peer.request("ping"));
 *
 *     deno run --allow-run scripts/rpc.ts
 *     echo ping | deno run --allow-run scripts/rpc.ts npx SERVER
 *
 * @module
 */
import { startChild } from "../lib/child.ts";
import { JsonRpcPeer } from "../lib/json_rpc.ts";
import { askTimed, askWhatIsTyped, whileItAnswers } from "../lib/script/call.ts";
import { entries, parseOptions, seconds, word } from "../lib/script/options.ts";
import { Failure, mustSucceed, print } from "../lib/script/script.ts";
import { exitOf } from "../lib/script/watch.ts";
import { within } from "../lib/within.ts";

/** Asks deno lsp about a small file. */
async function demonstrate({ stdin, stdout }: Deno.ChildProcess) {
  // One request on the wire: its length in bytes, a blank line, and a text that has an id.
  const params = { capabilities: {}, initializationOptions: { enable: true } };
  const request = JSON.stringify({ jsonrpc: "2.0", id: "a", method: "initialize", params });
  const writer = stdin.getWriter();
  writer.write(new TextEncoder().encode(`Content-Length: ${request.length}\r\n\r\n${request}`));
  writer.releaseLock();
  // The answer comes likewise, with the same id.
  const answer = await within(timeout, readMessage(stdout));
  if (!answer) throw new Failure(`no answer from ${name} within ${timeout} s (--timeout)`, 124);
  await print(`  ← ${JSON.stringify(answer.slice(0, 23))} … ${answer.slice(-16)}`);

  // From here on the class gives out the ids, and keeps a promise for each.
  const peer = new JsonRpcPeer({ readable: stdout, writable: stdin }, {
    framing: "content-length",
    // The other side sends these when it likes, also between a question and its answer.
    onNotification: (method) => print(`  ← ${method}`),
  });
  await peer.notify("initialized", {});
  const diagnosed = peer.notification("textDocument/publishDiagnostics");
  const text = "/** A greeting. */\nconst hello:string = 5\n";
  const textDocument = { uri: "file:///hello.ts", languageId: "typescript", version: 1, text };
  const options = { tabSize: 2, insertSpaces: true };
  const about = { textDocument, position: { line: 1, character: 6 }, options };
  await peer.notify("textDocument/didOpen", about);
  // Four open at once; `about` has what any of them needs. The first waits for the compiler.
  const methods = ["hover", "documentSymbol", "formatting"].map((what) => `textDocument/${what}`);
  const asked = askTimed(peer, [...methods, "no/such/method"], about);
  const [order] = await whileItAnswers(peer, timeout, Promise.all([asked, diagnosed]));
  if (order.join() === order.toSorted().join()) throw new Failure("all answers came in order");
  await print(`  asked 1 2 3 4, answered ${order.join(" ")}: each by its id`);
  await askTimed(peer, ["shutdown"]);
  await peer.notify("exit");
  await peer.close(); // Our end of file is the other side's sign to exit.
}

async function readMessage(stdout: ReadableStream<Uint8Array>) {
  const reader = stdout.getReader({ mode: "byob" });
  const read = async (min: number) =>
    new TextDecoder().decode((await reader.read(new Uint8Array(min), { min })).value);
  let header = "";
  for (let byte; !header.endsWith("\r\n\r\n") && (byte = await read(1));) header += byte;
  const body = await read(Number(/\d+/.exec(header) ?? 1));
  reader.releaseLock();
  return header + body;
}

// That is all. What follows reads the command line.
const { options: { answer: answers = {}, framing, timeout }, operands } = parseOptions({
  shows: `Asks PROGRAM in JSON-RPC, without waiting for an answer before it asks again.
Each line of stdin is METHOD [PARAMS], PARAMS in JSON; with ! before it, it is a
notification, which has no answer. An empty line waits for all answers so far.
Without PROGRAM: deno lsp, and a few questions about a small file.`,
  operands: "[PROGRAM [ARG…]]",
  maximumOperands: Infinity,
  example: "rpc.ts",
}, {
  framing: word(["lines", "content-length"], "PROGRAM's: lines (MCP), content-length (LSP)"),
  answer: entries("METHOD=RESULT", "answers a request of PROGRAM; may be given many times"),
  timeout: seconds(10, "how long to wait for each answer, and for the end", 0.001),
});
const [program = "", ...args] = operands.length > 0 ? operands : [Deno.execPath(), "lsp", "-q"];
const name = operands[0] ?? "deno lsp";
const pipes = { stdin: "piped", stdout: "piped" } as const;
const command = new Deno.Command(program, { args, ...pipes, detached: true });
await using child = startChild(command, { name });
if (operands.length === 0) await demonstrate(child);
else await askWhatIsTyped(child, { name, timeout, framing, answers, command: operands });
mustSucceed(name, await exitOf(child, name, timeout));
