import { assertEquals, assertMatch } from "@std/assert";
import { Answer } from "../../../lib/why/answer.ts";
import { interactiveCommands, unbufferedCommands } from "../../../lib/why/remedies.ts";
import { trialInWords } from "../../../lib/why/trial.ts";
import "../../process.ts";
import { answered, silent } from "./made_up.ts";

Deno.test("the cures are the program's own switch, its environment, and stdbuf", () => {
  const cures = (name: string, ...command: string[]) =>
    unbufferedCommands({ ...silent, name, command }).map((words) => words.join(" "));
  assertEquals(cures("sed", "/bin/sed", "p"), [
    "/bin/sed -u p",
    "stdbuf -oL /bin/sed p",
    "stdbuf -o0 /bin/sed p",
  ]);
  assertEquals(cures("python3", "./echo.py"), [
    "env PYTHONUNBUFFERED=1 ./echo.py",
    "stdbuf -oL ./echo.py",
    "stdbuf -o0 ./echo.py",
  ]);
  assertEquals(cures("program", "./program"), ["stdbuf -oL ./program", "stdbuf -o0 ./program"]);
  assertEquals(cures("awk", "stdbuf", "-oL", "awk", "1"), ["stdbuf -oL awk -W interactive 1"]);
});

Deno.test("an interpreter can be told to be interactive", () => {
  const cures = (name: string, ...command: string[]) =>
    interactiveCommands({ ...silent, name, command }).map((words) => words.join(" "));
  assertEquals(cures("python3", "python3", "x.py"), []);
  assertEquals(cures("python3", "nice", "python3"), ["nice python3 -iu"]);
  assertEquals(cures("lua5.4", "lua5.4", "-W"), ["lua5.4 -i -W"]);
  assertEquals(cures("node", "./repl.js"), []);
  assertEquals(cures("sed", "sed", "p"), []);
});

Deno.test("a trial is told in a line, whatever the program writes", () => {
  const text = "\x07a\n".repeat(5000);
  const line = trialInWords({ ...answered, answer: text, before: text }, {
    question: "how?",
    timeout: 1,
  });
  assertEquals(line, 'answered "\\u0007a" after 3 ms');
  assertMatch(
    trialInWords({ ...silent, unread: 2 }, { question: "how?", timeout: 1 }),
    /^no answer within 1 s: read 3 of 5 bytes, wrote nothing, waits to read stdin, at end of file nothing$/,
  );
});

Deno.test("a line that comes unasked again and again is no answer, and one that came once may be", () => {
  const answerOf = (before: string, ...texts: string[]) => {
    const answer = new Answer(before);
    for (const text of texts) answer.add(text);
    const { answer: lines, milliseconds } = answer.result();
    return [lines, milliseconds !== undefined];
  };
  assertEquals(answerOf("tick 1\ntick 2\n", "tick", " 3\n"), ["", false]);
  assertEquals(answerOf("tick 1\ntick 2\n", "tick 3\nfine\n"), ["fine\n", true]);
  assertEquals(answerOf("ok\n", "ok\n"), ["ok\n", true]);
  assertEquals(answerOf("alive\n", "alive\n", "alive\n"), ["", false]);
  // Asked again, it answers again: beside lines that come unasked, that is an answer.
  assertEquals(answerOf("tick 1\npong\n", "pong\ntick 2\ntick 3\n"), ["pong\n", true]);
  assertEquals(answerOf("ok\n> ", "yes\nyes\nyes\n> "), ["yes\nyes\nyes\n> ", true]);
  assertEquals(answerOf("", "par"), ["par", false]);
  assertEquals(answerOf("", "\n"), ["\n", true]);
});
