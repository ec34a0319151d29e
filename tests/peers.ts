/**
 * The same work as whole processes, in turn with Node.js, Python 3 and C where they are installed:
 * medians of their times, and ratios, as Markdown tables.
 *
 *     deno task bench:peers
 *
 * @module
 */
import { onEnd } from "../lib/child.ts";
import { frame } from "../lib/frames.ts";
import { print } from "../lib/script/script.ts";
import { isInstalled, mustSucceed, runCommand, scriptCommand } from "./process.ts";

const ROUNDS = 7;

interface Contestant {
  name: string;
  command: string[];
  /** Multiplies its time, for one that does only part of the work. */
  times?: number;
}

function file(name: string): string {
  return new URL(name, import.meta.url).pathname;
}

async function secondsOf(command: string[]): Promise<number> {
  const start = performance.now();
  await mustSucceed(command);
  return (performance.now() - start) / 1000;
}

/** Prints a table of medians; the ratio says how many times as long as the first it took. */
async function compare(work: string, contestants: Contestant[]) {
  const times = contestants.map((): number[] => []);
  // A round warms up; then all take turns, so that what else the machine does meets all of them.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, { command, times: factor = 1 }] of contestants.entries()) {
      const seconds = await secondsOf(command) * factor;
      if (round > 0) times[index]?.push(seconds);
    }
  }
  const medians = times.map((list) => list.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? NaN);
  await print(`\n| ${work} | seconds | ratio |\n| --- | ---: | ---: |`);
  for (const [index, { name }] of contestants.entries()) {
    const [seconds = NaN, base = NaN] = [medians[index], medians[0]];
    await print(`| ${name} | ${seconds.toFixed(3)} | ${(seconds / base).toFixed(2)} |`);
  }
}

const folder = Deno.makeTempDirSync({ prefix: "peers-" });
await using _removal = onEnd(() => Deno.remove(folder, { recursive: true }));

const versions = [`Deno ${Deno.version.deno}`];
const versionOf = async (program: string, ...args: string[]) => {
  if (!isInstalled(program)) {
    await print(`${program} is not installed, and is left out.`);
    return false;
  }
  const { stdout } = await runCommand([program, ...args]);
  versions.push(`${program} ${stdout.split("\n")[0]?.replace(/^\D*/, "")}`);
  return true;
};
const hasNode = await versionOf("node", "--version");
const hasPython = await versionOf("python3", "--version");
const hasGit = await versionOf("git", "--version");
const hasC = await versionOf("cc", "-dumpfullversion");
// The interpreter itself: what stands for it on the PATH may be a shell script.
const { stdout: python } = hasPython
  ? await runCommand(["python3", "-c", "import sys; print(sys.executable, end='')"])
  : { stdout: "" };
for (const program of hasC ? ["lines", "dialogue", "copy"] : []) {
  await runCommand(["cc", "-O2", "-o", `${folder}/${program}`, file(`peers/${program}.c`)]);
}
const deno = (program: string, ...args: string[]) => {
  return [Deno.execPath(), "run", "-A", file(`peers/${program}.ts`), ...args];
};
const peers = (program: string, ...args: string[]): Contestant[] => [
  ...(hasC ? [{ name: "C", command: [`${folder}/${program}`, ...args] }] : []),
  ...(hasPython
    ? [{ name: "Python 3", command: [python, file(`peers/${program}.py`), ...args] }]
    : []),
  ...(hasNode
    ? [{ name: "Node.js", command: ["node", file(`peers/${program}.mjs`), ...args] }]
    : []),
];

const machine = `${navigator.hardwareConcurrency} cores, ${Deno.build.target}`;
const day = new Date().toISOString().slice(0, 10);
await print("# Performance\n\nWhole processes. A ratio above 1 took longer than the first row.\n");
await print(`${machine}, ${versions.join(", ")}; ${day}; medians of ${ROUNDS} runs in turn.`);

const data = `${folder}/lines.txt`;
await Deno.writeTextFile(data, "how are you\n".repeat(5_000_000));
await compare("5 million lines of 12 bytes out of `cat`", [
  { name: "`batches()`", command: deno("lines", "batches", data) },
  { name: "`for await (const line of reader)`", command: deno("lines", "iteration", data) },
  { name: "`await reader.readLine()`", command: deno("lines", "readLine", data) },
  { name: "`TextLineStream`", command: deno("lines", "TextLineStream", data) },
  { name: "counting bytes only", command: deno("lines", "bytes", data) },
  ...peers("lines", data),
]);

await print(`\n| largest gap of a 10 ms interval while \`yes\` is read | ms |\n| --- | ---: |`);
for (const way of ["batches", "iteration", "readLine"]) {
  await print(
    `| ${way}, 2 µs of work a line | ${(await runCommand(deno("gaps", way))).stdout.trim()} |`,
  );
}

/** The last number that the command prints, its peak in megabytes. */
const peakOf = async (command: string[]) => {
  const { stdout } = await runCommand(command);
  return Number(stdout.trim().split(/\s/).at(-1)).toFixed(0);
};
const linesOf = (files: number) => deno("lines", "batches", ...Array(files).fill(data));
await print("\n| what goes through | peak memory, MB |\n| --- | ---: |");
await print(`| 5 million lines through \`batches()\` | ${await peakOf(linesOf(1))} |`);
await print(`| 50 million lines | ${await peakOf(linesOf(10))} |`);
if (Deno.build.os === "linux") {
  const peakOfTrips = async (count: number) => {
    const words = scriptCommand("duplex", [`--count=${count}`, "sh", "-c"]);
    // The child looks at its parent, and so at duplex.ts, when all has been answered.
    const line = "cat; grep VmHWM /proc/$PPID/status | tr -dc 0-9 >&2";
    const { stderr } = await runCommand([...words, line]);
    return (Number(stderr) / 1000).toFixed(0);
  };
  await print(`| 10,000 round trips of \`duplex.ts\` | ${await peakOfTrips(10_000)} |`);
  await print(`| 100,000 round trips | ${await peakOfTrips(100_000)} |`);
}

/** The packages of npm that speak JSON-RPC, in the folder; false if they cannot be had. */
const hasPackages = hasNode && await (async () => {
  const packages = ["@modelcontextprotocol/sdk@1.32.2", "vscode-jsonrpc@10.0.0"];
  const options = ["--prefix", folder, "--no-save", "--no-audit", "--no-fund"];
  const { code } = await runCommand(["npm", "install", ...options, ...packages]);
  if (code !== 0) await print("\nnpm cannot install its packages for JSON-RPC: left out.");
  return code === 0;
})();
const requests = (framing: string, open: number, count = 20_000): Contestant[] => {
  const server = ["node", file("peers/rpc_server.mjs"), framing];
  const args = [`${open}`, `${count}`, ...server];
  const [client, library] = framing === "lines"
    ? ["rpc_mcp.mjs", "the transport of the MCP SDK"]
    : ["rpc_vscode.mjs", "`vscode-jsonrpc`"];
  const isPlain = framing === "lines" && open === 1;
  return [
    { name: "`JsonRpcPeer`", command: deno("rpc", framing, ...args) },
    ...(isPlain
      ? [{
        name: "a plain loop, no lines looked for",
        command: deno("rpc_plain", `${count}`, ...server),
      }]
      : []),
    ...(hasPackages
      ? [{ name: library, command: ["node", file(`peers/${client}`), folder, ...args] }]
      : []),
    ...(hasPython
      ? [{ name: "asyncio", command: [python, file("peers/rpc.py"), framing, ...args] }]
      : []),
  ];
};
if (hasNode) {
  for (const count of [100_000, 1_000_000]) {
    const [peer] = requests("lines", 64, count);
    const peak = await peakOf(peer?.command ?? []);
    await print(`| ${count.toLocaleString("en")} requests of \`JsonRpcPeer\` | ${peak} |`);
  }
  for (const open of [1, 64, 20_000]) {
    for (const framing of ["lines", "content-length"]) {
      const what = `20,000 requests to a server in Node.js, ${open.toLocaleString("en")} open`;
      await compare(`${what}, ${framing}`, requests(framing, open));
    }
  }
}

await compare("64 MiB in chunks of 1 KiB", [
  { name: "one line", command: deno("long_line", "long") },
  { name: "lines of 12 bytes", command: deno("long_line", "short") },
]);

/** Writes a file of equal frames. */
async function writeFrames(path: string, length: number, count: number) {
  const one = frame(new Uint8Array(length).fill(0x2e));
  const all = new Uint8Array(count * one.length);
  for (let at = 0; at < all.length; at += one.length) all.set(one, at);
  await Deno.writeFile(path, all);
}
const asyncio = (...paths: string[]): Contestant[] =>
  hasPython
    ? [{ name: "Python 3, asyncio", command: [python, file("peers/frames.py"), ...paths] }]
    : [];

const large = `${folder}/large`;
await writeFrames(large, 65_536, 1000);
const larges = Array<string>(16).fill(large);
await compare("1 GB of frames of 64 KiB out of `cat`", [
  { name: "counting bytes only", command: deno("frames", "bytes", ...larges) },
  { name: "`ByteReader`", command: deno("frames", "ByteReader", ...larges) },
  { name: "`readFrames()`", command: deno("frames", "readFrames", ...larges) },
  ...asyncio(...larges),
]);

const small = `${folder}/small`;
await writeFrames(small, 12, 2_000_000);
await compare("2 million frames of 12 bytes out of `cat`", [
  { name: "`ByteReader`", command: deno("frames", "ByteReader", small) },
  { name: "`readFrames()`", command: deno("frames", "readFrames", small) },
  ...asyncio(small),
]);

if (hasGit) {
  const repository = `${folder}/repository`;
  const git = (words: string, stdin = "") =>
    runCommand(["git", "-C", folder, "--git-dir", repository, ...words.split(" ")], { stdin });
  await git("init --quiet --bare");
  const blobs = Array.from({ length: 10_000 }, (_, n) => `${n}\n`.repeat(1 + n % 500));
  const data = blobs.map((blob) => `blob\ndata ${blob.length}\n${blob}\n`).join("");
  await git("fast-import --quiet", data);
  const { stdout } = await git("cat-file --batch-all-objects --batch-check=%(objectname)");
  const ids = `${folder}/ids`;
  await Deno.writeTextFile(ids, stdout);
  await compare("10,000 blobs out of one `git cat-file --batch`", [
    { name: "`ByteReader`", command: deno("blobs", "ByteReader", repository, ids) },
    { name: "counting bytes only", command: deno("blobs", "bytes", repository, ids) },
    ...(hasPython
      ? [
        { name: "Python 3", command: [python, file("peers/blobs.py"), repository, ids] },
        {
          name: "Python 3, asyncio",
          command: [python, file("peers/blobs_asyncio.py"), repository, ids],
        },
      ]
      : []),
  ]);
}

const count = "20000";
await compare("20,000 round trips of a line through `cat`", [
  { name: "`LineReader`", command: deno("dialogue", count, "cat") },
  { name: "a plain loop, no lines looked for", command: deno("plain", "quiet", count, "cat") },
  ...peers("dialogue", count, "cat"),
]);

await compare("10,000 answers of `cat`, printed", [
  { name: "`duplex.ts`", command: scriptCommand("duplex", ["--count=10000", "cat"]) },
  { name: "the plain loop", command: deno("plain", "print", "10000", "cat") },
]);

await compare("10,000 answers of a child in the same language, printed", [
  {
    name: "`duplex.ts` and `pipetest.ts`",
    command: scriptCommand("duplex", ["--delay=0", "--count=10000"]),
  },
  ...(hasPython
    ? [{
      name: "Python 3 and Python 3",
      command: [python, file("peers/printing.py"), "10000", python, file("peers/answer.py")],
    }]
    : []),
]);

const original = [file("testdata/spawn.py"), python, file("testdata/pipetest.py"), "spam"];
await compare("the article's third example, without its pauses", [
  { name: "`duplex.ts`", command: scriptCommand("duplex", ["--delay=0"]) },
  ...(hasPython ? [{ name: "Python 3", command: [python, ...original] }] : []),
]);

const [first, second] = ["head -c 2000000000 /dev/zero", "cat > /dev/null"];
const words = [...first.split(" "), "|", "sh", "-c", `exec ${second}`];
await compare("2 GB from one program to another", [
  { name: "`pipeline.ts`", command: scriptCommand("pipeline", words) },
  { name: "the shell's `\\|`", command: ["sh", "-c", `${first} | ${second}`] },
  ...peers("copy", first, second),
]);
