import { assert, assertEquals, assertMatch } from "@std/assert";
import { processesMarked, processTest, runCommand, runScript, scriptCommand } from "../process.ts";

/** What a program is asked, and what the session shows; how an answer ends is known by its name. */
const KNOWN: [program: string[], stdin: string, stdout: string, stderr?: RegExp][] = [
  [["sh"], "", ""],
  [["bash"], "f() { echo $1; }\nf a", "> f() { echo $1; }\n> f a\na\n"],
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

processTest("session --mark without {} is a usage error", async () => {
  const { code, stdout, stderr } = await runScript("session", ["--mark", "echo"]);
  assertEquals([code, stdout], [2, ""]);
  assertMatch(stderr, /^session: --mark takes a text with \{\} in it; got "echo" /);
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
