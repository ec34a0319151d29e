/**
 * The children that the tests of {@linkcode Dialogue} talk to.
 *
 * @module
 */
import { startChild } from "../../lib/child.ts";
import { Dialogue, type DialogueOptions } from "../../lib/dialogue.ts";
import { pipesInOrder } from "../streams.ts";

/** Waits until a dialogue has failed. */
export async function aborted({ signal }: Dialogue): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener("abort", () => resolve());
  await promise;
}

/** Starts a shell and a dialogue with it, which ends with the block, and all that it started. */
export function start(line: string, options: DialogueOptions = {}) {
  const command = new Deno.Command("sh", {
    args: ["-c", line],
    stdin: "piped",
    stdout: "piped",
    detached: true,
  });
  const child = startChild(command);
  const dialogue = new Dialogue(child, { name: "sh", timeout: 20, ...options });
  return { child, dialogue, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

/** Lets the event loop turn so often; reading pauses for 64 turns. */
export async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** A child whose every step a test decides; what it gets on its stdin is dropped, unless the test
 * gives other pipes. */
export function puppet(pipes: Partial<ReturnType<typeof pipesInOrder>> = {}) {
  const stdout = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const status = Promise.withResolvers<Deno.CommandStatus>();
  const none = () => Promise.reject(new Error("not read in this way"));
  const child: Deno.ChildProcess = {
    pid: 1,
    stdin: pipes.writable ?? new WritableStream(),
    stdout: Object.assign(pipes.readable ?? stdout.readable, {
      arrayBuffer: none,
      bytes: none,
      json: none,
      text: none,
    }),
    get stderr(): never {
      throw new TypeError("stderr is not piped");
    },
    status: status.promise,
    output: none,
    kill() {
      status.resolve({ success: false, code: 143, signal: "SIGTERM" });
    },
    ref() {},
    unref() {},
    [Symbol.asyncDispose]: () => Promise.resolve(child.kill()),
  };
  const writer = stdout.writable.getWriter();
  const closeStdout = () => writer.close();
  const exit = (code: number) => status.resolve({ success: code === 0, code, signal: null });
  return {
    child,
    write: (text: string) => writer.write(new TextEncoder().encode(text)),
    closeStdout,
    exit,
    async endOf(dialogue: Dialogue) {
      exit(0);
      await closeStdout();
      await dialogue.end();
    },
  };
}
