/**
 * What the test of fifo.ts and its matrix share.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { LineReader } from "../../lib/line_reader.ts";
import { fakeProgram, startScript } from "../process.ts";

/** Starts a half, and waits until it waits for the other. */
export async function startHalf(part: "read" | "write", path: string) {
  const child = startScript("fifo", [part, path]);
  const lines = new LineReader(child.stderr);
  const other = part === "read" ? "writer" : "reader";
  assertEquals(await lines.readLine(), `fifo: waiting for a ${other} on ${path}`);
  return Object.assign(child, { lines });
}

/** The rest of a half's life: its exit code, its stdout, and what more it said. */
export async function endOf({ lines, status, stdout }: Awaited<ReturnType<typeof startHalf>>) {
  const [{ code }, text, said] = await Promise.all([
    status,
    stdout.text(),
    Array.fromAsync(lines),
  ]);
  return [code, text, ...said];
}

export async function write(child: Deno.ChildProcess, text: string) {
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}

/** A mkfifo that runs these lines; `hold` waits in them until it is let go, or half a minute. */
export async function heldMkfifo(lines: string) {
  const hold = 'hold() { for i in $(seq 600); do [ -e "$0.go" ] && break; sleep 0.05; done; }';
  const mkfifo = await fakeProgram("mkfifo", `PATH=$PATH_BEFORE\n${hold}\n${lines}`);
  return {
    ...mkfifo,
    env: { ...mkfifo.env, PATH_BEFORE: Deno.env.get("PATH") ?? "" },
    letGo: () => Deno.writeTextFile(`${mkfifo.path}/mkfifo.go`, ""),
  };
}

export async function assertGone(path: string) {
  await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
}
