import { assertEquals, assertMatch } from "@std/assert";
import { processTest, runCommand, runScript, scriptCommand, startScript } from "../process.ts";

processTest("pipetest says what argument it got and answers two lines", async () => {
  const { code, stdout, stderr } = await runScript("pipetest", ["--delay=0", "spam"], {
    permissions: [],
    stdin: "one\ntwo\nthree\n",
  });
  const [, child, parent] = /^child (\d+) of (\d+) got arg: "spam"\n$/.exec(stderr) ?? [];
  assertEquals(parent, String(Deno.pid));
  assertEquals(stdout, `Child ${child} got: [one]\nChild ${child} got: [two]\n`);
  assertEquals(code, 0);
});

processTest("pipetest pauses before it reads and before it answers", async () => {
  const start = performance.now();
  await runScript("pipetest", ["--delay=0.2", "--count=2", "spam"], { stdin: "one\ntwo\n" });
  assertEquals(performance.now() - start >= 800, true);
});

processTest("pipetest ends with 0 when its input ends early", async () => {
  for (const stdin of ["", "one\n", "one\ntwo"]) {
    const { code, stdout } = await runScript("pipetest", ["--delay=0", "--count=0", "spam"], {
      stdin,
    });
    assertEquals(stdout.split("\n").length - 1, stdin.split("\n").filter(Boolean).length);
    assertEquals(code, 0);
  }
});

processTest("pipetest without its argument is a usage error", async () => {
  const { code, stdout, stderr } = await runScript("pipetest");
  assertEquals([code, stdout], [2, ""]);
  assertMatch(stderr, /^pipetest: ARG is missing.*\n$/);
});

processTest("pipetest answers the article's own parent", async () => {
  const program = new URL("../testdata/spawn.py", import.meta.url).pathname;
  const pipetest = scriptCommand("pipetest", ["--delay=0", "spam"]);
  const { stderr } = await runCommand(["python3", program, ...pipetest]);
  const [, child, parent] = /^child (\d+) of (\d+)/.exec(stderr) ?? [];
  assertEquals(
    stderr,
    `child ${child} of ${parent} got arg: "spam"\n` +
      `Parent got: "Child ${child} got: [Hello 1 from parent ${parent}]"\n` +
      `Parent got: "Child ${child} got: [Hello 2 from parent ${parent}]"\n`,
  );
}, { needs: ["python3"] });

processTest("pipetest ends at once on a signal while nobody reads its stdout", async () => {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const) {
    await using child = startScript("pipetest", ["--delay=0", "--count=0", "spam"]);
    const writing = ReadableStream.from(
      (function* () {
        for (;;) yield new TextEncoder().encode("x".repeat(999) + "\n");
      })(),
    ).pipeTo(child.stdin).catch(() => {});
    // Once a byte has come and no more are read, its stdout fills and it blocks.
    const reader = child.stdout.getReader();
    await reader.read();
    child.kill(signal);
    assertEquals((await child.status).signal, signal);
    await Promise.all([reader.cancel(), child.stderr.cancel(), writing]);
  }
});
