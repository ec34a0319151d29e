import { assertEquals, assertMatch } from "@std/assert";
import { processTest, runCommand, runScript } from "./process.ts";

/** What the bytes of a page are on this machine; on Linux a pipe has 16 of them. */
async function pageSize(): Promise<number> {
  const { stdout } = await runCommand(["getconf", "PAGE_SIZE"]);
  return Number(stdout);
}

processTest("capacity fills a pipe until its writer blocks, and sees it go on", async () => {
  const { code, stdout, stderr } = await runScript("capacity", [], {
    permissions: ["--allow-run"],
  });
  const [, held = ""] = /^then the writer was blocked: the pipe held ([\d,]+) /m.exec(stdout) ?? [];
  if (Deno.build.os === "linux") {
    assertEquals(Number(held.replaceAll(",", "")), 16 * await pageSize());
    assertEquals(stdout.match(/^wrote [\d,]+ bytes$/gm)?.length, 4 * await pageSize() / 1024);
  }
  assertMatch(stdout, /^emptied, and the writer goes on: it wrote [\d,]+ bytes and more$/m);
  assertEquals([code, stderr], [0, ""]);
});

processTest("capacity counts the part of a step that the pipe took", async () => {
  const { code, stdout } = await runScript("capacity", ["--step=1000000"]);
  assertMatch(stdout, /^wrote 0 bytes\nthen the writer was blocked: the pipe held [\d,]+ bytes\n/);
  assertMatch(stdout, /are the beginning of the next step/);
  assertEquals(code, 0);
});
