import { assertEquals, assertMatch } from "@std/assert";
import { processTest, runScript } from "../process.ts";

processTest("hello greets on stderr and writes its lines to stdout", async () => {
  const { code, stdout, stderr } = await runScript("hello", ["--count=3", "--interval=0"], {
    permissions: [],
  });
  assertMatch(stderr, /^hello from child \d+\n$/);
  assertEquals([code, stdout], [0, "how are you\n".repeat(3)]);
});

processTest("hello takes an interval as small as a number can be written", async () => {
  const { code } = await runScript("lines", ["--count=2", "--interval=0.0000001"]);
  assertEquals(code, 0);
});
