/**
 * Many cases of one kind: the tests try some of them, the matrix all.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ByteReader, IncompleteReadError } from "../../lib/byte_reader.ts";
import { frame, readFrames } from "../../lib/frames.ts";
import { LineReader } from "../../lib/line_reader.ts";
import { cut, streamOf } from "../streams.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A stream of bytes as a pipe is, which fills the memory of its reader. */
export function byteStreamOf(chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  const left = chunks.filter((chunk) => chunk.length > 0);
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const chunk = left.shift();
      if (chunk !== undefined) return controller.enqueue(chunk.slice());
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}

/** The text of a piece; null stays. */
export async function text(piece: Promise<Uint8Array | null>): Promise<string | null> {
  const bytes = await piece;
  return bytes && decoder.decode(bytes);
}

/** The lines that readLine() gives. */
export async function byReadLine(reader: LineReader): Promise<string[]> {
  const lines: string[] = [];
  for (let line; (line = await reader.readLine()) !== null;) lines.push(line);
  return lines;
}

/** The lines that a loop gives. */
export const byIteration = (reader: LineReader) => Array.fromAsync(reader);

/** The lines that batches() gives. */
export const byBatches = async (reader: LineReader) =>
  (await Array.fromAsync(reader.batches())).flat();

/** Short enough for every way to cut them: each end of a line, characters of one to four bytes. */
const TEXTS: [text: string, ...lines: string[]][] = [
  ["a\r\né\n\n\r€", "a", "é", "", "\r€"],
  ["€\n😀\r\nb", "€", "😀", "b"],
  ["\r\r\n\n😀\ré", "\r", "", "😀\ré"],
];

/** Looks for lines in texts cut in every `step`th way. */
export async function findLinesHoweverCut(
  read: (reader: LineReader) => Promise<string[]>,
  step: number,
  stream = (chunks: Uint8Array[]) => streamOf(...chunks),
): Promise<void> {
  for (const [text, ...expected] of TEXTS) {
    const bytes = encoder.encode(text);
    for (let cuts = 0; cuts < 2 ** (bytes.length - 1); cuts += step) {
      const lines = await read(new LineReader(stream(cut(bytes, cuts))));
      assertEquals(lines, expected, `cut at ${cuts.toString(2)}`);
    }
  }
}

/** Looks for ends that repeat themselves, at every `step`th way to cut the bytes. */
export async function findEndsHoweverCut(step: number): Promise<void> {
  const cases = [
    ["aaabaab", "aab", "a", "aab"],
    ["xababacx", "abac", "xab", "x"],
    ["\r\n\r\r\n\r\n.", "\r\n\r\n", "\r\n\r", "."],
    ["abcabcabd", "abcabd", "abc", ""],
    ["aabaacaabaab", "aabaab", "aabaac", ""],
    ["ababcababab", "ababab", "ababc", ""],
  ] as const;
  for (const [whole, end, piece, rest] of cases) {
    const bytes = encoder.encode(whole);
    for (let cuts = 0; cuts < 2 ** (bytes.length - 1); cuts += step) {
      const chunks = cut(bytes, cuts);
      for (const readable of [streamOf(...chunks), byteStreamOf(chunks)]) {
        const reader = new ByteReader(readable);
        assertEquals(await text(reader.readUntil(end)), piece, `cut at ${cuts.toString(2)}`);
        assertEquals(await text(reader.readBytes(rest.length)), rest);
        assertEquals(await reader.readBytes(1), null);
      }
    }
  }
}

/** What a reader should do, over bytes that are all there. */
class Model {
  at = 0;
  constructor(readonly bytes: Uint8Array, readonly maxLength: number) {}

  get rest(): Uint8Array {
    return this.bytes.subarray(this.at);
  }

  take(count: number): string {
    return String(this.bytes.subarray(this.at, this.at += count));
  }

  incomplete(): string {
    return this.rest.length === 0 ? "the end" : `incomplete ${this.take(this.rest.length)}`;
  }

  readUntil(end: string): string {
    const rest = decoder.decode(this.rest);
    let length = rest.indexOf(end);
    const isFound = length !== -1;
    // Where it ends with a beginning of the end, that may not belong to the piece.
    for (let at = 0; length === -1; at++) if (end.startsWith(rest.slice(at))) length = at;
    if (length > this.maxLength) return "too long";
    if (!isFound) return this.incomplete();
    const piece = this.take(length);
    this.at += end.length;
    return piece;
  }

  readBytes(count: number): string {
    return this.rest.length < count ? this.incomplete() : this.take(count);
  }
}

/** Compares ByteReader with a simple model, at random cuts, ends and calls. */
export async function compareWithModel(rounds: number): Promise<void> {
  let seed = 20241117;
  const random = (below: number) => {
    seed = Math.imul(seed, 1103515245) + 12345;
    return (seed >>> 8) % below;
  };
  const outcome = (piece: Promise<Uint8Array | null>) =>
    piece.then((bytes) => bytes === null ? "the end" : String(bytes), (error) => {
      if (error instanceof IncompleteReadError) return `incomplete ${error.partial}`;
      if (error instanceof RangeError) return "too long";
      return String(error);
    });
  for (let round = 0; round < rounds; round++) {
    const bytes = Uint8Array.from({ length: random(120) }, () => 0x61 + random(1 + random(3)));
    const chunks: Uint8Array[] = [];
    for (let start = 0; start < bytes.length;) {
      const chunk = bytes.subarray(start, start + random(1 + random(40)));
      chunks.push(chunk);
      start += chunk.length;
    }
    const maxLength = random(3) > 0 ? Infinity : random(30);
    const readable = random(2) > 0 ? byteStreamOf(chunks) : streamOf(...chunks);
    const reader = new ByteReader(readable, { maxLength });
    const chunksLeft = reader[Symbol.asyncIterator]();
    const model = new Model(bytes, maxLength);
    for (let call = 0; call < 30; call++) {
      const [end = ""] = /^.{1,4}/.exec("abcab".repeat(2).slice(random(5))) ?? [];
      const count = random(25);
      const kind = random(6);
      const where = `round ${round}, call ${call}`;
      if (kind < 2) {
        assertEquals(await outcome(reader.readUntil(end)), model.readUntil(end), where);
      } else if (kind < 4) {
        assertEquals(await outcome(reader.readBytes(count)), model.readBytes(count), where);
      } else if (kind === 4 && !Number.isFinite(maxLength)) {
        const { value } = await chunksLeft.next();
        const taken = value?.length ?? 0;
        assertEquals(value === undefined, model.rest.length === 0, where);
        assertEquals(String(value ?? []), model.take(taken), where);
      } else {
        // Given up at some moment: it has taken all or nothing.
        const giveUp = new AbortController();
        const given = outcome(reader.readBytes(count, { signal: giveUp.signal }));
        for (let turn = random(8); turn > 0; turn--) await Promise.resolve();
        giveUp.abort("given up");
        const said = await given;
        if (said !== "given up") assertEquals(said, model.readBytes(count), where);
      }
      assertEquals(
        String(reader.buffered),
        String(model.rest.subarray(0, reader.buffered.length)),
        where,
      );
    }
    await reader[Symbol.asyncDispose]();
  }
}

/** Messages with a newline, with nothing, with no text, … */
export const MESSAGES = [[0x0a], [], [0xff, 0x00]].map((bytes) => new Uint8Array(bytes));
/** … and their frames. */
export const BYTES = Uint8Array.from(MESSAGES.flatMap((message) => [...frame(message)]));

/** A stream of the bytes, cut wherever the number has a bit set. */
export function cutStream(
  bytes: Uint8Array<ArrayBuffer>,
  cuts: number,
): ReadableStream<Uint8Array> {
  return byteStreamOf(cut(bytes, cuts));
}

/** Looks for messages in frames cut in every `step`th way. */
export async function findFramesHoweverCut(step: number): Promise<void> {
  for (let cuts = 0; cuts < 2 ** (BYTES.length - 1); cuts += step) {
    assertEquals(await Array.fromAsync(readFrames(cutStream(BYTES, cuts))), MESSAGES);
  }
}

/** Reads lines that come without end, with a few microseconds of work a line, for 400 ms. */
export async function readFlood(way: string): Promise<void> {
  const chunk = encoder.encode("y\n".repeat(32 * 1024));
  const readable = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(chunk),
  });
  await using reader = new LineReader(readable);
  const start = performance.now();
  const work = (lines: string[]) => {
    for (const _ of lines) for (let n = 0; n < 3000; n++) if (n < 0) throw new Error();
    return performance.now() - start < 400;
  };
  if (way === "byReadLine") { while (work([await reader.readLine() ?? ""])); }
  if (way === "byIteration") { for await (const line of reader) if (!work([line])) break; }
  if (way === "byBatches") {
    for await (const batch of reader.batches()) if (!work(batch)) break;
  }
}
