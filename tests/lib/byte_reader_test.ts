import { getEventListeners } from "node:events";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ByteReader, IncompleteReadError } from "../../lib/byte_reader.ts";
import { largestGap, processTest, runCommand, takeHome, temporaryFolder } from "../process.ts";
import { cut, manualStream, milliseconds, streamOf } from "../streams.ts";
import { byteStreamOf, compareWithModel, findEndsHoweverCut, text } from "./sweeps.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function readerOf(...chunks: (string | Uint8Array)[]): ByteReader {
  return new ByteReader(streamOf(...chunks));
}

Deno.test("ByteReader gives a header, its body, and null at the end", async () => {
  const reader = readerOf("Content-Length: 5\r\n\r\nhe", "llo");
  assertEquals(await text(reader.readUntil("\r\n\r\n")), "Content-Length: 5");
  assertEquals(await text(reader.readBytes(5)), "hello");
  assertEquals([await reader.readBytes(1), await reader.readUntil("\n")], [null, null]);
  assertEquals(await reader.readUint32(), null);
});

Deno.test("ByteReader gives an empty piece before an end, and for no bytes", async () => {
  const reader = readerOf("\n\nx");
  assertEquals(await text(reader.readUntil("\n")), "");
  assertEquals(await text(reader.readUntil("\n")), "");
  assertEquals(await text(reader.readBytes(0)), "");
  assertEquals(await text(reader.readBytes(1)), "x");
  assertEquals(await reader.readUntil("\n"), null);
  assertEquals(await text(reader.readBytes(0)), "");
});

Deno.test("ByteReader takes an end as text in UTF-8 or as bytes, of any length", async () => {
  const reader = readerOf("one→two\0three", new Uint8Array([0xff, 0xfe]), "four");
  assertEquals(await text(reader.readUntil("→")), "one");
  assertEquals(await text(reader.readUntil("\0")), "two");
  assertEquals(await text(reader.readUntil(new Uint8Array([0xff, 0xfe]))), "three");
  assertEquals(await text(reader.readBytes(4)), "four");
});

Deno.test("ByteReader finds an end however it is cut, and however much it repeats itself", () =>
  findEndsHoweverCut(11));

Deno.test("ByteReader reads a number of four bytes in either order, however it is cut", async () => {
  const bytes = new Uint8Array([0x81, 2, 3, 4, 5, 6, 7, 0x88]);
  for (let cuts = 0; cuts < 2 ** 7; cuts++) {
    const reader = new ByteReader(byteStreamOf(cut(bytes, cuts)));
    assertEquals(await reader.readUint32(), 0x81020304);
    assertEquals(await reader.readUint32({ littleEndian: true }), 0x88070605);
    assertEquals(await reader.readUint32(), null);
  }
  const error = await assertRejects(() => readerOf("abc").readUint32(), IncompleteReadError);
  assertEquals(error.partial, encoder.encode("abc"));
});

Deno.test("ByteReader tells what had come when the stream ends inside a piece", async () => {
  for (const chunks of [["abc"], ["a", "bc"], ["a", "b", "c"]]) {
    for (const end of ["\n", "cd"]) {
      const reader = readerOf(...chunks);
      const error = await assertRejects(
        () => reader.readUntil(end),
        IncompleteReadError,
        "after 3",
      );
      assertEquals([error.partial, error.name, error.exitCode], [
        encoder.encode("abc"),
        "IncompleteReadError",
        1,
      ]);
      // The error has handed it out.
      assertEquals([reader.buffered.length, await reader.readUntil(end)], [0, null]);
    }
    const reader = readerOf(...chunks);
    const error = await assertRejects(() => reader.readBytes(4), IncompleteReadError);
    assertEquals(error.partial, encoder.encode("abc"));
    assertEquals(await reader.readBytes(4), null);
  }
});

Deno.test("ByteReader does what a simple model does, at random cuts, ends and calls", () =>
  compareWithModel(100));

Deno.test("ByteReader gives pieces memory of their own, which hold nothing else", async () => {
  const source = encoder.encode("onetwo\nthreefour\nfive");
  for (const readable of [streamOf(source), byteStreamOf(cut(source, 0b100010001000))]) {
    const reader = new ByteReader(readable);
    const pieces = [
      await reader.readBytes(3),
      await reader.readUntil("\n"),
      await reader.readBytes(5),
      await reader.readUntil("\n"),
    ];
    for await (const chunk of reader) pieces.push(chunk);
    for (const piece of pieces) {
      assertEquals([piece?.byteOffset, piece?.buffer.byteLength], [0, piece?.length]);
      // Whatever a caller does with it, the reader and its source do not notice.
      piece?.fill(0);
      if (piece) structuredClone(piece, { transfer: [piece.buffer] });
    }
    assertEquals(decoder.decode(source), "onetwo\nthreefour\nfive");
  }
});

Deno.test("ByteReader's empty pieces may be given away", async () => {
  const reader = readerOf("\na\nbc");
  for (const read of [() => reader.readBytes(0), () => reader.readUntil("\n")]) {
    const piece = await read();
    structuredClone(piece, piece ? { transfer: [piece.buffer] } : {});
  }
  assertEquals(await text(reader.readUntil("\n")), "a");
  assertEquals(await text(reader.readBytes(2)), "bc");
});

Deno.test("ByteReader shows what has come and was not handed out", async () => {
  const { readable, write } = manualStream();
  await using reader = new ByteReader(readable);
  assertEquals(reader.buffered, new Uint8Array(0));
  write("one\ntwo");
  assertEquals(await text(reader.readUntil("\n")), "one");
  assertEquals(decoder.decode(reader.buffered), "two");
  reader.buffered.fill(0);
  const waiting = reader.readUntil("\n");
  write(", three");
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(decoder.decode(reader.buffered), "two, three");
  write("\nfour");
  assertEquals(await text(waiting), "two, three");
  assertEquals(decoder.decode(reader.buffered), "four");
});

Deno.test("ByteReader gives chunks as they come, first what is buffered", async () => {
  const { readable, write, close } = manualStream();
  const reader = new ByteReader(readable);
  write("one\ntw");
  assertEquals(await text(reader.readUntil("\n")), "one");
  const chunks = reader[Symbol.asyncIterator]();
  assertEquals(decoder.decode((await chunks.next()).value), "tw");
  const next = chunks.next();
  write("");
  write("o");
  assertEquals(decoder.decode((await next).value), "o");
  // What a call that was given up had gathered comes first, with what followed it.
  const giveUp = new AbortController();
  const given = reader.readBytes(9, { signal: giveUp.signal });
  write("a");
  await new Promise((resolve) => setTimeout(resolve));
  write("b");
  giveUp.abort(new Error("too late"));
  await assertRejects(() => given, Error, "too late");
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(decoder.decode((await chunks.next()).value), "ab");
  write("c");
  close();
  assertEquals((await Array.fromAsync(chunks)).map((chunk) => decoder.decode(chunk)), ["c"]);
});

Deno.test("ByteReader stays open when a loop over its chunks is left", async () => {
  const { readable, write } = manualStream();
  await using reader = new ByteReader(readable);
  write("one");
  write("two");
  for await (const chunk of reader) {
    assertEquals(decoder.decode(chunk), "one");
    break;
  }
  assertEquals(await text(reader.readBytes(3)), "two");
});

Deno.test("ByteReader answers calls that were made at the same time in order", async () => {
  const { readable, write, close } = manualStream();
  const reader = new ByteReader(readable);
  const chunks = reader[Symbol.asyncIterator]();
  const answers = Promise.all([
    text(reader.readUntil("\n")),
    text(reader.readBytes(2)),
    chunks.next().then(({ value }) => decoder.decode(value)),
    text(reader.readUntil("\n")),
    text(reader.readBytes(1)),
    reader.readBytes(0).then((bytes) => bytes?.length),
  ]);
  write("1\n234");
  write("5\n6");
  close();
  assertEquals(await answers, ["1", "23", "4", "5", "6", 0]);
});

Deno.test("ByteReader answers at once, without another wait, what has come", async () => {
  const { readable, write } = manualStream();
  await using reader = new ByteReader(readable);
  const first = text(reader.readBytes(1));
  write("abc");
  assertEquals(await first, "a");
  await new Promise((resolve) => setTimeout(resolve));
  const order: string[] = [];
  reader.readBytes(1).then(() => order.push("piece"));
  await Promise.resolve().then(() => order.push("next turn of the microtasks"));
  assertEquals(order[0], "piece");
});

Deno.test("ByteReader does not let a later call overtake one that waits", async () => {
  const { readable, write } = manualStream();
  await using reader = new ByteReader(readable);
  const order: string[] = [];
  const note = (name: string) => (piece: string | null) => void order.push(`${name}: ${piece}`);
  const first = text(reader.readUntil("\n")).then(note("first"));
  const second = text(reader.readUntil("\n")).then(async (piece) => {
    note("second")(piece);
    await text(reader.readBytes(1)).then(note("fourth"));
  });
  const third = text(reader.readBytes(1)).then(note("third"));
  write("a\nb\ncd");
  await Promise.all([first, second, third]);
  assertEquals(order, ["first: a", "second: b", "third: c", "fourth: d"]);
});

Deno.test("ByteReader's call that is given up takes nothing", async () => {
  const { readable, write, close } = manualStream();
  const reader = new ByteReader(readable);
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const given = [
    reader.readUntil("\n", { signal }),
    reader.readBytes(9, { signal }),
    reader.readUint32({ signal }),
  ];
  const next = text(reader.readUntil("\n"));
  write("on");
  await new Promise((resolve) => setTimeout(resolve));
  giveUp.abort(new Error("too late"));
  for (const call of given) await assertRejects(() => call, Error, "too late");
  assertEquals(decoder.decode(reader.buffered), "on");
  write("e\ntwo");
  assertEquals(await next, "one");
  // Nor one that finds its signal aborted, though its bytes are there.
  await assertRejects(() => reader.readBytes(1, { signal }), Error, "too late");
  assertEquals(await text(reader.readBytes(3, { signal: new AbortController().signal })), "two");
  close();
  assertEquals(await reader.readBytes(1, { signal: new AbortController().signal }), null);
});

Deno.test("ByteReader hands out at once what a call that was given up had waited with", async () => {
  const { readable, write } = manualStream();
  await using reader = new ByteReader(readable);
  const giveUp = new AbortController();
  write("login: ");
  const given = reader.readUntil("$ ", { signal: giveUp.signal });
  await new Promise((resolve) => setTimeout(resolve));
  const next = text(reader.readUntil(": "));
  giveUp.abort(new Error("too late"));
  await assertRejects(() => given, Error, "too late");
  // Nothing more comes.
  assertEquals(await next, "login");
  const [more, short] = [reader.readBytes(3), reader.readBytes(1)];
  write("abcd");
  assertEquals([await text(more), await text(short)], ["abc", "d"]);
  // Its read goes on, and is the only one.
  const again = new AbortController();
  const late = reader.readBytes(1, { signal: again.signal });
  again.abort(new Error("too late"));
  await assertRejects(() => late, Error, "too late");
  const whole = text(reader.readBytes(6));
  write("abc");
  write("def");
  assertEquals(await whole, "abcdef");
});

Deno.test("ByteReader gives up a call at once that waits behind another", async () => {
  const { readable, write } = manualStream();
  await using reader = new ByteReader(readable);
  const giveUp = new AbortController();
  const first = text(reader.readBytes(2));
  const second = reader.readBytes(1, { signal: giveUp.signal });
  write("a");
  await new Promise((resolve) => setTimeout(resolve));
  giveUp.abort(new Error("too late"));
  await assertRejects(() => second, Error, "too late");
  write("b");
  assertEquals(await first, "ab");
});

Deno.test("ByteReader lets go of its signals when a call is answered", async () => {
  const { signal } = new AbortController();
  const { readable, write, close } = manualStream();
  const reader = new ByteReader(readable);
  const listeners = () => getEventListeners(signal, "abort").length;
  const piece = reader.readUntil("\n", { signal });
  assertEquals(listeners(), 1);
  write("one\n");
  assertEquals([await text(piece), listeners()], ["one", 0]);
  close();
  assertEquals([await reader.readBytes(1, { signal }), listeners()], [null, 0]);
});

Deno.test("ByteReader keeps an end of its own, whatever becomes of the caller's", async () => {
  const { readable, write } = manualStream();
  await using reader = new ByteReader(readable);
  const end = encoder.encode("\n");
  const piece = reader.readUntil(end);
  end.fill(0x78);
  write("axb\n");
  assertEquals(await text(piece), "axb");
});

Deno.test("ByteReader delivers what a source had given that fails, then its error", async () => {
  const { readable, write, fail } = manualStream();
  const reader = new ByteReader(readable);
  const failure = new Error("the pipe burst");
  write("one\ntwo");
  assertEquals(await text(reader.readUntil("\n")), "one");
  fail(failure);
  assertEquals(await assertRejects(() => reader.readUntil("\n"), Error), failure);
  assertEquals(decoder.decode(reader.buffered), "two");
  assertEquals(await assertRejects(() => reader.readBytes(4), Error), failure);
  assertEquals(await text(reader.readBytes(1)), "t");
  const chunks: string[] = [];
  const iterate = async () => {
    for await (const chunk of reader) chunks.push(decoder.decode(chunk));
  };
  assertEquals(await assertRejects(iterate, Error), failure);
  assertEquals(chunks, ["wo"]);
  await reader[Symbol.asyncDispose]();
  assertEquals(await reader.readBytes(0), null);
});

Deno.test("ByteReader reads an ArrayBuffer and a DataView, and refuses what is not bytes", async () => {
  const bytes = encoder.encode("onetwothree");
  const odd = (chunk: unknown) => chunk as Uint8Array;
  const reader = new ByteReader(ReadableStream.from([
    odd(bytes.buffer.slice(0, 3)),
    odd(new DataView(bytes.buffer, 3, 3)),
    bytes.subarray(6),
  ]));
  assertEquals(await text(reader.readBytes(11)), "onetwothree");
  for (const chunk of ["text", 5, null, {}]) {
    const cancelled = Promise.withResolvers<unknown>();
    const readable = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes);
        controller.enqueue(odd(chunk));
      },
      cancel: cancelled.resolve,
    });
    const reader = new ByteReader(readable);
    const error = await assertRejects(() => reader.readBytes(12), TypeError, typeof chunk);
    assertEquals(await cancelled.promise, error);
    assertEquals(await text(reader.readBytes(11)), "onetwothree");
  }
});

Deno.test("ByteReader refuses a piece past its bound as soon as it is, and takes nothing", async () => {
  const { readable, write } = manualStream();
  await using reader = new ByteReader(readable, { maxLength: 3 });
  write("123\r\n12");
  assertEquals(await text(reader.readUntil("\r\n")), "123");
  const rejected = assertRejects(
    () => reader.readUntil("\r\n"),
    RangeError,
    "longer than 3 bytes",
  );
  write("3\r");
  await new Promise((resolve) => setTimeout(resolve));
  // So the fourth belongs to the piece, and not to its end.
  write("x");
  await rejected;
  assertEquals(decoder.decode(reader.buffered), "123\rx");
  await assertRejects(() => reader.readUntil("\r\n"), RangeError);
  // It bounds readUntil alone.
  assertEquals(await text(reader.readBytes(5)), "123\rx");
  write("1234\r\n");
  await assertRejects(() => reader.readUntil("\r\n"), RangeError);
});

Deno.test("ByteReader accepts a bound of zero, and none that is negative or NaN", async () => {
  const reader = new ByteReader(streamOf("\n\nx\n"), { maxLength: 0 });
  assertEquals([await text(reader.readUntil("\n")), await text(reader.readUntil("\n"))], ["", ""]);
  await assertRejects(() => reader.readUntil("\n"), RangeError);
  for (const maxLength of [-1, NaN]) {
    assertThrows(() => new ByteReader(streamOf(), { maxLength }), RangeError, `${maxLength}`);
  }
});

Deno.test("ByteReader refuses an end that is empty, and a count that is none", async () => {
  const reader = readerOf("one");
  for (const end of ["", new Uint8Array(0)]) {
    await assertRejects(() => reader.readUntil(end), RangeError, "empty");
  }
  for (const count of [-1, 1.5, NaN, Infinity]) {
    await assertRejects(() => reader.readBytes(count), RangeError, `${count}`);
  }
  assertEquals(await text(reader.readBytes(3)), "one");
});

Deno.test("ByteReader refuses a stream that another reads", () => {
  for (const type of [undefined, "bytes"] as const) {
    const readable = type === undefined ? new ReadableStream() : new ReadableStream({ type });
    const reader = readable.getReader();
    assertThrows(() => new ByteReader(readable), TypeError);
    reader.releaseLock();
  }
});

Deno.test("ByteReader cancels what is left when it is disposed, and releases the lock", async () => {
  const { readable, write, cancelled } = manualStream();
  const reader = new ByteReader(readable);
  write("one\ntwo");
  assertEquals(await text(reader.readUntil("\n")), "one");
  const waiting = [reader.readUntil("\n"), reader.readBytes(0)];
  // It comes, but too late.
  write("three");
  await reader[Symbol.asyncDispose]();
  await cancelled;
  assertEquals([...await Promise.all(waiting), readable.locked], [null, null, false]);
  assertEquals([await reader.readBytes(0), reader.buffered.length], [null, 0]);
  assertEquals(await Array.fromAsync(reader), []);
  await reader[Symbol.asyncDispose]();
});

Deno.test("ByteReader has answered all who wait when its disposal is over", async () => {
  const { readable } = manualStream();
  const reader = new ByteReader(readable);
  const answers: unknown[] = [];
  for (let n = 0; n < 50; n++) reader.readBytes(1).then((piece) => answers.push(piece));
  await reader[Symbol.asyncDispose]();
  assertEquals(answers, Array(50).fill(null));
});

Deno.test("ByteReader answers who waits at disposal, though the stream is slow to close", async () => {
  const gate = Promise.withResolvers<void>();
  const readable = new ReadableStream({ type: "bytes", cancel: () => gate.promise });
  const reader = new ByteReader(readable);
  const waiting = reader.readBytes(1);
  const order: string[] = [];
  const first = reader[Symbol.asyncDispose]().then(() => order.push("first"));
  const second = reader[Symbol.asyncDispose]().then(() => order.push("second"));
  assertEquals(await waiting, null);
  order.push("answered");
  gate.resolve();
  await Promise.all([first, second]);
  assertEquals(order, ["answered", "first", "second"]);
});

Deno.test("ByteReader tells of a source that cannot be cancelled, and releases it", async () => {
  const failure = new Error("no");
  const readable = new ReadableStream<Uint8Array>({ cancel: () => Promise.reject(failure) });
  const reader = new ByteReader(readable);
  assertEquals(await assertRejects(() => reader[Symbol.asyncDispose](), Error), failure);
  assertEquals(readable.locked, false);
});

Deno.test("ByteReader is disposed quietly when its stream failed and nobody met it", async () => {
  const { readable, fail } = manualStream();
  const reader = new ByteReader(readable);
  fail(new Error("the pipe burst"));
  await reader[Symbol.asyncDispose]();
  assertEquals([await reader.readBytes(1), readable.locked], [null, false]);
});

/** How long `read` takes for so many bytes in chunks of `size`, which end with a newline. */
async function millisecondsFor(
  length: number,
  size: number,
  read: (reader: ByteReader) => Promise<unknown>,
): Promise<number> {
  let left = length;
  const chunk = new Uint8Array(size).fill(0x61);
  const readable = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(left > 0 ? chunk : encoder.encode("\n"));
      left -= size;
    },
  });
  const start = milliseconds();
  await using reader = new ByteReader(readable);
  await read(reader);
  return milliseconds() - start;
}

const MEBIBYTE = 2 ** 20;

for (
  const [chunks, size, large] of [["1 KiB", 1024, 16 * MEBIBYTE], [
    "a byte",
    1,
    MEBIBYTE / 8,
  ]] as const
) {
  Deno.test(`ByteReader needs time linear in the bytes of a piece, in chunks of ${chunks}`, async () => {
    const ways = [
      (length: number) => async (reader: ByteReader) =>
        assertEquals((await reader.readUntil("\n"))?.length, length),
      (length: number) => async (reader: ByteReader) =>
        assertEquals((await reader.readBytes(length))?.length, length),
    ];
    for (const way of ways) {
      await millisecondsFor(large / 64, size, way(large / 64));
      const small = await millisecondsFor(large / 8, size, way(large / 8));
      const whole = await millisecondsFor(large, size, way(large));
      // Eight times the bytes: quadratic would be 64 times the time.
      assert(whole < small * 40, `${large / 8} bytes took ${small} ms, ${large} took ${whole} ms`);
    }
  });
}

Deno.test("ByteReader needs time linear in the pieces of a chunk", async () => {
  const read = async (count: number) => {
    const reader = readerOf("how are you\n".repeat(count));
    const start = milliseconds();
    let pieces = 0;
    while (await reader.readUntil("\n") !== null) pieces++;
    assertEquals(pieces, count);
    return milliseconds() - start;
  };
  await read(10_000);
  const small = await read(10_000);
  const large = await read(100_000);
  assert(large < small * 50, `10,000 pieces took ${small} ms, 100,000 took ${large} ms`);
});

Deno.test("ByteReader needs time linear in the bytes whatever the end is", async () => {
  const read = (end: string) =>
    millisecondsFor(8 * MEBIBYTE, 64 * 1024, async (reader) => {
      assertEquals((await reader.readUntil(`${end}\n`))?.length, 8 * MEBIBYTE - end.length);
    });
  await read("a");
  const short = await read("a");
  const long = await read("a".repeat(2000));
  assert(long < short * 30, `a short end took ${short} ms, a long one ${long} ms`);
});

/** Reads small pieces that come without end, with a few microseconds of work each, for 400 ms. */
async function readFlood(size: number): Promise<void> {
  const chunk = new Uint8Array(size).fill(0x0a);
  const readable = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(chunk),
  });
  await using reader = new ByteReader(readable);
  const start = performance.now();
  while (performance.now() - start < 400) {
    await reader.readUntil("\n");
    await reader.readBytes(2);
    for (let n = 0; n < 3000; n++) if (n < 0) throw new Error();
  }
}

// Many reads in 20 ms, and none.
for (const size of [1024, MEBIBYTE]) {
  Deno.test(`ByteReader never starves timers while chunks of ${size} bytes come without end`, async () => {
    // 20 ms and 64 pieces; several times that on a machine that does something else as well.
    const gap = await largestGap(() => readFlood(size));
    assert(gap < 350, `a gap of ${gap} ms`);
  });
}

processTest("ByteReader hears a signal while pieces come without end", async () => {
  const program = `
    import { ByteReader } from "./byte_reader.ts";
    await using yes = new Deno.Command("yes", { stdout: "piped" }).spawn();
    await using reader = new ByteReader(yes.stdout);
    let sent = Infinity;
    Deno.addSignalListener("SIGUSR1", () => {
      console.log(performance.now() - sent < 500);
      Deno.exit();
    });
    setTimeout(() => {
      sent = performance.now();
      Deno.kill(Deno.pid, "SIGUSR1");
    }, 100);
    while (!(performance.now() - sent > 5000)) await reader.readUntil("\\n");
  `;
  await using folder = await takeHome(["byte_reader.ts"], program);
  assertEquals(await runCommand(folder.command), { code: 0, stdout: "true\n", stderr: "" });
}, { os: "linux" });

processTest("ByteReader keeps no memory of what it has handed out", async () => {
  const program = `
    import { ByteReader } from "./byte_reader.ts";
    const turn = () => new Promise((resolve) => setTimeout(resolve));
    const keepsLittle = async () => {
      for (let n = 0; n < 5; n++) globalThis.gc(), await turn();
      console.log(Deno.memoryUsage().external < 10 * 2 ** 20);
    };
    const much = 28 * 2 ** 20;
    const ones = () => new Uint8Array(much).fill(1);
    const chunks = [ones, ones, ones, () => new Uint8Array([0, 1, 1])];
    const readable = new ReadableStream({
      async pull(controller) {
        controller.enqueue(await chunks.shift()?.() ?? await new Promise(() => {}));
      },
    }, { highWaterMark: 0 });
    const reader = new ByteReader(readable);
    // A chunk that is used up, a piece up to an end, and a count that may never come.
    for (let n = 0; n < 4; n++) await reader.readBytes(much / 4);
    await keepsLittle();
    console.log((await reader.readUntil("\\0")).length === 2 * much);
    await keepsLittle();
    reader.readBytes(2 ** 40);
    await keepsLittle();
    console.log(reader.buffered.length);
    Deno.exit();
  `;
  await using folder = await takeHome(["byte_reader.ts"], program);
  const command = folder.command.toSpliced(2, 0, "--v8-flags=--expose-gc");
  assertEquals(await runCommand(command), {
    code: 0,
    stdout: `${"true\n".repeat(4)}2\n`,
    stderr: "",
  });
});

processTest("byte_reader.ts works when this file alone is taken home", async () => {
  const program = `
    import { ByteReader } from "./byte_reader.ts";
    const command = new Deno.Command("printf", { args: ["one\\\\0two"], stdout: "piped" });
    await using child = command.spawn();
    await using reader = new ByteReader(child.stdout);
    for (const read of [reader.readUntil("\\0"), reader.readBytes(3), reader.readBytes(1)]) {
      console.log(String(await read));
    }
  `;
  await using folder = await takeHome(["byte_reader.ts"], program);
  const stdout = "111,110,101\n116,119,111\nnull\n";
  assertEquals(await runCommand(folder.command), { code: 0, stdout, stderr: "" });
});

processTest("ByteReader reads every object out of one git cat-file --batch", async () => {
  await using folder = await temporaryFolder();
  const git = (...args: string[]) =>
    new Deno.Command("git", {
      args: ["-c", "user.name=A", "-c", "user.email=a@b", ...args],
      cwd: folder.path,
      env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  const outputOf = async (...args: string[]) => {
    await using child = git(...args);
    await child.stdin.close();
    const [{ success }, bytes] = await Promise.all([child.status, child.stdout.bytes()]);
    assert(success, args.join(" "));
    return bytes;
  };
  const contents = [[], [0x0a], [0x0a, 0x0a, 0], "e69de29 blob 3\nabc\n", [0xff, 0xfe, 0x0d, 0x0a]]
    .map((content) => typeof content === "string" ? encoder.encode(content) : content)
    .map((content) => Uint8Array.from(content));
  for (const size of [65_535, 65_536, 300_000]) {
    contents.push(Uint8Array.from({ length: size }, (_, at) => at * at >> 3));
  }
  await outputOf("init", "--quiet");
  for (const [name, content] of contents.entries()) {
    await Deno.writeFile(`${folder.path}/${name}`, content);
  }
  await outputOf("add", ".");
  await outputOf("commit", "--quiet", "-m", "blobs");
  const objects = decoder.decode(
    await outputOf("cat-file", "--batch-all-objects", "--batch-check"),
  ).trim().split("\n");
  assertEquals(objects.length, contents.length + 2);

  await using batch = git("cat-file", "--batch");
  const ids = `${objects.map((line) => line.split(" ")[0]).join("\n")}\nmissing\n`;
  const writing = new Blob([ids]).stream().pipeTo(batch.stdin);
  await using reader = new ByteReader(batch.stdout);
  for (const object of objects) {
    assertEquals(await text(reader.readUntil("\n")), object);
    const [id = "", type = "", size] = object.split(" ");
    assertEquals(await reader.readBytes(Number(size)), await outputOf("cat-file", type, id));
    assertEquals(await text(reader.readUntil("\n")), "");
  }
  assertEquals(await text(reader.readUntil("\n")), "missing missing");
  assertEquals(await reader.readBytes(1), null);
  await writing;
}, { needs: ["git"] });

processTest("ByteReader reads gdb up to its prompt", async () => {
  const args = ["-q", "-nx", "-iex", "set width 0"];
  const options = { args, stdin: "piped", stdout: "piped", stderr: "null" } as const;
  await using gdb = new Deno.Command("gdb", options).spawn();
  await using reader = new ByteReader(gdb.stdout);
  const writer = gdb.stdin.getWriter();
  assertEquals(await text(reader.readUntil("(gdb) ")), "");
  const questions = { "print 6*7": "$1 = 42\n", "echo a\\nb\\n": "a\nb\n", "set $x=1": "" };
  for (const [question, answer] of Object.entries(questions)) {
    await writer.write(encoder.encode(`${question}\n`));
    assertEquals(await text(reader.readUntil("(gdb) ")), answer);
  }
  await writer.write(encoder.encode("quit\n"));
  await Array.fromAsync(reader);
  assertEquals((await gdb.status).code, 0);
  await writer.close().catch(() => {});
}, { needs: ["gdb"] });

processTest("ByteReader reads names that end with NUL out of find -print0", async () => {
  await using folder = await temporaryFolder();
  const names = ["plain", "two words", "a\nline", "naïve", "-n"];
  for (const name of names) await Deno.writeTextFile(`${folder.path}/${name}`, "");
  const args = [".", "-type", "f", "-print0"];
  await using find = new Deno.Command("find", { args, cwd: folder.path, stdout: "piped" }).spawn();
  await using reader = new ByteReader(find.stdout);
  const found: string[] = [];
  for (let name; (name = await text(reader.readUntil("\0"))) !== null;) found.push(name.slice(2));
  assertEquals(found.sort(), names.sort());
});
