import { assertEquals, assertMatch } from "@std/assert";
import { fakeProgram, processTest, runScript } from "../process.ts";

processTest("lifetime shows the four ends of a pipe's life", async () => {
  const { code, stdout, stderr } = await runScript("lifetime");
  assertEquals(stdout.match(/^\d\. /gm), ["1. ", "2. ", "3. ", "4. "]);
  assertMatch(stdout, /BrokenPipe/);
  assertMatch(stdout, /SIGPIPE/);
  assertMatch(stdout, /status 3/);
  assertMatch(stdout, /the grandchild ended, and end of file came\n$/);
  assertEquals([code, stderr], [0, ""]);
});

processTest("lifetime fails where no grandchild holds the pipe", async () => {
  const line = `$(printf %s "$2" | sed 's|cat <&3|& >/dev/null|')`;
  await using sh = await fakeProgram("sh", `exec /bin/sh "$1" "${line}"`);
  const { code, stderr } = await runScript("lifetime", [], { env: sh.env });
  assertEquals(
    stderr,
    "lifetime: expected that end of file waits for cat, but it did not happen\n",
  );
  assertEquals(code, 1);
});
