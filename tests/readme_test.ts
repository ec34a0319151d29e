import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  fakeProgram,
  isInstalled,
  processesMarked,
  processTest,
  runCommand,
  type RunOptions,
  sideBySide,
  sources,
  temporaryFolder,
} from "./process.ts";

const root = new URL("..", import.meta.url).pathname;

const PAGES = ["README.md", "lib/README.md", "scripts/README.md", "tests/README.md"];

/** All pages. Where reading is not permitted, processes are not either, and none of this runs. */
async function readme(pages = PAGES): Promise<string> {
  return (await Promise.all(pages.map((page) => Deno.readTextFile(root + page)))).join("\n");
}

/** A fenced block, and the heading that it stands under. */
interface Block {
  language: string;
  code: string;
  heading: string;
  /** What the README says that it prints, if it does. */
  output?: string;
}

async function blocks(pages = PAGES): Promise<Block[]> {
  const found: Block[] = [];
  let heading = "";
  // A text shows the output of all code since the text before, or since the heading.
  let unshown: Block[] = [];
  for (
    const [, title, language = "", code = ""] of (await readme(pages)).matchAll(
      /^#+ (.*)$|^```(\w+)\n([^]*?)^```$/gm,
    )
  ) {
    if (title !== undefined) {
      heading = title;
      unshown = [];
    } else if (language === "text") {
      for (const block of unshown.splice(0)) block.output = code;
    } else {
      const block = { language, code, heading };
      found.push(block);
      unshown.push(block);
    }
  }
  return found;
}

async function blocksOf(language: string, pages = PAGES): Promise<Block[]> {
  return (await blocks(pages)).filter((block) => block.language === language);
}

/** Where `deno add` would write what the names of the standard library stand for. No lock file: an
 * older Deno would write into it what types it needs. */
const CONFIG = [`--config=${root}deno.json`, "--no-lock"];

/** A folder with the snippet, the files of `lib/` that it imports, and nothing else. */
async function copyOf({ code }: Block) {
  const folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/lib`);
  const copy = async (text: string, pattern: RegExp) => {
    for (const [, file = ""] of text.matchAll(pattern)) {
      const source = await Deno.readTextFile(`${root}lib/${file}`);
      await Deno.writeTextFile(`${folder.path}/lib/${file}`, source);
      await copy(source, /^(?:import .*|}) from "\.\/(\w+\.ts)";$/gm);
    }
  };
  await copy(code, /^import .* from "\.\/lib\/(\w+\.ts)";$/gm);
  await Deno.writeTextFile(`${folder.path}/snippet.ts`, code);
  const config = code.includes('"@std/') ? CONFIG : [];
  const command = [Deno.execPath(), "run", "-A", "--no-prompt", "--quiet", ...config, "snippet.ts"];
  return Object.assign(folder, { command });
}

async function runSnippet(block: Block, options: RunOptions = {}): Promise<void> {
  await using folder = await copyOf(block);
  const env = { ...options.env, NO_COLOR: "1" };
  const result = await runCommand(folder.command, { ...options, cwd: folder.path, env });
  const { code, stdout, stderr } = result;
  assertEquals([code, stderr], [0, ""], `${block.heading}: ${code} ${stderr}`);
  // What comes out of two pipes has no order between them.
  const inOrder = (text: string) =>
    block.heading.includes("stdout and stderr") ? text.split("\n").sort().join("\n") : text;
  if (block.output !== undefined) {
    assertEquals(inOrder(stdout), inOrder(block.output), block.heading);
  }
  const names = await Array.fromAsync(Deno.readDir(folder.path), ({ name }) => name);
  assertEquals(names.sort(), ["lib", "snippet.ts"], block.heading);
}

async function snippetUnder(heading: string): Promise<Block> {
  const block = (await blocksOf("ts")).find((block) => block.heading === heading);
  assert(block !== undefined, heading);
  return block;
}

async function scriptNames(): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(`${root}scripts`), ({ name }) => name);
  return names.filter((name) => name.endsWith(".ts"));
}

/** A command line that a reader may paste, and what the README shows of its output. */
interface Line {
  command: string;
  transcripts: Block[];
}

async function lines(): Promise<Line[]> {
  const found = new Map<string, Line>();
  const add = (command: string) => {
    const line = found.get(command) ?? { command, transcripts: [] };
    found.set(command, line);
    return line;
  };
  for (const block of await blocks()) {
    if (block.language === "sh") block.code.trim().split(/(?<!\|)\n/).forEach(add);
    const [, command] = /^\$ (.*)/.exec(block.code) ?? [];
    if (block.language === "console" && command) add(command).transcripts.push(block);
  }
  const scripts = await scriptNames();
  await sideBySide(scripts, async (script) => {
    const command = [Deno.execPath(), "run", "--no-prompt", `${root}scripts/${script}`, "--help"];
    const { stdout, stderr } = await runCommand(command);
    const [, example = ""] = /\nExample:\n {2}(.*)\n$/.exec(stdout) ?? [];
    assert(example.startsWith(`deno run -A scripts/${script}`), stdout + stderr);
    add(example);
  });
  return [...found.values()];
}

/** Numbers differ from run to run: process ids, milliseconds. */
function withoutNumbers(text: string): string {
  return text.replaceAll(/\d+/g, "0");
}

/** Runs a line with a deno on its PATH, which a machine that starts it with npx has not. */
async function checkLine({ command, transcripts }: Line): Promise<void> {
  await using folder = await temporaryFolder();
  await Deno.symlink(Deno.execPath(), `${folder.path}/deno`);
  const { code, stdout, stderr } = await runCommand(
    ["sh", "-c", `PATH="${folder.path}:$PATH"; exec 2>&1; ${command}`],
    { cwd: root, env: { NO_COLOR: "1" } },
  );
  assertEquals([code, stderr], [0, ""], `${command}: ${stdout}`);
  assert(stdout !== "" || /^alias|null$/.test(command), command);
  for (const transcript of transcripts) {
    // "…" stands for lines that are left out.
    const parts = withoutNumbers(transcript.code.replace(/^.*/, "")).split(/^…$/m);
    const output = withoutNumbers(`\n${stdout}`);
    for (const part of parts) assertStringIncludes(output, part, transcript.heading);
    if (parts.length === 1) assertEquals(output, parts[0]);
  }
}

/** What lines and snippets need that not every machine has. */
const NEEDS: [pattern: RegExp, ...programs: string[]][] = [
  [/^npx/, "npx"],
  [/buffering\.ts/, "stdbuf", "script"],
  [/why\.ts/, "script"],
  [/Command\("stdbuf"/, "stdbuf"],
  [/session\.ts .*bc/, "bc"],
  [/stockfish/, "/usr/games/stockfish"],
  [/Command\("node"/, "node"],
  [/Command\("python3"|exec python3/, "python3"],
];

function canRun(text: string): boolean {
  return NEEDS.every(([pattern, ...needs]) => !pattern.test(text) || needs.every(isInstalled));
}

for (const [pattern, ...needs] of NEEDS) {
  // The tests below run what they can; this tells what they cannot.
  if (needs.every(isInstalled)) continue;
  processTest(`what matches ${pattern} in the README works`, () => Promise.resolve(), { needs });
}

processTest("every command, transcript and example of a help is as it is written", async () => {
  // The gate runs the tests, and this one with them.
  const meant = (await lines()).filter(({ command }) =>
    canRun(command) && !command.endsWith(" test -A")
  );
  assert(meant.length > 20);
  await sideBySide(meant, checkLine);
});

for (const page of PAGES.slice(0, 3)) {
  processTest(`every snippet of ${page} works alone, with the files it imports`, async () => {
    const snippets = (await blocksOf("ts", [page])).filter(({ code }) => canRun(code));
    assert(snippets.length > 0);
    await sideBySide(snippets, (snippet) => runSnippet(snippet));
  });
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

processTest("the Python program of the pages prints what its twin in Deno does", async () => {
  const programs = await blocksOf("python");
  assertEquals(programs.length, 1);
  await sideBySide(programs, async ({ code, output = "" }) => {
    const result = await runCommand(["python3", "-c", code]);
    assertEquals([result.code, result.stdout + result.stderr], [0, output]);
  });
}, { needs: ["python3"] });

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
  for (const [, name = ""] of text.matchAll(/(?<![\w.])(\w+\.ts)\b/g)) {
    const isThere = [...await sources("lib"), ...await sources("scripts")];
    assert(isThere.some((path) => path.endsWith(`/${name}`)), `the README names ${name}`);
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
    for (const [, target = ""] of text.matchAll(/\]\(([^)]+)\)/g)) {
      const url = new URL(target, base);
      await Deno.stat(url.pathname);
      if (url.hash === "") continue;
      assert(anchorsOf(await Deno.readTextFile(url.pathname)).includes(url.hash.slice(1)), target);
    }
  }
});

processTest("the README leads to every cause of a hang and every recipe, in one page", async () => {
  const text = await Deno.readTextFile(`${root}README.md`);
  assert(text.split("\n").length <= 400);
  const recipes = await Deno.readTextFile(`${root}lib/README.md`);
  const headings = [...text.matchAll(/^### (.*)$/gm), ...recipes.matchAll(/^### (.*)$/gm)];
  for (const anchor of anchorsOf(headings.map(([line]) => line).join("\n"))) {
    assert(text.includes(`#${anchor})`), anchor);
  }
  // The contents of the recipes are the same list.
  for (const [, anchor] of text.matchAll(/\]\(lib\/README\.md(#.*?\))/g)) {
    assert(recipes.includes(`](${anchor}`) || anchor === "#i-want-to)", anchor);
  }
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
