import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { LineReader } from "../../lib/line_reader.ts";
import {
  processesMarked,
  processTest,
  runCommand,
  runScript,
  scriptCommand,
  startScript,
} from "../process.ts";

// duplex_matrix.ts has more of each kind.

processTest("duplex prints the article's third transcript", async () => {
  const { code, stdout, stderr } = await runScript("duplex", ["--delay=0.1"]);
  const [, child, parent] = /^child (\d+) of (\d+) got arg: "spam"\n$/.exec(stderr) ?? [];
  assertEquals(
    stdout,
    `Parent got: "Child ${child} got: [Hello 1 from parent ${parent}]"\n` +
      `Parent got: "Child ${child} got: [Hello 2 from parent ${parent}]"\n`,
  );
  assertEquals(code, 0);
});

processTest("duplex hands --count and --delay on to pipetest, however small", async () => {
  const { code, stdout } = await runScript("duplex", ["--count=5", "--delay=0.0000001"]);
  assertMatch(stdout, /^(Parent got: "Child \d+ got: \[Hello \d from parent \d+\]"\n){5}$/);
  assertEquals(code, 0);
});

processTest(
  "duplex talks to another program, and says that --delay does not reach it",
  async () => {
    const program = ["sed", "-u", "s/^/the answer to /"];
    const { code, stdout, stderr } = await runScript("duplex", ["--delay=0", ...program]);
    assertMatch(stdout, /^(Parent got: "the answer to Hello \d from parent \d+"\n){2}$/);
    assertEquals([code, stderr], [0, "duplex: sed does not get --delay\n"]);
  },
);

processTest("duplex --stdin sends the lines of its own stdin until they end", async () => {
  const { code, stdout, stderr } = await runScript("duplex", ["--stdin", "sed", "-u", "s/a/A/"], {
    stdin: "banana\n\nünïcödé a\r\nlast",
  });
  assertEquals(
    stdout,
    'Parent got: "bAnana"\nParent got: ""\nParent got: "ünïcödé A"\nParent got: "lAst"\n',
  );
  assertEquals([code, stderr], [0, ""]);
});

processTest("duplex --stdin --count sends no more lines than that", async () => {
  const { code, stdout } = await runScript("duplex", ["--stdin", "--count=1", "cat"], {
    stdin: "a\nb\n",
  });
  assertEquals([code, stdout], [0, 'Parent got: "a"\n']);
});

processTest("duplex names a program that cannot be started", async () => {
  const { code, stdout, stderr } = await runScript("duplex", ["no-such-program"]);
  assertEquals([code, stdout], [127, ""]);
  assertMatch(stderr, /^duplex: cannot start no-such-program: [^\n]*\n$/);
});

processTest(
  "duplex shows what came before its child fell silent, and how to find out why",
  async () => {
    const program = ["sh", "-c", "read x; printf 'half a l'; exec sleep 1000"];
    const { code, stdout, stderr } = await runScript("duplex", ["--timeout=0.5", ...program]);
    assertEquals([code, stdout], [124, ""]);
    assertMatch(stderr, /^duplex: no answer from sh to message 1 within 0.5 s; .*\n$/);
    assertMatch(
      stderr,
      /so far it wrote "half a l"; .*session\.ts\); why: .*why\.ts sh -c 'read x/,
    );
  },
);

processTest("duplex says after which message its child ended, and ends with its code", async () => {
  const program = "read x; echo $x; exit 3";
  const { code, stderr } = await runScript("duplex", ["sh", "-c", program]);
  assertMatch(stderr, /^duplex: sh exited with status 3 after message 1, .* message 2\n$/);
  assertEquals(code, 3);
});

processTest("duplex counts the lines that nobody asked for, and shows the first ten", async () => {
  const flood = ["sh", "-c", "read x; seq 1000"];
  const { code, stderr } = await runScript("duplex", ["--count=1", ...flood]);
  assertEquals(code, 1);
  assertEquals(stderr.match(/^duplex: sh wrote a line nobody asked for: "\d+"$/gm)?.length, 10);
  assertStringIncludes(stderr, "duplex: sh wrote 989 more such lines\n");
  assertStringIncludes(stderr, "duplex: sh wrote 999 lines nobody asked for; ");
});

processTest("duplex ends a child that does not end, even one that ignores SIGTERM", async () => {
  const mark = crypto.randomUUID();
  const args = ["--timeout=1", "sh", "-c", "trap '' TERM; cat; sleep 1000"];
  const { code, stdout, stderr } = await runScript("duplex", args, { env: { MARK: mark } });
  assertMatch(stdout, /^(Parent got: .*\n){2}$/);
  assertMatch(stderr, /duplex: sh did not exit within 1 s .*; after SIGTERM it was .*SIGKILL\n$/);
  assertEquals([code, await processesMarked(mark)], [124, []]);
});

processTest("duplex neither waits for a grandchild that holds the pipe nor leaves it", async () => {
  const start = performance.now();
  const mark = crypto.randomUUID();
  const args = ["--timeout=60", "sh", "-c", "sleep 1000 2>&- & read x; echo $x; exit 4"];
  const { code, stdout } = await runScript("duplex", args, { env: { MARK: mark } });
  assert(performance.now() - start < 30_000);
  assertMatch(stdout, /^Parent got: "Hello 1 /);
  assertEquals([code, await processesMarked(mark)], [4, []]);
});

processTest("duplex says that it cannot read its stdin", async () => {
  const duplex = scriptCommand("duplex", ["--stdin", "cat"]);
  const { code, stderr } = await runCommand(["sh", "-c", '"$@" < /', "sh", ...duplex]);
  assertEquals(code, 1);
  assertMatch(stderr, /^duplex: cannot read stdin: [^\n]*\n$/);
});

processTest("duplex ends when its child does, though its own stdin goes on", async () => {
  await using child = startScript("duplex", ["--stdin", "sh", "-c", "read x; echo $x; exit 3"]);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("a\n"));
  const [{ code }, stdout, stderr] = await Promise.all([
    child.status,
    child.stdout.text(),
    child.stderr.text(),
  ]);
  await writer.close().catch(() => {});
  assertEquals([code, stdout], [3, 'Parent got: "a"\n']);
  assertEquals(stderr, "duplex: sh exited with status 3\n");
});

processTest("duplex hears SIGTERM at once while its child floods", async () => {
  const mark = crypto.randomUUID();
  const args = ["--timeout=1000", "--count=1", "yes"];
  await using child = startScript("duplex", args, { env: { MARK: mark } });
  const lines = new LineReader(child.stderr);
  await lines.readLine(); // The first line that nobody asked for.
  const start = performance.now();
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 143);
  assert(performance.now() - start < 20_000);
  assertEquals(await processesMarked(mark), []);
  await Promise.all([child.stdin.close(), child.stdout.cancel(), lines[Symbol.asyncDispose]()]);
});

processTest("duplex sees the answer that came while it was stopped", async () => {
  // The child stops its parent, and lets it go on when the time for the answer has passed.
  const program = "read x; kill -STOP $PPID; echo answer; sleep 3.5; kill -CONT $PPID; cat";
  const result = await runScript("duplex", ["--timeout=3", "--count=1", "sh", "-c", program]);
  assertEquals(result, { code: 0, stdout: 'Parent got: "answer"\n', stderr: "" });
});
