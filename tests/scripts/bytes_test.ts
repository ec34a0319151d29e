import { assert, assertEquals, assertMatch } from "@std/assert";
import { processTest, runScript } from "../process.ts";

/** Compares what parent and child say of themselves. */
function checkGreetings(stdout: string, stderr: string): void {
  const [, parent, child] = /^hello from parent (\d+), its child is (\d+)\n/.exec(stdout) ?? [];
  assert(parent !== child);
  assertEquals(stderr, `hello from child ${child}\n`);
}

processTest("bytes shows where each chunk begins and ends, and its size", async () => {
  const { code, stdout, stderr } = await runScript("bytes", ["--count=2", "--interval=0.1"]);
  checkGreetings(stdout, stderr);
  // On a busy machine two lines may come in one chunk.
  const chunks = [...stdout.matchAll(/^(\d+) bytes (".*")$/gm)];
  assertEquals(
    chunks.map(([, , text = ""]) => JSON.parse(text)).join(""),
    "how are you\n".repeat(2),
  );
  for (const [, size, text = ""] of chunks) assertEquals(Number(size), JSON.parse(text).length);
  assertEquals(code, 0);
});

processTest("bytes --text prints the article's first transcript", async () => {
  const { code, stdout, stderr } = await runScript("bytes", ["--text"]);
  checkGreetings(stdout, stderr);
  // On a busy machine two lines may come in one chunk.
  assertMatch(stdout, /^.*\n(how are you\n\n?){3}$/);
  assertEquals(code, 0);
});

processTest("bytes reads at most --size bytes", async () => {
  const { code, stdout } = await runScript("bytes", ["--count=1", "--size=8"]);
  assertEquals(stdout.split("\n").slice(1), ['8 bytes "how are "', '4 bytes "you\\n"', ""]);
  assertEquals(code, 0);
});
