import { assertEquals } from "@std/assert";
import { processTest, runCommand, runScript, scriptCommand } from "../process.ts";

/** Each is run here, and by bash with pipefail; neither may differ. */
const PIPELINES = [
  [["printf", "%s\\n", "b", "a", "c"], ["sort"], ["head", "-2"]],
  [["cat"], ["tr", "a-z", "A-Z"], ["sort"]],
  [["sh", "-c", "exit 3"], ["sh", "-c", "exit 4"], ["true"]],
];

for (const stages of PIPELINES) {
  const line = stages.map((stage) => stage.map(quote).join(" ")).join(" | ");
  processTest(`pipeline does as bash does: ${line}`, async () => {
    const stdin = "hello\nworld";
    const operands = stages.flatMap((stage, index) => index === 0 ? stage : ["|", ...stage]);
    const bash = await runCommand(["bash", "-o", "pipefail", "-c", line], { stdin });
    const { code, stdout } = await runScript("pipeline", operands, { stdin });
    assertEquals([code, stdout], [bash.code, bash.stdout]);
  });
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

processTest("pipeline ends a stage whose reader has had enough, which is no failure", async () => {
  for (const middle of [[], ["|", "cat"], ["|", "cat", "|", "cat"]]) {
    const result = await runScript("pipeline", ["yes", ...middle, "|", "head", "-2"]);
    assertEquals(result, { code: 0, stdout: "y\ny\n", stderr: "" });
  }
});

processTest("pipeline exits with 141 when the reader of its last stage has gone", async () => {
  const line = '"$@" | head -1; exit "${PIPESTATUS[0]}"';
  const command = scriptCommand("pipeline", ["yes", "|", "cat"]);
  const result = await runCommand(["bash", "-c", line, "bash", ...command]);
  assertEquals(result, { code: 141, stdout: "y\n", stderr: "" });
});

processTest("pipeline shows how each stage exited when one fails", async () => {
  const line = ["sh", "-c", "exit 3", "|", "cat", "|", "sh", "-c", "kill $$"];
  const { code, stderr } = await runScript("pipeline", line);
  const how = "sh exited with status 3 | cat exited with status 0 | sh was ended by SIGTERM";
  assertEquals([code, stderr], [143, `pipeline: ${how}\n`]);
});
