import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { processTest, runCommand, sideBySide, sources } from "./process.ts";
import {
  blocksOf,
  canRun,
  checkLine,
  lines,
  PAGES,
  readme,
  root,
  runSnippet,
  scriptNames,
} from "./readme.ts";

processTest("what the README shows of a script is what it prints", async () => {
  const shown = (await lines()).filter(({ command }) => /lifetime\.ts$/.test(command));
  assert(shown.length > 0);
  await sideBySide(shown, checkLine);
});

processTest("a snippet of each kind works alone, with the files it imports", async () => {
  const kinds = new Set<string>();
  const snippets = (await blocksOf("ts")).filter(({ code }) => {
    if (!canRun(code)) return false;
    // One for each file and each part of the standard library.
    const names = [...code.matchAll(/^import .* from "(.*)";$/gm)].map(([, name = ""]) => name);
    const isNew = [...names, "Deno alone"].some((name) => !kinds.has(name));
    for (const name of ["Deno alone", ...names]) kinds.add(name);
    return isNew;
  });
  assert(snippets.length > 6);
  await sideBySide(snippets, (snippet) => runSnippet(snippet));
});

processTest("each Python program of the pages prints what its twin in Deno does", async () => {
  const programs = await blocksOf("python");
  assertEquals(programs.length, 2);
  await sideBySide(programs, async ({ code, output = "" }) => {
    const result = await runCommand(["python3", "-c", code]);
    assertEquals([result.code, result.stdout + result.stderr], [0, output]);
  });
}, { needs: ["python3", "script"] });

processTest("the README promises the version of Deno that a task checks", async () => {
  const [, version] = /Deno (2\.\d+) or later/.exec(await readme()) ?? [];
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  assertStringIncludes(tasks["test:minimum"].command, `deno@${version}.0 test`);
});

processTest("every task that the README names is there, and says what it does", async () => {
  const { stdout, stderr } = await runCommand([Deno.execPath(), "task"], {
    cwd: root,
    env: { NO_COLOR: "1" },
  });
  const names = [...(await readme()).matchAll(/`deno task ([\w:]+)`/g)];
  assert(names.length > 2);
  for (const [, name] of names) {
    assertMatch(stdout + stderr, new RegExp(`- ${name}\\n +// \\w`));
  }
});

processTest("the README names every script, with what its header says that it needs", async () => {
  const text = await readme();
  const scripts = await scriptNames();
  await Promise.all(scripts.map(async (name) => {
    const [, permissions = ""] = new RegExp(`^\\| \`${name}\` .*\\|(.*)\\|$`, "m").exec(text) ?? [];
    assert(permissions !== "", name);
    const source = await Deno.readTextFile(`${root}scripts/${name}`);
    const [header = ""] = source.split("*/");
    const named: string[] = permissions.match(/--allow-[\w=,]+/g) ?? [];
    const stated = [...header.matchAll(/^ \* {5}.*deno run(.*) scripts\//gm)]
      .map(([, options = ""]) => options.match(/--allow-[\w=,]+/g) ?? []);
    assert(stated.length > 0, `${name}: its header does not say how to run it`);
    if (name === "fifo.ts") named.push("--allow-read=PATH", "--allow-write=PATH");
    assertEquals(named.join(" "), stated[0]?.join(" ") ?? "", name);
  }));
  const folders = await Promise.all(["lib", "scripts", "tests"].map(sources));
  for (const [, name = ""] of text.matchAll(/(?<![\w.*])(\w+\.ts)\b/g)) {
    assert(folders.flat().some((path) => path.endsWith(`/${name}`)), `the README names ${name}`);
  }
});

processTest("no table of the pages is wider than 100 columns", async () => {
  for (const line of (await readme()).split("\n")) {
    assert(!line.startsWith("|") || line.length <= 100, line);
  }
});

/** The names by which the headings of a page are linked to. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)]
    .map(([, title = ""]) => title.toLowerCase().replaceAll(/[^\w -]/g, "").replaceAll(" ", "-"));
}

processTest("every link of the pages leads somewhere", async () => {
  for (const page of PAGES) {
    const base = new URL(page, `file://${root}`);
    // Without code, where "](" is none.
    const text = (await Deno.readTextFile(base)).replaceAll(/^```[^]*?^```$/gm, "");
    // Such as [lines], in a table, and its target below.
    const labels = [...text.matchAll(/^\[(.*?)\]: /gm)].map(([, label = ""]) => label);
    for (const [, label = ""] of text.matchAll(/ \[([\w -]+)\] /g)) {
      assert(labels.includes(label), label);
    }
    for (const label of labels) assert(text.includes(` [${label}] `), label);
    for (const [, target = ""] of text.matchAll(/\](?:\(|: )([^)\s]+)/g)) {
      const url = new URL(target, base);
      await Deno.stat(url.pathname);
      if (url.hash === "") continue;
      assert(anchorsOf(await Deno.readTextFile(url.pathname)).includes(url.hash.slice(1)), target);
    }
  }
});

processTest("every cause of a hang and every recipe stands in the list of its page", async () => {
  const text = await Deno.readTextFile(`${root}README.md`);
  assert(text.split("\n").length <= 400);
  const recipes = await Deno.readTextFile(`${root}lib/RECIPES.md`);
  for (const page of [text, recipes]) {
    const headings = [...page.matchAll(/^### (.*)$/gm)].map(([line]) => line).join("\n");
    for (const anchor of anchorsOf(headings)) {
      assertEquals(
        page.match(new RegExp(`^- .*\\(#${anchor}\\)|^  \\[.*\\(#${anchor}\\)`, "gm"))?.length,
        1,
        anchor,
      );
    }
  }
});
