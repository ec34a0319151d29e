import { assert, assertEquals, assertMatch } from "@std/assert";
import { processTest, runCommand, scriptCommand, sideBySide } from "../../process.ts";

processTest("a script whose stdout has no reader stops quietly, as by SIGPIPE", async () => {
  const line = '"$@" | true; exit "${PIPESTATUS[0]}"';
  const program = new URL("../../testdata/ending.ts", import.meta.url).pathname;
  const command = [Deno.execPath(), "run", "-A", "--no-prompt", program, "printed"];
  const result = await runCommand(["bash", "-c", line, "bash", ...command]);
  assertEquals(result, { code: 141, stdout: "", stderr: "" });
}, { needs: ["bash"] });

processTest("a script says in one line that its stdout is full", async () => {
  await Promise.all(["bytes", "duplex", "framing", "lifetime", "pipetest"].map(async (script) => {
    const args = { duplex: ["--delay=0"], pipetest: ["--delay=0", "spam"] }[script] ?? [];
    const command = scriptCommand(script, args);
    // One that hangs is a failure, and not a test without an end.
    const line = 'echo a | timeout -s KILL 60 "$@" >/dev/full';
    const { code, stderr } = await runCommand(["sh", "-c", line, "sh", ...command]);
    assertEquals(code, 1, script);
    // What its child writes to the same stderr may come before or after.
    const own = stderr.split("\n").filter((line) => line.startsWith(`${script}: `));
    assertEquals(own.length, 1, stderr);
    assertMatch(own[0] ?? "", /^\w+: cannot write to stdout: No space left/);
    assertEquals(/^ +at /m.test(stderr), false, stderr);
  }));
}, { needs: ["timeout"], os: "linux" });

processTest("a script that cannot pass its command's output on fails, and at once", async () => {
  const cases: [line: string, expected: number][] = [
    ['"$@" >/dev/full', 1],
    ['"$@" | true; exit "${PIPESTATUS[0]}"', 141],
  ];
  await sideBySide(["stderr", "timeout"], async (script) => {
    for (const [line, expected] of cases) {
      const command = scriptCommand(script, ["sh", "-c", "while sleep 0.1; do echo a; done"]);
      const { code, stderr } = await runCommand(["bash", "-c", line, "bash", ...command]);
      assertEquals(code, expected);
      assertMatch(stderr, expected === 1 ? /^\w+: cannot write to stdout: .*\n$/ : /^$/);
    }
  });
}, { needs: ["bash"], os: "linux" });

processTest("a script says that it cannot write its help", async () => {
  const line = '"$@" >/dev/full';
  const command = scriptCommand("hello", ["--help"]);
  const { code, stderr } = await runCommand(["sh", "-c", line, "sh", ...command]);
  assertEquals(code, 1);
  assertMatch(stderr, /^hello: cannot write to stdout: No sp[^\n]*\n$/);
}, { os: "linux" });

processTest("a script whose stdout nobody reads waits, and does not gather all of it", async () => {
  const program = new URL("../../testdata/ending.ts", import.meta.url).pathname;
  const args = ["run", "-A", "--no-prompt", program, "unread"];
  const command = new Deno.Command(Deno.execPath(), { args, stdout: "piped", stderr: "piped" });
  await using child = command.spawn();
  const printed = Number(await child.stderr.text());
  await child.stdout.cancel();
  // Of ten megabytes, what the pipe holds and what may be unwritten: 64 KiB each.
  assert(printed > 0 && printed < 100, `${printed} lines of 10 KB were printed`);
});
