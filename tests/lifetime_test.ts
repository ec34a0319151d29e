import { assertEquals, assertMatch } from "@std/assert";
import { processTest, runScript } from "./process.ts";

processTest("lifetime shows the four ends of a pipe's life", async () => {
  const { code, stdout, stderr } = await runScript("lifetime");
  assertEquals(stdout.match(/^\d\. /gm), ["1. ", "2. ", "3. ", "4. "]);
  assertMatch(stdout, /BrokenPipe/);
  assertMatch(stdout, /SIGPIPE/);
  assertMatch(stdout, /status 3/);
  assertMatch(stdout, /the grandchild ended, and end of file came\n$/);
  assertEquals([code, stderr], [0, ""]);
});
