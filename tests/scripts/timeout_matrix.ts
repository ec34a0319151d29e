import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  kill,
  processesMarked,
  processTest,
  runCommand,
  runScript,
  scriptCommand,
} from "../process.ts";

const LATE: [what: string, line: string, signal: string, limit?: number][] = [
  ["is silent", "sleep 1000", "SIGTERM"],
  ["floods", "exec yes", "SIGTERM"],
  ["is stopped", "kill -STOP $$", "SIGTERM"],
  ["has a deaf family", "(trap '' TERM; sleep 1000) & wait", "SIGTERM"],
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

processTest("timeout --grace lets a command clean up, and not for longer", async () => {
  const line = (cleanup: string) => `trap '${cleanup}; echo clean; exit 7' TERM; sleep 1000 & wait`;
  const cases: [grace: number, cleanup: string, stdout: string, end: string][] = [
    [60, "sleep 1", "clean\n", "exited with status 7"],
    [0.2, "sleep 100", "", "was ended by SIGKILL"],
  ];
  for (const [grace, cleanup, expected, end] of cases) {
    const mark = crypto.randomUUID();
    // Time enough to set the trap.
    const args = ["--timeout=3", `--grace=${grace}`, "sh", "-c", line(cleanup)];
    const { code, stdout, stderr } = await runScript("timeout", args, { env: { MARK: mark } });
    assertEquals([code, stdout], [124, expected]);
    assertEquals(stderr, `timeout: no exit within 3 s; then sh ${end}\n`);
    assertEquals(await processesMarked(mark), []);
  }
});

/** Each writes from a session of its own, beyond the reach of a signal to the family. */
const OUTSIDERS: [line: string, expected: number][] = [
  ["setsid yes & echo $! >&2; wait", 124],
  ["setsid sh -c 'for n in $(seq 10000); do echo x; sleep 0.01; done' & echo $! >&2; exit 3", 3],
];

for (const [line, expected] of OUTSIDERS) {
  processTest(`timeout does not wait for who left the family: ${line.slice(0, 9)}`, async () => {
    const command = scriptCommand("timeout", ["--timeout=1", "sh", "-c", line]);
    const discard = 'timeout -s KILL 30 "$@" >/dev/null';
    const { code, stderr } = await runCommand(["sh", "-c", discard, "sh", ...command]);
    kill(parseInt(stderr), "SIGKILL");
    assertEquals(code, expected, stderr);
  }, { needs: ["setsid", "timeout"] });
}

processTest(
  "timeout ends what its command left running though that floods a slow reader",
  async () => {
    const command = scriptCommand("timeout", ["--timeout=60", "sh", "-c", "yes & exit 3"]);
    const slow = "dd bs=1000 count=50 status=none; sleep 1; cat >/dev/null";
    const line = `"$@" | (${slow}); exit "\${PIPESTATUS[0]}"`;
    const { code, stderr } = await runCommand([
      "timeout",
      "30",
      "bash",
      "-c",
      line,
      "bash",
      ...command,
    ]);
    assertEquals([code, stderr], [3, ""]);
  },
  { needs: ["bash", "timeout"] },
);

processTest("timeout passes all on to a reader that is slow", async () => {
  const command = scriptCommand("timeout", ["--timeout=60", "head", "-c", "500000", "/dev/zero"]);
  const { stdout } = await runCommand(["sh", "-c", '"$@" | (sleep 1; wc -c)', "sh", ...command]);
  assertEquals(Number(stdout), 500_000);
});

processTest("timeout names a command that cannot be started", async () => {
  for (const [program, expected] of [["no-such-program", 127], ["/", 126]] as const) {
    const { code, stderr } = await runScript("timeout", [program]);
    assertEquals(code, expected);
    assertMatch(stderr, /^timeout: cannot start [^\n]*\n$/);
  }
});
