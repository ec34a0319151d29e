import { assertEquals } from "@std/assert";
import { quote } from "../lib/silence.ts";
import "./process.ts";

Deno.test("quote cuts a long text, and keeps it on one line", () => {
  assertEquals(quote('a\n"b"'), String.raw`"a\n\"b\""`);
  assertEquals(quote("x".repeat(5000)), `"${"x".repeat(1000)}…"`);
});
