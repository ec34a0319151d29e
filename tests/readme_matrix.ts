import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  fakeProgram,
  processesMarked,
  processTest,
  runCommand,
  sideBySide,
  temporaryFolder,
} from "./process.ts";
import {
  type Block,
  blocksOf,
  canRun,
  checkLine,
  CONFIG,
  copyOf,
  lines,
  PAGES,
  root,
  runSnippet,
  scriptNames,
  snippetUnder,
  tellWhatIsLeftOut,
} from "./readme.ts";

tellWhatIsLeftOut();

processTest("every command, transcript and example of a help is as it is written", async () => {
  const examples: string[] = [];
  await sideBySide(await scriptNames(), async (script) => {
    const command = [Deno.execPath(), "run", "--no-prompt", `${root}scripts/${script}`, "--help"];
    const { stdout, stderr } = await runCommand(command);
    const [, example = ""] = /\nExample:\n {2}(.*)\n$/.exec(stdout) ?? [];
    assert(example.startsWith(`deno run -A scripts/${script}`), stdout + stderr);
    examples.push(example);
  });
  // The gate runs the tests, and this one with them.
  const meant = (await lines(examples)).filter(({ command }) =>
    canRun(command) && !command.endsWith(" test -A")
  );
  assert(meant.length > 20);
  await sideBySide(meant, checkLine);
});

for (const page of PAGES.slice(0, 4)) {
  processTest(`every snippet of ${page} works alone, with the files it imports`, async () => {
    const snippets = (await blocksOf("ts", [page])).filter(({ code }) => canRun(code));
    assert(snippets.length > 0);
    await sideBySide(snippets, (snippet) => runSnippet(snippet));
  });
}

processTest("a snippet that ends its child on a signal leaves nothing behind", async () => {
  const snippets = [
    await snippetUnder("The script ended and its child lives on"),
    await snippetUnder("clean up on Ctrl-C"),
  ];
  const cases = snippets.flatMap((snippet) =>
    (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) => ({ snippet, signal }))
  );
  await sideBySide(cases, async ({ snippet, signal }) => {
    // What it says when it is ready, and a child that would stay.
    const code = snippet.code.replace(/"[12]"/, '"1000"')
      .replace(/^(?=await child\.status;$)/m, 'console.log("ready");\n');
    assert(code.includes('"1000"') && code.includes("ready"));
    await using folder = await copyOf({ ...snippet, code });
    const mark = crypto.randomUUID();
    const [program = "", ...args] = folder.command;
    await Deno.mkdir(`${folder.path}/tmp`);
    const env = { MARK: mark, TMPDIR: `${folder.path}/tmp` };
    const options = { args, cwd: folder.path, env, stdout: "piped", stderr: "piped" } as const;
    await using child = new Deno.Command(program, options).spawn();
    const stderr = child.stderr.text();
    let said = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (said.endsWith("ready\n")) child.kill(signal);
    }
    const { code: status } = await child.status;
    assertEquals(status, { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }[signal]);
    assertEquals(await stderr, "");
    assertEquals(await processesMarked(mark), []);
    assertEquals(await Array.fromAsync(Deno.readDir(`${folder.path}/tmp`)), []);
  });
});

processTest("no recipe starts itself without end when compiled", async () => {
  const snippets = (await blocksOf("ts")).filter(({ code }) => code.includes("Deno.args"));
  assertEquals(snippets.length, 2);
  await sideBySide(snippets, runCompiled);
});

async function runCompiled(snippet: Block): Promise<void> {
  await using folder = await copyOf(snippet);
  // What `deno compile` makes cannot be made without a download, so this stands for it: a program
  // that Deno.execPath() names, and that refuses to be started more often than there are workers.
  const [deno = "", ...args] = folder.command;
  await using compiled = await fakeProgram(
    "compiled",
    `echo >>"$0.starts"; [ $(wc -l <"$0.starts") -le 4 ] && exec ${deno} run -A snippet.ts "$@"`,
  );
  const preload = `${compiled.path}/preload.ts`;
  await Deno.writeTextFile(
    preload,
    `Object.defineProperty(Deno, "build", { value: { ...Deno.build, standalone: true } });
    Deno.execPath = () => "${compiled.path}/compiled";`,
  );
  args.splice(1, 0, `--preload=${preload}`);
  const result = await runCommand([deno, ...args], { cwd: folder.path });
  assertEquals(result, { code: 0, stdout: snippet.output ?? "", stderr: "" });
}

processTest(
  "the recipe for a pipeline ends with its reader, though its source is silent",
  async () => {
    const snippet = await snippetUnder("have a pipeline's output as text");
    const silent = '"sh", { args: ["-c", "yes | head -2; exec sleep 1000"],';
    const code = snippet.code.replace('"yes", {', silent);
    assert(code.includes(silent));
    await using folder = await copyOf({ ...snippet, code });
    const command = ["timeout", "-s", "KILL", "60", ...folder.command];
    const result = await runCommand(command, { cwd: folder.path });
    assertEquals(result, { code: 0, stdout: snippet.output ?? "", stderr: "" });
  },
  { needs: ["timeout"] },
);

processTest("the MCP server of the recipes answers as they say", async () => {
  const snippet = await snippetUnder("be an MCP server");
  const shown = (await blocksOf("txt")).find(({ heading }) => heading === snippet.heading);
  const [stdin = "", ...answers] = shown?.code.split(/(?<=\n)/) ?? [];
  assertStringIncludes(stdin, "tools/call");
  await runSnippet({ ...snippet, output: answers.join("") }, { stdin });
});

/** A process that leaves the group keeps the pipe beyond the reach of a signal to the group. */
const HELD = [
  "The child has exited, and reading its output still does not end",
  "limit the time of a child and its family",
];

for (const heading of HELD) {
  processTest(`the snippet holds where a process has left the group: ${heading}`, async () => {
    const mark = crypto.randomUUID();
    const block = await snippetUnder(heading);
    const code = block.code.replace(/sleep \d+ &/, "setsid sleep 1000 2>&- &");
    assertStringIncludes(code, "setsid");
    await runSnippet({ ...block, code }, { env: { MARK: mark } });
    // It is still there: nobody waited for it.
    assertEquals((await processesMarked(mark)).length, 1);
  }, { needs: ["setsid"] });
}

processTest("every snippet of the pages has the right types", async () => {
  await using folder = await temporaryFolder();
  await Deno.symlink(`${root}lib`, `${folder.path}/lib`);
  const snippets = await blocksOf("ts");
  await Promise.all(snippets.map(({ code }, n) => {
    return Deno.writeTextFile(`${folder.path}/snippet_${n}.ts`, code);
  }));
  const files = snippets.map((_, n) => `snippet_${n}.ts`);
  const command = [Deno.execPath(), "check", "--quiet", ...CONFIG, ...files];
  const { code, stderr } = await runCommand(command, { cwd: folder.path });
  assertEquals([code, stderr], [0, ""]);
});
