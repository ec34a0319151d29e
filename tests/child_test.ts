import { assert, assertEquals } from "@std/assert";
import { toText } from "@std/streams/to-text";
import { describeStatus, endChild, stdoutUntilExit } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { processTest } from "./process.ts";

function start(...args: string[]): Deno.ChildProcess {
  return new Deno.Command("sh", { args: ["-c", ...args], stdin: "piped", stdout: "piped" }).spawn();
}

processTest(
  "endChild ends a child with SIGTERM, and with SIGKILL one that ignores it",
  async () => {
    const willing = start("echo; exec sleep 1000");
    const deaf = start("trap '' TERM; echo; while :; do sleep 0.1; done");
    for (const [child, signal] of [[willing, "SIGTERM"], [deaf, "SIGKILL"]] as const) {
      await using lines = new LineReader(child.stdout);
      assertEquals(await lines.readLine(), "");
      const status = await endChild(child, 0.2);
      assertEquals(describeStatus(status), `was ended by ${signal}`);
      // Once more does no harm.
      assertEquals(await endChild(child), status);
      await child.stdin.close();
    }
  },
);

processTest("endChild ends what a detached child started too", async () => {
  const child = new Deno.Command("sh", {
    args: ["-c", "sleep 1000 & echo; wait"],
    stdout: "piped",
    detached: true,
  }).spawn();
  await using lines = new LineReader(child.stdout);
  assertEquals(await lines.readLine(), "");
  await endChild(child);
  // The pipe ends when its last holder has gone, and that was the grandchild.
  assertEquals(await lines.readLine(), null);
});

processTest("stdoutUntilExit ends with the child, and has all that the child wrote", async () => {
  const child = start("exec 3<&0; cat <&3 & seq 20000; exit 0");
  let expected = "";
  for (let n = 1; n <= 20000; n++) expected += `${n}\n`;
  assertEquals(await toText(stdoutUntilExit(child)), expected);
  assertEquals((await child.status).code, 0);
  await child.stdin.close();
});

processTest("stdoutUntilExit ends with the pipe where nobody else holds it", async () => {
  const child = start("echo hi; exec >&-; read x; exit 0");
  assertEquals(await toText(stdoutUntilExit(child)), "hi\n");
  await child.stdin.close();
  assert((await child.status).success);
});

processTest("stdoutUntilExit waits for a reader that takes its time", async () => {
  const child = start("exec 3<&0; cat <&3 & echo one; echo two");
  const reader = new LineReader(stdoutUntilExit(child));
  await child.status;
  await new Promise((resolve) => setTimeout(resolve, 500));
  assertEquals(await Array.fromAsync(reader), ["one", "two"]);
  await child.stdin.close();
});

processTest("stdoutUntilExit closes the pipe when it is cancelled", async () => {
  const child = start("exec yes");
  await using reader = new LineReader(stdoutUntilExit(child));
  assertEquals(await reader.readLine(), "y");
  await reader[Symbol.asyncDispose]();
  assertEquals(describeStatus(await child.status), "was ended by SIGPIPE");
  await child.stdin.close();
});
