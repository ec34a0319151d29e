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
 * So "how are you" goes through the pipe as the bytes
 *
 *     00 00 00 0b  68 6f 77 20 61 72 65 20 79 6f 75
 *
 * In Deno: receive() below; or, to take home, frame() and readFrames() of lib/frames.ts.
 *
 *     deno run --allow-run=cat scripts/framing.ts
 *
 * @module
 */
import { ByteReader } from "../lib/byte_reader.ts";
import { startChild } from "../lib/child.ts";
import { frame } from "../lib/frames.ts";
import { flag, parseOptions } from "../lib/script/options.ts";
import { byteCount, Failure, mustSucceed, print } from "../lib/script/script.ts";

/** Reads a message, however its bytes are cut. Null at end of file. */
async function receive(reader: ByteReader): Promise<Uint8Array | null> {
  const length = await reader.readBytes(4);
  if (length === null) return null;
  const count = new DataView(length.buffer, length.byteOffset).getUint32(0);
  // Without a bound, four wrong bytes would make us wait for up to 4 GiB.
  if (count > 1_000_000) throw new Failure(`a length of ${byteCount(count)} cannot be right`);
  return await reader.readBytes(count);
}

async function compare(output: ReadableStream<Uint8Array>) {
  // Leaving the block cancels the output: a cat that still writes does not wait for us for ever.
  await using reader = new ByteReader(output);
  await row("message", "size", "first bytes in the pipe", "came back as");
  for (const [name, message] of messages) {
    const parts: (Uint8Array | null)[] = [];
    // Only by knowing the message can we tell how many lines it became.
    const count = byLines ? message.filter((byte) => byte === 0x0a).length + 1 : 1;
    while (parts.length < count) {
      parts.push(await (byLines ? reader.readUntil("\n") : receive(reader)));
    }
    const isSame = parts.map((part) => part?.toHex()).join("0a") === message.toHex();
    if (!isSame) throw new Failure(`"${name}" came back different`);
    const fate = byLines ? `${count} line${count > 1 ? "s" : ""}` : "one message";
    const bytes = wire(message).map(start).filter(Boolean).join("  ");
    await row(name, byteCount(message.length), bytes, fate);
  }
  if (await reader.readBytes(1) !== null) throw new Failure("more came back than was sent");
}

/** What goes through the pipe for a message: its length before it, or a newline behind it. */
function wire(message: Uint8Array): Uint8Array[] {
  return byLines ? [message, Uint8Array.of(0x0a)] : [frame(message).subarray(0, 4), message];
}

function start(bytes: Uint8Array): string {
  const four = bytes.subarray(0, 4).toHex().replaceAll(/..(?=.)/g, "$& ");
  return bytes.length > 4 ? `${four} …` : four;
}

async function row(name: string, size: string, bytes: string, fate: string) {
  await print(`${name.padEnd(14)} ${size.padStart(13)}  ${bytes.padEnd(26)} ${fate}`);
}

// That is all. What follows reads the command line, and sends the messages.
const { options: { lines: byLines } } = parseOptions({
  shows: `Messages over a stream of bytes: each follows its length. Sends some to cat,
which sends them back. Shows the first bytes of each length and each message.`,
  example: "framing.ts --lines",
}, {
  lines: flag("end each message with a newline instead, and see which come back cut"),
});
const messages: [name: string, message: Uint8Array][] = [
  ["a text", new TextEncoder().encode("how are you")],
  ["with newlines", new TextEncoder().encode("how\nare\n\nyou")],
  ["nothing at all", new Uint8Array(0)],
  ["100 KB", new Uint8Array(100_000).fill(0x2e)],
  ["not text", Uint8Array.from({ length: 256 }, (_, byte) => byte)],
];
// cat knows nothing of messages: it sends the bytes back, in whatever pieces.
await using cat = startChild(new Deno.Command("cat", { stdin: "piped", stdout: "piped" }));
// Written while we read; otherwise a long message fills both pipes, and each waits for the other.
const sent = messages.flatMap(([, message]) => wire(message));
const writing = ReadableStream.from(sent).pipeTo(cat.stdin);
const [outcome] = await Promise.allSettled([compare(cat.stdout), writing]);
// A cat that failed is why a message did not come back; but SIGPIPE (141) is our own doing.
const status = await cat.status;
if (status.code !== 141) mustSucceed("cat", status);
if (outcome.status === "rejected") throw outcome.reason;
