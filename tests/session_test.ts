import { assert, assertEquals, assertMatch } from "@std/assert";
import { processesMarked, processTest, runScript } from "./process.ts";

processTest("session shows answers of several lines, of none, and state that stays", async () => {
  const { code, stdout, stderr } = await runScript("session");
  assertEquals(
    stdout,
    "> printf '%s\\n' how are you\nhow\nare\nyou\n> x=3\n> echo $x\n3\n> printf abc\nabc\n",
  );
  assertEquals([code, stderr], [0, ""]);
});

const SESSIONS: [program: string[], mark: string, stdin: string, stdout: string][] = [
  [["bc"], 'print "{}\n"', "2^70\nx=3\nx", "> 2^70\n1180591620717411303424\n> x=3\n> x\n3\n"],
  [["sqlite3"], ".print {}", "select 1 union select 2;\n", "> select 1 union select 2;\n1\n2\n"],
  [["sh"], "echo {}", "", ""],
  [["sh"], "echo {}", "echo; echo\n", "> echo; echo\n\n\n"],
  [["cat"], "{}", "one\n\ntwo", "> one\none\n> \n\n> two\ntwo\n"],
];

for (const [program, mark, stdin, stdout] of SESSIONS) {
  processTest(`session with ${program} answers ${JSON.stringify(stdin)}`, async () => {
    const result = await runScript("session", ["--mark", mark, ...program], { stdin });
    assertEquals(result, { code: 0, stdout, stderr: "" });
  }, { needs: program });
}

processTest("session with python3 keeps what was defined, and ends a block", async () => {
  const args = ["--mark", '\nprint("{}")', "python3", "-iqu"];
  const stdin = "x = [1, 2]\nfor y in x: print(y)\n";
  const { code, stdout } = await runScript("session", args, { stdin });
  assertEquals([code, stdout], [0, "> x = [1, 2]\n> for y in x: print(y)\n1\n2\n"]);
}, { needs: ["python3"] });

processTest("session --mark without {} is a usage error", async () => {
  const { code, stdout, stderr } = await runScript("session", ["--mark", "echo"]);
  assertEquals([code, stdout], [2, ""]);
  assertMatch(stderr, /^session: --mark takes a text with \{\} in it; got "echo"\n$/);
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
    /^session: no answer from sh to message 1 within 1 s; so far it wrote "half"; does --mark fit it /,
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
