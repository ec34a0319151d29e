import { assert, assertEquals, assertMatch } from "@std/assert";
import { processTest, runScript } from "./process.ts";

processTest("deadlock shows both sides blocked, and then the same work done", async () => {
  const { code, stdout, stderr } = await runScript("deadlock", [], {
    permissions: ["--allow-run=cat"],
  });
  const counts = [...stdout.matchAll(/([\d,]+) bytes/g)]
    .map(([, count = ""]) => Number(count.replaceAll(",", "")));
  const [bytes = 0, taken = 0, answered = 0, written, read] = counts;
  assertEquals([bytes, written, read], [1_048_576, 1_048_576, 1_048_576]);
  assert(0 < answered && answered < taken && taken < bytes, stdout);
  assertEquals([code, stderr], [0, ""]);
});

processTest("deadlock admits that few bytes do not hang", async () => {
  const { code, stdout, stderr } = await runScript("deadlock", ["--bytes=1000", "--timeout=20"]);
  assertEquals([code, stdout], [1, "Writing 1,000 bytes to cat, then reading:\n"]);
  assertMatch(stderr, /^deadlock: nothing hung: [^\n]*\n$/);
});
