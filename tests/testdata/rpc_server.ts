/** A server with log lines, slow methods and a question of its own; its argument is the framing. */
import { JsonRpcPeer } from "../../lib/json_rpc.ts";

const framing = Deno.args[0] === "content-length" ? "content-length" : "lines";
const isAskedLast = Promise.withResolvers<void>();
const methods = {
  echo: (params: unknown) => params,
  first: () => isAskedLast.promise.then(() => "first"),
  last: () => (isAskedLast.resolve(), "last"),
  long: () => "é".repeat(4 * 2 ** 20),
  ask: (params: unknown) => peer.request("whoAreYou", params),
  never: () => new Promise(() => {}),
  die: () => Deno.exit(3),
};
if (framing === "lines") console.log('starting…\n{"level":"info"}\n');
const pipes = { readable: Deno.stdin.readable, writable: Deno.stdout.writable };
const peer: JsonRpcPeer = new JsonRpcPeer(pipes, { framing, methods });
