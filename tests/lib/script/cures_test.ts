import { assertEquals, assertMatch } from "@std/assert";
import { hintFor } from "../../../lib/script/cures.ts";
import { paste, seeWhy } from "../../../lib/script/paste.ts";
import { processTest, runCommand } from "../../process.ts";

const HINTS: [command: string, hint: RegExp][] = [
  ["python3 x.py", /run it with -u/],
  ["/usr/bin/python3.11 x.py", /run it with -u/],
  ["mawk {print}", /-W interactive/],
  ["awk {print}", /fflush\(\).*-W interactive/],
  ["sed s/a/b/", /run it with -u/],
  ["grep x", /--line-buffered/],
  ["sort", /at the end of its input/],
  ["cat", /writes at once what it reads/],
  ["bc", /assignment has no answer/],
  ["gdb -q", /prompt \(gdb\) has no newline/],
  ["sh -c x", /session\.ts/],
  ["stdbuf -oL sort", /at the end of its input/],
  ["stdbuf -oL python3 x.py", /run it with -u/],
  ["sh -c sed", /buffer.*buffering\.ts.*session\.ts/],
  ["python3 -u x.py", /^it may wait for end of file, or have nothing to say/],
  ["python3 -iqu", /^it may wait for end of file/],
  ["mawk -W interactive {print}", /^it may wait for end of file/],
  ["grep --line-buffered x", /^it may wait for end of file/],
  ["sed --unbuffered p", /^it may wait for end of file/],
  ["stdbuf -oL sed p", /^stdbuf does not help a program that buffers by itself/],
];

Deno.test("the hint for a silent child fits the program", () => {
  for (const [command, hint] of HINTS) assertMatch(hintFor(command.split(" ")), hint);
});

Deno.test("the hint names three causes where it cannot know", () => {
  for (const command of ["tr a b", "./my-program"]) {
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

Deno.test("paste quotes what a shell would take for something else", () => {
  assertEquals(paste(["sed", "-u", "s/a/b/"]), "sed -u s/a/b/");
  assertEquals(
    paste(["sh", "-c", "echo 'a b' $x", ""]),
    String.raw`sh -c 'echo '\''a b'\'' $x' ''`,
  );
});

processTest(
  "paste writes a word of several lines in one, and bash reads it as it was",
  async () => {
    const word = "it's\n\ta \\n\x07 \x7f $x é";
    const command = paste(["printf", "%s", word]);
    assertEquals(command.split("\n").length, 1);
    assertEquals((await runCommand(["bash", "-c", command])).stdout, word);
  },
  { needs: ["bash"] },
);

Deno.test("who gets no answer is told how to find out why", () => {
  assertEquals(seeWhy(["sed", "p"]), "; why: deno run -A scripts/why.ts sed p");
  assertEquals(seeWhy(["cat"], "a b"), "; why: deno run -A scripts/why.ts --question 'a b' cat");
  assertEquals(seeWhy([]), "");
});
