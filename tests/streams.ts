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

/** Two pipes to another side that answers each write at once, and the order of what is done with
 * them. */
export function pipesInOrder(answer: (text: string) => string) {
  const order: ("read" | "write")[] = [];
  let written = Promise.withResolvers<string | undefined>();
  const readable = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      order.push("read");
      const text = await written.promise;
      written = Promise.withResolvers();
      if (text === undefined) controller.close();
      else controller.enqueue(encoder.encode(answer(text)));
    },
  }, { highWaterMark: 0 });
  const writable = new WritableStream<Uint8Array<ArrayBuffer>>({
    write(chunk) {
      order.push("write");
      written.resolve(new TextDecoder().decode(chunk));
    },
    close: () => written.resolve(undefined),
  });
  return { order, readable, writable };
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
