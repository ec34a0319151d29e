import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describeStatus, endChild, startChild, StartError } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { processesMarked, processTest, takeHome, temporaryFolder } from "./process.ts";

function shell(line: string, options: Deno.CommandOptions = {}): Deno.Command {
  return new Deno.Command("sh", { args: ["-c", line], stdout: "piped", ...options });
}

processTest(
  "endChild ends a child with SIGTERM, and with SIGKILL one that ignores it",
  async () => {
    await using willing = shell("echo; exec sleep 1000").spawn();
    await using deaf = shell("trap '' TERM; echo; while :; do sleep 0.1; done").spawn();
    for (const [child, signal] of [[willing, "SIGTERM"], [deaf, "SIGKILL"]] as const) {
      await using lines = new LineReader(child.stdout);
      assertEquals(await lines.readLine(), "");
      const status = await endChild(child, 0.2);
      assertEquals(describeStatus(status), `was ended by ${signal}`);
      // Once more does no harm.
      assertEquals(await endChild(child), status);
    }
  },
);

processTest("endChild ends what a detached child started, even what ignores SIGTERM", async () => {
  for (const line of ["sleep 1000 & echo; wait", `(trap "" TERM; echo; sleep 1000) & wait`]) {
    await using child = shell(line, { detached: true }).spawn();
    await using lines = new LineReader(child.stdout);
    assertEquals(await lines.readLine(), "");
    await endChild(child, 0.2);
    // The pipe ends when its last holder has gone, and that was the grandchild.
    assertEquals(await lines.readLine(), null);
  }
});

processTest("endChild ends a child that is stopped, by SIGTERM", async () => {
  await using child = shell("echo; exec sleep 1000", { detached: true }).spawn();
  await using lines = new LineReader(child.stdout);
  assertEquals(await lines.readLine(), "");
  child.kill("SIGSTOP");
  assertEquals((await endChild(child, 20)).signal, "SIGTERM");
});

processTest("startChild's child ends with the block, and its family with it", async () => {
  let left: Deno.ChildProcess;
  {
    await using child = startChild(shell("sleep 1000 & echo; wait", { detached: true }));
    left = child;
    await using lines = new LineReader(child.stdout);
    assertEquals(await lines.readLine(), "");
  }
  assertEquals((await left.status).signal, "SIGTERM");
});

processTest(
  "startChild ends with the block what a child left running that has exited",
  async () => {
    const mark = crypto.randomUUID();
    const options = { detached: true, env: { MARK: mark } } as const;
    {
      await using child = startChild(shell("(trap '' TERM; sleep 1000) >&2 & exit 3", options));
      const [, { code }] = await Promise.all([child.stdout.text(), child.status]);
      assertEquals(code, 3);
    }
    assertEquals(await processesMarked(mark), []);
  },
);

processTest("startChild says why a program cannot be started, and with which code", async () => {
  await using folder = await temporaryFolder();
  const cases: [string, Deno.CommandOptions, number, string][] = [
    ["no-such-program", {}, 127, "cannot start no-such-program: not found on the PATH"],
    ["/no/such/program", {}, 127, "cannot start /no/such/program: no such file"],
    ["/", {}, 126, "cannot start /: a folder, or not executable"],
    ["", {}, 127, 'cannot start "": not found on the PATH'],
    ["ls", { cwd: `${folder.path}/missing` }, 126, `No such cwd '${folder.path}/missing'`],
  ];
  for (const [program, options, exitCode, message] of cases) {
    const command = new Deno.Command(program, options);
    const error = assertThrows(() => startChild(command), StartError);
    assertEquals(error.exitCode, exitCode);
    assertStringIncludes(error.message, message);
  }
  const error = assertThrows(() => startChild(new Deno.Command("/no/such"), "./such"), StartError);
  assertStringIncludes(error.message, "cannot start ./such: ");
});

const PROGRAM = `
  import { startChild } from "./child.ts";
  const args = ["-c", "sleep 1000 & echo; wait"];
  {
    await using child = startChild(
      new Deno.Command("sh", { args, stdout: "piped", detached: true }),
    );
    const reader = child.stdout.getReader();
    await reader.read();
    console.log("ready");
    if (Deno.args[0] === "exit") Deno.exit(5);
    if (Deno.args[0] === "throw") throw new Error("a mistake");
    if (Deno.args[0] === "timer") setTimeout(() => { throw new Error("a mistake"); });
    if (Deno.args[0] === "rejection") Promise.reject(new Error("a mistake"));
    // Whoever restarts a child meets the signal, too.
    while (Deno.args[0] === "restart") {
      await child.status;
      startChild(new Deno.Command("sleep", { args: ["1000"] }));
    }
    if (/timer|rejection/.test(Deno.args[0])) await child.status;
    if (Deno.args[0] === "wait") await child.status;
  }
  console.log("over");
`;

const ENDS: [way: string, signal: Deno.Signal | null, code: number][] = [
  ["wait", "SIGTERM", 143],
  ["wait", "SIGHUP", 129],
  ["wait", "SIGINT", 130],
  ["wait", "SIGQUIT", 131],
  ["restart", "SIGTERM", 143],
  ["timer", null, 1],
  ["rejection", null, 1],
  ["exit", null, 5],
  ["throw", null, 1],
  ["leave", null, 0],
];

for (const [way, signal, expected] of ENDS) {
  processTest(
    `child.ts taken home alone leaves nothing behind: ${way} ${signal ?? ""}`,
    async () => {
      await using folder = await takeHome(["child.ts"], PROGRAM);
      const [program = "", ...args] = [...folder.command, way];
      const mark = crypto.randomUUID();
      await using child = new Deno.Command(program, {
        args,
        env: { MARK: mark },
        stdout: "piped",
        stderr: "null",
      }).spawn();
      await using lines = new LineReader(child.stdout);
      assertEquals(await lines.readLine(), "ready");
      if (signal !== null) child.kill(signal);
      const status = await child.status;
      assertEquals([status.code, status.signal], [expected, signal]);
      assertEquals(await processesMarked(mark), []);
    },
  );
}

processTest("endChild waits without end where the grace is infinite", async () => {
  const line = "trap 'sleep 0.3; exit 5' TERM; echo; while :; do sleep 0.1; done";
  await using child = startChild(shell(line));
  await using lines = new LineReader(child.stdout);
  assertEquals(await lines.readLine(), "");
  assertEquals((await endChild(child, Infinity)).code, 5);
});

/** A program that says when it is ready to be ended, with child.ts alone, and what it writes then. */
async function endOf(program: string, ...signals: Deno.Signal[]) {
  await using folder = await takeHome(["child.ts"], program);
  const [command = "", ...args] = folder.command;
  await using child = new Deno.Command(command, { args, stdout: "piped", stderr: "piped" }).spawn();
  await using lines = new LineReader(child.stdout);
  const errors = child.stderr.text();
  for (const signal of signals) {
    assertEquals(await lines.readLine(), "ready");
    child.kill(signal);
  }
  return { lines: await Array.fromAsync(lines), ...await child.status, errors: await errors };
}

processTest("onEnd has all cleanups done, whatever one of them throws", async () => {
  const end = await endOf(
    `import { onEnd } from "./child.ts";
    onEnd(() => console.log("cleaned up"));
    onEnd(() => { throw null; });
    console.log("ready");
    setTimeout(() => {}, 100_000);`,
    "SIGTERM",
  );
  assertEquals([end.lines, end.signal], [["cleaned up"], "SIGTERM"]);
  assertEquals(end.errors, "cannot clean up: null\n");
});

processTest("a second signal, a second later, ends a script whose cleanup hangs", async () => {
  const end = await endOf(
    `import { onEnd } from "./child.ts";
    onEnd(() => {
      setTimeout(() => console.log("ready"), 1500);
      return new Promise(() => {});
    });
    console.log("ready");
    setTimeout(() => {}, 100_000);`,
    "SIGINT",
    "SIGTERM",
  );
  assertEquals([end.code, end.errors], [143, ""]);
});
