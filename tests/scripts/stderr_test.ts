import { assertEquals, assertMatch } from "@std/assert";
import { processesMarked, processTest, runScript } from "../process.ts";

processTest("stderr shows a line of each pipe, then counts a megabyte on each", async () => {
  const { code, stdout, stderr } = await runScript("stderr");
  const [first = "", second = "", ...rest] = stdout.split("\n");
  assertMatch([first, second].sort().join("\n"), /^err │ .*\/missing.*\nout │ \/$/);
  assertMatch(rest.join("\n"), /^Now .*\nout │ 1,048,576 bytes.*\nerr │ 1,048,576 bytes.*\n$/);
  assertEquals([code, stderr], [0, ""]);
});

processTest("stderr labels each line and takes the command's exit code", async () => {
  const line = "echo one; echo two; echo three >&2; printf four >&2; exit 7";
  const { code, stdout, stderr } = await runScript("stderr", ["sh", "-c", line]);
  const lines = stdout.trimEnd().split("\n");
  assertEquals(lines.filter((line) => line.startsWith("out")), ["out │ one", "out │ two"]);
  assertEquals(lines.filter((line) => line.startsWith("err")), ["err │ three", "err │ four"]);
  assertEquals([code, stderr, lines.length], [7, "", 4]);
});

processTest("stderr loses nothing however one of the two floods", async () => {
  for (const [loud, quiet] of [["1", "2"], ["2", "1"]]) {
    const line = `echo begin >&${quiet}; seq 200000 >&${loud}; echo end >&${quiet}`;
    const { code, stdout } = await runScript("stderr", ["sh", "-c", line]);
    const label = loud === "1" ? "out │ " : "err │ ";
    const numbers = stdout.split("\n").filter((line) => line.startsWith(label));
    assertEquals(numbers.length, 200_000);
    assertEquals(numbers.every((line, index) => line === `${label}${index + 1}`), true);
    assertMatch(stdout, loud === "1" ? /^err │ end$/m : /^out │ end$/m);
    assertEquals(code, 0);
  }
});

processTest("stderr says which signal ended the command, and what cannot be started", async () => {
  const killed = await runScript("stderr", ["sh", "-c", "kill -9 $$"]);
  assertEquals([killed.code, killed.stderr], [137, "stderr: sh was ended by SIGKILL\n"]);
  const missing = await runScript("stderr", ["no-such-program"]);
  assertEquals(missing.code, 127);
  assertMatch(missing.stderr, /^stderr: cannot start no-such-program: [^\n]*\n$/);
});

processTest("stderr does not wait for what the child started, and ends it", async () => {
  const mark = crypto.randomUUID();
  const program = ["sh", "-c", "sleep 1000 & echo hi; exit 4"];
  const { code, stdout } = await runScript("stderr", program, { env: { MARK: mark } });
  assertEquals([code, stdout], [4, "out │ hi\n"]);
  assertEquals(await processesMarked(mark), []);
});
