/**
 * A time limit for tests, which Deno has not. Run by itself, this file is the process that looks
 * after the tests of another: one for a whole run, since a thread for each test file takes longer
 * to start than most of them take.
 *
 * @module
 */

type Test = (t: Deno.TestContext) => void | Promise<void>;

/**
 * Sees to it that every test that is declared as `Deno.test(name, fn)` from now on ends, or ends
 * the run. A test that is over in time runs as it would without this; all do without permissions.
 *
 * @param seconds The longest that a test may take. The run then ends with a line that names the
 * test, and with SIGABRT; the processes that it has started are killed (on Linux).
 * @returns Has a function keep the limit that is declared in another way, such as a step.
 */
export function limitTests(seconds: number): (test: Test) => Test {
  const folder = startWatchdog(seconds);
  const limited = (test: Test): Test => {
    if (folder === undefined) return test;
    return async (t) => {
      // For as long as the test runs, a file that has its name.
      const path = `${folder}/${crypto.randomUUID()}`;
      Deno.writeTextFileSync(path, t.name);
      try {
        await test(t);
      } finally {
        Deno.removeSync(path);
      }
    };
  };
  const { test } = Deno;
  const declare = (name: string, fn: Test) => test(name, limited(fn));
  Object.assign(Deno, { test: Object.assign(declare, test) });
  return limited;
}

/** Starts a process that looks after the tests of this one, unless there is one; gives the folder
 * where it looks. */
function startWatchdog(seconds: number): string | undefined {
  const names = ["run", "read", "write", "env"] as const;
  const states = names.map((name) => Deno.permissions.querySync({ name }).state);
  if (states.some((state) => state !== "granted")) return;
  const run = String(Deno.pid);
  if (Deno.env.get("TEST_RUN") !== run) {
    const folder = Deno.makeTempDirSync();
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", import.meta.filename ?? "", folder, run, String(seconds)],
      // Ctrl-C is not for it: it ends when the run has.
      detached: true,
      stdin: "null",
      stdout: "null",
    }).spawn().unref();
    // What the processes of the tests inherit, and what tells them from others.
    Deno.env.set("TEST_RUN", run);
    Deno.env.set("TEST_FOLDER", folder);
  }
  return Deno.env.get("TEST_FOLDER");
}

if (import.meta.main) {
  const [folder = "", run = "", seconds = ""] = Deno.args;
  const look = setInterval(() => {
    const test = lateTest(folder, Number(seconds) * 1000);
    if (test !== undefined) {
      tell(run, `"${test}" did not end within ${seconds} s, so the whole run ends here\n`);
      endRun(run);
    }
    // No process heeds that signal.
    if (!mayKill(Number(run), "SIGURG")) {
      clearInterval(look);
      Deno.removeSync(folder, { recursive: true });
    }
  }, 200);
}

/** The name of a test that takes longer than so many milliseconds. */
function lateTest(folder: string, limit: number): string | undefined {
  for (const { name } of Deno.readDirSync(folder)) {
    try {
      const { mtime } = Deno.statSync(`${folder}/${name}`);
      if (mtime === null || Date.now() - mtime.getTime() < limit) continue;
      return Deno.readTextFileSync(`${folder}/${name}`);
    } catch {
      // It has ended since.
    }
  }
}

/** Writes to the stderr of a run: what Deno gives its children ends with the test file. */
function tell(run: string, text: string): void {
  try {
    Deno.writeTextFileSync(`/proc/${run}/fd/2`, text, { append: true });
  } catch {
    // No Linux.
    console.error(text);
  }
}

/** Ends a run first, so that it starts no more, and then the processes that it has started. */
function endRun(run: string): void {
  mayKill(Number(run), "SIGABRT");
  // Three times, since a process may start another while it is looked for.
  for (let round = 0; round < 3 && Deno.build.os === "linux"; round++) {
    for (const { name } of Deno.readDirSync("/proc")) {
      try {
        const environment = Deno.readTextFileSync(`/proc/${name}/environ`).split("\0");
        if (environment.includes(`TEST_RUN=${run}`)) mayKill(Number(name), "SIGKILL");
      } catch {
        // Not a process, or it has ended since.
      }
    }
  }
}

function mayKill(pid: number, signal: Deno.Signal): boolean {
  try {
    Deno.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
