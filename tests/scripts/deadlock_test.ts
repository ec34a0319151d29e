import { assert, assertEquals, assertMatch } from "@std/assert";
import { processTest, runScript } from "../process.ts";

processTest("deadlock shows both sides blocked, and then the same work done", async () => {
  const { code, stdout, stderr } = await runScript("deadlock", ["--timeout=0.5"], {
    permissions: ["--allow-run=cat,sh"],
  });
  const counts = [...stdout.matchAll(/([\d,]+) bytes/g)]
    .map(([, count = ""]) => Number(count.replaceAll(",", "")));
  const [bytes, taken = 0, out = 0, inCat = 0, stdin, ...others] = counts;
  const [back, written, read, stuck = 0, last, ...rest] = others;
  const all = 1_048_576;
  assertEquals([bytes, back, written, read, last, ...rest], [all, all, all, all, all]);
  // All that was written is somewhere: two full pipes, and what cat cannot write.
  assertEquals([stdin, out + inCat + out], [out, taken]);
  assert(0 < out && 0 < inCat && taken < all, stdout);
  assert(0 < stuck && stuck < all, stdout);
  assertEquals(stdout.match(/"done"/g)?.length, 2);
  assertEquals([code, stderr], [0, ""]);
});

for (const args of [["--bytes=1000", "--timeout=20"], ["--bytes=10", "--timeout=0.001"]]) {
  processTest(`deadlock ${args.join(" ")} says that nothing hung`, async () => {
    const { code, stdout, stderr } = await runScript("deadlock", args);
    assertMatch(stdout, /^Writing [\d,]+ bytes to cat, then reading:\n$/);
    assertMatch(stderr, /^deadlock: nothing hung: [^\n]*\n$/);
    assertEquals(code, 1);
  });
}
