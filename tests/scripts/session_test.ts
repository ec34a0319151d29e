import { assert, assertEquals, assertMatch } from "@std/assert";
import { LineReader } from "../../lib/line_reader.ts";
import {
  processesMarked,
  processTest,
  runCommand,
  runScript,
  scriptCommand,
  startScript,
} from "../process.ts";

processTest("session shows answers of several lines, of none, and state that stays", async () => {
  const { code, stdout, stderr } = await runScript("session");
  assertEquals(
    stdout,
    "> printf '%s\\n' how are you\nhow\nare\nyou\n> x=3\n> echo $x\n3\n> printf abc\nabc\n",
  );
  assertEquals([code, stderr], [0, ""]);
});

/** What a program is asked, and what the session shows; how an answer ends is known by its name. */
const KNOWN: [program: string[], stdin: string, stdout: string, stderr?: RegExp][] = [
  [["sh"], "", ""],
  [["sh"], "echo; echo\n", "> echo; echo\n\n\n"],
  [["bash"], "f() { echo $1; }\nf a", "> f() { echo $1; }\n> f a\na\n"],
  [["bc"], "2^70\nx=3\nx\nquit", "> 2^70\n1180591620717411303424\n> x=3\n> x\n3\n> quit\n"],
  // It breaks no mark behind a long line.
  [
    ["bc"],
    'for (i = 0; i < 9; i++) print "1234567"',
    `> for (i = 0; i < 9; i++) print "1234567"\n${"1234567".repeat(9)}\n`,
  ],
  [["dc"], "2 3*p\n1p1p", "> 2 3*p\n6\n> 1p1p\n1\n1\n"],
  [["jq", "-c", "--unbuffered", "."], '{ "a": 1 }\n[]', '> { "a": 1 }\n{"a":1}\n> []\n[]\n'],
  [["sqlite3"], "select 1 union select 2;\n.quit\n", "> select 1 union select 2;\n1\n2\n> .quit\n"],
  [
    ["python3", "-iqu"],
    "x = [1, 2]\nfor y in x: print(y)\n1/0\nx\nexit()",
    "> x = [1, 2]\n> for y in x: print(y)\n1\n2\n> 1/0\n> x\n[1, 2]\n> exit()\n",
    /\nZeroDivisionError: division by zero\n/,
  ],
  [
    ["node", "-i"],
    "1+1\nlet x = 3\nx*2\nnope\n.exit",
    "> 1+1\n2\n> let x = 3\nundefined\n> x*2\n6\n> nope\n" +
    "Uncaught ReferenceError: nope is not defined\n> .exit\n",
  ],
  [
    ["gdb", "-q", "-nx"],
    "print 6*7\nprint\necho a\ninfo line\nquit",
    "> print 6*7\n$1 = 42\n> print\n$2 = 42\n> echo a\na\n> info line\n" +
    "No line number information available.\n> quit\n",
  ],
];

for (const [program, stdin, stdout, expected = /^$/] of KNOWN) {
  processTest(
    `session ${program.join(" ")} knows the end of its answers to "${stdin}"`,
    async () => {
      const result = await runScript("session", program, { stdin });
      // What node says first has its version in it.
      assertEquals(result.stdout.replace(/^Welcome .*\n.*\n/, ""), stdout);
      assertMatch(result.stderr, expected);
      assertEquals(result.code, 0);
    },
    { needs: program.slice(0, 1) },
  );
}

processTest(
  "session deno repl knows the end of its answers where there are no colours",
  async () => {
    const stdin = "1+1\nlet x = 3\nx\n";
    const options = { stdin, env: { NO_COLOR: "1" } };
    const result = await runScript("session", [Deno.execPath(), "repl", "-q"], options);
    const stdout = "> 1+1\n2\n> let x = 3\nundefined\n> x\n3\n";
    assertEquals(result, { code: 0, stdout, stderr: "" });
  },
);

const ENDS: [args: string[], stdin: string, stdout: string | RegExp][] = [
  [["--mark", "{}", "cat"], "one\n\ntwo", "> one\none\n> \n\n> two\ntwo\n"],
  // A mark that is not all of its line, and one without a newline.
  [["--mark", 'echo "<{}> "', "sh"], "echo a\nprintf b", "> echo a\na\n<\n> printf b\nb<\n"],
  [["--mark", "printf {}", "sh"], "echo a\nprintf b", "> echo a\na\n> printf b\nb\n"],
  // A line, an empty line, and a prompt.
  [
    ["--until", "^end", "sh"],
    "echo a; echo ending 1\necho end 2",
    "> echo a; echo ending 1\na\nending 1\n> echo end 2\nend 2\n",
  ],
  [["--until", "^$", "aspell", "-a", "-l", "en"], "hello\n", /(^|\n)\*\n\n$/],
  [
    ["--until", "^\\* $", "ed", "-p", "* "],
    "e /etc/hosts\n2\nH\nQ\n",
    /^> e \/etc\/hosts\n\d+\n> 2\n.*\n> H\n> Q\n$/,
  ],
  [
    ["--until", "^(uciok|bestmove)", "stockfish"],
    "uci\ngo depth 1",
    /\nuciok\n[^]*\nbestmove .*\n$/,
  ],
];

for (const [args, stdin, expected] of ENDS) {
  const program = args[2] ?? "";
  processTest(`session ${args.join(" ")} finds the ends of its answers`, async () => {
    const env = { PATH: `${Deno.env.get("PATH")}:/usr/games` };
    const { code, stdout, stderr } = await runScript("session", args, { stdin, env });
    if (typeof expected === "string") assertEquals(stdout, expected);
    else assertMatch(stdout, expected);
    assertEquals([code, stderr], [0, ""]);
  }, { needs: [program === "stockfish" ? "/usr/games/stockfish" : program] });
}

processTest("session does not take a prompt after the last answer for a line unasked", async () => {
  const line = 'while printf "> "; read -r x; do eval "$x"; done';
  const result = await runScript("session", ["sh", "-c", line], { stdin: "echo hi\n" });
  assertEquals(result, { code: 0, stdout: "> echo hi\n> hi\n> \n", stderr: "" });
});

processTest("session shows a greeting, and does not call it a line unasked", async () => {
  const stdin = "echo a\n";
  const { code, stdout } = await runScript("session", ["sh", "-c", "echo hello; exec sh"], {
    stdin,
  });
  // It may come before the question or after it.
  assertEquals(stdout.replace("hello\n", ""), "> echo a\na\n");
  assertEquals([code, stdout.includes("hello\n")], [0, true]);
});

processTest("session shows a greeting that comes before the first question", async () => {
  await using session = startScript("session", ["sh", "-c", "echo hello; exec sh"]);
  await using lines = new LineReader(session.stdout);
  assertEquals(await lines.readLine(), "hello");
  const writer = session.stdin.getWriter();
  await writer.write(new TextEncoder().encode("echo a\n"));
  await writer.close();
  assertEquals([await lines.readLine(), await lines.readLine()], ["> echo a", "a"]);
  assertEquals([(await session.status).code, await session.stderr.text()], [0, ""]);
});

processTest(
  "session takes the exit of its program for an answer to the last question alone",
  async () => {
    for (const last of ["", "echo b"]) {
      const { code, stdout, stderr } = await runScript("session", ["sh"], {
        stdin: `echo a\nexit 0\n${last}`,
      });
      assertEquals(stdout, "> echo a\na\n> exit 0\n");
      const message = `session: sh exited with status 0 before it was asked "echo b"\n`;
      assertEquals([code, stderr], last === "" ? [0, ""] : [1, message]);
    }
  },
);

processTest("session ends with its program, though its own stdin goes on", async () => {
  await using session = startScript("session", ["sh"]);
  const writer = session.stdin.getWriter();
  await writer.write(new TextEncoder().encode("exit 0\n"));
  const [status, stdout] = await Promise.all([session.status, session.stdout.text()]);
  assertEquals([status.code, stdout, await session.stderr.text()], [0, "> exit 0\n", ""]);
  await writer.abort().catch(() => {});
});

processTest(
  "session says at a terminal what it waits for, and marks its program's stderr",
  async () => {
    const command = [...scriptCommand("session", ["sh"])].map((word) => `'${word}'`).join(" ");
    const stdin = "echo out; echo err >&2; printf part >&2\n";
    const { stdout } = await runCommand(["script", "-qec", command, "/dev/null"], {
      stdin,
      env: { NO_COLOR: "1" },
    });
    const lines = stdout.split("\r\n");
    assert(lines.includes("Type a line for sh; Ctrl-D ends."), stdout);
    assert(
      lines.includes("out") && lines.includes("sh: err") && lines.includes("sh: part"),
      stdout,
    );
  },
  { needs: ["script"] },
);

processTest(
  "session shows all of its program's stderr at a terminal though that fails",
  async () => {
    const command = [...scriptCommand("session", ["sh"])].map((word) => `'${word}'`).join(" ");
    const stdin = "seq 3000 >&2; printf 'last words' >&2; exit 3\n";
    const options = { stdin, env: { NO_COLOR: "1" } };
    const { stdout } = await runCommand(["script", "-qec", command, "/dev/null"], options);
    assertEquals(stdout.match(/^sh: \d+\r$/gm)?.length, 3000);
    assertMatch(stdout, /^sh: last words\r$/m);
  },
  { needs: ["script"] },
);

processTest("session takes --mark or --until, not both", async () => {
  const { code, stderr } = await runScript("session", ["--mark", "{}", "--until", "x", "cat"]);
  assertEquals([code, stderr], [
    2,
    "session: an answer ends with --mark or --until, not with both\n",
  ]);
});

processTest("session --mark without {} is a usage error", async () => {
  const { code, stdout, stderr } = await runScript("session", ["--mark", "echo"]);
  assertEquals([code, stdout], [2, ""]);
  assertMatch(stderr, /^session: --mark takes a text with \{\} in it; got "echo" /);
});

processTest("session says which status its program exited with, and takes that", async () => {
  const { code, stdout, stderr } = await runScript("session", ["sh"], {
    stdin: "echo a\nexit 3\n",
  });
  assertEquals([code, stdout], [3, "> echo a\na\n> exit 3\n"]);
  assertMatch(stderr, /^session: sh exited with status 3 after message 1, [^\n]*\n$/);
});

processTest("session shows what came of an answer that does not end", async () => {
  const mark = crypto.randomUUID();
  const { code, stdout, stderr } = await runScript("session", ["--timeout=1", "sh"], {
    stdin: "echo one; printf half; sleep 1000\n",
    env: { MARK: mark },
  });
  assertEquals([code, stdout], [124, "> echo one; printf half; sleep 1000\none\n"]);
  assertMatch(
    stderr,
    /^session: no answer from sh to message 1 within 1 s; so far it wrote "half"; see whether --mark or --until fit /,
  );
  assertEquals(await processesMarked(mark), []);
});

processTest("session --timeout ends a program that floods", async () => {
  const mark = crypto.randomUUID();
  const line = ["sh", "-c", `"$@" | tail -c 2`, "sh"];
  const { code, stdout } = await runScript("session", ["--timeout=1", ...line, "yes"], {
    stdin: "x\n",
    env: { MARK: mark },
  });
  assert(code === 124, stdout);
  assertEquals(await processesMarked(mark), []);
});

processTest("session names a program that cannot be started", async () => {
  for (const [program, expected] of [["no-such-program", 127], ["/", 126]] as const) {
    const { code, stderr } = await runScript("session", [program]);
    assertEquals(code, expected);
    assertMatch(stderr, /^session: cannot start [^\n]*\n$/);
  }
});

processTest("session fails when a command reads the mark, and sends it back", async () => {
  const { code, stdout, stderr } = await runScript("session", ["bash"], {
    stdin: "cat\necho two\n",
  });
  assertEquals([code, stdout], [1, "> cat\n"]);
  assertEquals(stderr, "session: bash sent the question back instead of carrying it out\n");
}, { needs: ["bash"] });
