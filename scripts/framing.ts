/**
 * Messages over a pipe, which knows none: it carries bytes, and their boundaries are lost.
 *
 * "An unformatted byte stream: agree on length and format first", says the article. Here each
 * message follows its length, four bytes with the most significant first: in Python
 * struct.pack(">I", len(message)) + message. So a message may hold anything. With --lines a
 * newline is the boundary instead, and what holds newlines, or is no text, comes back damaged.
 *
 *     deno run --allow-run scripts/framing.ts
 *     deno run --allow-run scripts/framing.ts --lines
 *
 * @module
 */
import { toText } from "@std/streams/to-text";
import { startChild } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { flag, parseOptions } from "../lib/options.ts";
import { Failure, print, run } from "../lib/script.ts";
import { byteCount, strong } from "../lib/terminal.ts";

const HELP = `Usage: framing.ts [--lines]

Messages with boundaries over a stream of bytes: sends messages that contain
newlines, nothing, 100 KB, and bytes that are not text to a child, which sends
each back, with its length before it.

Options:
  --lines        end each message with a newline instead, and see what comes back
  --child        be the child: send back what comes on stdin
  -h, --help     show this text

Example:
  deno run --allow-run scripts/framing.ts --lines`;

/** The longest message that is accepted. Without a bound, four wrong bytes ask for 4 GB. */
const MAXIMUM = 16 * 1024 * 1024;

/** The messages in a stream of frames. */
export async function* readFrames(
  readable: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const reader = readable.getReader({ mode: "byob" });
  for (;;) {
    const header = await readFully(reader, 4);
    if (header.length === 0) return;
    if (header.length < 4) throw cutOff(header.length, 4, "length");
    const length = new DataView(header.buffer).getUint32(0);
    if (length > MAXIMUM) {
      throw new Failure(`a frame of ${byteCount(length)} is over the bound of ${MAXIMUM}`);
    }
    const message = await readFully(reader, length);
    if (message.length < length) throw cutOff(message.length, length, "message");
    yield message;
  }
}

/** As many bytes as asked for, or fewer at the end of the stream. A read returns what is there. */
async function readFully(reader: ReadableStreamBYOBReader, length: number) {
  let bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { done, value } = await reader.read(bytes.subarray(filled));
    if (value === undefined) break;
    // The buffer has moved: what was handed in is detached, and this is the same memory.
    bytes = new Uint8Array(value.buffer);
    if (done) break;
    filled += value.length;
  }
  return bytes.subarray(0, filled);
}

function cutOff(got: number, expected: number, part: string): Failure {
  return new Failure(`the stream ended inside a frame: ${got} of ${expected} bytes of a ${part}`);
}

/** A message with its length before it. */
export function frame(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + message.length);
  new DataView(bytes.buffer).setUint32(0, message.length);
  bytes.set(message, 4);
  return bytes;
}

const encoder = new TextEncoder();

const MESSAGES: [name: string, message: Uint8Array][] = [
  ["a text", encoder.encode("how are you")],
  ["with newlines", encoder.encode("how\nare\n\nyou")],
  ["nothing at all", new Uint8Array(0)],
  ["100 KB", new Uint8Array(100_000).fill(0x2e)],
  ["not text", Uint8Array.from({ length: 256 }, (_, byte) => byte)],
];

async function child(lines: boolean) {
  if (lines) {
    for await (const line of new LineReader(Deno.stdin.readable)) await print(line);
    return;
  }
  const stdout = Deno.stdout.writable.getWriter();
  for await (const message of readFrames(Deno.stdin.readable)) await stdout.write(frame(message));
}

async function sendFrames(echo: Deno.ChildProcess) {
  const writer = echo.stdin.getWriter();
  const replies = readFrames(echo.stdout);
  for (const [name, message] of MESSAGES) {
    // Both at once: had the child to send before it has read all, neither would wait for ever.
    const [{ value: reply }] = await Promise.all([replies.next(), writer.write(frame(message))]);
    if (!isEqual(reply, message)) throw new Failure(`the message "${name}" came back different`);
    await print(`${describe(name, message)}  came back equal`);
  }
  await writer.close();
}

async function sendLines(echo: Deno.ChildProcess) {
  const newline = encoder.encode("\n");
  const source = ReadableStream.from(MESSAGES.flatMap(([, message]) => [message, newline]));
  const [, received] = await Promise.all([source.pipeTo(echo.stdin), toText(echo.stdout)]);
  const lines = received.split("\n");
  let damaged = 0;
  for (const [name, message] of MESSAGES) {
    // Only who knows the message knows how many of the lines it was.
    const parts = lines.splice(0, message.filter((byte) => byte === 0x0a).length + 1);
    const isIntact = parts.length === 1 && isEqual(encoder.encode(parts[0]), message);
    if (!isIntact) damaged++;
    const fate = isIntact ? "came back equal" : `came back as ${parts.length} lines`;
    const isChanged = !isEqual(encoder.encode(parts.join("\n")), message);
    await print(`${describe(name, message)}  ${fate}${isChanged ? ", other bytes" : ""}`);
  }
  if (damaged !== 2) throw new Failure(`2 messages were to be damaged, and ${damaged} were`);
}

function describe(name: string, message: Uint8Array): string {
  return `${strong(name.padEnd(14))}  ${byteCount(message.length).padStart(13)}`;
}

function isEqual(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a?.length === b.length && b.every((byte, index) => byte === a[index]);
}

// Imported, as its test does, it only offers its functions.
if (import.meta.main) {
  await run("framing", async () => {
    const { options } = parseOptions(HELP, { lines: flag(), child: flag() });
    if (options.child) return await child(options.lines);

    const command = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", import.meta.url, "--child"],
        ...(options.lines ? ["--lines"] : []),
      ],
      stdin: "piped",
      stdout: "piped",
    });
    const echo = startChild(command, "deno");
    await (options.lines ? sendLines : sendFrames)(echo);
    return (await echo.status).code;
  });
}
