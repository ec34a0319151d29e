import { constants } from "node:os";
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import {
  describeStatus,
  endChild,
  endingSignals,
  startChild,
  StartError,
} from "../../lib/child.ts";
import { LineReader } from "../../lib/line_reader.ts";
import { processesMarked, processTest, sideBySide, temporaryFolder } from "../process.ts";
import { endOf, PROGRAM, shell, SLOW } from "./child.ts";

// Whatever the code under test does, no process of these tests lasts longer than a minute.

processTest(
  "endChild ends a child with SIGTERM, and with SIGKILL one that ignores it",
  async () => {
    await using willing = shell("echo; exec sleep 50").spawn();
    await using deaf = shell("trap '' TERM; echo; for n in $(seq 500); do sleep 0.1; done").spawn();
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
  for (const line of ["sleep 50 & echo; wait", `(trap "" TERM; echo; sleep 50) & wait`]) {
    await using child = shell(line, { detached: true }).spawn();
    await using lines = new LineReader(child.stdout);
    assertEquals(await lines.readLine(), "");
    await endChild(child, 0.2);
    // The pipe ends when its last holder has gone, and that was the grandchild.
    assertEquals(await lines.readLine(), null);
  }
});

processTest("endChild ends a child that is stopped, by SIGTERM", async () => {
  const look = "for n in $(seq 500); do ps -o stat= -p $$ | grep -q T && break; sleep 0.1; done";
  await using child = shell(`(${look}; echo stopped) & kill -STOP $$`, { detached: true }).spawn();
  await using lines = new LineReader(child.stdout);
  assertEquals(await lines.readLine(), "stopped");
  assertEquals((await endChild(child, 20)).signal, "SIGTERM");
}, { needs: ["ps"] });

processTest("startChild's child ends with the block, and its family with it", async () => {
  let left: Deno.ChildProcess;
  {
    await using child = startChild(shell("sleep 50 & echo; wait", { detached: true }));
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
      await using child = startChild(shell("(trap '' TERM; sleep 50) >&2 & exit 3", options));
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
    ["/", {}, 126, "cannot start /: a folder, not executable"],
    ["", {}, 127, 'cannot start "": not found on the PATH'],
    ["ls", { cwd: `${folder.path}/missing` }, 126, `No such cwd '${folder.path}/missing'`],
    ["ls", { cwd: "/dev/null" }, 126, "ls: cwd is not a directory '/dev/null'"],
  ];
  for (const [program, options, exitCode, message] of cases) {
    const command = new Deno.Command(program, options);
    const error = assertThrows(() => startChild(command), StartError);
    assertEquals(error.exitCode, exitCode);
    assertStringIncludes(error.message, message);
  }
  const missing = new Deno.Command("/no/such");
  const error = assertThrows(() => startChild(missing, { name: "./such" }), StartError);
  assertStringIncludes(error.message, "cannot start ./such: ");
});

processTest("a grace that is no time is refused, and changes nothing", async () => {
  const command = new Deno.Command("sleep", { args: ["60"] });
  for (const grace of [NaN, -1]) {
    assertThrows(() => startChild(command, { grace }), RangeError, `cannot be ${grace}`);
    await using child = startChild(command);
    await assertRejects(() => endChild(child, grace), RangeError, `cannot be ${grace}`);
  }
});

processTest("startChild gives a child as long to end as grace says", async () => {
  const child = startChild(shell(SLOW), { grace: 12 });
  {
    await using _child = child;
    await using lines = new LineReader(child.stdout);
    assertEquals(await lines.readLine(), "ready");
  }
  assertEquals((await child.status).code, 5);
});

processTest(
  "a child that ignores SIGTERM gets SIGKILL without a word about its grace",
  async () => {
    const line = "trap '' TERM; echo ready; for n in $(seq 500); do sleep 0.1; done";
    for (const child of [startChild(shell(line)), shell(line).spawn()]) {
      await using lines = new LineReader(child.stdout);
      assertEquals(await lines.readLine(), "ready");
      assertEquals((await endChild(child)).signal, "SIGKILL");
    }
  },
);

processTest("endChild with a grace of its own holds where the child is being ended", async () => {
  for (const [first, second, code] of [[0.3, 12, 5], [12, 0, 137], [12, undefined, 5]] as const) {
    await using child = startChild(shell(SLOW), { grace: 0.3 });
    await using lines = new LineReader(child.stdout);
    assertEquals(await lines.readLine(), "ready");
    const statuses = await Promise.all([endChild(child, first), endChild(child, second)]);
    assertEquals(statuses.map((status) => status.code), [code, code]);
  }
});

processTest("endChild sends SIGTERM once, however often it is called", async () => {
  const line = "trap 'echo TERM' TERM; echo; for n in $(seq 500); do sleep 0.1; done";
  await using child = startChild(shell(line));
  await using lines = new LineReader(child.stdout);
  assertEquals(await lines.readLine(), "");
  const first = endChild(child, 50);
  assertEquals(await lines.readLine(), "TERM");
  const second = endChild(child, 1);
  assertEquals(await lines.readLine(), null);
  for (const status of await Promise.all([first, second])) assertEquals(status.signal, "SIGKILL");
});

processTest("endChild sends another signal than SIGTERM, and SIGKILL after its grace", async () => {
  const line =
    "trap '' TERM; trap 'echo INT' INT; echo ready; for n in $(seq 500); do sleep 0.1; done";
  await using child = startChild(shell(line));
  await using lines = new LineReader(child.stdout);
  assertEquals(await lines.readLine(), "ready");
  assertEquals((await endChild(child, 1, "SIGINT")).signal, "SIGKILL");
  assertEquals(await lines.readLine(), "INT");
});

processTest("endChild gives the family its grace when the child has exited", async () => {
  const line = `(${SLOW.replace("exit 5", "echo saved; exit")}) & wait`;
  await using child = startChild(shell(line, { detached: true }), { grace: 12 });
  await using lines = new LineReader(child.stdout);
  assertEquals(await lines.readLine(), "ready");
  assertEquals((await endChild(child)).signal, "SIGTERM");
  assertEquals(await lines.readLine(), "saved");
});

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

for (const [way, signal, code] of ENDS) {
  const name = `child.ts taken home alone leaves nothing behind: ${way} ${signal ?? ""}`;
  processTest(name, async () => {
    const end = await endOf(PROGRAM, signal === null ? [] : [signal], { args: [way] });
    assertEquals([end.code, end.signal, end.left], [code, signal, []]);
  });
}

Deno.test("endingSignals has the numbers of this system", () => {
  const numbers = new Map<string, number>(Object.entries(constants.signals));
  const expected = [...endingSignals.keys()].map((signal) => [signal, numbers.get(signal)]);
  assertEquals([...endingSignals], expected);
});

processTest("a script keeps a signal for itself by deleting it from endingSignals", async () => {
  const end = await endOf(
    `import { endingSignals, startChild } from "./child.ts";
    endingSignals.delete("SIGUSR1");
    await using child = startChild(new Deno.Command("sleep", { args: ["50"] }));
    Deno.addSignalListener("SIGUSR1", () => console.log("ready"));
    console.log("ready");
    await child.status;`,
    ["SIGUSR1", "SIGTERM"],
  );
  assertEquals([end.signal, end.left], ["SIGTERM", []]);
});

processTest("a signal ends a script at once that has nothing left to end", async () => {
  await sideBySide([
    'await using _child = startChild(new Deno.Command("true"));',
    'const child = startChild(new Deno.Command("true")); await child.status; await sleep(500);',
    "await using _cleanup = onEnd(() => {});",
    "await using _cleanup = onEnd(() => { throw 0; });",
    'startChild(new Deno.Command("/no/such/program"));',
  ], async (block) => {
    const end = await endOf(
      `import { onEnd, startChild } from "./child.ts";
      const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
      const work = async () => { ${block} };
      await work().catch(() => {});
      console.log("ready");
      // Busy: it hears nothing.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20_000);
      console.log("over");`,
      ["SIGTERM"],
    );
    assertEquals([end.lines, end.signal], [[], "SIGTERM"], block);
  });
});

processTest(
  "a signal is heard that came while the script was busy at the end of a block",
  async () => {
    await sideBySide([
      "await using _cleanup = onEnd(() => {});",
      'await using child = startChild(new Deno.Command("true")); await child.status;',
    ], async (resource) => {
      const end = await endOf(
        `import { onEnd, startChild } from "./child.ts";
      {
        ${resource}
        Deno.kill(Deno.pid, "SIGTERM");
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
      }
      await new Promise((resolve) => setTimeout(resolve, 2000));
      console.log("over");`,
      );
      assertEquals([end.lines, end.signal], [[], "SIGTERM"], resource);
    });
  },
);

for (const seen of ["await child.status;", ""]) {
  const when = seen === "" ? "not yet" : "already";
  processTest(
    `a block is not left when Ctrl-C, heard later, ended its child, ${when} seen`,
    async () => {
      const end = await endOf(
        `import { startChild } from "./child.ts";
      // On a busy machine the signal may take long: so do the timers here.
      const { setTimeout } = globalThis;
      globalThis.setTimeout = (callback, milliseconds) => setTimeout(callback, 20 * milliseconds);
      {
        await using child = startChild(new Deno.Command("sleep", { args: ["50"] }));
        child.kill("SIGINT");
        ${seen}
        setTimeout(() => Deno.kill(Deno.pid, "SIGINT"), 1000);
      }
      console.log("over");`,
      );
      assertEquals([end.lines, end.signal], [[], "SIGINT"]);
    },
  );
}

processTest("onEnd has all cleanups done, whatever one of them throws", async () => {
  const end = await endOf(
    `import { onEnd } from "./child.ts";
    onEnd(() => console.log("cleaned up"));
    onEnd(() => { throw null; });
    console.log("ready");
    setTimeout(() => {}, 50_000);`,
    ["SIGTERM"],
  );
  assertEquals([end.lines, end.signal], [["cleaned up"], "SIGTERM"]);
  assertEquals(end.errors, "cannot clean up: null\n");
});

processTest("onEnd has a cleanup done once that disposes its own handle", async () => {
  const program = `import { onEnd } from "./child.ts";
    let count = 0;
    const handle = onEnd(async () => {
      if (++count > 1) Deno.exit(99);
      await handle[Symbol.asyncDispose]();
      console.log("cleaned up");
    });`;
  const ends = await Promise.all([
    endOf(`${program} await handle[Symbol.asyncDispose]();`),
    endOf(`${program} console.log("ready"); setTimeout(() => {}, 50_000);`, ["SIGTERM"]),
  ]);
  for (const { lines, errors } of ends) assertEquals([lines, errors], [["cleaned up"], ""]);
  assertEquals(ends.map(({ code }) => code), [0, 143]);
});

processTest("onEnd has a cleanup done that is registered while the script ends", async () => {
  const end = await endOf(
    `import { onEnd } from "./child.ts";
    onEnd(async () => {
      await using _helper = onEnd(() => console.log("helper"));
      onEnd(() => console.log("from a cleanup"));
    });
    onEnd(async () => {
      const wait = new Promise((resolve) => setTimeout(resolve, 500));
      setTimeout(() => onEnd(() => console.log("meanwhile")), 50);
      await wait;
    });
    console.log("ready");
    setTimeout(() => {}, 50_000);`,
    ["SIGTERM"],
  );
  assertEquals(end.lines.toSorted(), ["from a cleanup", "helper", "meanwhile"]);
  assertEquals([end.signal, end.errors], ["SIGTERM", ""]);
});

processTest(
  "a block that is left while a signal has its cleanup done waits for the end",
  async () => {
    const end = await endOf(
      `import { onEnd } from "./child.ts";
    const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
    const stop = Promise.withResolvers();
    Deno.addSignalListener("SIGTERM", stop.resolve);
    {
      await using _cleanup = onEnd(async () => {
        await sleep(500);
        console.log("cleaned up");
      });
      console.log("ready");
      await stop.promise;
      await sleep(20);
    }
    Deno.exit(0);`,
      ["SIGTERM"],
    );
    assertEquals([end.lines, end.code, end.errors], [["cleaned up"], 143, ""]);
  },
);

processTest("code after a block does not run when a signal is ending the script", async () => {
  await sideBySide([
    "await using _cleanup = onEnd(() => {});",
    'await using _child = startChild(new Deno.Command("sleep", { args: ["50"] }));',
  ], async (resource) => {
    const end = await endOf(
      `import { isEnding, onEnd, startChild } from "./child.ts";
      const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
      onEnd(() => sleep(1000));
      {
        ${resource}
        console.log("ready");
        while (!isEnding()) await sleep(10);
        await sleep(100);
      }
      console.log("over");`,
      ["SIGTERM"],
    );
    assertEquals([end.lines, end.signal], [[], "SIGTERM"], resource);
  });
});

processTest(
  "a second signal, a second later, ends a script at once with its children",
  async () => {
    await sideBySide([
      'onEnd(() => new Promise(() => {})); console.log("ready");',
      'startChild(new Deno.Command("sh", { args: ["-c", deaf] }), { grace: 40 });',
    ], async (what) => {
      const end = await endOf(
        `import { isEnding, onEnd, startChild } from "./child.ts";
      const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
      const deaf = "trap '' TERM; echo ready; for n in $(seq 500); do sleep 0.1; done";
      // Longer than the time between the two that counts.
      await sleep(1000);
      ${what}
      while (!isEnding()) await sleep(10);
      // Soon after, it may be the same signal twice.
      Deno.kill(Deno.pid, "SIGHUP");
      await sleep(1500);
      console.log("ready");
      await sleep(50_000);`,
        ["SIGINT", "SIGTERM"],
      );
      assertEquals([end.code, end.left, end.errors], [143, [], ""], what);
    });
  },
);
