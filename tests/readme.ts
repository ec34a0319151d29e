/**
 * What the pages show: their blocks of code, run as a reader would. One of each kind is run in
 * `readme_test.ts`, all of them in `readme_matrix.ts`.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  isInstalled,
  processTest,
  runCommand,
  type RunOptions,
  temporaryFolder,
} from "./process.ts";

export const root = new URL("..", import.meta.url).pathname;

export const PAGES = [
  "README.md",
  "lib/README.md",
  "lib/RECIPES.md",
  "scripts/README.md",
  "tests/README.md",
];

/** All pages. Where reading is not permitted, processes are not either, and none of this runs. */
export async function readme(pages = PAGES): Promise<string> {
  return (await Promise.all(pages.map((page) => Deno.readTextFile(root + page)))).join("\n");
}

/** A fenced block, and the heading that it stands under. */
export interface Block {
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

export async function blocksOf(language: string, pages = PAGES): Promise<Block[]> {
  return (await blocks(pages)).filter((block) => block.language === language);
}

/** Where `deno add` would write what the names of the standard library stand for. No lock file: an
 * older Deno would write into it what types it needs. */
export const CONFIG = [`--config=${root}deno.json`, "--no-lock"];

/** A folder with the snippet, the files of `lib/` that it imports, and nothing else. */
export async function copyOf({ code }: Block) {
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

export async function runSnippet(block: Block, options: RunOptions = {}): Promise<void> {
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

export async function snippetUnder(heading: string): Promise<Block> {
  const block = (await blocksOf("ts")).find((block) => block.heading === heading);
  assert(block !== undefined, heading);
  return block;
}

export async function scriptNames(): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(`${root}scripts`), ({ name }) => name);
  return names.filter((name) => name.endsWith(".ts"));
}

/** A command line that a reader may paste, and what the README shows of its output. */
export interface Line {
  command: string;
  transcripts: Block[];
}

/** The lines of the pages, and the others given. */
export async function lines(others: string[] = []): Promise<Line[]> {
  const found = new Map<string, Line>();
  const add = (command: string) => {
    const line = found.get(command) ?? { command, transcripts: [] };
    found.set(command, line);
    return line;
  };
  others.forEach(add);
  for (const block of await blocks()) {
    if (block.language === "sh") {
      const commands = block.code.replaceAll(/^#.*\n/gm, "").trim();
      commands.split(/(?<!\|)\n/).forEach(add);
    }
    const [, command] = /^\$ (.*)/.exec(block.code) ?? [];
    if (block.language === "console" && command) add(command).transcripts.push(block);
  }
  return [...found.values()];
}

/** Numbers differ from run to run: process ids, milliseconds. */
function withoutNumbers(text: string): string {
  return text.replaceAll(/\d+/g, "0");
}

/** Runs a line with a deno on its PATH, which a machine that starts it with npx has not. */
export async function checkLine({ command, transcripts }: Line): Promise<void> {
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
  [/Command\("git"/, "git"],
  [/Command\("python3"|exec python3|getpass/, "python3"],
  [/Command\("script"/, "script"],
  [/debugpy/, "debugpy"],
  // Else it comes from the network, when it is asked for.
  [/npm:typescript/, "tsserver"],
  [/spawn\("chromium"/, "chromium"],
];

/** Whether it is a program, or a package of Python for all users. */
function isThere(name: string): boolean {
  if (isInstalled(name)) return true;
  try {
    return Deno.statSync(`/usr/lib/python3/dist-packages/${name}`).isDirectory;
  } catch {
    return false;
  }
}

export function canRun(text: string): boolean {
  return NEEDS.every(([pattern, ...needs]) => !pattern.test(text) || needs.every(isThere));
}

/** What this machine cannot run is told by a test that is left out. */
export function tellWhatIsLeftOut(): void {
  for (const [pattern, ...needs] of NEEDS) {
    if (needs.every(isThere)) continue;
    processTest(`what matches ${pattern} in the README works`, () => Promise.resolve(), { needs });
  }
}
