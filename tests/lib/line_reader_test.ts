import { getEventListeners } from "node:events";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { LineReader } from "../../lib/line_reader.ts";
import { largestGap, processTest, runCommand, takeHome } from "../process.ts";
import { cut, manualStream, milliseconds, streamOf } from "../streams.ts";
import {
  byBatches,
  byIteration,
  byReadLine,
  byteStreamOf,
  findLinesHoweverCut,
  readFlood,
} from "./sweeps.ts";

const encoder = new TextEncoder();

function readerOf(...chunks: (string | Uint8Array)[]): LineReader {
  return new LineReader(streamOf(...chunks));
}

const WAYS = { byReadLine, byIteration, byBatches };

/** The lines as the standard library finds them, whose decoder here keeps a byte order mark too. */
function byTextLineStream(stream: ReadableStream<Uint8Array>): Promise<string[]> {
  const decoder = new TextDecoderStream("utf-8", { ignoreBOM: true });
  // The types of a decoder's two ends name the buffer of its chunks differently.
  const bytes: ReadableStream<BufferSource> = stream.pipeThrough(
    new TransformStream<Uint8Array, BufferSource>({
      transform: (chunk, controller) => controller.enqueue(new Uint8Array(chunk)),
    }),
  );
  return Array.fromAsync(bytes.pipeThrough(decoder).pipeThrough(new TextLineStream()));
}

Deno.test("LineReader ends a line with \\n or \\r\\n, and a lone \\r is text", async () => {
  assertEquals(await byReadLine(readerOf("a\nb\r\nc\rd\n\r\r\n")), ["a", "b", "c\rd", "\r"]);
});

Deno.test("LineReader reads a last line without a newline", async () => {
  assertEquals(await byReadLine(readerOf("one\ntwo")), ["one", "two"]);
  assertEquals(await byReadLine(readerOf("one\r")), ["one\r"]);
});

Deno.test("LineReader reads an empty line as an empty string and the end as null", async () => {
  const reader = readerOf("\n\n");
  assertEquals(await reader.readLine(), "");
  assertEquals(await reader.readLine(), "");
  assertEquals(await reader.readLine(), null);
  assertEquals(await reader.readLine(), null);
  assertEquals(await readerOf().readLine(), null);
});

for (const [way, read] of Object.entries(WAYS)) {
  Deno.test(`LineReader finds the same lines however the bytes are cut, ${way}`, () =>
    findLinesHoweverCut(read, 7));

  Deno.test(`LineReader agrees with TextLineStream case by case, ${way}`, async () => {
    const texts = ["", "\n", "\r", "\r\n", "\r\r\n", "\n\r", "a\r", "a\r\n\r", "\ufeffa\n\ufeff"];
    for (const bytes of texts.map((text) => encoder.encode(text))) {
      for (let cuts = 0; cuts < 2 ** Math.max(0, bytes.length - 1); cuts++) {
        const chunks = cut(bytes, cuts);
        assertEquals(await read(readerOf(...chunks)), await byTextLineStream(streamOf(...chunks)));
      }
    }
  });

  Deno.test(`LineReader makes U+FFFD of what is not UTF-8, ${way}`, async () => {
    // A stray continuation, an overlong form, a surrogate, three characters cut short (the last by
    // the end of the stream), and bytes that begin nothing.
    const bytes = Uint8Array.fromHex("800ac0afeda0800ae2820af09f9841ff000ae282");
    const expected = new TextDecoder().decode(bytes).split("\n");
    assertEquals(expected.length, 5);
    const cuts = [0, -1, 0b1010101010101010101, 0b11001100110011001100, 0b1000000000000000001];
    for (const chunks of cuts.map((at) => cut(bytes, at))) {
      assertEquals(await read(readerOf(...chunks)), expected);
      assertEquals(await byTextLineStream(streamOf(...chunks)), expected);
    }
  });
}

Deno.test("LineReader reads a byte stream, as a pipe is, into memory of its own", () =>
  findLinesHoweverCut(byReadLine, 7, byteStreamOf));

Deno.test("LineReader closes a byte stream for which a call still waits", async () => {
  const cancelled = Promise.withResolvers<unknown>();
  const readable = new ReadableStream({ type: "bytes", cancel: cancelled.resolve });
  const reader = new LineReader(readable);
  const line = reader.readLine();
  await reader[Symbol.asyncDispose]();
  await cancelled.promise;
  assertEquals([await line, readable.locked], [null, false]);
});

Deno.test("LineReader refuses a stream that another reads", () => {
  for (const type of [undefined, "bytes"] as const) {
    const readable = type === undefined ? new ReadableStream() : new ReadableStream({ type });
    const reader = readable.getReader();
    let error: unknown;
    try {
      new LineReader(readable);
    } catch (caught) {
      error = caught;
    }
    assert(error instanceof TypeError);
    reader.releaseLock();
  }
});

Deno.test("LineReader passes empty chunks over", async () => {
  assertEquals(await byBatches(readerOf("", "a", "", "\r", "", "\n", "")), ["a"]);
});

Deno.test("LineReader hands out in a batch what one read completed, and never nothing", async () => {
  const batches = await Array.fromAsync(readerOf("a\nb\nc", "d", "\n", "", "e").batches());
  assertEquals(batches, [["a", "b"], ["cd"], ["e"]]);
});

Deno.test("LineReader may be read in three ways in turn without losing a line", async () => {
  const reader = readerOf("1\n2\n3\n4\n5\n", "6\n7\n8\n", "9\n10");
  assertEquals(await reader.readLine(), "1");
  for await (const line of reader) {
    if (line === "3") break;
  }
  const batches = reader.batches();
  assertEquals((await batches.next()).value, ["4", "5"]);
  assertEquals(await reader.readLine(), "6");
  assertEquals((await batches.next()).value, ["7", "8"]);
  assertEquals(await Array.fromAsync(reader), ["9", "10"]);
  assertEquals(await batches.next(), { done: true, value: undefined });
});

Deno.test("LineReader stays open when a loop is left, and the loop's iterator is over", async () => {
  const { readable, write } = manualStream();
  await using reader = new LineReader(readable);
  write("ready\nhello\n");
  const lines = reader[Symbol.asyncIterator]();
  for await (const line of lines) {
    assertEquals(line, "ready");
    break;
  }
  assertEquals((await lines.next()).done, true);
  assertEquals(await reader.readLine(), "hello");
});

Deno.test("LineReader answers calls that were made at the same time in order", async () => {
  const { readable, write, close } = manualStream();
  const reader = new LineReader(readable);
  const batches = reader.batches();
  const answers = Promise.all([
    reader.readLine(),
    reader.readLine(),
    batches.next(),
    reader.readLine(),
    reader.readLine(),
  ]);
  write("1\n2\n3\n");
  write("4");
  close();
  assertEquals(await answers, ["1", "2", { done: false, value: ["3"] }, "4", null]);
});

Deno.test("LineReader does not let a later call overtake one that waits", async () => {
  const { readable, write } = manualStream();
  await using reader = new LineReader(readable);
  const order: string[] = [];
  const note = (name: string) => (line: string | null) => void order.push(`${name}: ${line}`);
  const first = reader.readLine().then(note("first"));
  const second = reader.readLine().then(async (line) => {
    note("second")(line);
    await reader.readLine().then(note("fourth"));
  });
  const third = reader.readLine().then(note("third"));
  write("a\nb\nc\nd\n");
  await Promise.all([first, second, third]);
  assertEquals(order, ["first: a", "second: b", "third: c", "fourth: d"]);
});

for (const [way, read] of Object.entries(WAYS)) {
  Deno.test(`LineReader delivers the whole lines of a source that fails, then its error, ${way}`, async () => {
    const { readable, write, fail } = manualStream();
    const reader = new LineReader(readable);
    const failure = new Error("the pipe burst");
    const lines: string[] = [];
    write("one\ntwo\nthr");
    assertEquals(await reader.readLine(), "one");
    fail(failure);
    const rest = read === byReadLine
      ? (async () => {
        for (let line; (line = await reader.readLine()) !== null;) lines.push(line);
      })()
      : (async () => {
        for await (const some of read === byBatches ? reader.batches() : reader) {
          lines.push(...[some].flat());
        }
      })();
    assertEquals(await assertRejects(() => rest, Error), failure);
    assertEquals(lines, ["two"]);
    assertEquals(reader.partialLine, "thr");
    assertEquals(await assertRejects(() => reader.readLine(), Error), failure);
    await reader[Symbol.asyncDispose]();
  });

  Deno.test(`LineReader refuses a line past its bound, however it is cut, ${way}`, async () => {
    const bytes = encoder.encode("12345\r\n1😀\n123456\nnever");
    const expected = ["12345", "1😀"];
    for (let cuts = 0; cuts < 2 ** 16; cuts += 97) {
      let cancelled: unknown;
      const source = ReadableStream.from(cut(bytes, cuts)).getReader();
      const readable = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const { value } = await source.read();
          if (value !== undefined) controller.enqueue(value);
        },
        cancel: (reason) => void (cancelled = reason),
      });
      const reader = new LineReader(readable, { maxLineLength: 5 });
      const lines: string[] = [];
      const error = await assertRejects(async () => {
        if (way === "byReadLine") {
          for (let line; (line = await reader.readLine()) !== null;) lines.push(line);
        }
        if (way === "byIteration") { for await (const line of reader) lines.push(line); }
        for await (const batch of reader.batches()) lines.push(...batch);
      }, RangeError);
      assertMatch(error.message, /\b5\b/);
      assertEquals(lines, expected);
      assertEquals(cancelled, error);
      await assertRejects(() => read(reader), RangeError);
    }
  });
}

Deno.test("LineReader refuses a line that never ends as soon as it is past the bound", async () => {
  const { readable, write, cancelled } = manualStream();
  const reader = new LineReader(readable, { maxLineLength: 10 });
  const line = reader.readLine();
  write("12345");
  write("67890");
  write("\r");
  write("1");
  const error = await assertRejects(() => line, RangeError);
  assertEquals(await cancelled, error);
});

Deno.test("LineReader counts a lone \\r at the end of the last line", async () => {
  const reader = new LineReader(streamOf("12345\r"), { maxLineLength: 5 });
  await assertRejects(() => reader.readLine(), RangeError);
});

Deno.test("LineReader rejects a negative or NaN maxLineLength", () => {
  for (const maxLineLength of [-1, NaN]) {
    let error: unknown;
    try {
      new LineReader(streamOf(), { maxLineLength });
    } catch (caught) {
      error = caught;
    }
    assert(error instanceof RangeError);
  }
});

Deno.test("LineReader shows what has come of a line that has not ended", async () => {
  const { readable, write } = manualStream();
  await using reader = new LineReader(readable);
  assertEquals(reader.partialLine, "");
  write("hello\nlog");
  assertEquals(await reader.readLine(), "hello");
  assertEquals(reader.partialLine, "log");
  const line = reader.readLine();
  write("in\n");
  assertEquals(await line, "login");
  assertEquals(reader.partialLine, "");
});

Deno.test("LineReader readLine({ signal }) that is given up takes nothing", async () => {
  const { readable, write, close } = manualStream();
  const reader = new LineReader(readable);
  const giveUp = new AbortController();
  const given = reader.readLine({ signal: giveUp.signal });
  const next = reader.readLine();
  giveUp.abort(new Error("too late"));
  await assertRejects(() => given, Error, "too late");
  write("one\ntwo\n");
  assertEquals(await next, "one");
  // Nor one that finds its signal aborted, though a line is there.
  await assertRejects(() => reader.readLine({ signal: giveUp.signal }), Error, "too late");
  assertEquals(await reader.readLine({ signal: new AbortController().signal }), "two");
  close();
  assertEquals(await reader.readLine({ signal: new AbortController().signal }), null);
});

Deno.test("LineReader readLine({ signal }) keeps the line that it got before the abort", async () => {
  for (let wait = 0; wait < 12; wait++) {
    const { readable, write } = manualStream();
    await using reader = new LineReader(readable);
    const giveUp = new AbortController();
    const given = reader.readLine({ signal: giveUp.signal });
    write("one\ntwo\n");
    // The abort comes at each moment in turn: before the line, with it, after it.
    for (let turn = 0; turn < wait; turn++) await Promise.resolve();
    giveUp.abort(new Error("too late"));
    const line = await given.catch(() => "given up");
    assertEquals(await reader.readLine(), line === "given up" ? "one" : "two");
  }
});

Deno.test("LineReader lets go of its signals when a call is answered", async () => {
  const { signal } = new AbortController();
  const { readable, write, close } = manualStream();
  const reader = new LineReader(readable);
  const line = reader.readLine({ signal });
  assertEquals(getEventListeners(signal, "abort").length, 1);
  write("one\n");
  assertEquals(await line, "one");
  assertEquals(getEventListeners(signal, "abort").length, 0);
  close();
  assertEquals(await reader.readLine({ signal }), null);
  assertEquals(getEventListeners(signal, "abort").length, 0);
});

Deno.test("LineReader has answered every call when its disposal is over", async () => {
  const reader = new LineReader(manualStream().readable);
  let answered = 0;
  for (let n = 0; n < 10; n++) reader.readLine().then(() => answered++);
  await reader[Symbol.asyncDispose]();
  assertEquals(answered, 10);
});

processTest("LineReader keeps nothing of the calls that were given up", async () => {
  const program = `
    import { LineReader } from "${import.meta.resolve("../../lib/line_reader.ts")}";
    const reader = new LineReader(new ReadableStream());
    const used = () => (gc(), Deno.memoryUsage().heapUsed);
    const before = used();
    for (let n = 0; n < 20_000; n++) {
      const giveUp = new AbortController();
      const call = reader.readLine({ signal: giveUp.signal });
      giveUp.abort();
      await call.catch(() => {});
    }
    console.log((used() - before) / 20_000);`;
  const command = [Deno.execPath(), "eval", "--v8-flags=--expose-gc", program];
  const { stdout, stderr } = await runCommand(command);
  assert(parseFloat(stdout) < 200, stdout + stderr);
});

Deno.test("LineReader cancels what is left when it is disposed, and releases the lock", async () => {
  const { readable, write, cancelled } = manualStream();
  let reader: LineReader;
  let waiting: Promise<string | null>;
  {
    await using inner = new LineReader(readable);
    reader = inner;
    write("one\ntwo\npart");
    assertEquals(await reader.readLine(), "one");
    assertEquals(await reader.readLine(), "two");
    waiting = reader.readLine();
  }
  await cancelled;
  assertEquals(readable.locked, false);
  assertEquals(await waiting, null);
  assertEquals(await reader.readLine(), null);
  await reader[Symbol.asyncDispose]();
});

Deno.test("LineReader tells of a source that cannot be cancelled, and releases it", async () => {
  const failure = new Error("no");
  const readable = new ReadableStream<Uint8Array>({ cancel: () => Promise.reject(failure) });
  const reader = new LineReader(readable);
  const error = await assertRejects(() => reader[Symbol.asyncDispose](), Error);
  assertEquals(error, failure);
  assertEquals(readable.locked, false);
});

Deno.test("LineReader needs time linear in the bytes, whatever the chunks", async () => {
  const chunk = new Uint8Array(1024).fill(0x61);
  const read = async (mebibytes: number) => {
    let left = mebibytes * 1024;
    const readable = new ReadableStream<Uint8Array>({
      pull: (controller) => left-- > 0 ? controller.enqueue(chunk) : controller.close(),
    });
    const start = milliseconds();
    assertEquals((await new LineReader(readable).readLine())?.length, mebibytes * 1024 * 1024);
    return milliseconds() - start;
  };
  await read(1);
  const small = await read(4);
  const large = await read(32);
  // Eight times the bytes: quadratic would be 64 times the time.
  assert(large < small * 40, `4 MiB took ${small} ms, 32 MiB took ${large} ms`);
});

Deno.test("LineReader names the limit that a line is longer than", async () => {
  const reader = new LineReader(streamOf("12345"), { maxLineLength: 4 });
  await assertRejects(() => reader.readLine(), RangeError, "longer than 4 ");
});

Deno.test("LineReader ends all its reads with a signal by the platform's own means", async () => {
  const { readable, write, cancelled } = manualStream();
  const stop = new AbortController();
  const through = readable.pipeThrough(new TransformStream(), { signal: stop.signal });
  const reader = new LineReader(through);
  write("one\ntwo\npart");
  assertEquals(await reader.readLine(), "one");
  const waiting = [reader.readLine(), reader.readLine()];
  assertEquals(await waiting[0], "two");
  const reason = new Error("enough");
  stop.abort(reason);
  assertEquals(await cancelled, reason);
  assertEquals(await Promise.allSettled(waiting.slice(1)), [{ status: "rejected", reason }]);
  assertEquals(await assertRejects(() => reader.batches().next(), Error), reason);
});

processTest("LineReader takes little memory for a line that comes byte by byte", async () => {
  const program = `
    import { LineReader } from "${import.meta.resolve("../../lib/line_reader.ts")}";
    const chunk = new Uint8Array([0x61]);
    let left = 200_000;
    const held = Promise.withResolvers();
    const reader = new LineReader(new ReadableStream({
      pull: (controller) => left-- > 0 ? controller.enqueue(chunk) : held.resolve(),
    }));
    const used = () => (gc(), Deno.memoryUsage().heapUsed);
    const before = used();
    reader.readLine();
    await held.promise;
    console.log((used() - before) / reader.partialLine.length);`;
  const command = [Deno.execPath(), "eval", "--v8-flags=--expose-gc", program];
  const { stdout, stderr } = await runCommand(command);
  assert(parseFloat(stdout) < 8, `${stdout} bytes a character ${stderr}`);
});

Deno.test("LineReader gives null after disposal, whatever happened before, and is quiet", async () => {
  const { readable, write, fail } = manualStream();
  const reader = new LineReader(readable);
  write("one\ntwo\n");
  assertEquals(await reader.readLine(), "one");
  fail(new Error("the pipe burst"));
  await assertRejects(async () => {
    await reader.readLine();
    await reader.readLine();
  }, Error);
  await reader[Symbol.asyncDispose]();
  assertEquals([await reader.readLine(), await Array.fromAsync(reader)], [null, []]);
});

Deno.test("LineReader is disposed quietly when its stream failed and nobody met it", async () => {
  const { readable, fail } = manualStream();
  const reader = new LineReader(readable);
  fail(new Error("the pipe burst"));
  await reader[Symbol.asyncDispose]();
  assertEquals([await reader.readLine(), readable.locked], [null, false]);
});

Deno.test("LineReader's second disposal waits for the first", async () => {
  const gate = Promise.withResolvers<void>();
  const readable = new ReadableStream<Uint8Array>({ cancel: () => gate.promise });
  const reader = new LineReader(readable);
  const order: string[] = [];
  const first = reader[Symbol.asyncDispose]().then(() => order.push("first"));
  const second = reader[Symbol.asyncDispose]().then(() => order.push("second"));
  order.push("open");
  gate.resolve();
  await Promise.all([first, second]);
  assertEquals(order, ["open", "first", "second"]);
});

Deno.test("LineReader never starves timers while lines come without end", async () => {
  // 20 ms and a batch; several times that on a machine that does something else as well.
  const gap = await largestGap(() => readFlood("byIteration"));
  assert(gap < 350, `a gap of ${gap} ms`);
});

Deno.test("LineReader lets a copy of a line go without its chunk", () => {
  // What the documentation recommends must give an equal text.
  const line = "how are you 😀 \ufffd";
  assertEquals(decodeURIComponent(encodeURIComponent(line)), line);
});

processTest("LineReader hears a signal while lines come without end", async () => {
  const program = `
    import { LineReader } from "./line_reader.ts";
    await using yes = new Deno.Command("yes", { stdout: "piped" }).spawn();
    let sent = Infinity;
    Deno.addSignalListener("SIGUSR1", () => {
      console.log(performance.now() - sent < 500);
      Deno.exit();
    });
    setTimeout(() => {
      sent = performance.now();
      Deno.kill(Deno.pid, "SIGUSR1");
    }, 100);
    for await (const line of new LineReader(yes.stdout)) if (performance.now() - sent > 5000) break;
  `;
  await using folder = await takeHome(["line_reader.ts"], program);
  assertEquals(await runCommand(folder.command), { code: 0, stdout: "true\n", stderr: "" });
}, { os: "linux" });

processTest("line_reader.ts works when this file alone is taken home", async () => {
  const program = `
    import { LineReader } from "./line_reader.ts";
    const command = new Deno.Command("printf", { args: ["one\\\\ntwo"], stdout: "piped" });
    await using child = command.spawn();
    for await (const line of new LineReader(child.stdout)) console.log(line);
  `;
  await using folder = await takeHome(["line_reader.ts"], program);
  assertEquals(await runCommand(folder.command), { code: 0, stdout: "one\ntwo\n", stderr: "" });
});

Deno.test("LineReader lets timers run while a long line comes, and while short ones are handed out", async () => {
  const chunk = new TextEncoder().encode("x".repeat(1024));
  let left = 60_000;
  const long = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left-- > 0) controller.enqueue(chunk);
      else controller.close();
    },
  });
  const short = new Blob(["\n".repeat(65_000)]).stream();
  for (const stream of [long, short]) {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    for await (const _ of new LineReader(stream)) {
      for (const start = performance.now(); performance.now() - start < 0.003;);
    }
    clearInterval(timer);
    assert(ticks > 0);
  }
});
