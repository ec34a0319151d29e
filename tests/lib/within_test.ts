import { assertEquals, assertRejects } from "@std/assert";
import { within } from "../../lib/within.ts";
import "../process.ts";

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
