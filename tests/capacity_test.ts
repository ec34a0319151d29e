import { assert, assertEquals, assertMatch } from "@std/assert";
import { processesMarked, processTest, runCommand, runScript, scriptCommand } from "./process.ts";

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
  assertMatch(stdout, /^cat reads, and the write goes on: [\d,]+ bytes came through in all\n$/m);
  assertEquals([code, stderr], [0, ""]);
});

for (const [step, held] of [[1, 65_536], [1000, 64_000], [3000, 48_000], [1_000_000, 0]]) {
  processTest(`capacity holds ${held} bytes in writes of ${step}`, async () => {
    const { code, stdout } = await runScript("capacity", [`--step=${step}`]);
    assert(
      stdout.includes(`\nthen a write blocked: the pipe holds ${held?.toLocaleString("en")} `) ||
        stdout.startsWith("then a write blocked: the pipe holds at least 0 bytes"),
    );
    assertMatch(stdout, /\ncat reads, and the write goes on: /);
    assertEquals(code, 0);
  }, { os: "linux" });
}

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
