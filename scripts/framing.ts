/**
 * Messages over a pipe, which has no notion of them: it carries bytes, and boundaries are lost.
 *
 * "An unformatted byte stream: agree on length and format first", says the article
 * 《Python进程间通信之匿名管道》 (2024). Here each message follows its length, so it may hold anything.
 *
 * In Python:
 *
 *     def send(pipe, message):
 *         pipe.write(struct.pack(">I", len(message)) + message)
 *         pipe.flush()
 *     def receive(pipe):
 *         (length,) = struct.unpack(">I", pipe.read(4))
 *         return pipe.read(length)
 *
 *     deno run --allow-run scripts/framing.ts
 *
 * @module
 */
import { describeStatus, startChild } from "../lib/child.ts";
import { frame, readFrames } from "../lib/frames.ts";
import { flag, parseOptions } from "../lib/options.ts";
import { Failure, print, stdinBytes, stdinLines, writeBytes } from "../lib/script.ts";
import { byteCount, strong } from "../lib/terminal.ts";

const { options } = parseOptions({
  shows: `Messages with boundaries over a stream of bytes: each follows its length. Sends
some to a child, which sends each back, and compares.`,
  example: "framing.ts --lines",
}, {
  lines: flag("end each message with a newline instead, and see which come back damaged"),
  child: flag("be the child: send back what comes on stdin"),
});

const encoder = new TextEncoder();
const messages: [name: string, message: Uint8Array<ArrayBuffer>][] = [
  ["a text", encoder.encode("how are you")],
  ["with newlines", encoder.encode("how\nare\n\nyou")],
  ["nothing at all", new Uint8Array(0)],
  ["100 KB", new Uint8Array(100_000).fill(0x2e)],
  ["not text", Uint8Array.from({ length: 256 }, (_, byte) => byte)],
];
const describe = (name: string, message: Uint8Array) =>
  `${strong(name.padEnd(14))}  ${byteCount(message.length).padStart(13)}`;

if (!options.child) {
  // The child is this script again: both sides must agree on the format.
  const args = ["run", "--no-prompt", import.meta.url, "--child", ...Deno.args];
  const command = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" });
  await using child = startChild(command);
  const parts = messages.flatMap(([, message]) =>
    options.lines ? [message, encoder.encode("\n")] : [frame(message)]
  );
  // Written while we read; otherwise a long message fills both pipes, and each waits for the other.
  const writing = ReadableStream.from(parts).pipeTo(child.stdin);
  const reading = options.lines ? checkLines(child) : checkFrames(child);
  const [outcome] = await Promise.allSettled([reading, writing]);
  const status = await child.status;
  // 141 (SIGPIPE): the child failed only because we stopped reading, and our own error says why.
  // Any other failure of the child is the reason for a message that is cut off or did not come.
  if (outcome.status === "rejected" && [0, 141].includes(status.code)) throw outcome.reason;
  if (!status.success) throw new Failure(`the child ${describeStatus(status)}`, status.code);
} else if (options.lines) {
  for await (const line of stdinLines()) await print(line);
} else {
  for await (const message of readFrames(stdinBytes())) {
    await writeBytes(frame(message));
  }
}

async function checkFrames({ stdout }: Deno.ChildProcess) {
  // Its disposal cancels stdout: a child that still writes does not wait for us for ever.
  await using replies = readFrames(stdout);
  for (const [name, message] of messages) {
    const { value: reply } = await replies.next();
    if (String(reply) !== String(message)) throw new Failure(`"${name}" came back different`);
    await print(`${describe(name, message)}  came back equal`);
  }
  if (!(await replies.next()).done) throw new Failure("more came back than was sent");
}

async function checkLines({ stdout, status }: Deno.ChildProcess) {
  const lines = (await stdout.text()).split("\n");
  // The output of a child that failed proves nothing about newlines.
  if (!(await status).success) return;
  let damaged = 0;
  for (const [name, message] of messages) {
    // Only by knowing the message can we tell how many lines it became.
    const parts = lines.splice(0, message.filter((byte) => byte === 0x0a).length + 1);
    const isSame = String(encoder.encode(parts.join("\n"))) === String(message);
    if (parts.length > 1 || !isSame) damaged++;
    const fate = parts.length > 1 ? `as ${parts.length} lines` : "equal";
    await print(`${describe(name, message)}  came back ${fate}${isSame ? "" : ", other bytes"}`);
  }
  if (damaged !== 2) throw new Failure(`expected 2 damaged messages, got ${damaged}`);
}
