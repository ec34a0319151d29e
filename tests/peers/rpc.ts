/** JSON-RPC requests, so many open at once: `rpc.ts FRAMING OPEN COUNT PROGRAM [ARG…]`. */
import { JsonRpcPeer } from "../../lib/json_rpc.ts";
import { untilExit } from "../../lib/until_exit.ts";

const [framing, open, count, program = "", ...args] = Deno.args;
if (framing !== "lines" && framing !== "content-length") throw new Error(`${framing}`);
const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
const readable = untilExit(child.stdout, child.status);
const peer = new JsonRpcPeer({ readable, writable: child.stdin }, { framing });
let next = 0;
await Promise.all(Array.from({ length: Number(open) }, async () => {
  while (next < Number(count)) {
    const n = next++;
    const answer = await peer.request("echo", { n });
    if ((answer as { n: number }).n !== n) throw new Error(`${n} was answered wrongly`);
  }
}));
await peer.close();
await child.status;
// Its peak in megabytes, where it can be told.
const status = await Deno.readTextFile("/proc/self/status").catch(() => "");
console.log(Number(/VmHWM:\s*(\d+)/.exec(status)?.[1]) / 1000);
