/** Ends in a way that no script of the collection does: `ending.ts cleanup|mistake`. */
import { Failure, onEnd, print, run } from "../../lib/script.ts";

await run("ending", () => {
  if (Deno.args[0] === "mistake") throw new TypeError("a mistake");
  onEnd(() => print("cleaned up"));
  onEnd(() => Promise.reject(new Failure("cannot clean up")));
  return Promise.resolve();
});
