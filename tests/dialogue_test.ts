import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { startChild } from "../lib/child.ts";
import {
  ChildEndedError,
  ChildStayedError,
  Dialogue,
  DialogueError,
  type DialogueOptions,
  NoAnswerError,
} from "../lib/dialogue.ts";
import { processTest, runCommand, sideBySide, takeHome } from "./process.ts";

/** Starts a shell and a dialogue with it, which ends with the block, and all that it started. */
function start(line: string, options: DialogueOptions = {}) {
  const command = new Deno.Command("sh", {
    args: ["-c", line],
    stdin: "piped",
    stdout: "piped",
    detached: true,
  });
  const child = startChild(command);
  const dialogue = new Dialogue(child, { name: "sh", timeout: 20, ...options });
  return { dialogue, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

processTest("Dialogue asks line by line, and its end is the child's end of file", async () => {
  await using it = start("exec cat");
  for (const text of ["one", "", "ünïcödé"]) assertEquals(await it.dialogue.ask(text), text);
  assertEquals((await it.dialogue.end()).code, 0);
});

processTest("Dialogue hands over the lines that nobody asked for", async () => {
  const unasked: string[] = [];
  await using it = start("echo early; read x; echo $x; echo late; exec cat", {
    onUnasked: (line) => unasked.push(line),
  });
  while (unasked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(await it.dialogue.ask("one"), "one");
  await it.dialogue.end();
  assertEquals(unasked, ["early", "late"]);
});

processTest(
  "Dialogue hands on an answer of many lines, of none, and without a newline",
  async () => {
    await using it = start("exec sh");
    const answers: string[][] = [];
    for (const question of ["seq 3", "x=5", "printf $x", "echo; echo"]) {
      const lines: string[] = [];
      const mark = crypto.randomUUID();
      await it.dialogue.askUntil(`${question}\necho ${mark}`, mark, (line) => lines.push(line));
      answers.push(lines);
    }
    assertEquals(answers, [["1", "2", "3"], [], ["5"], ["", ""]]);
    assertEquals((await it.dialogue.end()).code, 0);
  },
);

processTest("Dialogue takes no line that came with an answer for the next answer", async () => {
  await sideBySide([0, 1, 2, 5, 200], async (extra) => {
    const unasked: string[] = [];
    const line = `while read x; do printf "$x\\n$(seq -s '\\n' ${extra})\\n"; done`;
    await using it = start(extra === 0 ? "exec cat" : line, {
      onUnasked: (line) => unasked.push(line),
    });
    const numbers = Array.from({ length: extra }, (_, n) => `${n + 1}`);
    for (const question of ["one", "two", "three"]) {
      assertEquals(await it.dialogue.ask(question), question);
      // Not all of it may come in one chunk.
      while (unasked.length < extra) await new Promise((resolve) => setTimeout(resolve, 1));
      assertEquals(unasked.splice(0), numbers);
    }
  });
});

processTest(
  "Dialogue hands over all lines that came with the one that was waited for",
  async () => {
    await using it = start("read x; printf 'answer\\nwelcome\\nversion 3\\n'; exec cat", {
      onUnasked: (line) => unasked.push(line),
    });
    const unasked: string[] = [];
    assertEquals(await it.dialogue.ask("one"), "answer");
    assertEquals(await it.dialogue.ask("two"), "two");
    assertEquals(unasked, ["welcome", "version 3"]);
  },
);

processTest("Dialogue does not take the echo of a question for the end of its answer", async () => {
  await using it = start("exec cat");
  const asked = it.dialogue.askUntil("one\necho a-mark", "a-mark", () => {});
  const error = await assertRejects(() => asked, DialogueError);
  assertMatch(error.message, /^sh sent the question back instead of carrying it out$/);
});

processTest("Dialogue passes an error of onLine on to who asked", async () => {
  await using it = start("exec cat");
  const mistake = new Error("a mistake");
  const asked = it.dialogue.askUntil("one", "never", () => Promise.reject(mistake));
  assertEquals(await assertRejects(() => asked, Error), mistake);
});

processTest("Dialogue tells a silent child by NoAnswerError, with what had come", async () => {
  await using it = start("read x; echo $x; read x; printf 'half a l'; sleep 1000", {
    timeout: 1,
  });
  assertEquals(await it.dialogue.ask("one"), "one");
  const error = await assertRejects(() => it.dialogue.ask("two"), NoAnswerError);
  assertEquals([error.question, error.partialLine, error.exitCode], [2, "half a l", 124]);
  assertEquals(it.dialogue.signal.reason, error);
  assertEquals(await assertRejects(() => it.dialogue.ask("three"), NoAnswerError), error);
});

processTest("Dialogue tells the child's death with the number of the question", async () => {
  const cases: [string, number, RegExp][] = [
    ["exit 0", 1, /status 0 without (reading|answering) message 1$/],
    ["read x; echo $x; exit 3", 3, /status 3 after message 1, /],
    ["read x; echo $x; read x; kill -9 $$", 137, /SIGKILL after message 1, without answering /],
    ["sleep 1000 & read x; echo $x; read x; exit 4", 4, /status 4 after message 1, without answ/],
  ];
  await sideBySide(cases, async ([line, exitCode, message]) => {
    await using it = start(line);
    const error = await assertRejects(async () => {
      for (;;) await it.dialogue.ask("x");
    }, ChildEndedError);
    assertMatch(error.message, message);
    assertEquals([error.exitCode, error.status.code || 1], [exitCode, exitCode]);
  });
});

processTest(
  "Dialogue aborts its signal when the child ends while no question is open",
  async () => {
    await using it = start("read x; echo $x; exit 3");
    await it.dialogue.ask("one");
    const aborted = Promise.withResolvers<void>();
    it.dialogue.signal.addEventListener("abort", () => aborted.resolve());
    await aborted.promise;
    assert(it.dialogue.signal.reason instanceof ChildEndedError);
    assertMatch(it.dialogue.signal.reason.message, /after message 1, before message 2 was sent$/);
  },
);

processTest(
  "Dialogue does not call it a failure when the child ends with the questions",
  async () => {
    await using it = start("read x; echo $x; exit 0");
    assertEquals(await it.dialogue.ask("one"), "one");
    assertEquals((await it.dialogue.end()).code, 0);
  },
);

processTest(
  "Dialogue ends a child that stays, also one that was started without child.ts",
  async () => {
    await sideBySide([startChild, (command: Deno.Command) => command.spawn()], async (spawn) => {
      const child = spawn(
        new Deno.Command("sh", {
          args: ["-c", "trap '' TERM; cat; while :; do sleep 0.1; done"],
          stdin: "piped",
          stdout: "piped",
        }),
      );
      const dialogue = new Dialogue(child, { timeout: 1 });
      await dialogue.ask("one");
      const error = await assertRejects(() => dialogue.end(), ChildStayedError);
      assertEquals([error.status.signal, error.exitCode], ["SIGKILL", 124]);
      assertMatch(
        error.message,
        /^the child did not exit within 1 s after its stdin closed; after /,
      );
      await child[Symbol.asyncDispose]();
    });
  },
);

processTest("Dialogue refuses a second question before the first is answered", async () => {
  await using it = start("exec cat");
  const first = it.dialogue.ask("one");
  await assertRejects(() => it.dialogue.ask("two"), TypeError);
  assertEquals(await first, "one");
  await it.dialogue.end();
});

processTest("Dialogue refuses to end before the question is answered", async () => {
  await using it = start("read x; sleep 0.2; echo $x; exit 3");
  const first = it.dialogue.ask("one");
  await assertRejects(() => it.dialogue.end(), TypeError);
  assertEquals(await first, "one");
  assertEquals((await it.dialogue.end()).code, 3);
});

processTest("Dialogue refuses a question after its end, and ends twice alike", async () => {
  await using it = start("exec cat");
  assertEquals((await it.dialogue.end()).code, 0);
  await assertRejects(() => it.dialogue.ask("late"), TypeError);
  assertEquals((await it.dialogue.end()).code, 0);
});

processTest("Dialogue ends a child that closes its stdout and stays", async () => {
  await using it = start("read x; echo $x; exec >&-; sleep 1000", { timeout: 1 });
  assertEquals(await it.dialogue.ask("one"), "one");
  const error = await assertRejects(() => it.dialogue.ask("two"), ChildStayedError);
  assertEquals([error.status.signal, error.exitCode], ["SIGTERM", 124]);
  assertMatch(error.message, /after message 1, without answering message 2; after SIGTERM/);
});

processTest("Dialogue says that a line never ends", async () => {
  await using it = start("head -c 70000000 /dev/zero | tr '\\000' x; sleep 1000", { timeout: 60 });
  const error = await assertRejects(() => it.dialogue.ask("one"), DialogueError);
  assertMatch(error.message, /^cannot read the stdout of sh: A line is longer than 67108864 /);
});

processTest("Dialogue hands on as it is what onUnasked throws", async () => {
  const mistake = new Error("a mistake");
  const onUnasked = () => {
    throw mistake;
  };
  {
    await using it = start("echo early; exec cat", { onUnasked });
    while (!it.dialogue.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(await assertRejects(() => it.dialogue.ask("one"), Error), mistake);
  }
  // The rest of a line that a grandchild keeps from being the last.
  await using it = start("sleep 1000 & printf part; exit 0", { onUnasked });
  assertEquals(await assertRejects(() => it.dialogue.end(), Error), mistake);
  assertEquals(it.dialogue.signal.reason, mistake);
});

processTest("Dialogue without a time limit waits as long as it takes, and quietly", async () => {
  const program = `
    import { Dialogue } from "./dialogue.ts";
    const args = ["-c", "read x; sleep 0.3; echo $x; cat"];
    const command = new Deno.Command("sh", { args, stdin: "piped", stdout: "piped" });
    await using child = command.spawn();
    const dialogue = new Dialogue(child, { timeout: Infinity });
    console.log(await dialogue.ask("one"));
    await dialogue.end();
  `;
  await using folder = await takeHome(["dialogue.ts", "line_reader.ts"], program);
  assertEquals(await runCommand(folder.command), { code: 0, stdout: "one\n", stderr: "" });
});

processTest("Dialogue refuses a time limit below 0 or NaN, and an empty mark", async () => {
  await using child = startChild(new Deno.Command("cat", { stdin: "piped", stdout: "piped" }));
  for (const timeout of [-1, NaN]) {
    assertThrows(() => new Dialogue(child, { timeout }), RangeError, String(timeout));
  }
  const dialogue = new Dialogue(child);
  await assertRejects(() => dialogue.askUntil("one", "", () => {}), RangeError, "empty");
  await dialogue.end();
});

processTest("dialogue.ts works when taken home with line_reader.ts", async () => {
  const program = `
    import { Dialogue, NoAnswerError } from "./dialogue.ts";
    const command = new Deno.Command("sed", { args: ["-u", "s/a/b/; /x/d"], stdin: "piped", stdout: "piped" });
    await using child = command.spawn();
    const dialogue = new Dialogue(child, { timeout: 1 });
    console.log(await dialogue.ask("cat"));
    console.log(await dialogue.ask("x").catch((error) => error instanceof NoAnswerError));
  `;
  await using folder = await takeHome(["dialogue.ts", "line_reader.ts"], program);
  const result = await runCommand(folder.command);
  assertEquals(result, { code: 0, stdout: "cbt\ntrue\n", stderr: "" });
});
