import { assertEquals } from "@std/assert";
import { byteCount, faint, red, strong } from "../lib/terminal.ts";
import "./process.ts";

Deno.test("byteCount groups the digits and knows the singular", () => {
  assertEquals([0, 1, 65_536].map(byteCount), ["0 bytes", "1 byte", "65,536 bytes"]);
});

Deno.test("strong, red and faint mark a text at a terminal, and leave it alone elsewhere", () => {
  const isColourful = Deno.stdout.isTerminal() && !Deno.noColor;
  const expected = isColourful
    ? ["\x1b[1ma\x1b[22m", "\x1b[31mb\x1b[39m", "\x1b[2mc\x1b[22m"]
    : ["a", "b", "c"];
  assertEquals([strong("a"), red("b"), faint("c")], expected);
});
