import { assertEquals } from "@std/assert";
import { byteCount, quote, wrap } from "../../../lib/script/format.ts";
import "../../process.ts";

Deno.test("byteCount groups the digits and knows the singular", () => {
  assertEquals([0, 1, 65_536].map(byteCount), ["0 bytes", "1 byte", "65,536 bytes"]);
});

Deno.test("quote cuts a long text, and keeps it on one line", () => {
  assertEquals(quote('a\n"b"'), String.raw`"a\n\"b\""`);
  assertEquals(quote("x".repeat(5000)), `"${"x".repeat(1000)}…"`);
});

Deno.test("wrap breaks a text between words, and a word that is too wide stands alone", () => {
  assertEquals(wrap("  how are you", 13, ""), "  how are you");
  assertEquals(wrap("  how are you", 12, "    "), "  how are\n    you");
  assertEquals(wrap("  extraordinary, is it?", 6, "  "), "  extraordinary,\n  is\n  it?");
  assertEquals(wrap("", 1, ""), "");
});
