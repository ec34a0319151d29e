import { Worker } from "node:worker_threads";

type Test = (t: Deno.TestContext) => void | Promise<void>;

/**
 * Sees to it that every test that is declared as `Deno.test(name, fn)` from now on ends, or ends
 * the run: Deno has no time limit for tests. A test that is over in time runs as it would without
 * this.
 *
 * @param seconds The longest that a test may take. The run then ends with a line that names the
 * test, and with SIGABRT; the processes that it has started (on Linux, with all permissions) are
 * killed.
 * @returns Has a function keep the limit that is declared in another way, such as a step.
 */
export function limitTests(seconds: number): (test: Test) => Test {
  let watchdog: Worker | undefined;
  let count = 0;
  const limited = (test: Test): Test => {
    // Started while tests are declared: one that started it itself would seem to leak it.
    const worker = watchdog ??= startWatchdog(seconds);
    return async (t) => {
      const id = count++;
      worker.postMessage([id, t.name]);
      try {
        await test(t);
      } finally {
        worker.postMessage([id]);
      }
    };
  };
  const { test } = Deno;
  const declare = (name: string, fn: Test) => test(name, limited(fn));
  Object.assign(Deno, { test: Object.assign(declare, test) });
  return limited;
}

function startWatchdog(seconds: number): Worker {
  const permission = Deno.permissions.querySync({ name: "run" });
  // What the test's processes inherit, and what tells them from others.
  if (permission.state === "granted") Deno.env.set("TEST_RUN", String(Deno.pid));
  // As text: to load a file takes the permission to read it.
  const source = encodeURIComponent(`(${watch})(${seconds})`);
  const worker = new Worker(new URL(`data:text/javascript,${source}`));
  // So Deno sees when a test waits for what can never come, and fails that test at once.
  worker.unref();
  return worker;
}

/** Runs in a thread of its own: timers of the tests' thread do not fire in an endless loop. */
function watch(seconds: number): void {
  const timers = new Map<number, ReturnType<typeof setTimeout>>();
  addEventListener("message", (event) => {
    if (!(event instanceof MessageEvent)) return;
    const [id, name]: [number, string?] = event.data;
    clearTimeout(timers.get(id));
    timers.delete(id);
    if (name !== undefined) timers.set(id, setTimeout(endRun, seconds * 1000, name));
  });

  async function endRun(name: string): Promise<void> {
    for (const timer of timers.values()) clearTimeout(timer);
    console.error(`"${name}" did not end within ${seconds} s, so the whole run ends here`);
    if (Deno.permissions.querySync({ name: "run" }).state === "granted") killProcesses();
    // The test runner shows what was written a moment later.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    // Deno.exit() ends no more than a worker.
    const { abort } = await import("node:process");
    abort();
  }

  function killProcesses(): void {
    // Its stdin ends when this process has gone, which then starts no more. Three times, since a
    // process may start another while it is looked for.
    const line = "read -r _; for round in 1 2 3; do " +
      'kill -KILL $(grep -lsz "^TEST_RUN=$1$" /proc/[0-9]*/environ | cut -d / -f 3); done';
    new Deno.Command("sh", {
      args: ["-c", line, "sh", String(Deno.pid)],
      env: { TEST_RUN: "" },
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }
}
