// The transport of the MCP SDK, which FOLDER has, and a map by id: rpc_mcp.mjs FOLDER OPEN COUNT
// PROGRAM [ARG…]
import { createRequire } from "node:module";

const [, , folder, open, count, command, ...args] = process.argv;
const require = createRequire(`${folder}/`);
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");
const transport = new StdioClientTransport({ command, args });
const waiting = new Map();
transport.onmessage = ({ id, result }) => {
  waiting.get(id)(result);
  waiting.delete(id);
};
await transport.start();
let next = 0;
await Promise.all(Array.from({ length: Number(open) }, async () => {
  while (next < Number(count)) {
    const n = next++;
    const answer = new Promise((resolve) => waiting.set(n, resolve));
    await transport.send({ jsonrpc: "2.0", id: n, method: "echo", params: { n } });
    if ((await answer).n !== n) throw new Error(`${n} was answered wrongly`);
  }
}));
await transport.close();
