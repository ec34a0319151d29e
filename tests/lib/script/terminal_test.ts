import { assertEquals } from "@std/assert";
import { faint, red, strong } from "../../../lib/script/terminal.ts";
import "../../process.ts";

Deno.test("strong, red and faint mark a text at a terminal, and leave it alone elsewhere", () => {
  const isColourful = Deno.stdout.isTerminal() && !Deno.noColor;
  const expected = isColourful
    ? ["\x1b[1ma\x1b[22m", "\x1b[31mb\x1b[39m", "\x1b[2mc\x1b[22m"]
    : ["a", "b", "c"];
  assertEquals([strong("a"), red("b"), faint("c")], expected);
});
