import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Failure } from "../lib/script.ts";
import { frame, readFrames } from "../scripts/framing.ts";
import { processTest, runScript } from "./process.ts";

const MESSAGES = [[0x0a], [], [0xff, 0x00]].map((bytes) => new Uint8Array(bytes));
const BYTES = Uint8Array.from(MESSAGES.flatMap((message) => [...frame(message)]));

/** A stream of the bytes, cut wherever the number has a bit set. */
function cutStream(bytes: Uint8Array<ArrayBuffer>, cuts: number): ReadableStream<Uint8Array> {
  let start = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      let end = start + 1;
      while (end < bytes.length && (cuts >> (end - 1) & 1) === 0) end++;
      if (start < bytes.length) controller.enqueue(bytes.slice(start, end));
      else {
        controller.close();
        controller.byobRequest?.respond(0);
      }
      start = end;
    },
  });
}

Deno.test("framing writes the length first, the most significant byte before the others", () => {
  assertEquals(frame(new Uint8Array([7, 8])), new Uint8Array([0, 0, 0, 2, 7, 8]));
  assertEquals(frame(new Uint8Array(0x010203)).subarray(0, 4), new Uint8Array([0, 1, 2, 3]));
});

Deno.test("framing finds the same messages however the stream is cut", async () => {
  for (let cuts = 0; cuts < 2 ** (BYTES.length - 1); cuts++) {
    assertEquals(await Array.fromAsync(readFrames(cutStream(BYTES, cuts))), MESSAGES);
  }
});

Deno.test("framing says where a stream ended that ends inside a frame", async () => {
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
      else await assertRejects(read, Failure, "ended inside a frame");
      const whole = wholeFrames.filter((end) => end <= length).length;
      assertEquals(messages, MESSAGES.slice(0, whole));
    }
  }
});

Deno.test("framing refuses a length past its bound", async () => {
  const stream = cutStream(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0]), 0);
  const error = await assertRejects(() => readFrames(stream).next(), Failure);
  assertMatch(error.message, /4,294,967,295 bytes/);
});

processTest("framing gets every message back equal", async () => {
  const { code, stdout, stderr } = await runScript("framing");
  assertMatch(stdout, /^(.{14} +[\d,]+ bytes {2}came back equal\n){5}$/);
  assertEquals([code, stderr], [0, ""]);
});

processTest("framing --lines shows which messages a newline cannot bound", async () => {
  const { code, stdout } = await runScript("framing", ["--lines"]);
  assertEquals(stdout.match(/came back .*/g), [
    "came back equal",
    "came back as 4 lines",
    "came back equal",
    "came back equal",
    "came back as 2 lines, other bytes",
  ]);
  assertEquals(code, 0);
});

processTest("framing's child tells of a frame that is cut off or too long", async () => {
  for (const stdin of ["\0\0\0", "\0\0\0\x05abc", "abcd"]) {
    const { code, stderr } = await runScript("framing", ["--child"], { stdin });
    assertEquals(code, 1);
    assertMatch(stderr, /^framing: (the stream ended inside a frame|a frame of)[^\n]*\n$/);
  }
});
