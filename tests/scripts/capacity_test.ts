import { assert, assertEquals, assertMatch } from "@std/assert";
import { LineReader } from "../../lib/line_reader.ts";
import {
  kill,
  processesMarked,
  processTest,
  runCommand,
  runScript,
  scriptCommand,
} from "../process.ts";

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

processTest("capacity counts right though its terminal's group is continued", async () => {
  const [program = "", ...args] = scriptCommand("capacity", ["--step=1"]);
  const options = { args, stdin: "null", stdout: "piped", detached: true } as const;
  await using child = new Deno.Command(program, options).spawn();
  await using lines = new LineReader(child.stdout);
  assertEquals(await lines.readLine(), "wrote 4,096 bytes");
  kill(-child.pid, "SIGCONT");
  const rest = await Array.fromAsync(lines);
  assert(rest.includes("then a write blocked: the pipe holds 65,536 bytes"), rest.join("\n"));
  assertEquals((await child.status).code, 0);
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

processTest("capacity draws its bar at a terminal that does not know how wide it is", async () => {
  const line = `stty cols 0; ${scriptCommand("capacity", ["--step=4096"]).join(" ")}`;
  const { stdout } = await runCommand(["script", "-qec", line, "/dev/null"]);
  assertMatch(stdout, /wrote 65,536 bytes +█{16}/);
}, { needs: ["script"], os: "linux" });
