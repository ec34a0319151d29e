import { constants } from "node:os";
import {
  assertEquals,
  assertLess,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  describeStatus,
  endChild,
  endingSignals,
  startChild,
  StartError,
} from "../../lib/child.ts";
import { LineReader } from "../../lib/line_reader.ts";
import { untilExit } from "../../lib/until_exit.ts";
import {
  isInstalled,
  processesMarked,
  processTest,
  runCommand,
  sideBySide,
  takeHome,
  temporaryFolder,
} from "../process.ts";

// Whatever the code under test does, no process of these tests lasts longer than a minute.

function shell(line: string, options: Deno.CommandOptions = {}): Deno.Command {
  return new Deno.Command("sh", { args: ["-c", line], stdout: "piped", ...options });
}

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

/** Ends a second and a half after SIGTERM, with status 5. */
const SLOW = "trap 'sleep 1.5; exit 5' TERM; echo ready; for n in $(seq 500); do sleep 0.1; done";

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

processTest("endChild gives the family its grace when the child has exited", async () => {
  const line = `(${SLOW.replace("exit 5", "echo saved; exit")}) & wait`;
  await using child = startChild(shell(line, { detached: true }), { grace: 12 });
  await using lines = new LineReader(child.stdout);
  assertEquals(await lines.readLine(), "ready");
  assertEquals((await endChild(child)).signal, "SIGTERM");
  assertEquals(await lines.readLine(), "saved");
});

processTest("endChild gives a family its grace where no shell can list the processes", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/sh`, "#!/bin/sh\nexit 1\n", { mode: 0o700 });
  await sideBySide(["/no/such/folder", folder.path], async (path) => {
    const end = await endOf(
      `import { endChild, startChild } from "./child.ts";
      const line = "(${SLOW.replace("exit 5", "echo saved; exit")}) & wait";
      const command = new Deno.Command("sh", { args: ["-c", line], detached: true, stdout: "piped" });
      await using child = startChild(command, { grace: 12 });
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      await reader.read();
      Deno.env.set("PATH", "${path}");
      await endChild(child);
      console.log((await reader.read()).value);`,
    );
    assertEquals(end.lines[0], "saved");
  });
});

processTest("endChild does not wait for zombies", async () => {
  // The parent of the first sleep leaves the group, and never asks how that ended.
  const line = "(sleep 50 & exec setsid sh -c 'echo $$; exec sleep 50') & wait";
  const child = startChild(shell(line, { detached: true }), { grace: 45 });
  await using lines = new LineReader(child.stdout);
  const parent = Number(await lines.readLine());
  const start = performance.now();
  await child[Symbol.asyncDispose]();
  const duration = performance.now() - start;
  Deno.kill(parent, "SIGKILL");
  assertLess(duration, 20_000);
}, { needs: ["setsid"], os: "linux" });

/** What becomes of a program that has child.ts alone: at each line "ready" it gets a signal. */
async function endOf(
  program: string,
  signals: Deno.Signal[] = [],
  { args = [], prefix = [] }: { args?: string[]; prefix?: string[] } = {},
) {
  await using folder = await takeHome(["child.ts"], program);
  const [command = "", ...words] = [...prefix, ...folder.command, ...args];
  const mark = crypto.randomUUID();
  await using child = new Deno.Command(command, {
    args: words,
    env: { MARK: mark },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // Whatever the program does, the test ends.
  const limit = setTimeout(() => child.kill("SIGKILL"), 60_000);
  await using lines = new LineReader(untilExit(child.stdout, child.status));
  const errors = child.stderr.text();
  for (const signal of signals) {
    assertEquals(await lines.readLine(), "ready");
    child.kill(signal);
  }
  const { code, signal } = await child.status;
  clearTimeout(limit);
  const left = await processesMarked(mark);
  return { lines: await Array.fromAsync(lines), code, signal, left, errors: await errors };
}

const PROGRAM = `
  import { startChild } from "./child.ts";
  const args = ["-c", "sleep 50 & echo; wait"];
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
      startChild(new Deno.Command("sleep", { args: ["50"] }));
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

for (const [way, signal, code] of ENDS) {
  const name = `child.ts taken home alone leaves nothing behind: ${way} ${signal ?? ""}`;
  processTest(name, async () => {
    const end = await endOf(PROGRAM, signal === null ? [] : [signal], { args: [way] });
    assertEquals([end.code, end.signal, end.left], [code, signal, []]);
  });
}

processTest("child.ts leaves nothing behind after any signal that Deno lets it hear", async () => {
  const isLinux = Deno.build.os === "linux";
  const signals: [Deno.Signal, number][] = [
    ["SIGTRAP", 5],
    ["SIGABRT", 6],
    ["SIGALRM", 14],
    ["SIGXCPU", 24],
    ["SIGXFSZ", 25],
    ["SIGVTALRM", 26],
    ["SIGUSR1", isLinux ? 10 : 30],
    ["SIGUSR2", isLinux ? 12 : 31],
    ["SIGSYS", isLinux ? 31 : 12],
  ];
  if (isLinux) signals.push(["SIGSTKFLT", 16], ["SIGIO", 29], ["SIGPWR", 30]);
  await sideBySide(signals, async ([signal, number]) => {
    const { code, left, errors } = await endOf(PROGRAM, [signal], { args: ["wait"] });
    assertEquals([code, left], [128 + number, []], signal);
    // Deno itself speaks of its debugger then.
    if (signal !== "SIGUSR1") assertEquals(errors, "", signal);
  });
});

Deno.test("endingSignals has the numbers of this system", () => {
  const numbers = new Map<string, number>(Object.entries(constants.signals));
  const expected = [...endingSignals.keys()].map((signal) => [signal, numbers.get(signal)]);
  assertEquals([...endingSignals], expected);
});

processTest(
  "a child that exited is not waited for where its processes cannot be listed",
  async () => {
    await using folder = await takeHome(
      ["child.ts"],
      `import { startChild } from "./child.ts";
    const started = performance.now();
    {
      await using _child = startChild(new Deno.Command("sleep", { args: ["50"] }), { grace: 40 });
    }
    console.log(performance.now() - started < 20_000);`,
    );
    const command = [Deno.execPath(), "run", "--no-prompt", "--no-config", "--allow-run=sleep"];
    const { stdout, stderr } = await runCommand([...command, `${folder.path}/program.ts`]);
    assertEquals([stdout, stderr], ["true\n", ""]);
  },
);

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

processTest("a signal that comes while a child is started leaves nothing behind", async () => {
  const end = await endOf(
    `import { startChild } from "./child.ts";
    const { spawn } = Deno.Command.prototype;
    Deno.Command.prototype.spawn = function () {
      const child = spawn.call(this);
      Deno.kill(Deno.pid, "SIGTERM");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
      return child;
    };
    await using child = startChild(new Deno.Command("sleep", { args: ["50"] }));
    await child.status;`,
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

processTest("a signal gives a child as long to end as grace and endChild say", async () => {
  await sideBySide([
    ["{ grace: 12 }", ""],
    ["{}", 'Deno.addSignalListener("SIGTERM", () => endChild(child, 12));'],
  ], async ([options, listener]) => {
    const end = await endOf(
      `import { endChild, startChild } from "./child.ts";
      const line = "${SLOW.replace("exit 5", "echo saved; exit 5")}";
      await using child = startChild(new Deno.Command("sh", { args: ["-c", line] }), ${options});
      ${listener}
      await child.status;`,
      ["SIGTERM"],
    );
    assertEquals([end.lines, end.code], [["saved"], 143]);
  });
});

processTest("a script that may not signal any process is not asked to permit it", async () => {
  const end = await endOf(
    `import { endChild, startChild } from "./child.ts";
    await using child = startChild(new Deno.Command("sleep", { args: ["50"] }));
    Deno.permissions.revokeSync({ name: "run" });
    Deno.kill = () => console.log("asked");
    console.log((await endChild(child)).signal);`,
  );
  assertEquals([end.lines, end.errors], [["SIGTERM"], ""]);
});

processTest(
  "a child whose family has gone is signalled no more: its number may be reused",
  async () => {
    const end = await endOf(
      `import { endChild, startChild } from "./child.ts";
    const { kill } = Deno;
    const sent = [];
    const looked = Promise.withResolvers();
    let isGone = false;
    Deno.kill = (pid, signal) => {
      sent.push(signal);
      if (isGone) { looked.resolve(); throw new Deno.errors.NotFound("ESRCH"); }
      kill(pid, signal);
    };
    const args = ["-c", "sleep 50 & exit 3"];
    await using child = startChild(new Deno.Command("sh", { args, detached: true }));
    await child.status;
    await new Promise((resolve) => setTimeout(resolve, 100));
    isGone = true;
    setTimeout(() => {}, 60_000);
    await looked.promise;
    sent.length = 0;
    await endChild(child);
    console.log(JSON.stringify(sent));
    kill(-child.pid, "SIGKILL");
    Deno.exit();`,
    );
    assertEquals([end.lines, end.errors], [["[]"], ""]);
  },
);

processTest("a script ends by itself, and with it the family that outlived its child", async () => {
  const end = await endOf(
    `import { startChild } from "./child.ts";
    const args = ["-c", "sleep 50 & exit 3"];
    const child = startChild(new Deno.Command("sh", { args, detached: true }));
    await child.status;
    await new Promise((resolve) => setTimeout(resolve, 100));`,
  );
  assertEquals([end.code, end.left], [0, []]);
});

processTest("startChild leaves no timer behind the block", async () => {
  const end = await endOf(
    `import { startChild } from "./child.ts";
    const timers = new Set();
    const { setInterval, clearInterval } = globalThis;
    globalThis.setInterval = (...rest) => {
      const timer = setInterval(...rest);
      timers.add(timer);
      console.log("set");
      return timer;
    };
    globalThis.clearInterval = (timer) => {
      timers.delete(timer);
      clearInterval(timer);
    };
    {
      const args = ["-c", "sleep 50 & exit 3"];
      await using child = startChild(new Deno.Command("sh", { args, detached: true }));
      await child.status;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    console.log(timers.size);`,
  );
  assertEquals([end.lines, end.left], [["set", "0"], []]);
});

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

processTest("a cleanup that a block has begun goes on to its end when a signal comes", async () => {
  await sideBySide([
    "onEnd(() => {});",
    'startChild(new Deno.Command("sleep", { args: ["50"] }));',
  ], async (resource) => {
    const end = await endOf(
      `import { onEnd, startChild } from "./child.ts";
      {
        await using _cleanup = onEnd(async () => {
          {
            await using _part = ${resource}
            console.log("ready");
            await new Promise((resolve) => setTimeout(resolve, 500));
          }
          console.log("cleaned up");
        });
      }
      console.log("behind");`,
      ["SIGTERM"],
    );
    assertEquals([end.lines, end.code, end.errors], [["cleaned up"], 143, ""], resource);
  });
});

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

processTest("two copies of child.ts wait for each other's cleanups", async () => {
  const program = (rest: string) => `
    import * as first from "./child.ts";
    import * as second from "./child.ts?second";
    first.onEnd(() => console.log("first"));
    second.onEnd(async () => {
      if (!first.isEnding() || !second.isEnding()) throw "one copy does not know of the ending";
      await new Promise((resolve) => setTimeout(resolve, 1500));
      first.onEnd(() => console.log("last"));
    });
    second.onEnd(() => { throw "told once"; });
    ${rest}`;
  const ends = await Promise.all([
    endOf(program('console.log("ready"); setTimeout(() => {}, 50_000);'), ["SIGTERM"]),
    endOf(program("await first.endScript(7);")),
    endOf(program("await second.endScript(7);")),
  ]);
  for (const { lines, errors } of ends) {
    assertEquals([lines, errors], [["first", "last"], "cannot clean up: told once\n"]);
  }
  assertEquals(ends.map(({ code }) => code), [143, 7, 7]);
});

/** Runs a command as process 1 of a container without an init. */
const CONTAINER = ["unshare", "-rpf", "--mount-proc", "--kill-child"];
const mayUse = isInstalled("unshare") && (await runCommand([...CONTAINER, "true"])).code === 0;

processTest("a signal ends a script that is process 1, and its cleanups are done", async () => {
  const end = await endOf(
    `import { onEnd, startChild } from "./child.ts";
    onEnd(() => console.log("cleaned up"));
    await using child = startChild(new Deno.Command("sleep", { args: ["50"], detached: true }));
    Deno.kill(1, "SIGTERM");
    await child.status;`,
    [],
    { prefix: CONTAINER },
  );
  assertEquals([end.lines, end.code, end.left], [["cleaned up"], 143, []]);
}, { needs: [mayUse ? "unshare" : "unshare for this user"], os: "linux" });
