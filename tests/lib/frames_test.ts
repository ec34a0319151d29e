import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { frame, FrameError, readFrames } from "../../lib/frames.ts";
import { largestGap, processTest, runCommand, takeHome } from "../process.ts";
import { BYTES, cutStream, findFramesHoweverCut, MESSAGES } from "./sweeps.ts";

Deno.test("frame writes the length first, the most significant byte before the others", () => {
  assertEquals(frame(new Uint8Array([7, 8])), new Uint8Array([0, 0, 0, 2, 7, 8]));
  assertEquals(frame(new Uint8Array(0x010203)).subarray(0, 4), new Uint8Array([0, 1, 2, 3]));
  assertEquals(MESSAGES.map(frame), MESSAGES.map((message) => frame(message)));
});

Deno.test("frame and readFrames agree on the least significant byte first, too", async () => {
  const littleEndian = true;
  const message = Uint8Array.from({ length: 0x010203 }, (_, at) => at);
  const bytes = frame(message, { littleEndian });
  assertEquals([...bytes.subarray(0, 5), bytes.length], [3, 2, 1, 0, 0, 0x010207]);
  assertEquals(await Array.fromAsync(readFrames(cutStream(bytes, 0), { littleEndian })), [message]);
});

Deno.test("frame refuses a message whose length four bytes cannot hold", () => {
  // Only its length is looked at: nobody has 4 GiB to spare for a test.
  const message = Object.defineProperty(new Uint8Array(0), "length", { value: 2 ** 32 });
  assertThrows(() => frame(message), RangeError, "4 GiB");
});

Deno.test("readFrames finds the same messages however the stream is cut", () =>
  findFramesHoweverCut(101));

Deno.test("readFrames says where a stream ended that ends inside a frame", async () => {
  const wholeFrames = [5, 9];
  for (let length = 1; length < BYTES.length; length++) {
    for (const cuts of [0, -1, 0b101010101010101010]) {
      const messages: Uint8Array[] = [];
      const read = async () => {
        for await (const message of readFrames(cutStream(BYTES.slice(0, length), cuts))) {
          messages.push(message);
        }
      };
      if (wholeFrames.includes(length)) await read();
      else await assertRejects(read, FrameError, "ended inside a frame");
      const whole = wholeFrames.filter((end) => end <= length).length;
      assertEquals(messages, MESSAGES.slice(0, whole));
    }
  }
});

Deno.test("readFrames says how much of a frame had come", async () => {
  const cases = [
    [1, "1 of 4 bytes of a length"],
    [4, "0 of 7 bytes of a message"],
    [9, "5 of 7 bytes of a message"],
    [13, "2 of 4 bytes of a length"],
  ] as const;
  const bytes = Uint8Array.from([...frame(new Uint8Array(7)), ...frame(new Uint8Array(0))]);
  for (const [length, where] of cases) {
    const frames = readFrames(cutStream(bytes.slice(0, length), 0));
    const error = await assertRejects(() => Array.fromAsync(frames), FrameError, where);
    assertEquals([error.name, error.exitCode], ["FrameError", 1]);
  }
});

Deno.test("readFrames refuses a length past its bound", async () => {
  const stream = cutStream(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0]), 0);
  const error = await assertRejects(() => readFrames(stream).next(), FrameError);
  assertMatch(error.message, /4294967295 bytes/);
});

for (const type of [undefined, "bytes"] as const) {
  Deno.test(`readFrames that is left early lets go of a ${type ?? "default"} stream`, async () => {
    const cancelled = Promise.withResolvers<unknown>();
    const source: UnderlyingSource<Uint8Array> = {
      start: (controller) => controller.enqueue(frame(new Uint8Array([7]))),
      cancel: (reason) => cancelled.resolve(reason),
    };
    const readable = type === undefined ? new ReadableStream(source) : new ReadableStream({
      type,
      start: (controller) => controller.enqueue(frame(new Uint8Array([7]))),
      cancel: cancelled.resolve,
    });
    for await (const message of readFrames(readable)) {
      assertEquals(message, new Uint8Array([7]));
      break;
    }
    await cancelled.promise;
    assertEquals(readable.locked, false);
  });
}

Deno.test("readFrames that is left before its first message lets go of the stream", async () => {
  const cancelled = Promise.withResolvers<unknown>();
  const readable = new ReadableStream<Uint8Array>({ cancel: cancelled.resolve });
  {
    await using _messages = readFrames(readable);
  }
  await cancelled.promise;
  assertEquals(readable.locked, false);
});

/** A stream that gives these bytes and then neither more nor its end; and when it was cancelled. */
function openStream(...chunks: Uint8Array[]) {
  const cancelled = Promise.withResolvers<unknown>();
  const readable = new ReadableStream<Uint8Array>({
    start: (controller) => chunks.forEach((chunk) => controller.enqueue(chunk)),
    cancel: cancelled.resolve,
  });
  return { readable, cancelled: cancelled.promise };
}

for (const method of ["return", "throw"] as const) {
  Deno.test(`readFrames lets go of the stream at ${method}() before the first message`, async () => {
    const { readable, cancelled } = openStream();
    const frames = readFrames(readable);
    const left = frames[method](new Error("enough"));
    if (method === "throw") await assertRejects(() => left, Error, "enough");
    else assertEquals((await left).done, true);
    await cancelled;
    assertEquals([readable.locked, (await frames.next()).done], [false, true]);
  });

  for (const length of [0, 2, 4, 6]) {
    Deno.test(`readFrames lets go of the stream at ${method}() while it waits, after ${length} bytes`, async () => {
      const { readable, cancelled } = openStream(frame(new Uint8Array(5)).subarray(0, length));
      const frames = readFrames(readable);
      const waiting = frames.next();
      // Until all bytes have been read.
      await new Promise((resolve) => setTimeout(resolve));
      const left = frames[method](new Error("enough"));
      if (method === "throw") await assertRejects(() => left, Error, "enough");
      else assertEquals((await left).done, true);
      await cancelled;
      assertEquals([readable.locked, (await waiting).done], [false, true]);
    });
  }
}

Deno.test("readFrames that is disposed while a message is waited for ends at once", async () => {
  const { readable, cancelled } = openStream(frame(new Uint8Array([7])));
  let waiting: Promise<IteratorResult<Uint8Array>>;
  {
    await using frames = readFrames(readable);
    assertEquals((await frames.next()).value, new Uint8Array([7]));
    waiting = frames.next();
  }
  await cancelled;
  assertEquals((await waiting).done, true);
});

Deno.test("readFrames answers calls of next() made at the same time in order", async () => {
  const frames = readFrames(cutStream(BYTES, -1));
  const results = await Promise.all([frames.next(), frames.next(), frames.next(), frames.next()]);
  assertEquals(results.map(({ value }) => value), [...MESSAGES, undefined]);
});

Deno.test("readFrames tells a bad length even of a stream that cannot be cancelled", async () => {
  const readable = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(4).fill(255)),
    cancel: () => Promise.reject(new Error("no")),
  });
  await assertRejects(() => readFrames(readable).next(), FrameError, "over the bound");
});

Deno.test("readFrames refuses a stream that another reads, at once", () => {
  const { readable } = openStream();
  readable.getReader();
  assertThrows(() => readFrames(readable), TypeError);
});

Deno.test("readFrames reads chunks that are an ArrayBuffer or a DataView", async () => {
  const chunks: unknown[] = [BYTES.buffer.slice(0, 6), new DataView(BYTES.buffer, 6)];
  const frames = readFrames(ReadableStream.from(chunks as Uint8Array[]));
  assertEquals(await Array.fromAsync(frames), MESSAGES);
});

Deno.test("readFrames passes the error of its stream on as it is", async () => {
  const failure = new TypeError("no more");
  const readable = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(failure),
  });
  const error = await assertRejects(async () => {
    await using messages = readFrames(readable);
    await messages.next();
  }, Error);
  assertEquals(error, failure);
});

Deno.test("readFrames never starves timers while messages come without end", async () => {
  const chunk = new Uint8Array(64 * 1024).fill(0);
  const readable = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(chunk),
  });
  const gap = await largestGap(async () => {
    const start = performance.now();
    for await (const _ of readFrames(readable)) if (performance.now() - start > 600) break;
  });
  assert(gap < 350, `a gap of ${gap} ms`);
});

Deno.test("readFrames that refuses a length lets go of the stream", async () => {
  const cancelled = Promise.withResolvers<unknown>();
  const readable = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(frame(new Uint8Array(11))),
    cancel: cancelled.resolve,
  });
  await assertRejects(() => readFrames(readable, { maxLength: 10 }).next(), FrameError, "of 10");
  await cancelled.promise;
  assertEquals(readable.locked, false);
});

Deno.test("readFrames accepts a message as long as its bound", async () => {
  const stream = cutStream(frame(new Uint8Array(10)), -1);
  assertEquals((await Array.fromAsync(readFrames(stream, { maxLength: 10 }))).length, 1);
});

Deno.test("readFrames refuses a bound that is none at once, and leaves the stream free", () => {
  for (const maxLength of [NaN, -1]) {
    const stream = cutStream(frame(new Uint8Array(1)), 0);
    assertThrows(() => readFrames(stream, { maxLength }), RangeError, `cannot be ${maxLength}`);
    assertEquals(stream.locked, false);
  }
});

processTest("frames.ts works when it is taken home with byte_reader.ts", async () => {
  const program = `
    import { frame, readFrames } from "./frames.ts";
    const command = new Deno.Command("cat", { stdin: "piped", stdout: "piped" });
    await using child = command.spawn();
    const writer = child.stdin.getWriter();
    for (const text of ["one\\ntwo", ""]) await writer.write(frame(new TextEncoder().encode(text)));
    await writer.close();
    for await (const message of readFrames(child.stdout)) console.log(message.length);
  `;
  await using folder = await takeHome(["frames.ts", "byte_reader.ts"], program);
  const result = await runCommand(folder.command);
  assertEquals(result, { code: 0, stdout: "7\n0\n", stderr: "" });
});
