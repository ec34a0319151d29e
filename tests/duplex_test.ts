import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { isInstalled, processTest, runCommand, runScript } from "./process.ts";

processTest("duplex prints the article's third transcript", async () => {
  const { code, stdout, stderr } = await runScript("duplex");
  const [, child, parent] = /^child (\d+) of (\d+) got arg: "spam"\n$/.exec(stderr) ?? [];
  assertEquals(
    stdout,
    `Parent got: "Child ${child} got: [Hello 1 from parent ${parent}]"\n` +
      `Parent got: "Child ${child} got: [Hello 2 from parent ${parent}]"\n`,
  );
  assertEquals(code, 0);
});

processTest("duplex hands --count and --delay on to pipetest", async () => {
  const { code, stdout } = await runScript("duplex", ["--count=5", "--delay=0"]);
  assertMatch(stdout, /^(Parent got: "Child \d+ got: \[Hello \d from parent \d+\]"\n){5}$/);
  assertEquals(code, 0);
});

const PROGRAMS = [
  ["cat"],
  ["cat", "-"],
  ["--", "cat", "--"],
  ["sed", "-u", "s/^/the answer to /"],
  ["python3", "-uc", "import sys\nfor line in sys.stdin: print('the answer to', line, end='')"],
  ["python3", new URL("testdata/pipetest.py", import.meta.url).pathname, "spam"],
];

for (const program of PROGRAMS) {
  processTest(`duplex holds a dialogue with ${program.join(" ").slice(0, 40)}`, async () => {
    if (program[0] === "python3" && !await isInstalled("python3")) return;
    const { code, stdout } = await runScript("duplex", program);
    const [first = "", second = "", ...rest] = stdout.split("\n");
    assertMatch(first, /^Parent got: ".*Hello 1 from parent \d+\]?"$/);
    assertMatch(second, /^Parent got: ".*Hello 2 from parent \d+\]?"$/);
    assertEquals(rest, [""]);
    assertEquals(code, 0);
  });
}

processTest("duplex holds a dialogue with awk that flushes its answers", async () => {
  const version = await runCommand(["awk", "-W", "version"]);
  // mawk, Debian's awk, waits for a buffer of input to fill unless it is told not to.
  const isMawk = /^mawk/.test(version.stdout + version.stderr);
  const { code, stdout } = await runScript("duplex", [
    ...["awk", ...(isMawk ? ["-W", "interactive"] : []), '{ print "<" $0 ">"; fflush() }'],
  ]);
  assertMatch(stdout, /^(Parent got: "<Hello \d from parent \d+>"\n){2}$/);
  assertEquals(code, 0);
});

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

processTest("duplex --stdin talks to pipetest as long as there are lines", async () => {
  const { code, stdout } = await runScript("duplex", ["--stdin", "--delay=0"], {
    stdin: "a\nb\nc\nd\n",
  });
  assertEquals([...stdout.matchAll(/got: \[(.)\]/g)].map(([, letter]) => letter).join(""), "abcd");
  assertEquals(code, 0);
});

processTest("duplex --stdin --count sends no more lines than that", async () => {
  const { code, stdout } = await runScript("duplex", ["--stdin", "--count=1", "cat"], {
    stdin: "a\nb\n",
  });
  assertEquals([code, stdout], [0, 'Parent got: "a"\n']);
});

processTest("duplex gives a program named after a boolean value to nobody", async () => {
  const { code, stderr } = await runScript("duplex", ["--stdin", "false"], { stdin: "a\n" });
  assertEquals(code, 1);
  assertMatch(stderr, /^duplex: false exited with status 1 .*message 1\n$/);
});

processTest("duplex says that --delay does not reach another program", async () => {
  const { code, stderr } = await runScript("duplex", ["--delay=0", "cat"]);
  assertEquals([code, stderr], [0, "duplex: --delay is for pipetest.ts; cat does not get it\n"]);
});

processTest("duplex names a program that cannot be started", async () => {
  const cases = [["no-such-program", 127], ["./no/such", 127], ["/", 126], ["/etc/passwd", 126]];
  for (const [program, expected] of cases) {
    const { code, stdout, stderr } = await runScript("duplex", [String(program)]);
    assertEquals([code, stdout], [expected, ""]);
    assertMatch(stderr, /^duplex: cannot start [^\n]*\n$/);
    assertStringIncludes(stderr, String(program));
  }
});

processTest("duplex gives up on a program that buffers its answers, with a hint", async () => {
  const { code, stdout, stderr } = await runScript("duplex", ["--timeout=0.5", "sed", "s/a/b/"]);
  assertEquals([code, stdout], [124, ""]);
  assertMatch(stderr, /^duplex: no answer from sed to message 1 within 0.5 s.*\n$/);
  assertStringIncludes(stderr, "stdbuf -oL");
  assertStringIncludes(stderr, "python3 -u");
});

processTest("duplex says after which message its child ended, and ends with its code", async () => {
  const cases: [string, number, RegExp][] = [
    ["exit 0", 1, /status 0 without .* message 1\n$/],
    ["read x; echo $x; exit 0", 1, /status 0 after message 1, .* message 2/],
    ["read x; echo $x; exit 3", 3, /status 3 after message 1, .* message 2/],
    ["read x; echo $x; read x; kill -9 $$", 137, /SIGKILL after message 1, without answering/],
    ["read x; echo $x; read x; echo $x; exit 5", 5, /exited with status 5\n$/],
  ];
  for (const [program, expected, message] of cases) {
    const { code, stderr } = await runScript("duplex", ["sh", "-c", program]);
    assertEquals(code, expected);
    assertMatch(stderr, /^duplex: sh [^\n]*\n$/);
    assertMatch(stderr, message);
  }
});
