import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  processesMarked,
  processTest,
  root,
  runCommand,
  sources,
  temporaryFolder,
} from "./process.ts";

// As an endless loop does, without the work.
const BLOCK = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);";

const CASES: [what: string, permissions: string[], body: string][] = [
  ["blocks its thread", ["-A"], BLOCK],
  ["waits for ever", ["-A"], "setInterval(() => {}, 1000); await new Promise(() => {});"],
  [
    "blocks its thread and has started processes",
    ["-A"],
    `await using child = new Deno.Command("sh", {
      args: ["-c", "setsid sleep 1000 & (sleep 1000 &) ; echo; sleep 1000"],
      stdout: "piped",
    }).spawn();
    await child.stdout.getReader().read();
    ${BLOCK}`,
  ],
];

for (const [what, permissions, body] of CASES) {
  processTest(`a test that ${what} ends the run, which names it`, async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/endless_test.ts`;
    await Deno.writeTextFile(
      path,
      `import { limitTests } from ${JSON.stringify(new URL("time_limit.ts", import.meta.url))};
      limitTests(1);
      Deno.test("ends", () => new Promise((resolve) => setTimeout(resolve, 10)));
      Deno.test("never ends", async () => { ${body} });`,
    );
    const mark = crypto.randomUUID();
    const command = [Deno.execPath(), "test", "--no-config", "--no-check", ...permissions, path];
    const env = { MARK: mark, NO_COLOR: "1" };
    const { code, stdout, stderr } = await runCommand(command, { env });
    assert(code !== 0);
    assertStringIncludes(stdout, "\nends ... ok (");
    assertStringIncludes(stderr, `"never ends" did not end within 1 s, so the whole run ends `);
    assertEquals(await processesMarked(mark), []);
  }, { needs: ["setsid"] });
}

processTest("a test that waits for what can never come fails, and the others run", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/waiting_test.ts`;
  await Deno.writeTextFile(
    path,
    `import { limitTests } from ${JSON.stringify(new URL("time_limit.ts", import.meta.url))};
    limitTests(100);
    Deno.test("waits", () => new Promise(() => {}));
    Deno.test("ends", () => {});`,
  );
  const command = [Deno.execPath(), "test", "--no-config", "--no-check", path];
  const { code, stdout } = await runCommand(command, { env: { NO_COLOR: "1" } });
  assertEquals(code, 1);
  assertMatch(stdout, /^waits \.\.\. FAILED \(.*\nends \.\.\. ok \(/m);
});

processTest("every test file keeps the time limit", async () => {
  const isLimited = async (url: URL): Promise<boolean> => {
    const source = await Deno.readTextFile(url);
    if (/ "(\.|\.\.\/)*\/process\.ts";$/m.test(source)) return true;
    // Or what it has from the file that its cases stand in does.
    const [, beside] = / "(\.\/\w+\.ts)";$/m.exec(source) ?? [];
    return beside !== undefined && await isLimited(new URL(beside, url));
  };
  for (const path of await sources("tests")) {
    if (/_(test|matrix)\.ts$/.test(path)) assert(await isLimited(new URL(path, root)), path);
  }
});
