/**
 * What every script keeps, one case of each kind; `conventions_matrix.ts` has all of them.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  CASES,
  endsOnInterrupt,
  endsOnSignal,
  GROUPS,
  keepsToPermissions,
  LONG,
  NUMBERS,
  refuses,
  SCRIPTS,
  stopsWithItsReader,
  WRITING,
} from "./conventions.ts";
import {
  processTest,
  root,
  runCommand,
  runScript,
  scriptCommand,
  sideBySide,
  sources,
} from "./process.ts";

processTest("every script is held to the conventions", async () => {
  const files = await Array.fromAsync(Deno.readDir(new URL("../scripts", import.meta.url)));
  const scripts = files.map(({ name }) => name).filter((name) => name.endsWith(".ts"));
  assertEquals(scripts.map((name) => name.replace(".ts", "")).sort(), SCRIPTS);
});

processTest("every test stands beside what it tests, by name", async () => {
  // A file of `lib/` or `scripts/`; or what it shares with its matrix.
  const shared = (await sources("tests")).map((path) => path.replace(/^tests\//, ""));
  const tested = [...await sources("lib"), ...await sources("scripts"), ...shared, "package.ts"];
  const tests = shared.filter((path) => path.endsWith("_test.ts"));
  const untested = tests.map((path) => path.replace("_test.ts", ".ts"));
  assertEquals(untested.filter((path) => !tested.includes(path)), []);
});

processTest("every import goes down a floor, or sideways in its folder", async () => {
  const floors = ["lib", "lib/script", "lib/why", "scripts"];
  const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/"));
  for (const path of [...await sources("lib"), ...await sources("scripts")]) {
    const source = await Deno.readTextFile(new URL(path, root));
    for (const [, name = ""] of source.matchAll(/^(?:import|export|\}) .*?"(\..*)";$/gm)) {
      const target = new URL(name, new URL(path, root)).pathname.slice(root.pathname.length);
      const [from, to] = [folderOf(path), folderOf(target)];
      const isDown = floors.indexOf(to) < floors.indexOf(from);
      assert(isDown || from === to && from !== "scripts", `${path} imports ${target}`);
      assert(to !== "lib/why" || from === to || path === "scripts/why.ts", `${path}: lib/why`);
    }
  }
});

processTest("every error of lib carries its own name", async () => {
  const found: string[] = [];
  for (const file of await sources("lib")) {
    const members: Record<string, unknown> = await import(`../${file}`);
    for (const [name, member] of Object.entries(members)) {
      if (typeof member !== "function" || !(member.prototype instanceof Error)) continue;
      // Whatever its parameters are.
      const error: unknown = Reflect.construct(member, ["why", 1, { code: 1 }]);
      assert(error instanceof Error);
      assertEquals([error.name, Object.hasOwn(error, "name")], [name, true], file);
      found.push(name);
    }
  }
  assert(found.includes("UsageError") && found.includes("NoAnswerError"), found.join());
});

processTest("every script refuses rubbish in one line and starts nothing", async () => {
  await sideBySide(SCRIPTS, async (script) => {
    const [option = "unknown"] = NUMBERS[script] ?? [];
    await refuses([script, `--${option}=abc`], `--${option}`);
  });
});

processTest("a script that takes no command refuses a stray argument", async () => {
  await refuses(["lines", "one"], "one");
});

processTest("every script says with --help what it shows, its options and an example", async () => {
  await sideBySide(SCRIPTS, async (script, index) => {
    const { code, stdout, stderr } = await runScript(script, [index % 2 === 0 ? "--help" : "-h"], {
      permissions: [],
    });
    assertEquals([code, stderr], [0, ""]);
    assertMatch(
      stdout,
      new RegExp(`^Usage: ${script}\\.ts[^]*\n\n[^]*\nOptions:\n[^]*\nExample:\n {2}deno run`),
    );
    for (const name of NUMBERS[script] ?? []) assertStringIncludes(stdout, `\n  --${name} `);
    for (const line of stdout.split("\n")) assert(line.length <= 80, line);
  });
});

processTest("a signal at some moment ends every script, and all that it started", async () => {
  const firsts = new Map(LONG.toReversed().map((command) => [command[0], command]));
  assertEquals([...firsts.keys()].sort(), SCRIPTS);
  await sideBySide(firsts.values(), endsOnSignal);
});

processTest("Ctrl-C, which the whole group gets, ends a script quietly", async () => {
  await sideBySide(GROUPS.slice(0, 2), endsOnInterrupt);
});

processTest("a script stops quietly when the reader of its stdout has gone", async () => {
  await sideBySide(
    WRITING.filter(([script]) => /lines|fram|pipeline/.test(script)),
    stopsWithItsReader,
  );
});

processTest("a script works with the permissions that its header names", async () => {
  await sideBySide(CASES.filter(({ script }) => /fifo|framing/.test(script)), keepsToPermissions);
});

processTest("a script draws and uses bold at a terminal, and no colour if unwanted", async () => {
  const line = scriptCommand("capacity", []).join(" ");
  await sideBySide([["", true], ["1", false]] as const, async ([NO_COLOR, isBold]) => {
    const { stdout } = await runCommand(["script", "-qec", line, "/dev/null"], {
      env: { NO_COLOR },
    });
    assertEquals(stdout.includes("\x1b[1m"), isBold);
    assertMatch(stdout, /\r.*wrote [\d,]+ bytes +█+/);
  });
}, { needs: ["script"], os: "linux" });
