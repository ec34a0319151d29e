/**
 * JSON-RPC requests, a line each, one at a time, with nothing but the platform: no lines are looked
 * for. `rpc_plain.ts COUNT PROGRAM [ARG…]`.
 */
const [count, program = "", ...args] = Deno.args;
const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
const writer = child.stdin.getWriter();
const reader = child.stdout.getReader({ mode: "byob" });
const encoder = new TextEncoder();
const decoder = new TextDecoder();
let buffer = new Uint8Array(64 * 1024);
for (let n = 0; n < Number(count); n++) {
  const request = JSON.stringify({ jsonrpc: "2.0", id: n, method: "echo", params: { n } });
  const written = writer.write(encoder.encode(`${request}\n`));
  const { value } = await reader.read(buffer);
  await written;
  if (value === undefined) throw new Error("the program has ended");
  const { id, result } = JSON.parse(decoder.decode(value));
  if (id !== n || result.n !== n) throw new Error(`${n} was answered wrongly`);
  buffer = new Uint8Array(value.buffer);
}
await writer.close();
await child.status;
