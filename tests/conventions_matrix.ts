/**
 * What every script keeps: each script, at each moment, with each signal.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  CASES,
  endsOnInterrupt,
  endsOnSignal,
  GROUPS,
  keepsToPermissions,
  LONG,
  MOMENTS,
  NUMBERS,
  refuses,
  SCRIPTS,
  stopsWithItsReader,
  WITHOUT_COMMAND,
  WRITING,
} from "./conventions.ts";
import { processTest, runScript, scriptPath, sideBySide, temporaryFolder } from "./process.ts";

processTest("every script refuses an option with a part, and starts nothing", async () => {
  await sideBySide(SCRIPTS, async (script) => {
    const [option = "unknown"] = NUMBERS[script] ?? [];
    await refuses([script, `--${option}=1`, `--${option}.x=2`], `--${option}`);
  });
});

processTest("every script that takes no command refuses a stray argument", async () => {
  await sideBySide(
    WITHOUT_COMMAND,
    (script) => refuses([script, "one", "two", "three", "four"], ""),
  );
});

for (const command of LONG) {
  const title = command.join(" ").slice(0, 40);

  processTest(`a signal at any moment ends "${title}", all of it`, async () => {
    await sideBySide(MOMENTS, (_, index) => endsOnSignal(command, index));
  });
}

for (const command of GROUPS) {
  const [script, program = ""] = command;
  const needs = program === "python3" ? [program] : [];

  processTest(`Ctrl-C, which the whole group gets, ends ${script} ${program} quietly`, async () => {
    await endsOnInterrupt(command);
  }, { needs });
}

processTest("every script stops quietly when the reader of its stdout has gone", async () => {
  await sideBySide(WRITING, stopsWithItsReader);
});

processTest("every script works with the permissions that its header names", async () => {
  await sideBySide(CASES, keepsToPermissions);
});

processTest("buffering needs --allow-run for sed, stdbuf and script", async () => {
  const permissions = ["--allow-run=sed,stdbuf,script"];
  assertStringIncludes(await Deno.readTextFile(scriptPath("buffering")), permissions.join());
  assertEquals((await runScript("buffering", [], { permissions })).code, 0);
  const refused = await runScript("buffering", [], { permissions: ["--allow-run=sed"] });
  assertEquals(refused.code, 1);
  assertMatch(refused.stderr, /^buffering: Requires run access to "stdbuf"[^\n]*\n$/);
}, { needs: ["stdbuf", "script"] });

processTest("fifo read PATH needs to run mkfifo, to read PATH and to write it", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/pipe`;
  const needs = ["--allow-run=mkfifo", `--allow-read=${path}`, `--allow-write=${path}`];
  for (const missing of needs) {
    const permissions = needs.filter((permission) => permission !== missing);
    const { code, stderr } = await runScript("fifo", ["read", path], { permissions });
    assertEquals(code, 1);
    assertMatch(stderr, /^fifo: [^\n]*--allow-(run|read|write)[^\n]*\n$/);
    assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
  }
});
