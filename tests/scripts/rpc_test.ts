import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  processesMarked,
  processTest,
  runCommand,
  type RunOptions,
  runScript,
  scriptCommand,
  startScript,
} from "../process.ts";

/** Runs rpc with a shell as its other side; `reply LINE` reads a request, and writes a line. */
function runWith(script: string, args: string[], options: RunOptions) {
  const reply = 'reply() { read -r request; printf "%s\\n" "$1"; }; ';
  return runScript("rpc", [...args, "sh", "-c", reply + script], options);
}

const answer = (id: number, result: unknown) =>
  `reply '${JSON.stringify({ jsonrpc: "2.0", id, result })}';`;

processTest(
  "rpc asks deno lsp several questions at once, whose answers come in another order",
  async () => {
    const { code, stdout, stderr } = await runScript("rpc");
    assertEquals([code, stderr], [0, ""]);
    const lines = stdout.split("\n");
    const at = (start: string) => {
      const index = lines.findIndex((line) => line.startsWith(start));
      assert(index !== -1, `${start}: ${stdout}`);
      return index;
    };
    assert(at('  ← "Content-Length: ') < at("1 → textDocument/hover"));
    assert(at("4 → no/such/method") < at("4 ← no/such/method "));
    assert(at("4 ← no/such/method ") < at("1 ← textDocument/hover "));
    assert(at("  ← textDocument/publishDiagnostics") < at("1 ← shutdown "));
    assertMatch(stdout, /^4 ← no\/such\/method +\d+ ms {2}error -32601: "Method not found"$/m);
    assertMatch(stdout, /^1 ← textDocument\/hover +\d+ ms {2}\{"contents":/m);
    assertMatch(stdout, /^2 ← textDocument\/documentSymbol +\d+ ms {2}\[\{"name":"hello"/m);
    for (const line of lines) assert(line.length <= 100, line);
  },
);

processTest("rpc prints answers as they come, errors and notifications too", async () => {
  const { code, stdout, stderr } = await runWith(
    `read -r a; echo '{"jsonrpc":"2.0","method":"n"}'; echo starting…; ${answer(2, { b: [1] })}
    printf '%s\n' '{"jsonrpc":"2.0","id":1,"error":{"code":5,"message":"no\\n"}}'; cat >/dev/null`,
    [],
    { stdin: 'first\n  second {"a": [1, 2]}  \n' },
  );
  assertEquals(stdout, '! n\nsecond → {"b":[1]}\nfirst → error 5: "no\\n"\n');
  assertEquals([code, stderr], [0, 'rpc: sh wrote a line nobody asked for: "starting…"\n']);
});

processTest("rpc refuses what the child asks, and says so once for each method", async () => {
  const result = await runScript("rpc", ["cat"], { stdin: "one\none\ntwo\n" });
  assertEquals(result, {
    code: 0,
    stdout: ["one", "one", "two"]
      .map((method) => `${method} → error -32601: "Method not found: ${method}"\n`).join(""),
    stderr: ["one", "two"].map((method) =>
      `rpc: cat asked for "${method}": refused; --answer "${method}=RESULT" answers it\n`
    ).join(""),
  });
});

processTest("rpc answers what it was told to", async () => {
  const answers = ['--answer=one={"a":[1,"="]}', "--answer", "two=null"];
  const { code, stdout } = await runScript("rpc", [...answers, "cat"], { stdin: "one\ntwo\n" });
  assertEquals([code, stdout], [0, 'one → {"a":[1,"="]}\ntwo → null\n']);
  const wrong = await runScript("rpc", ["--answer=one={", "cat"]);
  assertEquals(wrong.code, 2);
  assertMatch(wrong.stderr, /^rpc: --answer takes METHOD=RESULT in JSON; got "one=\{" /);
});

processTest("rpc waits at an empty line, and sends notifications", async () => {
  const { code, stdout, stderr } = await runWith(
    `${answer(1, 1)} read -r note; printf '%s\\n' "$note" >&2; ${answer(2, 2)} cat >/dev/null`,
    [],
    { stdin: "initialize\n\n!initialized [1]\nnext\n" },
  );
  assertEquals([code, stdout], [0, "initialize → 1\nnext → 2\n"]);
  assertEquals(stderr, '{"jsonrpc":"2.0","method":"initialized","params":[1]}\n');
});

processTest("rpc speaks Content-Length to a language server", async () => {
  const { code, stdout } = await runScript(
    "rpc",
    ["--framing=content-length", Deno.execPath(), "lsp"],
    { stdin: 'initialize {"capabilities": {}}\n\n!initialized {}\nshutdown\n\n!exit\n' },
  );
  assertEquals(code, 0);
  assertMatch(stdout, /^initialize → \{"capabilities":.*\}$/m);
  assertMatch(stdout, /^shutdown → null$/m);
});

const MISFORTUNES: [command: string[], code: number, stderr: RegExp][] = [
  [
    ["sh", "-c", "exit 3"],
    3,
    /^rpc: .*sh exited with status 3\n$/,
  ],
  [
    ["sh", "-c", "read -r a; kill $$"],
    143,
    /ping was not answered: .*; sh was ended by SIGTERM\n$/,
  ],
  [
    ["sh", "-c", "read -r a"],
    1,
    /ping was not answered: .*; sh exited with status 0; try --framing content-length, .*\n$/,
  ],
  [["sh", "-c", "sleep 100 & exit 3"], 3, /^rpc: .*sh exited with status 3\n$/],
  [
    ["--timeout=0.3", "sleep", "100"],
    124,
    /no answer from sleep to ping within 0.3 s \(--timeout\); try --framing content-length,.*why\.ts --question '.*' sleep 100\n$/,
  ],
  [
    ["--timeout=0.5", "sh", "-c", "read -r a; printf '{\"id\":'; sleep 100"],
    124,
    /; so far it wrote "\{\\"id\\":"; try --framing content-length/,
  ],
  [
    [
      "--timeout=0.5",
      "--framing=content-length",
      "sh",
      "-c",
      "printf 'Content-Length: 5\\n\\nfour'; sleep 100",
    ],
    124,
    /; so far it wrote "four"; try --framing lines, [^;]*\n$/,
  ],
  [["sh", "-c", "echo Content-Length: 5; sleep 100"], 1, /the framing is "content-length"/],
  [
    ["--framing=content-length", "sh", "-c", "echo '{}'"],
    1,
    /rpc: sh wrote .*"\{\}"\n.*"\{\}" stands where a header/,
  ],
  [
    ["sh", "-c", "exec <&-; exec sleep 100"],
    1,
    /^rpc: ping was not answered: the other side has closed its stdin; sh has not exited\n$/,
  ],
  [["no-such-program"], 127, /^rpc: cannot start no-such-program: /],
  [["--framing=both", "cat"], 2, /^rpc: --framing takes lines or content-length; got "both" /],
  [["--timeout=0.5", "yes"], 1, /yes wrote \d+ lines nobody asked for/],
  [
    [
      "--timeout=0.5",
      "sh",
      "-c",
      `read -r a; echo '{"jsonrpc":"2.0","id":1,"result":1}'; trap "" TERM; sleep 100`,
    ],
    124,
    /^rpc: sh did not exit within 0.5 s after its stdin closed; .*\n$/,
  ],
];

processTest("rpc does not wait for a child that reads no notification", async () => {
  const stdin = `!note ["${"x".repeat(300_000)}"]\n`;
  const { code, stderr } = await runScript("rpc", ["--timeout=0.3", "sleep", "100"], { stdin });
  assertMatch(stderr, /^rpc: sleep did not read the notification note within 0.3 s .*\n$/);
  assertEquals(code, 124);
});

processTest(
  "rpc asks no more once a question has failed, however much is on its stdin",
  async () => {
    const line = 'yes "ping {}" | "$@"';
    const command = scriptCommand("rpc", ["--timeout=0.3", "sh", "-c", "read x; exec sed -un $="]);
    const { stdout, stderr } = await runCommand(["sh", "-c", line, "sh", ...command]);
    assertEquals(stdout, "");
    assertMatch(stderr, /no answer from sh to ping within 0.3 s/);
  },
);

processTest("rpc takes no more lines of its stdin than it can soon ask", async () => {
  const line = '{ yes ping 2>/dev/null | head -n 1000000 && echo "all taken" >&2; } | "$@"';
  const command = scriptCommand("rpc", ["--timeout=2", "sleep", "100"]);
  const { stderr } = await runCommand(["sh", "-c", line, "sh", ...command]);
  assertMatch(stderr, /^rpc: no answer from sleep to ping within 2 s \(--timeout\); .*\n$/);
});

processTest("rpc takes a line separator of Unicode inside a text for a part of it", async () => {
  const { stdout } = await runScript("rpc", ["cat"], { stdin: 'one ["\u2028"]\n' });
  assertMatch(stdout, /^one → error/);
});

for (const [command, expected, pattern] of MISFORTUNES) {
  processTest(`rpc tells what is wrong with ${command.join(" ").slice(0, 50)}`, async () => {
    const mark = crypto.randomUUID();
    const { code, stderr } = await runScript("rpc", command, {
      stdin: "ping\n",
      env: { MARK: mark },
    });
    assertMatch(stderr, pattern);
    assertEquals(code, expected, stderr);
    assert(!/^ +at /m.test(stderr), stderr);
    assertEquals(await processesMarked(mark), []);
  });
}

processTest("rpc names each line that it does not understand, and goes on", async () => {
  const stdin = "!\nping 1\nping [\nping\n";
  const { code, stdout, stderr } = await runWith(`${answer(1, 1)} cat >/dev/null`, [], { stdin });
  assertEquals([code, stdout], [2, "ping → 1\n"]);
  const lines = stderr.trimEnd().split("\n");
  assertEquals(lines.length, 3, stderr);
  for (const line of lines) assertStringIncludes(line, "rpc: expected [!]METHOD [PARAMS]");
});

processTest("rpc ends when the program has exited, though its own stdin stays open", async () => {
  await using child = startScript("rpc", ["sh", "-c", "read -r a; exit 0"]);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("!exit\n"));
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  assertEquals([(await child.status).code, stdout, stderr], [0, "", ""]);
  await writer.close().catch(() => {});
});
