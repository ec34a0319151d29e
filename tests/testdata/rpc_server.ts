/** A server with all the bad manners that were met; its first argument is the framing. */
import { JsonRpcPeer } from "../../lib/json_rpc.ts";

const framing = Deno.args[0] === "content-length" ? "content-length" : "lines";
const wait = Promise.withResolvers<void>();
const write = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text));
if (framing === "lines") write('starting…\n{"level":"info"}\n\n');
const peer: JsonRpcPeer = new JsonRpcPeer(
  { readable: Deno.stdin.readable, writable: Deno.stdout.writable },
  {
    framing,
    methods: {
      echo: (params) => params,
      first: () => wait.promise.then(() => "first"),
      last: () => {
        wait.resolve();
        return "last";
      },
      long: () => "é".repeat(35 * 2 ** 20),
      ask: (params) => peer.request("whoAreYou", params),
      never: () => new Promise(() => {}),
      die: () => Deno.exit(3),
    },
  },
);
