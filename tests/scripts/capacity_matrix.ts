import { assert, assertEquals, assertMatch } from "@std/assert";
import { LineReader } from "../../lib/line_reader.ts";
import { kill, processTest, runCommand, runScript, scriptCommand } from "../process.ts";

for (const [step, held] of [[1, 65_536], [1000, 64_000], [3000, 48_000], [1_000_000, 0]]) {
  processTest(`capacity holds ${held} bytes in writes of ${step}`, async () => {
    const { code, stdout } = await runScript("capacity", [`--step=${step}`]);
    assert(
      stdout.includes(`\nthen a write blocked: the pipe holds ${held?.toLocaleString("en")} `) ||
        stdout.startsWith("then a write blocked: the pipe holds less than 1,000,000 bytes"),
    );
    assertMatch(stdout, /\ncat reads, and the write goes on: /);
    assertEquals(code, 0);
  }, { os: "linux" });
}

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

processTest("capacity draws its bar at a terminal that does not know how wide it is", async () => {
  const line = `stty cols 0; ${scriptCommand("capacity", ["--step=4096"]).join(" ")}`;
  const { stdout } = await runCommand(["script", "-qec", line, "/dev/null"]);
  assertMatch(stdout, /wrote 65,536 bytes +█{16}/);
}, { needs: ["script"], os: "linux" });
