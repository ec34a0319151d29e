import { assert, assertEquals, assertMatch } from "@std/assert";
import { processesMarked, processTest, runCommand, runScript, scriptCommand } from "../process.ts";

/** What the bytes of a page are on this machine; on Linux a pipe has 16 of them. */
async function pageSize(): Promise<number> {
  const { stdout } = await runCommand(["getconf", "PAGE_SIZE"]);
  return Number(stdout);
}

processTest("capacity fills a pipe until its writer blocks, and sees it go on", async () => {
  const { code, stdout, stderr } = await runScript("capacity", [], {
    permissions: ["--allow-run=sh"],
  });
  const [, held = ""] = /^then a write blocked: the pipe holds ([\d,]+) /m.exec(stdout) ?? [];
  if (Deno.build.os === "linux") {
    assertEquals(Number(held.replaceAll(",", "")), 16 * await pageSize());
    assertEquals(stdout.match(/^wrote [\d,]+ bytes$/gm)?.length, 4 * await pageSize() / 1024);
  }
  assertMatch(
    stdout,
    /^cat reads, and the write goes on: [\d,]+ bytes came through, with the [\d,]+ bytes? that were blocked\n$/m,
  );
  assertEquals([code, stderr], [0, ""]);
});

processTest("capacity that was itself stopped and continued counts what it wrote", async () => {
  const mark = crypto.randomUUID();
  const [program = "", ...args] = scriptCommand("capacity", []);
  await using child = new Deno.Command(program, {
    args,
    env: { MARK: mark },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  child.kill("SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  child.kill("SIGCONT");
  const [stdout, { code }] = await Promise.all([child.stdout.text(), child.status]);
  assertMatch(stdout, /^then a write blocked: the pipe holds 65,536 bytes$/m);
  assertEquals(code, 0);
  assertEquals(await processesMarked(mark), []);
}, { os: "linux" });

processTest("capacity draws once a page, however small the step, and within the line", async () => {
  const line = `stty cols 30; ${scriptCommand("capacity", ["--step=1"]).join(" ")}`;
  const { stdout } = await runCommand(["script", "-qec", line, "/dev/null"]);
  const bars = stdout.replaceAll("\r\x1b[K", "\r\n").split("\r\n").filter((text) =>
    text.startsWith("wrote")
  );
  assert(bars.length === 16 || bars.length === 17, String(bars.length));
  for (const bar of bars) assert(bar.length < 30, bar);
}, { needs: ["script"], os: "linux" });
