import { assertEquals, assertMatch } from "@std/assert";
import { hintFor, quote } from "../lib/silence.ts";

const HINTS: [command: string, hint: RegExp][] = [
  ["python3 x.py", /run it with -u/],
  ["/usr/bin/python3.11 x.py", /run it with -u/],
  ["mawk {print}", /-W interactive/],
  ["awk {print}", /fflush\(\).*-W interactive/],
  ["sed s/a/b/", /run it with -u/],
  ["grep x", /--line-buffered/],
  ["sort", /at the end of its input/],
  ["bc", /assignment has no answer/],
  ["sh -c x", /session\.ts/],
  ["stdbuf -oL sort", /at the end of its input/],
];

Deno.test("the hint for a silent child fits the program", () => {
  for (const [command, hint] of HINTS) assertMatch(hintFor(command.split(" ")), hint);
});

Deno.test("the hint names three causes where it cannot know, and where its advice was taken", () => {
  for (const command of ["cat", "./my-program", "python3 -u x.py", "python3 -iqu", "sed -u p"]) {
    const hint = hintFor(command.split(" "));
    assertMatch(hint, /buffer.*end of file.*nothing to say/);
    assertMatch(hint, /buffering\.ts.*session\.ts/);
  }
});

Deno.test("the hint does not advise stdbuf when stdbuf is there already", () => {
  for (const command of ["stdbuf -oL python3 x.py", "stdbuf -oL my-program"]) {
    assertEquals(hintFor(command.split(" ")).includes("stdbuf -oL"), false);
  }
});

Deno.test("quote cuts a long text, and keeps it on one line", () => {
  assertEquals(quote('a\n"b"'), String.raw`"a\n\"b\""`);
  assertEquals(quote("x".repeat(5000)), `"${"x".repeat(1000)}…"`);
});
