/**
 * The sweeps that `dialogue_test.ts` samples, and dialogues with other people's programs.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Dialogue, DialogueError, NoAnswerError } from "../../lib/dialogue.ts";
import { eventually, processTest, sideBySide } from "../process.ts";
import { cut } from "../streams.ts";
import { aborted, puppet, start, turns } from "./dialogue_children.ts";

Deno.test("Dialogue drops the newline of a mark, whenever the next question is asked", async () => {
  // As print() of `python3 -u` does, which writes the newline by itself.
  const answers = Array.from({ length: 100 }, async (_, n) => {
    const it = puppet();
    const dialogue = new Dialogue(it.child);
    const first = dialogue.askUntil("first", "mark 1");
    await it.write("mark 1");
    await first;
    // So long that reading pauses for others when the newline has come.
    await new Promise((resolve) => setTimeout(resolve, 50));
    it.write("\n");
    await turns(n);
    const lines: string[] = [];
    const second = dialogue.askUntil("second", "mark 2", (line) => lines.push(line));
    await it.write("answer\nmark 2\n");
    await second;
    await it.endOf(dialogue);
    return lines;
  });
  for (const lines of await Promise.all(answers)) assertEquals(lines, ["answer"]);
});

Deno.test("Dialogue takes nothing for an answer that was read before the question", async () => {
  const runs = Array.from({ length: 100 }, async (_, n) => {
    const it = puppet();
    const unasked: string[] = [];
    const dialogue = new Dialogue(it.child, { onUnasked: (line) => unasked.push(line) });
    const first = dialogue.askUntil("first", /> $/);
    await it.write("> ");
    await first;
    // So long that reading pauses for others when something has come.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await it.write("\nnotice\n> ");
    await turns(n);
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

Deno.test("Dialogue finds lines and a mark wherever its chunks are cut", async () => {
  const bytes = new TextEncoder().encode("é\r\nM\nMARK y\nr\n");
  for (let cuts = 0; cuts < 2 ** (bytes.length - 1); cuts++) {
    const chunks = cut(bytes, cuts).map((chunk) => new Uint8Array(chunk));
    const it = puppet({ readable: ReadableStream.from(chunks) });
    const unasked: string[] = [];
    const lines: string[] = [];
    const dialogue = new Dialogue(it.child, { onUnasked: (line) => unasked.push(line) });
    await dialogue.askUntil("one", "MARK", (line) => lines.push(line));
    it.exit(0);
    await dialogue.end();
    assertEquals([lines, unasked], [["é", "M"], ["r"]], `cuts ${cuts}`);
  }
});

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

/** The bytes in use once what nobody holds has been collected. */
function usedHeap(): number {
  collect();
  return Deno.memoryUsage().heapUsed;
}

Deno.test("Dialogue keeps a line that comes byte by byte in a few bytes a character", async () => {
  const count = 1_000_000;
  const byte = new TextEncoder().encode("x");
  let left = count;
  const come = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const readable = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      if (left-- > 0) return controller.enqueue(byte);
      come.resolve();
      await goOn.promise;
      controller.enqueue(new TextEncoder().encode("\n"));
      controller.close();
    },
  });
  const it = puppet({ readable });
  const dialogue = new Dialogue(it.child, { timeout: 100 });
  const answer = dialogue.ask("one");
  const before = usedHeap();
  await come.promise;
  const used = usedHeap() - before;
  goOn.resolve();
  assertEquals((await answer).length, count);
  it.exit(0);
  await dialogue.end();
  // In pieces it would be 32.
  assert(used / count < 16, `${used / count} bytes a character`);
});

processTest("Dialogue says that a line never ends", async () => {
  await using it = start("head -c 70000000 /dev/zero | tr '\\000' x; sleep 1000", { timeout: 60 });
  const error = await assertRejects(() => it.dialogue.ask("one"), DialogueError);
  assertMatch(error.message, /^cannot read the stdout of sh: A line is longer than 67108864 /);
});

/** Each answers without reading the whole question. */
const REFUSING: [what: string, line: string][] = [
  ["exits", "head -c 1000 >/dev/null; echo too long"],
  ["closes its stdin", "head -c 1000 >/dev/null; echo too long; exec <&-; sleep 1000"],
];

for (const [what, line] of REFUSING) {
  processTest(`Dialogue takes the answer of a child that ${what} before it read all`, async () => {
    await sideBySide(Array(60).keys(), async () => {
      await using it = start(line, { onUnasked: (line) => assertEquals(line, "") });
      assertEquals(await it.dialogue.ask("x".repeat(70_000)), "too long");
    });
  });
}

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

type Started = ReturnType<typeof start>;

/** The states of a dialogue: its child, and how the state is reached. */
const STATES: Record<string, [line: string, seconds: number, reach: (it: Started) => unknown]> = {
  "fresh": ["exec cat", 5, () => {}],
  "a question open": ["exec sleep 1000", 20, ({ dialogue }) => {
    dialogue.ask("open").catch(() => {});
  }],
  "ending": ["exec sleep 2", 20, ({ dialogue }) => {
    dialogue.end().catch(() => {});
  }],
  "ended": ["exec cat", 20, ({ dialogue }) => dialogue.end()],
  "failed by limit": ["exec sleep 1000", 0, async ({ dialogue }) => {
    await assertRejects(() => dialogue.ask("late"), NoAnswerError);
  }],
  "child exited": ["exit 3", 20, ({ dialogue }) => aborted(dialogue)],
  // The dialogue has closed the child's stdin, and waits for its exit.
  "stdout closed": ["exec >&-; cat >/dev/null; sleep 4; exit 3", 20, async ({ dialogue }) => {
    const isClosed = () => dialogue.tell("").then(() => false, () => true);
    await eventually(isClosed, "its stdin stays open");
  }],
  "disposed": ["exec cat", 20, async (it) => {
    await it[Symbol.asyncDispose]();
    await aborted(it.dialogue);
  }],
};

/** What each call gives, as a text. */
const CALLS: ((it: Started) => Promise<string>)[] = [
  ({ dialogue }) => dialogue.ask("one"),
  async ({ dialogue }) => {
    const lines: string[] = [];
    await dialogue.askUntil("one", /^one$/, (line) => lines.push(line));
    return lines.join();
  },
  ({ dialogue }) => dialogue.waitUntil("greeting").then(() => "written"),
  ({ dialogue }) => dialogue.tell("one").then(() => "told"),
  async ({ dialogue }) => `exit ${(await dialogue.end()).code}`,
  async (it) => {
    await it[Symbol.asyncDispose]();
    const why = await it.dialogue.tell("").catch((error) => error);
    // Else the dialogue hears of it in a moment.
    if (why instanceof TypeError) await it.dialogue.end();
    else await aborted(it.dialogue);
    it.dialogue.signal.throwIfAborted();
    return "quiet";
  },
];

const ERRORS: Record<string, RegExp> = {
  OPEN: /^TypeError: The question before has no answer yet$/,
  OVER: /^TypeError: The dialogue has ended$/,
  LATE: /^NoAnswerError: /,
  GONE: /^ChildEndedError: /,
  DEAF: /^DialogueError: sh was not told: its stdin is closed$/,
};

const OUTCOMES = `
                | ask  | askUntil | waitUntil | tell | end    | dispose
fresh           | one  | one      | LATE      | told | exit 0 | GONE
a question open | OPEN | OPEN     | OPEN      | told | OPEN   | GONE
ending          | OVER | OVER     | OVER      | OVER | exit 0 | quiet
ended           | OVER | OVER     | OVER      | OVER | exit 0 | quiet
failed by limit | LATE | LATE     | LATE      | LATE | LATE   | LATE
child exited    | GONE | GONE     | GONE      | GONE | GONE   | GONE
stdout closed   | GONE | GONE     | GONE      | DEAF | exit 3 | GONE
disposed        | GONE | GONE     | GONE      | GONE | GONE   | GONE
`.trim().split("\n").map((row) => row.split("|").map((cell) => cell.trim()));

processTest("Dialogue does in each state what the table says of each call", async () => {
  const [head = [], ...expected] = OUTCOMES;
  const outcomes = expected.map(([state = ""]) => [state]);
  const cells = outcomes.flatMap((row) => CALLS.map((call, n) => ({ row, call, n: n + 1 })));
  await sideBySide(cells, async ({ row, call, n }) => {
    const [line, timeout, reach] = STATES[row[0] ?? ""] ?? ["exit 1", 0, () => {}];
    await using it = start(line, { timeout });
    await reach(it);
    row[n] = await call(it).catch((error) => {
      const known = Object.entries(ERRORS).find(([, pattern]) => pattern.test(String(error)));
      return known?.[0] ?? String(error);
    });
  });
  assertEquals([head, ...outcomes], OUTCOMES);
});

processTest("Dialogue interrupts an answer of python3, and goes on", async () => {
  await using it = start("exec python3 -iqu 2>&1");
  const lines: string[] = [];
  const question = "print('begun'); import time; time.sleep(1000)\nprint('the-', 'mark', sep='')";
  await it.dialogue.askUntil(question, "the-mark", (line) => {
    if (lines.push(line) === 1) Deno.kill(it.child.pid, "SIGINT");
  });
  assertMatch(lines[0] ?? "", /begun$/);
  assertMatch(lines.join("\n"), /\nKeyboardInterrupt\n/);
  assertMatch(await it.dialogue.ask("6*7"), /42$/);
  await it.dialogue.end();
}, { needs: ["python3"] });

processTest("Dialogue speaks gdb's machine interface", async () => {
  await using it = start("exec gdb -q -nx --interpreter=mi");
  const prompt = /^\(gdb\) $/;
  await it.dialogue.waitUntil(prompt);
  const answers: string[][] = [];
  for (const question of ["1-data-evaluate-expression 6*7", "2-no-such-command"]) {
    const lines: string[] = [];
    await it.dialogue.askUntil(question, prompt, (line) => lines.push(line));
    answers.push(lines);
  }
  assertEquals(answers[0], ['1^done,value="42"', "(gdb) "]);
  assertMatch(answers[1]?.[0] ?? "", /^2\^error,msg=/);
  await it.dialogue.tell("-gdb-exit");
  await it.dialogue.end();
}, { needs: ["gdb"] });

processTest("Dialogue writes a file with ed, whose insertions have no prompt", async () => {
  await using it = start("exec ed -p '* '");
  const prompt = /^\* $/;
  await it.dialogue.waitUntil(prompt);
  for (const line of ["a", "how", "are you", "."]) await it.dialogue.tell(line);
  // It is there by now, and is not handed on.
  await new Promise((resolve) => setTimeout(resolve, 200));
  const lines: string[] = [];
  await it.dialogue.waitUntil(prompt, (line) => lines.push(line));
  await it.dialogue.askUntil(",p", prompt, (line) => lines.push(line));
  assertEquals(lines, ["how", "are you"]);
  await it.dialogue.tell("Q");
  await it.dialogue.end();
}, { needs: ["ed"] });

processTest("Dialogue reads aspell's answers, which end with an empty line", async () => {
  await using it = start("exec aspell -a -l en");
  await it.dialogue.waitUntil(/^@/);
  const lines: string[] = [];
  await it.dialogue.askUntil("hello wrld", /^$/, (line) => lines.push(line));
  assertEquals([lines[0], lines[1]?.slice(0, 7), lines.at(-1)], ["*", "& wrld ", ""]);
  await it.dialogue.end();
}, { needs: ["aspell"] });

const CHESS = "/usr/games/stockfish";
processTest("Dialogue stops a chess engine while it thinks", async () => {
  await using it = start(`exec ${CHESS}`);
  await it.dialogue.waitUntil(/^Stockfish /);
  await it.dialogue.askUntil("uci", /^uciok$/);
  let thoughts = 0;
  let bestMove = "";
  await it.dialogue.askUntil("go infinite", /^bestmove /, async (line) => {
    if (line.startsWith("info ") && ++thoughts === 3) await it.dialogue.tell("stop");
    bestMove = line;
  });
  assertMatch(bestMove, /^bestmove [a-h][1-8][a-h][1-8]/);
  await it.dialogue.tell("quit");
  assertEquals((await it.dialogue.end()).code, 0);
}, { needs: [CHESS] });
