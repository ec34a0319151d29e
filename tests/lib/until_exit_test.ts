import { TextLineStream } from "@std/streams/text-line-stream";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ByteReader } from "../../lib/byte_reader.ts";
import { LineReader } from "../../lib/line_reader.ts";
import { untilExit } from "../../lib/until_exit.ts";
import { processTest, runCommand, takeHome } from "../process.ts";
import { bytesOf, manualStream, streamOf } from "../streams.ts";

const exited = Promise.resolve();

function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}

/** A byte stream of these chunks, which then waits for ever; `cancelled` tells that it was. */
function heldPipe(...chunks: string[]) {
  const cancelled = Promise.withResolvers<unknown>();
  const readable = new ReadableStream({
    type: "bytes",
    pull(controller) {
      const text = chunks.shift();
      if (text === undefined) return new Promise<void>(() => {});
      controller.enqueue(bytesOf(text));
    },
    cancel: (reason) => cancelled.resolve(reason),
  });
  return { readable, cancelled: cancelled.promise };
}

Deno.test("untilExit gives what came when nothing more comes, and cancels the rest", async () => {
  const { readable, write, cancelled } = manualStream();
  write("one\ntwo");
  assertEquals(await textOf(untilExit(readable, exited)), "one\ntwo");
  await cancelled;
});

const CONSUMERS: [name: string, read: (stream: ReadableStream<Uint8Array>) => Promise<unknown>][] =
  [
    ["Response.text()", textOf],
    ["LineReader", async (stream) => (await Array.fromAsync(new LineReader(stream))).join("\n")],
    ["ByteReader", async (stream) => {
      const chunks = await Array.fromAsync(new ByteReader(stream));
      return await new Blob(chunks).text();
    }],
    ["TextLineStream", async (stream) => {
      const lines = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
      return (await Array.fromAsync(lines)).join("\n");
    }],
    [
      "a loop over chunks",
      async (stream) =>
        await new Blob(await Array.fromAsync(stream, (chunk) => chunk.slice())).text(),
    ],
    ["a reader that brings little memory", async (stream) => {
      const reader = stream.getReader({ mode: "byob" });
      let text = "";
      for (;;) {
        const { done, value } = await reader.read(new Uint8Array(new ArrayBuffer(8), 2, 3));
        if (done) return text;
        text += new TextDecoder().decode(value);
      }
    }],
    ["a second untilExit", (stream) => textOf(untilExit(stream, exited))],
  ];
Deno.test("untilExit ends whatever reads it with the child, its pipe held open", async () => {
  await Promise.all(CONSUMERS.map(async ([name, read]) => {
    const { readable, cancelled } = heldPipe("one\n", "two");
    assertEquals(await read(untilExit(readable, exited)), "one\ntwo", name);
    await cancelled;
  }));
});

Deno.test("untilExit ends at the end of the stream while nobody has exited", async () => {
  for (const readable of [streamOf("one", "two"), new Blob(["onetwo"]).stream()]) {
    assertEquals(await textOf(untilExit(readable, new Promise(() => {}))), "onetwo");
  }
});

Deno.test("untilExit ends a read that waits when the exit settles, by a rejection too", async () => {
  for (const { readable, cancelled } of [manualStream(), heldPipe()]) {
    const exit = Promise.withResolvers<void>();
    const reading = new Response(untilExit(readable, exit.promise)).bytes();
    await new Promise((resolve) => setTimeout(resolve));
    exit.reject(new Error("no status"));
    assertEquals((await reading).length, 0);
    await cancelled;
  }
});

Deno.test("untilExit does not end while nobody reads", async () => {
  const { readable, write, close } = manualStream();
  const stream = untilExit(readable, exited);
  await new Promise((resolve) => setTimeout(resolve, 300));
  write("one");
  close();
  assertEquals(await textOf(stream), "one");
});

Deno.test("untilExit does not end while bytes come, however slowly", async () => {
  let count = 0;
  const readable = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (count === 30) return await new Promise(() => {});
      await new Promise((resolve) => setTimeout(resolve, 10));
      controller.enqueue(new Uint8Array([count++]));
    },
  });
  assertEquals((await textOf(untilExit(readable, exited))).length, 30);
});

Deno.test("untilExit does not end for the time that its consumer takes", async () => {
  const chunks = Array.from({ length: 5 }, (_, n) => `${n}`);
  let text = "";
  for await (const chunk of untilExit(streamOf(...chunks), exited)) {
    text += new TextDecoder().decode(chunk);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  assertEquals(text, "01234");
});

for (
  const [what, size, pause] of [["in small pieces", 10, 10], ["without end", 65_536, 0]] as const
) {
  Deno.test(`untilExit ends though somebody writes on, ${what}`, async () => {
    let pulling = Promise.resolve();
    let isOver = false;
    const readable = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await (pulling = new Promise((resolve) => setTimeout(resolve, pause)));
        if (!isOver) controller.enqueue(new Uint8Array(size));
      },
      cancel: () => void (isOver = true),
    });
    let bytes = 0;
    for await (const chunk of untilExit(readable, exited)) bytes += chunk.length;
    await pulling;
    assert(isOver);
    // All that a pipe may have held.
    if (pause === 0) assert(bytes >= 2 ** 20 && bytes < 2 ** 23, `${bytes} bytes were read`);
  });
}

Deno.test("untilExit reads nothing before it is asked", async () => {
  let pulls = 0;
  const source = { pull: () => void pulls++ };
  for (const kind of [{ ...source, type: "bytes" } as const, source]) {
    const stream = untilExit(new ReadableStream(kind, { highWaterMark: 0 }), exited);
    await new Promise((resolve) => setTimeout(resolve));
    assertEquals(pulls, 0);
    await stream.cancel();
  }
});

Deno.test("untilExit passes on an empty chunk, an error after what came, and a cancel", async () => {
  const { readable, write, fail } = manualStream();
  const reader = untilExit(readable, new Promise(() => {})).getReader();
  write("");
  assertEquals((await reader.read()).value?.length, 0);
  write("one");
  assertEquals((await reader.read()).value, bytesOf("one"));
  fail(new Error("broken"));
  await assertRejects(() => reader.read(), Error, "broken");
  for (const { readable, cancelled } of [manualStream(), heldPipe("one")]) {
    const stream = untilExit(readable, exited);
    const reader = stream.getReader();
    const reading = reader.read();
    await reader.cancel("enough");
    assertEquals(await cancelled, "enough");
    await reading;
  }
});

Deno.test("untilExit goes on with a stream that cannot be cancelled", async () => {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const readable = new ReadableStream<Uint8Array>({
    start: (given) => void (controller = given),
    cancel: () => Promise.reject(new Error("it cannot be cancelled")),
  });
  const reader = untilExit(readable, exited).getReader();
  controller?.enqueue(bytesOf("one"));
  assertEquals((await reader.read()).value, bytesOf("one"));
  assertEquals((await reader.read()).done, true);
  const stream = new ReadableStream({ cancel: () => Promise.reject(new Error("no")) });
  await assertRejects(() => untilExit(stream, exited).cancel(), Error, "no");
});

Deno.test("untilExit refuses a stream that is locked, and locks the one that it is given", () => {
  for (const readable of [new ReadableStream(), new ReadableStream({ type: "bytes" })]) {
    untilExit(readable, exited);
    assert(readable.locked);
    assertThrows(() => untilExit(readable, exited), TypeError);
  }
});

processTest(
  "untilExit ends with a child whose grandchild holds the pipe, copied alone",
  async () => {
    const program = `
    import { untilExit } from "./until_exit.ts";
    const args = ["-c", "sleep 1000 & printf '%s ' $! 'all of it'"];
    const child = new Deno.Command("sh", { args, stdout: "piped" }).spawn();
    const [pid, ...rest] = (await new Response(untilExit(child.stdout, child.status)).text()).split(" ");
    Deno.kill(Number(pid), "SIGKILL");
    console.log(rest.join(" "));
  `;
    await using folder = await takeHome(["until_exit.ts"], program);
    assertEquals(await runCommand(folder.command), { code: 0, stdout: "all of it \n", stderr: "" });
  },
);
