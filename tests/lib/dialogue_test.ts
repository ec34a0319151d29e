import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { startChild } from "../../lib/child.ts";
import {
  ChildEndedError,
  ChildStayedError,
  Dialogue,
  DialogueError,
  type DialogueOptions,
  NoAnswerError,
} from "../../lib/dialogue.ts";
import {
  eventually,
  largestGap,
  processTest,
  runCommand,
  sideBySide,
  takeHome,
} from "../process.ts";
import { cut, pipesInOrder } from "../streams.ts";
import { aborted, puppet, start, turns } from "./dialogue_children.ts";

processTest("Dialogue that finds a pipe in use leaves the other one free", async () => {
  const command = new Deno.Command("cat", { stdin: "piped", stdout: "piped" });
  await using child = startChild(command);
  for (const stream of ["stdin", "stdout"] as const) {
    const holder = stream === "stdin" ? child.stdin.getWriter() : child.stdout.getReader();
    assertThrows(() => new Dialogue(child, { name: "cat" }), TypeError, "of cat is in use");
    holder.releaseLock();
  }
  const dialogue = new Dialogue(child);
  assertEquals(await dialogue.ask("now"), "now");
  await dialogue.end();
});

Deno.test("Dialogue leaves no timer behind when it fails after its stdout has closed", async () => {
  const it = puppet();
  const unasked = Promise.withResolvers<void>();
  const dialogue = new Dialogue(it.child, { onUnasked: () => unasked.promise });
  await it.write("early\n");
  await it.closeStdout();
  await new Promise((resolve) => setTimeout(resolve, 10));
  unasked.reject(new Error("a mistake"));
  await aborted(dialogue);
  await assertRejects(() => dialogue.end(), Error, "a mistake");
});

Deno.test("Dialogue leaves no timer behind when its stdout has closed after a prompt", async () => {
  const it = puppet();
  const unasked: string[] = [];
  const dialogue = new Dialogue(it.child, { onUnasked: (line) => unasked.push(line) });
  await it.write("> ");
  await it.closeStdout();
  await new Promise((resolve) => setTimeout(resolve, 10));
  const lines: string[] = [];
  await dialogue.waitUntil(/> $/, (line) => lines.push(line));
  it.exit(0);
  assertEquals((await dialogue.end()).code, 0);
  assertEquals([lines, unasked], [[], []]);
});

Deno.test("Dialogue writes what is asked after an answer before it reads on", async () => {
  const pipes = pipesInOrder((question) => question);
  const it = puppet(pipes);
  const dialogue = new Dialogue(it.child);
  const ask = async () => await dialogue.ask("how");
  const askUntil = async () => await dialogue.askUntil("are", "are", () => {});
  for (let n = 0; n < 2; n++) {
    assertEquals(await ask(), "how");
    await askUntil();
  }
  const turns = ["write", "read", "write", "read", "write", "read"];
  assertEquals(pipes.order, ["read", "write", ...turns]);
  it.exit(0);
  await dialogue.end();
});

Deno.test("Dialogue drops the newline of a mark, whenever the next question is asked", async () => {
  // As print() of `python3 -u` does, which writes the newline by itself.
  const answers = Array.from({ length: 10 }, async (_, n) => {
    const it = puppet();
    const dialogue = new Dialogue(it.child);
    const first = dialogue.askUntil("first", "mark 1");
    await it.write("mark 1");
    await first;
    // So long that reading pauses for others when the newline has come.
    await new Promise((resolve) => setTimeout(resolve, 50));
    it.write("\n");
    await turns(10 * n);
    const lines: string[] = [];
    const second = dialogue.askUntil("second", "mark 2", (line) => lines.push(line));
    await it.write("answer\nmark 2\n");
    await second;
    await it.endOf(dialogue);
    return lines;
  });
  for (const lines of await Promise.all(answers)) assertEquals(lines, ["answer"]);
});

Deno.test("Dialogue hands on whole lines where a question is asked between two of one chunk", async () => {
  const it = puppet();
  const unasked: string[] = [];
  const lines: string[] = [];
  const asked = Promise.withResolvers<void>();
  const dialogue = new Dialogue(it.child, {
    onUnasked(line) {
      unasked.push(line);
      if (line !== "warning") return;
      dialogue.askUntil("why", /> $/, (line) => lines.push(line)).then(asked.resolve);
    },
  });
  await it.write("> ");
  await turns(200);
  await it.write("\nwarning\nnotice\nanother\n> ");
  await turns(200);
  await it.write("because\n> ");
  await asked.promise;
  await it.endOf(dialogue);
  assertEquals([unasked, lines], [["> ", "warning", "notice", "another"], ["because"]]);
});

Deno.test("Dialogue finds a prompt that comes with the lines before the call of waitUntil", async () => {
  const it = puppet();
  const found = Promise.withResolvers<void>();
  const unasked: string[] = [];
  const dialogue = new Dialogue(it.child, {
    onUnasked(line) {
      unasked.push(line);
      if (line === "hello") dialogue.waitUntil(/> $/).then(found.resolve, found.reject);
    },
  });
  await it.write("hello\nnotice\n> ");
  await found.promise;
  await it.endOf(dialogue);
  assertEquals(unasked, ["hello", "notice"]);
});

Deno.test("Dialogue hands on once the text before a prompt that is there, however slow", async () => {
  const it = puppet();
  const unasked: string[] = [];
  const lines: string[] = [];
  const dialogue = new Dialogue(it.child, { onUnasked: (line) => unasked.push(line) });
  await it.write("Hello> ");
  await turns(200);
  const slow = Promise.withResolvers<void>();
  const found = dialogue.waitUntil(/> $/, (line) => {
    lines.push(line);
    return slow.promise;
  });
  await turns(5);
  await it.write("\nmore\n");
  await turns(200);
  assertEquals(unasked, []);
  slow.resolve();
  await found;
  await it.write("0123456789\n");
  await it.endOf(dialogue);
  assertEquals([lines, unasked], [["Hello"], ["more", "0123456789"]]);
});

Deno.test("Dialogue finds a prompt that is there though the child exits while onLine is slow", async () => {
  const it = puppet();
  const dialogue = new Dialogue(it.child);
  await it.write("Hello> ");
  await turns(200);
  const slow = Promise.withResolvers<void>();
  const found = dialogue.waitUntil(/> $/, () => slow.promise);
  it.exit(0);
  await it.closeStdout();
  await turns(200);
  slow.resolve();
  await found;
  await dialogue.end();
});

Deno.test("Dialogue does not take what is there before a question for that question, sent back", async () => {
  const it = puppet();
  const dialogue = new Dialogue(it.child);
  await dialogue.tell("echo MARK");
  await it.write("$ echo MARK");
  await turns(200);
  const lines: string[] = [];
  const answered = dialogue.askUntil("echo MARK", "MARK", (line) => lines.push(line));
  await it.write(" behind it\nMARK\n");
  await answered;
  await it.endOf(dialogue);
  assertEquals(lines, [" behind it"]);
});

Deno.test("Dialogue does not hand on a prompt at the end of the child's output", async () => {
  const it = puppet();
  const dialogue = new Dialogue(it.child);
  const lines: string[] = [];
  const answered = dialogue.askUntil("question", /abc> $/, (line) => lines.push(line));
  await it.write("answer\nabc> ");
  it.exit(0);
  await it.closeStdout();
  await answered;
  await dialogue.end();
  assertEquals(lines, ["answer"]);
});

Deno.test("Dialogue finds a prompt by any RegExp that ends with $", async () => {
  for (const prompt of [/> $/, /\W$/, /[^\n]$/, /.$/, />\s$/m]) {
    const it = puppet();
    const dialogue = new Dialogue(it.child);
    const found = dialogue.waitUntil(prompt);
    await it.write("> ");
    await found;
    await it.endOf(dialogue);
  }
});

Deno.test("Dialogue takes nothing for an answer that was read before the question", async () => {
  const runs = Array.from({ length: 10 }, async (_, n) => {
    const it = puppet();
    const unasked: string[] = [];
    const dialogue = new Dialogue(it.child, { onUnasked: (line) => unasked.push(line) });
    const first = dialogue.askUntil("first", /> $/);
    await it.write("> ");
    await first;
    // So long that reading pauses for others when something has come.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await it.write("\nnotice\n> ");
    await turns(10 * n);
    const lines: string[] = [];
    const second = dialogue.askUntil("second", /> $/, (line) => lines.push(line));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await it.write("answer\n> ");
    await second;
    await it.endOf(dialogue);
    return [unasked, lines];
  });
  for (const [unasked, lines] of (await Promise.all(runs)).slice(1)) {
    assertEquals([unasked, lines], [["notice"], ["answer"]]);
  }
});

Deno.test("Dialogue takes an empty line behind a prompt for the answer, after a mark as well", async () => {
  const it = puppet();
  const dialogue = new Dialogue(it.child);
  const first = dialogue.askUntil("first", "mark");
  await it.write("mark");
  await first;
  await it.write("\n");
  await it.write("> ");
  // So long that the prompt has been read before the question.
  await turns(200);
  const lines: string[] = [];
  const second = dialogue.askUntil("second", /> $/, (line) => lines.push(line));
  await it.write("\n> ");
  await second;
  await it.endOf(dialogue);
  assertEquals(lines, [""]);
});

Deno.test("Dialogue leaves no timer behind where a text goes on that may have been a prompt", async () => {
  const it = puppet();
  const dialogue = new Dialogue(it.child);
  const lines: string[] = [];
  const answer = dialogue.askUntil("one", /^done$/, (line) => lines.push(line));
  await it.write("do");
  await new Promise((resolve) => setTimeout(resolve));
  await it.write("ne\n");
  await answer;
  assertEquals(lines, ["done"]);
  await it.endOf(dialogue);
});

Deno.test("Dialogue drops a prompt after the last answer, though its stdout has closed", async () => {
  const it = puppet();
  const unasked: string[] = [];
  const dialogue = new Dialogue(it.child, { onUnasked: (line) => unasked.push(line) });
  const answer = dialogue.ask("one");
  await it.write("two\n> ");
  assertEquals(await answer, "two");
  await it.closeStdout();
  await new Promise((resolve) => setTimeout(resolve, 10));
  it.exit(0);
  await dialogue.end();
  assertEquals(unasked, []);
});

Deno.test("Dialogue does not look all the time whether a limit of a month is over", async () => {
  const { setTimeout } = globalThis;
  let timers = 0;
  globalThis.setTimeout = Object.assign((...args: Parameters<typeof setTimeout>) => {
    timers++;
    return setTimeout(...args);
  }, setTimeout);
  const it = puppet();
  const dialogue = new Dialogue(it.child, { timeout: 30 * 86_400 });
  const answer = dialogue.ask("one");
  await new Promise((resolve) => setTimeout(resolve, 50));
  await it.write("two\n");
  assertEquals(await answer, "two");
  await it.endOf(dialogue);
  globalThis.setTimeout = setTimeout;
  // For the answer, the end of stdout, and the exit.
  assert(timers < 10, `${timers} timers`);
});

Deno.test("Dialogue leaves no timer behind when it fails while onLine is busy", async () => {
  const it = puppet();
  const [unasked, busy] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const dialogue = new Dialogue(it.child, { onUnasked: () => unasked.promise });
  await it.write("early\n");
  await new Promise((resolve) => setTimeout(resolve));
  const line = Promise.withResolvers<string>();
  const answer = dialogue.askUntil("one", /^done$/, (text) => {
    line.resolve(text);
    return busy.promise;
  });
  await it.write("two\n");
  assertEquals(await line.promise, "two");
  unasked.reject(new Error("a mistake"));
  await assertRejects(() => answer, Error, "a mistake");
  busy.resolve();
});

Deno.test("Dialogue's second end() gives the first one's result, whatever came in between", async () => {
  const it = puppet();
  const unasked = Promise.withResolvers<void>();
  const dialogue = new Dialogue(it.child, { onUnasked: () => unasked.promise });
  await it.write("early\n");
  it.exit(3);
  await it.closeStdout();
  assertEquals((await dialogue.end()).code, 3);
  unasked.reject(new Error("a mistake"));
  await aborted(dialogue);
  assertEquals((await dialogue.end()).code, 3);
});

Deno.test("Dialogue hands over what follows a prompt in its line, unless that is blank", async () => {
  const it = puppet();
  const unasked: string[] = [];
  const dialogue = new Dialogue(it.child, { onUnasked: (line) => unasked.push(line) });
  for (const rest of ["", " ", "a notice"]) {
    const prompt = dialogue.waitUntil(/> $/);
    await it.write("> ");
    await prompt;
    await it.write(`${rest}\n`);
    // So that it is there before the next question.
    await new Promise((resolve) => setTimeout(resolve));
  }
  await it.endOf(dialogue);
  assertEquals(unasked, ["a notice"]);
});

Deno.test("Dialogue gives each question the whole time limit", async () => {
  const it = puppet();
  const dialogue = new Dialogue(it.child, { timeout: 0.5 });
  for (const text of ["one", "two", "three"]) {
    setTimeout(() => it.write(`${text}\n`), 250);
    assertEquals(await dialogue.ask(text), text);
  }
  await it.endOf(dialogue);
});

Deno.test("Dialogue counts no time for an answer while it ends a child that stays", async () => {
  const it = puppet();
  it.child[Symbol.asyncDispose] = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    it.child.kill();
  };
  const dialogue = new Dialogue(it.child, { timeout: 0.3 });
  await it.closeStdout();
  // Its exit is awaited by then.
  await new Promise((resolve) => setTimeout(resolve, 300));
  await assertRejects(() => dialogue.ask("one"), ChildStayedError);
});

Deno.test("Dialogue ends a child that stays after its end of file, and says so", async () => {
  const it = puppet();
  const dialogue = new Dialogue(it.child, { timeout: 0.1 });
  const error = await assertRejects(() => dialogue.end(), ChildStayedError);
  assertEquals(
    error.message,
    "the child did not exit within 0.1 s after its stdin closed; after SIGTERM it was ended by SIGTERM",
  );
});

Deno.test("Dialogue waits for an answer no longer than its limit", async () => {
  const it = puppet();
  const dialogue = new Dialogue(it.child, { timeout: 0.1 });
  await assertRejects(() => dialogue.ask("one"), NoAnswerError, "message 1 within 0.1 s");
});

Deno.test("Dialogue takes no text for an answer that followed a prompt of one character", async () => {
  const it = puppet();
  const dialogue = new Dialogue(it.child);
  await it.write("?");
  await dialogue.waitUntil(/^\?$/);
  await it.write("!");
  await new Promise((resolve) => setTimeout(resolve, 10));
  const answer = dialogue.ask("one");
  await it.write("two\n");
  assertEquals(await answer, "two");
  await it.endOf(dialogue);
});

Deno.test("Dialogue looks for an answer that came while this process was stopped", async () => {
  const it = puppet();
  const dialogue = new Dialogue(it.child, { timeout: 0.1 });
  const answer = dialogue.ask("one");
  setTimeout(() => it.write("two\n"), 120);
  // Both times are over, and the limit is seen first, as after Ctrl-Z and fg.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  assertEquals(await answer, "two");
  await it.endOf(dialogue);
});

Deno.test("Dialogue leaves no timer behind when it has ended", async () => {
  for (const timeout of [20, Infinity]) {
    const it = puppet();
    const dialogue = new Dialogue(it.child, { timeout });
    const answer = dialogue.ask("one");
    await it.write("two\n");
    assertEquals(await answer, "two");
    await it.endOf(dialogue);
  }
});

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
  await eventually(() => unasked.length > 0, "no line came unasked");
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
  await sideBySide([0, 5], async (extra) => {
    const unasked: string[] = [];
    const line = `while read x; do printf "$x\\n$(seq -s '\\n' ${extra})\\n"; done`;
    await using it = start(extra === 0 ? "exec cat" : line, {
      onUnasked: (line) => unasked.push(line),
    });
    const numbers = Array.from({ length: extra }, (_, n) => `${n + 1}`);
    for (const question of ["one", "two", "three"]) {
      assertEquals(await it.dialogue.ask(question), question);
      // Not all of it may come in one chunk.
      await eventually(() => unasked.length >= extra, "too few lines came unasked");
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
    timeout: 3,
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
          args: ["-c", "trap '' TERM; cat; exec sleep 1000"],
          stdin: "piped",
          stdout: "piped",
        }),
      );
      const dialogue = new Dialogue(child, { timeout: 3 });
      await dialogue.ask("one");
      const error = await assertRejects(() => dialogue.end(), ChildStayedError);
      assertEquals([error.status.signal, error.exitCode], ["SIGKILL", 124]);
      assertMatch(
        error.message,
        /^the child did not exit within 3 s after its stdin closed; after /,
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
  await using it = start("read x; echo $x; exec >&-; sleep 1000", { timeout: 3 });
  assertEquals(await it.dialogue.ask("one"), "one");
  const error = await assertRejects(() => it.dialogue.ask("two"), ChildStayedError);
  assertEquals([error.status.signal, error.exitCode], ["SIGTERM", 124]);
  assertMatch(error.message, /after message 1, without answering message 2; after SIGTERM/);
});

processTest("Dialogue hands on as it is what onUnasked throws", async () => {
  const mistake = new Error("a mistake");
  const onUnasked = () => {
    throw mistake;
  };
  {
    await using it = start("echo early; exec cat", { onUnasked });
    await aborted(it.dialogue);
    assertEquals(await assertRejects(() => it.dialogue.ask("one"), Error), mistake);
  }
  // Of a child whose pipe a grandchild keeps open.
  await using it = start("sleep 1000 & echo late; exit 0", { onUnasked });
  assertEquals(await assertRejects(() => it.dialogue.end(), Error), mistake);
  assertEquals(it.dialogue.signal.reason, mistake);
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

/** Each answers without reading the whole question. */
const REFUSING: [what: string, line: string][] = [
  ["exits", "head -c 1000 >/dev/null; echo too long"],
  ["closes its stdin", "head -c 1000 >/dev/null; echo too long; exec <&-; sleep 1000"],
];

for (const [what, line] of REFUSING) {
  processTest(`Dialogue takes the answer of a child that ${what} before it read all`, async () => {
    await sideBySide(Array(4).keys(), async () => {
      await using it = start(line, { onUnasked: (line) => assertEquals(line, "") });
      assertEquals(await it.dialogue.ask("x".repeat(70_000)), "too long");
    });
  });
}

processTest("Dialogue says that a question was not read, when no answer comes", async () => {
  await using it = start("head -c 1000 >/dev/null; exec <&-; sleep 1000", { timeout: 3 });
  const error = await assertRejects(() => it.dialogue.ask("x".repeat(70_000)), NoAnswerError);
  assertMatch(error.message, /within 3 s; it closed its stdin without reading all of it$/);
});

processTest("Dialogue takes no line for an answer that came before the question", async () => {
  const unasked: string[] = [];
  const answer = Promise.withResolvers<string>();
  const line = "printf 'ready\\nwelcome\\n'; while read x; do echo got $x; done";
  await using it = start(line, {
    onUnasked: (line) => {
      unasked.push(line);
      if (line === "ready") answer.resolve(it.dialogue.ask("one"));
    },
  });
  assertEquals(await answer.promise, "got one");
  assertEquals(unasked, ["ready", "welcome"]);
});

processTest("Dialogue ends with what an async onUnasked throws", async () => {
  const mistake = new Error("a mistake");
  const onUnasked = () => Promise.reject(mistake);
  await using it = start("echo early; exec cat", { onUnasked });
  await aborted(it.dialogue);
  assertEquals(await assertRejects(() => it.dialogue.ask("one"), Error), mistake);
});

processTest("Dialogue goes on after a question that cannot be sent", async () => {
  await using it = start("exec cat");
  const { ask } = it.dialogue;
  // As plain JavaScript may do.
  await assertRejects(() => Reflect.apply(ask, it.dialogue, [Symbol("no text")]), TypeError);
  await assertRejects(() => it.dialogue.ask("x".repeat(2 ** 29 - 24)), RangeError);
  assertEquals(await it.dialogue.ask("one"), "one");
  await it.dialogue.end();
});

processTest("Dialogue's second end() does not postpone the first one's limit", async () => {
  await using it = start("trap '' TERM; read x; sleep 1000", { timeout: 2 });
  const started = performance.now();
  const ends = [it.dialogue.end()];
  const again = setInterval(() => ends.push(it.dialogue.end()), 100);
  const error = await assertRejects(() => Promise.race(ends), ChildStayedError);
  clearInterval(again);
  const results = await Promise.allSettled(ends);
  assertEquals(new Set(results.map((end) => end.status === "rejected" && end.reason)).size, 1);
  assertEquals(results[0], { status: "rejected", reason: error });
  assert(performance.now() - started < 12_000);
});

processTest("Dialogue tells a child what has no answer, also while one is awaited", async () => {
  await using it = start("read x; read y; echo $x $y; read z; exit 7");
  const answer = it.dialogue.ask("one");
  await it.dialogue.tell("two");
  assertEquals(await answer, "one two");
  await it.dialogue.tell("quit");
  assertEquals((await it.dialogue.end()).code, 7);
  await assertRejects(() => it.dialogue.tell("late"), TypeError, "has ended");
});

processTest("Dialogue says that a child does not read what it is told", async () => {
  await using deaf = start("sleep 1000", { timeout: 1 });
  const error = await assertRejects(() => deaf.dialogue.tell("x".repeat(1e6)), NoAnswerError);
  assertEquals(error.message, "sh did not read what it was told within 1 s");
  await using closed = start("exec <&-; echo; sleep 1000");
  await closed.dialogue.waitUntil(/^$/);
  await assertRejects(() => closed.dialogue.tell("quit"), DialogueError, "its stdin is closed");
});

processTest("Dialogue finds a mark wherever it stands in its line", async () => {
  await using it = start("exec sh");
  const answers: string[][] = [];
  for (const [begin, end] of [["", " "], ["> ", " <"], ["", ""]]) {
    for (const print of ["echo", "printf"]) {
      const lines: string[] = [];
      const question = `echo a; ${print} '${begin}the-mark${end}'`;
      await it.dialogue.askUntil(question, "the-mark", (line) => lines.push(line));
      answers.push(lines);
    }
  }
  const [plain, begun] = [["a"], ["a", "> "]];
  assertEquals(answers, [plain, plain, begun, begun, plain, plain]);
  assertEquals(await it.dialogue.ask("echo b"), "b");
  await it.dialogue.end();
});

processTest("Dialogue reads an answer up to the line that a RegExp matches", async () => {
  const line = "while read x; do echo info $x; printf best; sleep 0.2; echo move $x; done";
  await using it = start(line);
  for (const question of ["one", "two"]) {
    const lines: string[] = [];
    await it.dialogue.askUntil(question, /^best/g, (line) => lines.push(line));
    // Not at "best" already: the line went on.
    assertEquals(lines, [`info ${question}`, `bestmove ${question}`]);
  }
  await it.dialogue.end();
});

processTest("Dialogue takes no pause for the empty line that ends an answer", async () => {
  await using it = start("read x; echo a; sleep 0.3; echo b; echo; exec cat");
  const lines: string[] = [];
  await it.dialogue.askUntil("one", /^$/, (line) => lines.push(line));
  assertEquals(lines, ["a", "b", ""]);
  await it.dialogue.end();
});

processTest("Dialogue reads an answer up to a prompt without a newline", async () => {
  const unasked: string[] = [];
  const line = "echo hello; while printf '(gdb) '; read x; do eval \"$x\"; done";
  await using it = start(line, { onUnasked: (line) => unasked.push(line) });
  const prompt = /\(gdb\) $/;
  const answers: string[][] = [];
  const answer = () => {
    const lines: string[] = [];
    answers.push(lines);
    return (line: string) => lines.push(line);
  };
  await it.dialogue.waitUntil(prompt, answer());
  for (const question of ["echo one; echo two", "y=3", "printf abc", "echo $y"]) {
    await it.dialogue.askUntil(question, prompt, answer());
  }
  assertEquals(answers, [["hello"], ["one", "two"], [], ["abc"], ["3"]]);
  assertEquals((await it.dialogue.end()).code, 0);
  assertEquals(unasked, []);
});

processTest(
  "Dialogue reads nothing more while onLine is busy with what stands before a prompt",
  async () => {
    const lines: string[] = [];
    const unasked: string[] = [];
    await using it = start("read x; printf 'abc> '; read y; echo late; exec cat", {
      onUnasked: (line) => unasked.push(line),
    });
    await it.dialogue.askUntil("one", /> $/, async (line) => {
      lines.push(line);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    });
    await it.dialogue.end();
    assertEquals([lines, unasked], [["abc"], ["late"]]);
  },
);

processTest(
  "Dialogue does not wait for a process that writes for ever after its child's exit",
  async () => {
    await using it = start("yes & exec cat");
    assertEquals((await it.dialogue.end()).code, 0);
  },
);

processTest("Dialogue waits for a greeting, and says that none came", async () => {
  await using it = start("echo loading; sleep 0.2; echo ready; exec cat", { timeout: 20 });
  await it.dialogue.waitUntil(/^ready$/);
  assertEquals(await it.dialogue.ask("one"), "one");
  await using silent = start("printf rea; exec sleep 1000", { timeout: 3 });
  const late = await assertRejects(() => silent.dialogue.waitUntil(/^ready$/), NoAnswerError);
  assertEquals(late.message, 'sh did not write /^ready$/ within 3 s; so far it wrote "rea"');
  await using gone = start("exit 3");
  const ended = await assertRejects(() => gone.dialogue.waitUntil("ready"), ChildEndedError);
  assertEquals(ended.message, "sh exited with status 3 without writing ready");
});

processTest("Dialogue takes a text without a newline after its end for a prompt", async () => {
  const unasked: string[] = [];
  const onUnasked = (line: string) => unasked.push(line);
  await using it = start("while printf '> '; read x; do echo $x; done", { onUnasked });
  assertEquals(await it.dialogue.ask("one"), "> one");
  await it.dialogue.end();
  // The same of one that exits by itself.
  await using gone = start("read x; echo $x; printf '> '; exit 0", { onUnasked });
  assertEquals(await gone.dialogue.ask("one"), "one");
  await gone.dialogue.end();
  assertEquals(unasked, []);
});

processTest("Dialogue hands over a last text where no end() comes", async () => {
  const unasked: string[] = [];
  const onUnasked = (line: string) => unasked.push(line);
  await using it = start("read x; echo $x; printf '> '; exit 4", { onUnasked });
  assertEquals(await it.dialogue.ask("one"), "one");
  await aborted(it.dialogue);
  assertEquals(unasked, ["> "]);
});

processTest("Dialogue bounds the length of a line", async () => {
  await using it = start("exec cat", { maxLineLength: 5 });
  assertEquals(await it.dialogue.ask("12345"), "12345");
  await assertRejects(() => it.dialogue.ask("123456"), DialogueError, "longer than 5 ");
});

processTest("Dialogue ends a child that is asked while its exit is awaited", async () => {
  await using it = start("read x; echo $x; exec >&-; sleep 1000", { timeout: 2 });
  assertEquals(await it.dialogue.ask("one"), "one");
  await new Promise((resolve) => setTimeout(resolve, 500));
  const error = await assertRejects(() => it.dialogue.ask("two"), ChildStayedError);
  assertMatch(
    error.message,
    /^sh did not exit within 2 s .* after SIGTERM it was ended by SIGTERM$/,
  );
  assertEquals(error.status.signal, "SIGTERM");
});

processTest("Dialogue hands over nothing more after a failure", async () => {
  const unasked: string[] = [];
  await using it = start("read x; printf 'a\\nb\\nc\\n'; exec cat", {
    onUnasked: (line) => unasked.push(line),
  });
  const mistake = new Error("a mistake");
  const fail = () => {
    throw mistake;
  };
  const asked = it.dialogue.askUntil("one", "never", fail);
  assertEquals(await assertRejects(() => asked, Error), mistake);
  await assertRejects(() => it.dialogue.end(), Error, "a mistake");
  assertEquals(unasked, []);
});

processTest("Dialogue's end() tells at once of a failure while it waits for the exit", async () => {
  const mistake = new Error("a mistake");
  const failures: [line: string, options: DialogueOptions, expected: RegExp][] = [
    ["cat; echo bye; sleep 1000", { onUnasked: () => Promise.reject(mistake) }, /a mistake/],
    ["cat; echo 123456; sleep 1000", { maxLineLength: 5 }, /longer than 5/],
  ];
  for (const [line, options, expected] of failures) {
    await using it = start(line, { ...options, timeout: 100 });
    assertMatch((await assertRejects(() => it.dialogue.end(), Error)).message, expected);
  }
});

processTest("Dialogue leaves the grace of a child to who started it", async () => {
  const command = new Deno.Command("sh", {
    args: [
      "-c",
      "trap 'sleep 1; echo saved; exit 0' TERM; echo ready; sleep 1000 & wait",
    ],
    stdin: "piped",
    stdout: "piped",
    detached: true,
  });
  await using child = startChild(command, { grace: 100 });
  const dialogue = new Dialogue(child, { timeout: 2 });
  await dialogue.waitUntil(/^ready$/);
  const error = await assertRejects(() => dialogue.end(), ChildStayedError);
  assertEquals(error.status, { success: true, code: 0, signal: null });
});

processTest(
  "Dialogue takes a line for an echo only if it has the mark's own line in it",
  async () => {
    const cases: [line: string, question: string, mark: string, answer: string[]][] = [
      ["exec sh", "echo hi\necho the-mark\n", "the-mark", ["hi"]],
      ["read x; echo id sh; echo uciok", "uci", "uciok", ["id sh"]],
      ["read x; echo one; echo done", "", "done", ["one"]],
    ];
    for (const [line, question, mark, answer] of cases) {
      await using it = start(line);
      const lines: string[] = [];
      await it.dialogue.askUntil(question, mark, (line) => lines.push(line));
      assertEquals(lines, answer);
    }
    for (const print of ["echo", "printf '%s '"]) {
      await using it = start(`while read -r x; do ${print} "$x"; done`);
      const asked = it.dialogue.askUntil("ls\necho the-mark", "the-mark");
      await assertRejects(() => asked, DialogueError, "sh sent the question back");
    }
  },
);

processTest(
  "Dialogue takes no prompt that was there before a question for its answer",
  async () => {
    // A notice comes between two questions, and a prompt after it; or after what was told.
    const line = 'while printf \'> \'; read -r x; do [ "$x" = none ] || echo "got $x"; done';
    const unasked: string[] = [];
    await using it = start(line, { onUnasked: (line) => unasked.push(line) });
    const prompt = /^> $/;
    await it.dialogue.waitUntil(prompt);
    await it.dialogue.tell("notice");
    await it.dialogue.waitUntil(prompt);
    await it.dialogue.tell("another");
    await eventually(() => unasked.length === 1, "no line came unasked");
    await new Promise((resolve) => setTimeout(resolve, 300));
    const lines: string[] = [];
    for (const question of ["none", "b"]) {
      await it.dialogue.askUntil(question, prompt, (line) => lines.push(line));
    }
    await it.dialogue.end();
    assertEquals([lines, unasked], [["got b"], ["got another"]]);
  },
);

Deno.test("Dialogue's time limit does not run while onLine is busy", async () => {
  const it = puppet();
  const dialogue = new Dialogue(it.child, { timeout: 0.3 });
  const lines: string[] = [];
  const answer = dialogue.askUntil("one", "the-mark", async (line) => {
    lines.push(line);
    await new Promise((resolve) => setTimeout(resolve, 500));
  });
  await it.write("a\nb\nthe-mark\n");
  await answer;
  assertEquals(lines, ["a", "b"]);
  const late = dialogue.askUntil("two", "the-mark", () => Promise.resolve());
  await it.write("a\n");
  await assertRejects(() => late, NoAnswerError, "within 0.3 s");
});

processTest("Dialogue waits for onLine also when the child has exited meanwhile", async () => {
  await using it = start("read x; printf 'last the-mark'");
  const lines: string[] = [];
  await it.dialogue.askUntil("one", "the-mark", async (line) => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    lines.push(line);
  });
  assertEquals(lines, ["last "]);
  await it.dialogue.end();
});

processTest("Dialogue ends with its child though a grandchild writes on and on", async () => {
  const unasked: string[] = [];
  const line = "(for n in $(seq 10000); do sleep 0.01; echo log; done) & read x; exit 3";
  await using it = start(line, { timeout: 100, onUnasked: (line) => unasked.push(line) });
  await assertRejects(() => it.dialogue.askUntil("one", "never"), ChildEndedError, "status 3");
});

processTest("Dialogue finds a sticky RegExp where it stands alone", async () => {
  await using it = start("read x; echo info bestmove; echo bestmove e2e4; exec cat");
  const lines: string[] = [];
  await it.dialogue.askUntil("go", /bestmove/y, (line) => lines.push(line));
  assertEquals(lines, ["info bestmove", "bestmove e2e4"]);
  await it.dialogue.end();
});

processTest("Dialogue ends with what a thenable of onUnasked rejects with", async () => {
  const mistake = new Error("a mistake");
  const thenable = { then: (_: unknown, reject: (error: Error) => void) => reject(mistake) };
  await using it = start("echo early; exec cat", { onUnasked: () => thenable });
  await aborted(it.dialogue);
  assertEquals(it.dialogue.signal.reason, mistake);
});

Deno.test("Dialogue hands over a text without a newline before a question that is too late", async () => {
  for (const pause of [10, 500]) {
    const it = puppet();
    const unasked: string[] = [];
    const dialogue = new Dialogue(it.child, { onUnasked: (line) => unasked.push(line) });
    await it.write("no such file");
    await it.closeStdout();
    // Its exit is awaited after 200 ms.
    await new Promise((resolve) => setTimeout(resolve, pause));
    const answer = dialogue.ask("one");
    it.exit(127);
    await assertRejects(() => answer, ChildEndedError, "status 127");
    assertEquals(unasked, ["no such file"]);
  }
});

Deno.test("Dialogue passes on what onLine throws, though it is undefined", async () => {
  const rejected = () => Promise.reject();
  const thrown = () => {
    const nothing: unknown = undefined;
    throw nothing;
  };
  for (const onLine of [rejected, thrown]) {
    const it = puppet();
    const dialogue = new Dialogue(it.child);
    const answer = dialogue.askUntil("one", "never", onLine);
    await it.write("two\n");
    assertEquals(await answer.catch((error) => [error]), [undefined]);
    assertEquals(dialogue.signal.aborted, true);
  }
});

Deno.test("Dialogue finds lines and a mark however its chunks are cut", async () => {
  const bytes = new TextEncoder().encode("é\r\nM\nxMARK y\nrest\n");
  for (let cuts = 0; cuts < 2 ** (bytes.length - 1); cuts += 6151) {
    const chunks = cut(bytes, cuts).map((chunk) => new Uint8Array(chunk));
    const it = puppet({ readable: ReadableStream.from(chunks) });
    const unasked: string[] = [];
    const lines: string[] = [];
    const dialogue = new Dialogue(it.child, { onUnasked: (line) => unasked.push(line) });
    await dialogue.askUntil("one", "MARK", (line) => lines.push(line));
    it.exit(0);
    await dialogue.end();
    assertEquals([lines, unasked], [["é", "M", "x"], ["rest"]], `cuts ${cuts}`);
  }
});

Deno.test("Dialogue reads all that a child wrote before its exit, however long it was silent", async () => {
  const it = puppet();
  let unasked = 0;
  const dialogue = new Dialogue(it.child, { onUnasked: () => unasked++ });
  // Longer than the second of waiting for others that hold the pipe.
  await new Promise((resolve) => setTimeout(resolve, 1200));
  it.exit(0);
  for (let n = 0; n < 10; n++) await it.write("line\n");
  await it.closeStdout();
  await dialogue.end();
  assertEquals(unasked, 10);
});

Deno.test("Dialogue finds a prompt that is there while its stdout has closed, however slow onLine is", async () => {
  const it = puppet();
  const unasked: string[] = [];
  const dialogue = new Dialogue(it.child, { onUnasked: (line) => unasked.push(line) });
  await it.write("Hello> ");
  await it.closeStdout();
  await new Promise((resolve) => setTimeout(resolve, 10));
  const lines: string[] = [];
  await dialogue.waitUntil(/> $/, async (line) => {
    lines.push(line);
    await new Promise((resolve) => setTimeout(resolve, 400));
  });
  it.exit(0);
  assertEquals((await dialogue.end()).code, 0);
  assertEquals([lines, unasked], [["Hello"], []]);
});

processTest("Dialogue lets timers run while a child floods it, and its limit holds", async () => {
  await using it = start("exec yes", { timeout: 0.5 });
  const flood = it.dialogue.askUntil("one", "never");
  const gap = await largestGap(() => assertRejects(() => flood, NoAnswerError).then(() => {}));
  assert(gap < 300, `a gap of ${gap} ms`);
});

processTest("Dialogue hands over a last text without a newline once", async () => {
  const unasked: string[] = [];
  const onUnasked = (line: string) => unasked.push(line);
  await using it = start("read x; printf answer; exit 3", { onUnasked });
  assertEquals(await it.dialogue.ask("one"), "answer");
  await aborted(it.dialogue);
  assertEquals(unasked, []);
  // Of a child whose exit is awaited when it is asked.
  await using gone = start("printf notice; exec >&-; cat >/dev/null; sleep 1", { onUnasked });
  await eventually(() => unasked.length > 0, "no text came unasked");
  await assertRejects(() => gone.dialogue.ask("one"), ChildEndedError);
  assertEquals(unasked, ["notice"]);
});

processTest("dialogue.ts works when taken home alone, and without a time limit", async () => {
  const program = `
    import { Dialogue, NoAnswerError } from "./dialogue.ts";
    const args = ["-c", "read x; sleep 0.3; exec sed -u 's/a/b/; /x/d'"];
    for (const timeout of [Infinity, 1]) {
      const command = new Deno.Command("sh", { args, stdin: "piped", stdout: "piped" });
      await using child = command.spawn();
      const dialogue = new Dialogue(child, { timeout });
      await dialogue.tell("");
      console.log(await dialogue.ask("cat"));
      if (timeout === Infinity) await dialogue.end();
      else console.log(await dialogue.ask("x").catch((error) => error instanceof NoAnswerError));
    }
  `;
  await using folder = await takeHome(["dialogue.ts"], program);
  const result = await runCommand(folder.command);
  assertEquals(result, { code: 0, stdout: "cbt\ncbt\ntrue\n", stderr: "" });
});
