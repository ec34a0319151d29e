/**
 * The same work as whole processes, in turn with Node.js, Python 3 and C where they are installed:
 * medians of their times, and ratios, as Markdown tables.
 *
 *     deno task bench:peers
 *
 * @module
 */
import { onEnd, print, run } from "../lib/script.ts";
import { isInstalled, runCommand, scriptCommand, scriptPath } from "./process.ts";

const ROUNDS = 9;

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
  const { code, stderr } = await runCommand(command, { env: { PYTHONUNBUFFERED: "" } });
  if (code !== 0) throw new Error(`${command.join(" ")} exited with status ${code}: ${stderr}`);
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

await run("peers", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "peers-" });
  onEnd(() => Deno.remove(folder, { recursive: true }));

  const versions = [`Deno ${Deno.version.deno}`];
  const versionOf = async (program: string, ...args: string[]) => {
    if (!await isInstalled(program)) {
      await print(`${program} is not installed, and is left out.`);
      return false;
    }
    const { stdout } = await runCommand([program, ...args]);
    versions.push(`${program} ${stdout.split("\n")[0]?.replace(/^\D*/, "")}`);
    return true;
  };
  const hasNode = await versionOf("node", "--version");
  const hasPython = await versionOf("python3", "--version");
  const hasC = await versionOf("cc", "-dumpfullversion");
  // The interpreter itself: what stands for it on the PATH may be a shell script.
  const { stdout: python } = hasPython
    ? await runCommand(["python3", "-c", "import sys; print(sys.executable, end='')"])
    : { stdout: "" };
  for (const program of hasC ? ["lines", "dialogue", "copy"] : []) {
    await runCommand(["cc", "-O2", "-o", `${folder}/${program}`, file(`peers/${program}.c`)]);
  }
  const deno = (program: string, ...args: string[]) => [
    ...[Deno.execPath(), "run", "-A", file(`peers/${program}.ts`), ...args],
  ];
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

  const peakOf = async (files: number) => {
    const command = deno("lines", "batches", ...Array(files).fill(data));
    return Number((await runCommand(command)).stdout.split(" ")[2]).toFixed(0);
  };
  await print(`\n| lines through \`batches()\` | peak memory, MB |\n| --- | ---: |`);
  await print(`| 5 million | ${await peakOf(1)} |\n| 50 million | ${await peakOf(10)} |`);

  await compare("64 MiB in chunks of 1 KiB", [
    { name: "one line", command: deno("long_line", "long") },
    { name: "lines of 12 bytes", command: deno("long_line", "short") },
  ]);

  const count = "20000";
  await compare("20,000 round trips of a line through `cat`", [
    { name: "`LineReader`", command: deno("dialogue", count, "cat") },
    ...peers("dialogue", count, "cat"),
  ]);

  const echo = [Deno.execPath(), "run", file("peers/echo.ts")];
  const pair = [python, file("peers/dialogue.py"), count, python, file("peers/echo.py")];
  await compare("20,000 round trips, the child in the same language", [
    { name: "Deno and Deno, with `LineReader`", command: deno("dialogue", count, ...echo) },
    ...(hasPython ? [{ name: "Python 3 and Python 3", command: pair }] : []),
  ]);

  const original = [file("testdata/spawn.py"), python, file("testdata/pipetest.py"), "spam"];
  await compare("the article's third example, without its pauses", [
    { name: "`duplex.ts`", command: scriptCommand("duplex", ["--delay=0"]) },
    ...(hasPython ? [{ name: "Python 3", command: [python, ...original] }] : []),
  ]);

  const [first, second] = ["head -c 2000000000 /dev/zero", "cat > /dev/null"];
  const words = [...first.split(" "), "|", "sh", "-c", `exec ${second}`];
  await compare("2 GB from one program to another", [
    {
      name: "`pipeline.ts`",
      command: [Deno.execPath(), "run", "-A", scriptPath("pipeline"), ...words],
    },
    { name: "the shell's `\\|`", command: ["sh", "-c", `${first} | ${second}`] },
    ...peers("copy", first, second),
  ]);
});
