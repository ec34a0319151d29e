/**
 * Messages over a pipe, which has no notion of them: it carries bytes, and boundaries are lost.
 *
 * "An unformatted byte stream: agree on length and format first", says the article
 * 《Python进程间通信之匿名管道》 (2024). Here each follows its length, so it may hold anything.
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
 * In Deno, where a ByteReader (lib/byte_reader.ts) reads a number of bytes, however they are cut:
 *
 *     const length = await reader.readUint32();
 *     if (length === null) return; // End of file, between two messages.
 *     const message = await reader.readBytes(length);
 *
 * With lib/frames.ts, `for await (const message of readFrames(pipe))` does so for one after the
 * other; frame() puts the length before a message. "how are you" becomes
 *
 *     00 00 00 0b  68 6f 77 20 61 72 65 20 79 6f 75
 *
 *     deno run --allow-run=cat scripts/framing.ts
 *
 * @module
 */
import { describeStatus, startChild } from "../lib/child.ts";
import { frame, readFrames } from "../lib/frames.ts";
import { flag, parseOptions } from "../lib/script/options.ts";
import { Failure, print } from "../lib/script/script.ts";
import { wireRow } from "../lib/script/wire.ts";

const { options } = parseOptions({
  shows: `Messages with boundaries over a stream of bytes: each follows its length. Sends
some to cat, which sends all back, and compares. Shows the first bytes that go
through the pipe: those of the length, then those of the message.`,
  example: "framing.ts --lines",
}, {
  lines: flag("end each message with a newline instead, and see which come back damaged"),
});

const encoder = new TextEncoder();
const messages = Object.entries({
  "a text": encoder.encode("how are you"),
  "with newlines": encoder.encode("how\nare\n\nyou"),
  "nothing at all": new Uint8Array(0),
  "100 KB": new Uint8Array(100_000).fill(0x2e),
  "not text": Uint8Array.from({ length: 256 }, (_, byte) => byte),
});

const line = (message: Uint8Array) => Uint8Array.from([...message, 0x0a]);

// cat knows nothing of messages: it sends the bytes back, in whatever pieces.
await using cat = startChild(new Deno.Command("cat", { stdin: "piped", stdout: "piped" }));
const sent = messages.map(([, message]) => options.lines ? line(message) : frame(message));
// Written while we read; otherwise a long message fills both pipes, and each waits for the other.
const writing = ReadableStream.from(sent).pipeTo(cat.stdin);
const reading = options.lines ? compareLines() : compareFrames();
const [outcome] = await Promise.allSettled([reading, writing]);
// If cat failed, that is why a message did not come back. But SIGPIPE (141) is what it gets when we
// stop reading: then our own error says why.
const status = await cat.status;
const isWrong = status.code !== 0 && status.code !== 141;
if (isWrong) throw new Failure(`cat ${describeStatus(status)}`, status.code);
if (outcome.status === "rejected") throw outcome.reason;

/** With its length before it, each message comes back as it was. */
async function compareFrames() {
  // Leaving the block cancels stdout: a cat that still writes does not wait for us for ever.
  await using replies = readFrames(cat.stdout);
  for (const [name, message] of messages) {
    const { value: reply } = await replies.next();
    if (reply?.toHex() !== message.toHex()) throw new Failure(`"${name}" came back different`);
    const parts = [frame(message).subarray(0, 4), message];
    await print(wireRow(name, message.length, parts, "equal"));
  }
  if (!(await replies.next()).done) throw new Failure("more came back than was sent");
}

/** --lines: what does not survive a newline as the end of a message. */
async function compareLines() {
  const replies = (await cat.stdout.text()).split("\n");
  // The output of a child that failed proves nothing about newlines.
  if (!(await cat.status).success) return;
  let damaged = 0;
  for (const [name, message] of messages) {
    // Only by knowing the message can we tell how many lines it became.
    const parts = replies.splice(0, message.filter((byte) => byte === 0x0a).length + 1);
    const isSame = encoder.encode(parts.join("\n")).toHex() === message.toHex();
    if (parts.length > 1 || !isSame) damaged++;
    const fate = (parts.length > 1 ? `as ${parts.length} lines` : "equal") +
      (isSame ? "" : ", other bytes");
    await print(wireRow(name, message.length, [line(message)], fate));
  }
  if (damaged !== 2) throw new Failure(`expected 2 damaged messages, got ${damaged}`);
}
