import { assertEquals } from "@std/assert";
import { byteCount, faint, strong } from "../lib/terminal.ts";

Deno.test("byteCount groups the digits and knows the singular", () => {
  assertEquals([0, 1, 65_536].map(byteCount), ["0 bytes", "1 byte", "65,536 bytes"]);
});

Deno.test("strong and faint leave a text alone where stdout is no terminal", () => {
  if (Deno.stdout.isTerminal() && !Deno.noColor) return;
  assertEquals([strong("a"), faint("b")], ["a", "b"]);
});
