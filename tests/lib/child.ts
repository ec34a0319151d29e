/**
 * What the tests of child.ts share: children that last, and programs that have it alone.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { LineReader } from "../../lib/line_reader.ts";
import { untilExit } from "../../lib/until_exit.ts";
import { processesMarked, takeHome } from "../process.ts";

// Whatever the code under test does, no process of these tests lasts longer than a minute.

export function shell(line: string, options: Deno.CommandOptions = {}): Deno.Command {
  return new Deno.Command("sh", { args: ["-c", line], stdout: "piped", ...options });
}

/** Ends a second and a half after SIGTERM, with status 5. */
export const SLOW =
  "trap 'sleep 1.5; exit 5' TERM; echo ready; for n in $(seq 500); do sleep 0.1; done";

/** What becomes of a program that has child.ts alone: at each line "ready" it gets a signal. */
export async function endOf(
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

export const PROGRAM = `
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
