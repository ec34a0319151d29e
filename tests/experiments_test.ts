import { assertEquals, assertMatch } from "@std/assert";
import { curesOf, describe } from "../lib/experiments.ts";
import "./process.ts";
import { answered, silent } from "./trials.ts";

Deno.test("the cures are the program's own switch, its environment, and stdbuf", () => {
  const cures = (name: string, ...command: string[]) =>
    curesOf({ ...silent, name, command }).map((words) => words.join(" "));
  assertEquals(cures("sed", "/bin/sed", "p"), ["/bin/sed -u p", "stdbuf -oL /bin/sed p"]);
  assertEquals(cures("python3", "./echo.py"), [
    "env PYTHONUNBUFFERED=1 ./echo.py",
    "stdbuf -oL ./echo.py",
  ]);
  assertEquals(cures("program", "./program"), ["stdbuf -oL ./program"]);
  assertEquals(cures("awk", "stdbuf", "-oL", "awk", "1"), ["stdbuf -oL awk -W interactive 1"]);
});

Deno.test("a trial is told in a line, whatever the program writes", () => {
  const text = "\x07a\n".repeat(5000);
  const line = describe({ ...answered, answer: text, before: text }, "how?", 1);
  assertEquals(line, 'answered "\\u0007a" after 3 ms');
  assertMatch(
    describe({ ...silent, unread: 2 }, "how?", 1),
    /^no answer within 1 s: read 3 of 5 bytes, wrote nothing, waits to read stdin, at end of file nothing$/,
  );
});
