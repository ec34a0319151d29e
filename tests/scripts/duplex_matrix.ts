import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { LineReader } from "../../lib/line_reader.ts";
import {
  processesMarked,
  processTest,
  runCommand,
  runScript,
  scriptCommand,
  sideBySide,
  startScript,
} from "../process.ts";

const PROGRAMS = [
  ["cat"],
  ["cat", "-"],
  ["--", "cat", "--"],
  ["sed", "-u", "s/^/the answer to /"],
  ["python3", "-uc", "import sys\nfor line in sys.stdin: print('the answer to', line, end='')"],
  ["python3", new URL("../testdata/pipetest.py", import.meta.url).pathname, "spam"],
];

for (const program of PROGRAMS) {
  const needs = program[0] === "python3" ? ["python3"] : [];
  processTest(`duplex holds a dialogue with ${program.join(" ").slice(0, 40)}`, async () => {
    const { code, stdout } = await runScript("duplex", program);
    const [first = "", second = "", ...rest] = stdout.split("\n");
    assertMatch(first, /^Parent got: ".*Hello 1 from parent \d+\]?"$/);
    assertMatch(second, /^Parent got: ".*Hello 2 from parent \d+\]?"$/);
    assertEquals(rest, [""]);
    assertEquals(code, 0);
  }, { needs });
}

processTest("duplex holds a dialogue with awk that flushes its answers", async () => {
  const version = await runCommand(["awk", "-W", "version"]);
  // mawk, Debian's awk, waits for a buffer of input to fill unless it is told not to.
  const isMawk = /^mawk/.test(version.stdout + version.stderr);
  const { code, stdout } = await runScript("duplex", [
    "awk",
    ...(isMawk ? ["-W", "interactive"] : []),
    '{ print "<" $0 ">"; fflush() }',
  ]);
  assertMatch(stdout, /^(Parent got: "<Hello \d from parent \d+>"\n){2}$/);
  assertEquals(code, 0);
});

processTest("duplex --stdin talks to pipetest as long as there are lines", async () => {
  const { code, stdout } = await runScript("duplex", ["--stdin", "--delay=0"], {
    stdin: "a\nb\nc\nd\n",
  });
  assertEquals([...stdout.matchAll(/got: \[(.)\]/g)].map(([, letter]) => letter).join(""), "abcd");
  assertEquals(code, 0);
});

processTest("duplex gives a program named after a boolean value to nobody", async () => {
  const { code, stderr } = await runScript("duplex", ["--stdin", "false"], { stdin: "a\n" });
  assertEquals(code, 1);
  assertMatch(stderr, /^duplex: false exited with status 1 .*message 1\n$/);
});

processTest("duplex names a program that cannot be started", async () => {
  const cases = [["no-such-program", 127], ["./no/such", 127], ["/", 126], ["/etc/passwd", 126], [
    "/etc/passwd/x",
    126,
  ]];
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
  assertStringIncludes(stderr, "run it with -u");
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

processTest(
  "duplex says which lines nobody asked for, and does not call that a success",
  async () => {
    const cases = [
      "echo extra; cat",
      "cat; echo extra",
      "read x; echo $x; echo extra; cat",
      "read x; echo $x; sleep 0.2; echo extra; cat",
      "while read x; do echo $x; echo extra; done",
    ];
    for (const program of cases) {
      const { code, stdout, stderr } = await runScript("duplex", ["sh", "-c", program]);
      assertEquals(code, 1);
      assertMatch(
        stderr,
        /\nduplex: sh wrote (a line|\d lines) nobody asked for; answers may be paired with the wrong /,
      );
      // Whichever line was taken for an answer, and whichever was not: each is shown once.
      const extras = program.startsWith("while") ? 2 : 1;
      const shown = [...stdout.matchAll(/got: "(.*)"/g), ...stderr.matchAll(/asked for: "(.*)"/g)];
      const lines = shown.map(([, line = ""]) => line.replace(/ from parent \d+/, "")).sort();
      assertEquals(lines, ["Hello 1", "Hello 2", ...Array(extras).fill("extra")]);
    }
  },
);

processTest("duplex takes the exit code of a child that closes its stdin early", async () => {
  const cases: [string, number][] = [
    ["exec <&-; exit 7", 7],
    ["exec <&-; sleep 0.3; exit 7", 7],
    ["read x; echo $x; exec <&-; sleep 0.3; kill -15 $$", 143],
    ["read x; exec <&-; echo $x; sleep 0.3; exit 0", 1],
  ];
  await sideBySide(cases, async ([program, expected]) => {
    const { code, stderr } = await runScript("duplex", ["sh", "-c", program]);
    assertEquals(code, expected);
    assertMatch(stderr, /^duplex: sh (exited with|was ended by) [^\n]* message \d[^\n]*\n$/);
  });
});

processTest("duplex ends a child that does not end, even one that ignores SIGTERM", async () => {
  const cases: [string, RegExp][] = [
    ["cat; exec sleep 1000", /after SIGTERM it was ended by SIGTERM\n$/],
    ["trap '' TERM; cat; sleep 1000", /after SIGTERM it was ended by SIGKILL\n$/],
    [
      "trap 'exit 9' TERM; cat; sleep 1000 & wait",
      /after SIGTERM it exited with status 9\n$/,
    ],
    ["cat; exec >&-; exec sleep 1000", /after SIGTERM it was ended by SIGTERM\n$/],
  ];
  await sideBySide(cases, async ([program, message]) => {
    const mark = crypto.randomUUID();
    const { code, stdout, stderr } = await runScript(
      "duplex",
      ["--timeout=1", "sh", "-c", program],
      { env: { MARK: mark } },
    );
    assertEquals(code, 124);
    assertMatch(stdout, /^(Parent got: .*\n){2}$/);
    assertMatch(
      stderr,
      /(^|\n)duplex: sh did not exit within 1 s after its stdin closed; [^\n]*\n$/,
    );
    assertMatch(stderr, message);
    assertEquals(await processesMarked(mark), []);
  });
});

processTest(
  "duplex neither waits for a grandchild that keeps the pipe open nor leaves it",
  async () => {
    const cases: [string, number][] = [
      ["sleep 1000 2>&- & cat", 0],
      ["sleep 1000 2>&- & cat; exit 3", 3],
      ["sleep 1000 2>&- & read x; echo $x; exit 0", 1],
      ["sleep 1000 2>&- & read x; echo $x; exit 4", 4],
    ];
    await sideBySide(cases, async ([program, expected]) => {
      const start = performance.now();
      const mark = crypto.randomUUID();
      const args = ["--timeout=60", "sh", "-c", program];
      const { code, stdout } = await runScript("duplex", args, { env: { MARK: mark } });
      assert(performance.now() - start < 30_000);
      assertEquals(code, expected);
      assertMatch(stdout, /^Parent got: "Hello 1 /);
      assertEquals(await processesMarked(mark), []);
    });
  },
);

processTest("duplex reads all that a child wrote before it ended, grandchild or none", async () => {
  for (const before of ["", "sleep 1000 2>&- & "]) {
    const program = `${before}read x; seq 3000; exit 0`;
    const { code, stderr } = await runScript("duplex", ["--count=1", "sh", "-c", program]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "duplex: sh wrote 2999 lines nobody asked for; ");
  }
});

processTest("duplex passes what is no text, NULs and a line of 50 MB", async () => {
  const program = String.raw`
    read x; printf 'caf\351 \377\n'
    read x; printf 'a\000b\n'
    read x; head -c 50000000 /dev/zero | tr '\000' x; echo
  `;
  const { code, stdout, stderr } = await runScript("duplex", ["--count=3", "sh", "-c", program]);
  const [invalid, nul, long = "", ...rest] = stdout.split("\n");
  assertEquals([invalid, nul], ['Parent got: "caf\ufffd \ufffd"', 'Parent got: "a\0b"']);
  assertEquals(long.length, 'Parent got: ""'.length + 50_000_000);
  assert(/^Parent got: "x+"$/.test(long));
  assertEquals([code, stderr, rest], [0, "", [""]]);
});

processTest("duplex refuses a line that never ends, and ends its child", async () => {
  const mark = crypto.randomUUID();
  const { code, stdout, stderr } = await runScript(
    "duplex",
    ["--timeout=60", "sh", "-c", "yes | tr -d '\\n'"],
    { env: { MARK: mark } },
  );
  assertEquals([code, stdout], [1, ""]);
  assertMatch(
    stderr,
    /^duplex: A line is longer than 67108864 [^\n]*\n$/,
  );
  assertEquals(await processesMarked(mark), []);
});

processTest("duplex is not blocked by a child that floods stderr", async () => {
  const program = "while read x; do head -c 1000000 /dev/zero | tr '\\000' e >&2; echo $x; done";
  const { code, stdout, stderr } = await runScript("duplex", ["sh", "-c", program]);
  assertMatch(stdout, /^(Parent got: "Hello \d .*\n){2}$/);
  assertEquals([code, stderr], [0, "e".repeat(2_000_000)]);
});

processTest("duplex ends cleanly when its own stdin is empty or closed", async () => {
  const duplex = scriptCommand("duplex", ["--stdin", "cat"]);
  for (const redirection of ["</dev/null", "<&-", "< /dev/null cat |"]) {
    const line = redirection.endsWith("|") ? `${redirection} "$@"` : `"$@" ${redirection}`;
    const result = await runCommand(["sh", "-c", line, "sh", ...duplex]);
    assertEquals(result, { code: 0, stdout: "", stderr: "" });
  }
});

const FLOODS = [["yes"], ["sh", "-c", "cat; exec yes"], ["sh", "-c", "read x; echo $x; exec yes"]];

for (const flood of FLOODS) {
  const title = flood.join(" ");

  processTest(`duplex --timeout 1 ends a child that floods: ${title}`, async () => {
    const mark = crypto.randomUUID();
    const start = performance.now();
    const args = ["--timeout=1", "--count=1", ...flood];
    const { code } = await runScript("duplex", args, { env: { MARK: mark } });
    assertEquals(code, 124);
    assert(performance.now() - start < 30_000);
    assertEquals(await processesMarked(mark), []);
  });

  processTest(`duplex hears SIGTERM at once while its child floods: ${title}`, async () => {
    const mark = crypto.randomUUID();
    const args = ["--timeout=1000", "--count=1", ...flood];
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
}

processTest("duplex ends a member of its child's family that ignores SIGTERM", async () => {
  const mark = crypto.randomUUID();
  const program = `sh -c 'trap "" TERM; exec sleep 1000' & cat; sleep 100`;
  const { code } = await runScript("duplex", ["--timeout=1", "sh", "-c", program], {
    env: { MARK: mark },
  });
  assertEquals(code, 124);
  assertEquals(await processesMarked(mark), []);
});

processTest("duplex cuts a line of 5 MB that nobody asked for", async () => {
  const program = "read x; echo $x; head -c 5000000 /dev/zero | tr '\\000' x; echo";
  const { code, stderr } = await runScript("duplex", ["--count=1", "sh", "-c", program]);
  assertEquals(code, 1);
  assertMatch(stderr, /asked for: "x{1000}…"\n/);
  assert(stderr.length < 2000);
});

processTest(
  "duplex --help says that its child has no terminal to ask for a password at",
  async () => {
    assertMatch((await runScript("duplex", ["--help"])).stdout, /cannot ask for a password/);
  },
);

processTest("duplex --stdin waits for a line though its child floods, and reads none", async () => {
  await using child = startScript("duplex", ["--stdin", "--timeout=1", "yes"]);
  const writer = child.stdin.getWriter();
  const lines = new LineReader(child.stdout);
  // Longer than the time limit.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await writer.write(new TextEncoder().encode("a\n"));
  assertEquals(await lines.readLine(), 'Parent got: "y"');
  child.kill("SIGINT");
  assertEquals((await child.status).code, 130);
  assertEquals(await child.stderr.text(), "");
  await Promise.all([writer.close().catch(() => {}), lines[Symbol.asyncDispose]()]);
});
