import { assert, assertEquals, assertRejects } from "@std/assert";
import { within } from "../../lib/within.ts";
import { LineReader } from "../../lib/line_reader.ts";
import "../process.ts";
import { manualStream } from "../streams.ts";

Deno.test("within gives what a promise resolves to, or undefined when the time has passed", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  assertEquals(await within(0.01, promise), undefined);
  resolve("late");
  assertEquals(await within(60, promise), "late");
  await assertRejects(() => within(60, Promise.reject(new Error("no"))), Error, "no");
});

Deno.test("within lets a promise that has settled win over a time limit of 0", async () => {
  assertEquals(await within(0, Promise.resolve("there")), "there");
});

Deno.test("within gives up a read, which then takes nothing", async () => {
  const { readable, write } = manualStream();
  await using lines = new LineReader(readable);
  assertEquals(await within(0.01, (signal) => lines.readLine({ signal })), undefined);
  write("first\nsecond\n");
  assertEquals(await within(60, (signal) => lines.readLine({ signal })), "first");
  assertEquals(await within(60, (signal) => lines.readLine({ signal })), "second");
  const failing = within(60, () => Promise.reject(new Error("no")));
  await assertRejects(() => failing, Error, "no");
});

Deno.test("within looks once more when the time has passed", async () => {
  // As after Ctrl-Z and fg: the time has passed, and what has come is seen a turn later.
  const { readable, write } = manualStream();
  await using lines = new LineReader(readable);
  let looks = 0;
  const answer = within(0.01, (signal) => {
    if (++looks === 2) write("there\n");
    return lines.readLine({ signal });
  });
  assertEquals(await answer, "there");
});

Deno.test("within takes its time limit from the beginning of each call", async () => {
  for (let n = 0; n < 20; n++) {
    const start = performance.now();
    assertEquals(await within(0.02, new Promise(() => {})), undefined);
    assert(performance.now() - start >= 60);
    await within(0.02, Promise.resolve());
  }
});
