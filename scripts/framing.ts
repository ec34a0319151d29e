/**
 * Messages over a pipe, which has no notion of them: it carries bytes, and boundaries are lost.
 *
 * "An unformatted byte stream: agree on length and format first", says the article
 * 《Python进程间通信之匿名管道》 (2024). Here each message follows its length,
 * so it may hold anything.
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
 *     deno run --allow-run=cat scripts/framing.ts
 *
 * @module
 */
import { describeStatus, startChild } from "../lib/child.ts";
import { frame, readFrames } from "../lib/frames.ts";
import { flag, parseOptions } from "../lib/options.ts";
import { byteCount, Failure, print } from "../lib/script.ts";
import { strong } from "../lib/terminal.ts";

const { options } = parseOptions({
  shows: `Messages with boundaries over a stream of bytes: each follows its length. Sends
some to cat, which sends all back, and compares. Shows the first bytes that go
through the pipe: those of the length, then those of the message.`,
  example: "framing.ts --lines",
}, {
  lines: flag("end each message with a newline instead, and see which come back damaged"),
});

const encoder = new TextEncoder();
const messages: [name: string, message: Uint8Array][] = [
  ["a text", encoder.encode("how are you")],
  ["with newlines", encoder.encode("how\nare\n\nyou")],
  ["nothing at all", new Uint8Array(0)],
  ["100 KB", new Uint8Array(100_000).fill(0x2e)],
  ["not text", Uint8Array.from({ length: 256 }, (_, byte) => byte)],
];
const line = (message: Uint8Array) => Uint8Array.from([...message, 0x0a]);

// cat knows nothing of messages: it sends the bytes back, in whatever pieces.
const command = new Deno.Command("cat", { stdin: "piped", stdout: "piped" });
await using cat = startChild(command);
const sent = messages.map(([, message]) => options.lines ? line(message) : frame(message));
// Written while we read; otherwise a long message fills both pipes, and each waits for the other.
const writing = ReadableStream.from(sent).pipeTo(cat.stdin);
const reading = options.lines ? checkLines(cat) : checkFrames(cat);
const [outcome] = await Promise.allSettled([reading, writing]);
const status = await cat.status;
// If cat failed, its status says why a message did not come back. But 141 (SIGPIPE) only means that
// we stopped reading; our own error says why.
if (![0, 141].includes(status.code)) {
  throw new Failure(`cat ${describeStatus(status)}`, status.code);
}
if (outcome.status === "rejected") throw outcome.reason;

async function checkFrames({ stdout }: Deno.ChildProcess) {
  // Its disposal cancels stdout: a child that still writes does not wait for us for ever.
  await using replies = readFrames(stdout);
  for (const [name, message] of messages) {
    const { value: reply } = await replies.next();
    if (String(reply) !== String(message)) throw new Failure(`"${name}" came back different`);
    await tell(name, message, "equal");
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
    await tell(name, message, `${fate}${isSame ? "" : ", other bytes"}`);
  }
  if (damaged !== 2) throw new Failure(`expected 2 damaged messages, got ${damaged}`);
}

async function tell(name: string, message: Uint8Array, fate: string) {
  const hex = (bytes: Uint8Array) => bytes.toHex().replaceAll(/..(?=.)/g, "$& ");
  const length = options.lines ? "" : `${hex(frame(message).subarray(0, 4))}  `;
  const shown = options.lines ? line(message) : message;
  const wire = `${length}${hex(shown.subarray(0, 8))}${shown.length > 8 ? " …" : ""}`;
  const size = byteCount(message.length).padStart(13);
  await print(`${strong(name.padEnd(14))}  ${size}  ${wire.padEnd(38)}  came back ${fate}`);
}
