// vscode-jsonrpc, which FOLDER has, and which language servers are written with: rpc_vscode.mjs
// FOLDER OPEN COUNT PROGRAM [ARG…]
import { spawn } from "node:child_process";
import { createRequire } from "node:module";

const [, , folder, open, count, command, ...args] = process.argv;
const rpc = createRequire(`${folder}/`)("vscode-jsonrpc/node");
const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
const connection = rpc.createMessageConnection(
  new rpc.StreamMessageReader(child.stdout),
  new rpc.StreamMessageWriter(child.stdin),
);
connection.listen();
let next = 0;
await Promise.all(Array.from({ length: Number(open) }, async () => {
  while (next < Number(count)) {
    const n = next++;
    const answer = await connection.sendRequest("echo", { n });
    if (answer.n !== n) throw new Error(`${n} was answered wrongly`);
  }
}));
child.stdin.end();
connection.dispose();
