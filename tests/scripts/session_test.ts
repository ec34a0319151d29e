import { assert, assertEquals, assertMatch } from "@std/assert";
import { LineReader } from "../../lib/line_reader.ts";
import { processTest, runCommand, runScript, scriptCommand, startScript } from "../process.ts";

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
  [["sh"], "echo; echo\n", "> echo; echo\n\n\n"],
  [["bc"], "2^70\nx=3\nx\nquit", "> 2^70\n1180591620717411303424\n> x=3\n> x\n3\n> quit\n"],
  [
    ["python3", "-iqu"],
    "x = [1, 2]\nfor y in x: print(y)\n1/0\nx\nexit()",
    "> x = [1, 2]\n> for y in x: print(y)\n1\n2\n> 1/0\n> x\n[1, 2]\n> exit()\n",
    /\nZeroDivisionError: division by zero\n/,
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

processTest("session takes --mark or --until, not both", async () => {
  const { code, stderr } = await runScript("session", ["--mark", "{}", "--until", "x", "cat"]);
  assertEquals([code, stderr], [
    2,
    "session: an answer ends with --mark or --until, not with both\n",
  ]);
});

processTest("session says which status its program exited with, and takes that", async () => {
  const { code, stdout, stderr } = await runScript("session", ["sh"], {
    stdin: "echo a\nexit 3\n",
  });
  assertEquals([code, stdout], [3, "> echo a\na\n> exit 3\n"]);
  assertMatch(stderr, /^session: sh exited with status 3 after message 1, [^\n]*\n$/);
});

processTest("session fails when a command reads the mark, and sends it back", async () => {
  const { code, stdout, stderr } = await runScript("session", ["bash"], {
    stdin: "cat\necho two\n",
  });
  assertEquals([code, stdout], [1, "> cat\n"]);
  assertEquals(stderr, "session: bash sent the question back instead of carrying it out\n");
}, { needs: ["bash"] });
