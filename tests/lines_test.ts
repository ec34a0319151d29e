import { assert, assertEquals } from "@std/assert";
import { processTest, runScript } from "./process.ts";

processTest("lines prints the article's second transcript", async () => {
  const { code, stdout, stderr } = await runScript("lines", ["--interval=0.1"]);
  const [, parent, child] = /^hello from parent (\d+) (\d+)\n/.exec(stdout) ?? [];
  assert(parent !== child);
  assertEquals(stdout, `hello from parent ${parent} ${child}\n${"how are you\n".repeat(3)}`);
  assertEquals(stderr, `hello from child ${child}\n`);
  assertEquals(code, 0);
});

processTest("lines gives a line for each message, however many come at once", async () => {
  const { code, stdout } = await runScript("lines", ["--count", "200", "--interval", "0"]);
  const [, ...lines] = stdout.split("\n");
  assertEquals(lines, [...Array(200).fill("how are you"), ""]);
  assertEquals(code, 0);
});
