/** Ends in ways that no script of the collection does: `ending.ts WAY [EXITCODE]`. */
import { onEnd, StartError } from "../../lib/child.ts";
import { Failure, print } from "../../lib/script/script.ts";

const [way, exitCode = "1"] = Deno.args;
if (way === "mistake") throw new TypeError("a mistake");
if (way === "range") throw new RangeError("a mistake");
if (way === "long") throw new RangeError("A line is longer than 5 UTF-16 code units");
if (way === "failure") throw new Failure("it failed", Number(exitCode));
if (way === "code") throw new StartError("its class has an exit code", 127);
if (way === "system") await Deno.readTextFile("/no/such/file");
if (way === "timer") setTimeout(() => reject(), 0);
if (way === "forgotten") void Promise.reject(new Failure("nobody waited", 5));
if (way === "printed") {
  for (let n = 0; n < 1000; n++) await print("x".repeat(999));
  throw new Failure("after all was printed");
}
if (way === "unread") {
  let printed = 0;
  setTimeout(() => {
    console.error(printed);
    Deno.exit();
  }, 500);
  for (; printed < 1000; printed++) await print("x".repeat(9999));
}
if (way === "cleanup") {
  await using _first = onEnd(() => print("cleaned up"));
  await using _second = onEnd(() =>
    Promise.reject(new Failure("cannot clean up", Number(exitCode)))
  );
}
if (way === "suppressed") {
  await using _cleanup = onEnd(() => Promise.reject(new Error("not this one")));
  throw new Failure("it failed", Number(exitCode));
}
if (way === "signal") {
  await using _first = onEnd(() => console.log("cleaned up"));
  await using _second = onEnd(() => Promise.reject(new Error("not this one")));
  await print("ready");
  await new Promise((resolve) => setTimeout(resolve, 100_000));
}

function reject() {
  throw new Failure("in a timer", 7);
}
