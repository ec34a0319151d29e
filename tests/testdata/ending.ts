/** Ends in ways that no script of the collection does: `ending.ts cleanup|mistake [EXITCODE]`. */
import { Failure, onEnd, print, run } from "../../lib/script.ts";

await run("ending", () => {
  if (Deno.args[0] === "mistake") throw new TypeError("a mistake");
  onEnd(() => print("cleaned up"));
  onEnd(() => Promise.reject(new Failure("cannot clean up")));
  return Promise.resolve(Number(Deno.args[1] ?? 0));
});
