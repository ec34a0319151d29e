import { assertEquals, assertMatch } from "@std/assert";
import { processTest, runCommand, runScript, temporaryFolder } from "../process.ts";

/** Each is run here, and by bash with pipefail; neither may differ. */
const PIPELINES = [
  [["ls", "-1", "/"], ["sort", "-r"]],
  [["seq", "1000"], ["tail", "-1"]],
  [["seq", "100000"], ["cksum"]],
  [["cat"], ["cat"], ["cat"], ["cat"], ["wc", "-c"]],
  [["head", "-c", "3000000", "/dev/zero"], ["gzip"], ["gunzip"], ["cksum"]],
  [["true"], ["false"], ["true"]],
  [["false"], ["cat"]],
  [["sh", "-c", "echo out; exit 3"], ["cat"], ["sh", "-c", "cat; exit 0"]],
  [["sh", "-c", "kill -TERM $$"], ["cat"]],
  [["cat", "/no/such/file"], ["wc", "-l"]],
  [["printf", "a|b"], ["tr", "[:punct:]", "\\n"]],
  [["echo", "one"]],
  [["true"], ["sh", "-c", "exit 141"]],
  [["sh", "-c", "kill -PIPE $$"]],
  [["false"], ["sh", "-c", "exit 141"]],
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

processTest("pipeline without arguments counts the lines of ls -l", async () => {
  const { code, stdout } = await runScript("pipeline", [], { cwd: "/" });
  const { stdout: expected } = await runCommand(["sh", "-c", "ls -l | wc -l"], { cwd: "/" });
  assertEquals([code, stdout], [0, expected]);
});

processTest("pipeline does not excuse a stage that says 141 of itself", async () => {
  const { code } = await runScript("pipeline", ["sh", "-c", "exit 141", "|", "cat"]);
  assertEquals(code, 141);
});

processTest("pipeline passes bytes unchanged", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/bytes`;
  await runCommand(["sh", "-c", 'head -c 50000000 /dev/urandom > "$1"', "sh", path]);
  const { stdout } = await runScript("pipeline", ["cat", path, "|", "cat", "|", "cksum"]);
  const { stdout: expected } = await runCommand(["sh", "-c", 'cksum < "$1"', "sh", path]);
  assertEquals(stdout, expected);
});

processTest("pipeline names a stage that cannot start, and stops the others", async () => {
  const cases: [string[], number, string][] = [
    [["sleep", "1000", "|", "no-such-program"], 127, "no-such-program"],
    [["no-such-program", "|", "cat"], 127, "no-such-program"],
    [["sleep", "1000", "|", "/", "|", "cat"], 126, "/"],
    [["no|such"], 127, "no\\|such"],
  ];
  for (const [operands, expected, name] of cases) {
    const { code, stderr } = await runScript("pipeline", operands);
    assertEquals(code, expected);
    assertMatch(stderr, new RegExp(`^pipeline: cannot start ${name}: [^\\n]*\\n$`));
  }
});

processTest("pipeline refuses an empty stage", async () => {
  for (const operands of [["|", "cat"], ["cat", "|"], ["cat", "|", "|", "cat"], ["|"]]) {
    const { code, stdout, stderr } = await runScript("pipeline", operands);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^pipeline: a \| needs a command on either side.*\n$/);
  }
});

processTest("pipeline recognises a whole pipeline in one word", async () => {
  const cases = [
    [["ls -l | wc -l"], '"ls -l | wc -l"', "ls -l '|' wc -l"],
    [["ls", "|", "grep a|wc -l"], '"grep a|wc -l"', "grep a '|' wc -l"],
    [["ls\n-l | wc"], '"ls\\n-l | wc"', "ls -l '|' wc"],
  ] as const;
  for (const [operands, word, words] of cases) {
    const stderr = `pipeline: ${word} is one word; write the words apart: ${words}\n`;
    assertEquals(await runScript("pipeline", [...operands]), { code: 2, stdout: "", stderr });
  }
});

processTest("pipeline runs a program whose name looks like a pipeline", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a | b`;
  await Deno.writeTextFile(path, "#!/bin/sh\necho ran\n");
  assertEquals((await runScript("pipeline", [path])).code, 126);
  await Deno.chmod(path, 0o700);
  assertEquals(await runScript("pipeline", [path]), { code: 0, stdout: "ran\n", stderr: "" });
});
