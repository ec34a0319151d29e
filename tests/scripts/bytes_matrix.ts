import { assert, assertEquals, assertMatch } from "@std/assert";
import { processTest, runScript } from "../process.ts";

/** Compares what parent and child say of themselves. */
function checkGreetings(stdout: string, stderr: string): void {
  const [, parent, child] = /^hello from parent (\d+), its child is (\d+)\n/.exec(stdout) ?? [];
  assert(parent !== child);
  assertEquals(stderr, `hello from child ${child}\n`);
}

processTest("bytes reads at most --size bytes at a time", async () => {
  const { code, stdout, stderr } = await runScript("bytes", [
    "--count=2",
    "--interval=0.1",
    "--size=6",
    "--text",
  ]);
  checkGreetings(stdout, stderr);
  const [, ...chunks] = stdout.split("\n");
  assertEquals(chunks, ["how ar", "e you", "", "how ar", "e you", "", ""]);
  assertEquals(code, 0);
});

processTest("bytes does not break a character that the edge of a chunk cuts", async () => {
  for (const size of [1, 2, 3, 4, 5]) {
    const args = ["--count=2", "--interval=0", `--size=${size}`, "--message=grüß 你😀"];
    const { code, stdout } = await runScript("bytes", [...args, "--text"]);
    const [, ...chunks] = stdout.split("\n");
    assertEquals(chunks.join(""), "grüß 你😀".repeat(2));
    assertEquals(code, 0);
  }
  const args = ["--count=1", "--size=2", "--message=hé"];
  const { stdout } = await runScript("bytes", args);
  assertEquals(stdout.split("\n").slice(1), ['2 bytes "h"', '2 bytes "é\\n"', ""]);
});

processTest("bytes and lines start their child with no permission", async () => {
  for (const script of ["bytes", "lines"]) {
    const { code, stderr } = await runScript(script, ["--count=1"], {
      permissions: ["--allow-run"],
    });
    assertMatch(stderr, /^hello from child \d+\n$/);
    assertEquals(code, 0);
  }
});

processTest("bytes keeps a byte order mark", async () => {
  const { stdout } = await runScript("bytes", ["--text", "--count=1", "--message=\ufeffhi"]);
  assertEquals(stdout.split("\n")[1], "\ufeffhi");
});
