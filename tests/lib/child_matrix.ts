import { assertEquals, assertLess } from "@std/assert";
import { endChild, startChild } from "../../lib/child.ts";
import { LineReader } from "../../lib/line_reader.ts";
import {
  isInstalled,
  processTest,
  runCommand,
  sideBySide,
  takeHome,
  temporaryFolder,
} from "../process.ts";
import { endOf, PROGRAM, shell, SLOW } from "./child.ts";

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

processTest("many children that ignore SIGTERM end together within one grace", async () => {
  const deaf = "trap '' TERM; echo; for n in $(seq 500); do sleep 0.1; done";
  const children = Array.from({ length: 20 }, () => startChild(shell(deaf)));
  for (const { stdout } of children) {
    await using lines = new LineReader(stdout);
    assertEquals(await lines.readLine(), "");
  }
  const start = performance.now();
  const statuses = await Promise.all(children.map((child) => endChild(child, 2)));
  assertLess(performance.now() - start, 20_000);
  for (const { signal } of statuses) assertEquals(signal, "SIGKILL");
});
