/**
 * Streams that the tests of both readers read.
 *
 * @module
 */
import { cpuUsage } from "node:process";

const encoder = new TextEncoder();

/** The bytes of a text in UTF-8; bytes stay. */
export function bytesOf(part: string | Uint8Array): Uint8Array {
  return typeof part === "string" ? encoder.encode(part) : part;
}

/** A stream of these chunks, text or bytes. */
export function streamOf(...chunks: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks.map(bytesOf));
}

/** A stream into which a test writes by hand, and which tells whether it was cancelled. */
export function manualStream() {
  let writer: ReadableStreamDefaultController<Uint8Array> | undefined;
  const cancelled = Promise.withResolvers<unknown>();
  const readable = new ReadableStream<Uint8Array>({
    start: (controller) => void (writer = controller),
    cancel: (reason) => cancelled.resolve(reason),
  });
  return {
    readable,
    write: (text: string) => writer?.enqueue(encoder.encode(text)),
    close: () => writer?.close(),
    fail: (error: unknown) => writer?.error(error),
    cancelled: cancelled.promise,
  };
}

/** The bytes cut wherever the number has a bit set. */
export function cut(bytes: Uint8Array, cuts: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let start = 0;
  for (let end = 1; end <= bytes.length; end++) {
    if (end < bytes.length && (cuts >> (end - 1) & 1) === 0) continue;
    chunks.push(bytes.subarray(start, end));
    start = end;
  }
  return chunks;
}

/** The milliseconds that this process has worked, however busy the machine is with others. */
export function milliseconds(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}
