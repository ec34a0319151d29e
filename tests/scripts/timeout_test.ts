import { assert, assertEquals, assertMatch } from "@std/assert";
import { processesMarked, processTest, runScript, startScript } from "../process.ts";

processTest("timeout shows that ending the child alone is not enough", async () => {
  const mark = crypto.randomUUID();
  const { code, stdout, stderr } = await runScript("timeout", ["--timeout=0.5"], {
    env: { MARK: mark },
  });
  assertMatch(stdout, /after 0\.5 s no end of file: its child \d+ still holds the pipe\n/);
  assertMatch(stdout, /end of file comes at once: nobody is left who holds the pipe\n$/);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(await processesMarked(mark), []);
});

processTest("timeout passes stdin, the output and the exit code on", async () => {
  const stdin = "x".repeat(300_000);
  const result = await runScript("timeout", ["--timeout=60", "sh", "-c", "cat; exit 3"], { stdin });
  assertEquals(result, { code: 3, stdout: stdin, stderr: "" });
});

const LATE: [what: string, line: string, signal: string, limit?: number][] = [
  ["has a family", "sleep 1000 & sleep 1000 & wait", "SIGTERM"],
  // Time enough to become deaf.
  ["is deaf", "trap '' TERM; sleep 1000", "SIGKILL", 3],
];

for (const [what, line, signal, limit = 0.3] of LATE) {
  processTest(`timeout ends a command that ${what}`, async () => {
    const mark = crypto.randomUUID();
    const start = performance.now();
    const { code, stderr } = await runScript("timeout", [`--timeout=${limit}`, "sh", "-c", line], {
      env: { MARK: mark },
    });
    assertEquals([code, stderr], [
      124,
      `timeout: no exit within ${limit} s; then sh was ended by ${signal}\n`,
    ]);
    assert(performance.now() - start < 20_000);
    assertEquals(await processesMarked(mark), []);
  });
}

processTest("timeout exits with the command, and ends what that left running", async () => {
  const mark = crypto.randomUUID();
  const line = "sleep 1000 2>&- & exit 4";
  const { code } = await runScript("timeout", ["--timeout=60", "sh", "-c", line], {
    env: { MARK: mark },
  });
  assertEquals([code, await processesMarked(mark)], [4, []]);
});

processTest("timeout holds, and says what is lost, where nobody reads its stdout", async () => {
  await using child = startScript("timeout", ["--timeout=1", "yes"]);
  assertEquals((await child.status).code, 124);
  assertEquals(
    await child.stderr.text(),
    "timeout: no exit within 1 s; then yes was ended by SIGTERM; " +
      "what nobody has read of its output is lost\n",
  );
  await Promise.all([child.stdin.close(), child.stdout.cancel()]);
});

processTest("timeout that was itself stopped sees that the command has exited", async () => {
  // The command stops its parent and exits; what it leaves lets the parent go on after the limit.
  const line = "kill -STOP $PPID; (sleep 4; kill -CONT $PPID) >&- 2>&- &";
  const result = await runScript("timeout", ["--timeout=3", "sh", "-c", line]);
  assertEquals(result, { code: 0, stdout: "", stderr: "" });
});
