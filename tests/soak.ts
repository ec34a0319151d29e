/**
 * Endurance: the same things as in the tests, so often or so long that what is lost or left behind
 * now and then shows. Prints a Markdown table, and fails at the first thing lost.
 *
 *     deno task soak [--seed N]
 *
 * @module
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { startChild } from "../lib/child.ts";
import { Dialogue } from "../lib/dialogue.ts";
import { LineReader } from "../lib/line_reader.ts";
import { parseOptions, wholeNumber } from "../lib/script/options.ts";
import { print } from "../lib/script/script.ts";
import { processesMarked, runCommand, scriptCommand, temporaryFolder } from "./process.ts";

/** Mulberry32: numbers from 0 to 1, the same for the same seed. */
function randomNumbers(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function megabytes(): number {
  return Deno.memoryUsage().rss / 1e6;
}

function descriptors(): number {
  return Deno.build.os === "linux" ? [...Deno.readDirSync("/proc/self/fd")].length : 0;
}

/** Calls `work` with each number below `count`, so many at a time. */
async function inParallel(count: number, workers: number, work: (n: number) => Promise<void>) {
  let next = 0;
  await Promise.all(Array.from({ length: workers }, async () => {
    while (next < count) await work(next++);
  }));
}

/** One dialogue of a script with a child, ended by a signal after so many milliseconds if given. */
async function dialogue(cwd: string, mark: string, moment?: number): Promise<void> {
  const [program = "", ...args] = scriptCommand("duplex", ["--count=3", "--timeout=60", "cat"]);
  const child = new Deno.Command(program, {
    args,
    cwd,
    env: { MARK: mark, TMPDIR: cwd },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = Promise.all([child.stdout.text(), child.stderr.text()]);
  if (moment !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, moment));
    try {
      child.kill("SIGTERM");
    } catch {
      // It was faster.
    }
  }
  const { code } = await child.status;
  const [stdout, stderr] = await output;
  assertEquals(stderr, "");
  if (moment === undefined || code === 0) {
    const lines = stdout.replaceAll(String(child.pid), "PID").trimEnd().split("\n");
    assertEquals(lines, [1, 2, 3].map((n) => `Parent got: "Hello ${n} from parent PID"`));
  }
  if (moment === undefined) assertEquals(code, 0);
  else assert(code === 143 || code === 0, `exit code ${code}`);
}

async function dialogues(random: () => number): Promise<string> {
  await using folder = await temporaryFolder();
  const mark = crypto.randomUUID();
  const moments = Array.from({ length: 500 }, (_, n) => n % 5 < 2 ? random() * 80 : undefined);
  await inParallel(20, 4, () => dialogue(folder.path, mark));
  const before = { descriptors: descriptors(), megabytes: megabytes() };
  await inParallel(500, 4, (n) => dialogue(folder.path, mark, moments[n]));
  assertEquals(await processesMarked(mark), []);
  assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
  // Deno itself may open a few more meanwhile.
  assertLess(descriptors(), before.descriptors + 20);
  assertLess(megabytes(), before.megabytes + 50);
  return "no process, file or descriptor left; memory flat";
}

/** Dialogues with `yes`, each ended by a signal at a random moment. */
async function floods(random: () => number): Promise<string> {
  const mark = crypto.randomUUID();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
  await inParallel(100, 2, async (n) => {
    const [program = "", ...args] = scriptCommand("duplex", ["--timeout=60", "yes"]);
    const child = new Deno.Command(program, {
      args,
      env: { MARK: mark },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await new Promise((resolve) => setTimeout(resolve, random() * 400));
    const start = performance.now();
    const signal = signals[n % signals.length] ?? "SIGTERM";
    child.kill(signal);
    assertEquals((await child.status).signal, signal);
    assertLess(performance.now() - start, 5000);
  });
  assertEquals(await processesMarked(mark), []);
  return "each ended at once by its signal; no process left";
}

/** Dialogues that are stopped and continued, for longer than their time limit. */
async function pauses(random: () => number): Promise<string> {
  await inParallel(12, 4, async () => {
    const line = "while read x; do sleep 0.2; echo $x; done";
    const words = ["--timeout=1", "--count=5", "sh", "-c", line];
    const [program = "", ...args] = scriptCommand("duplex", words);
    const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped" }).spawn();
    const output = child.stdout.text();
    await new Promise((resolve) => setTimeout(resolve, random() * 1000));
    child.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    child.kill("SIGCONT");
    assertEquals((await output).trim().split("\n").length, 5);
    assertEquals((await child.status).code, 0);
  });
  return "every answer seen";
}

async function longStream(): Promise<string> {
  const bytes = 4_000_000_000;
  const line = "how are you today?";
  const child = new Deno.Command("sh", {
    args: ["-c", `yes '${line}' | head -c ${bytes}`],
    stdout: "piped",
  }).spawn();
  let lines = 0;
  let start = 0;
  let peak = 0;
  await using reader = new LineReader(child.stdout);
  let last = "";
  for await (const batch of reader.batches()) {
    for (const text of batch) {
      if (text === line) lines++;
      else last += text;
    }
    if (start === 0 && lines > 5_000_000) start = megabytes();
    if (start > 0) peak = Math.max(peak, megabytes());
  }
  await child.status;
  assertEquals(lines, Math.floor(bytes / (line.length + 1)));
  assertEquals(last, line.slice(0, bytes % (line.length + 1)));
  assertLess(peak, start + 100);
  return `${lines.toLocaleString("en")} lines, none lost; memory flat`;
}

async function randomTexts(random: () => number): Promise<string> {
  const letters = ["a", "b", "\n", "\n", "\r", "\r\n", "é", "€", "😀", "\ufeff", "", "\0"];
  const pick = (below: number) => Math.floor(random() * below);
  for (let n = 0; n < 10_000; n++) {
    const text = Array.from({ length: pick(60) }, () => letters[pick(letters.length)]).join("");
    const bytes = new TextEncoder().encode(text);
    // Some bytes are no text at all.
    if (n % 4 === 0) { for (let i = 0; i < bytes.length; i += 7) bytes[i] = pick(256); }
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + 1 + pick(12);
      chunks.push(bytes.subarray(at, end));
      at = end;
    }
    const expected = await Array.fromAsync(
      ReadableStream.from<BufferSource>(chunks)
        .pipeThrough(new TextDecoderStream("utf-8", { ignoreBOM: true }))
        .pipeThrough(new TextLineStream()),
    );
    const reader = new LineReader(ReadableStream.from(chunks));
    const lines: string[] = [];
    // The three ways by turns.
    const batches = reader.batches();
    const singles = reader[Symbol.asyncIterator]();
    for (let line: string | null = ""; line !== null;) {
      const way = pick(3);
      if (way === 0) line = await reader.readLine();
      else if (way === 1) line = (await singles.next()).value ?? null;
      else {
        const batch: string[] | undefined = (await batches.next()).value;
        lines.push(...batch?.slice(0, -1) ?? []);
        line = batch?.at(-1) ?? null;
      }
      if (line !== null) lines.push(line);
    }
    assertEquals(lines, expected);
  }
  return "the lines of TextLineStream, every time";
}

async function longPipeline(): Promise<string> {
  const source = ["sh", "-c", "seq 1000000000 | head -c 4000000000"];
  const [program = "", ...args] = scriptCommand("pipeline", [...source, "|", "cat", "|", "md5sum"]);
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped" }).spawn();
  const theirs = runCommand(["sh", "-c", '"$@" | md5sum', "sh", ...source]);
  let peak = 0;
  const timer = setInterval(() => {
    const [, kilobytes = 0] = /VmRSS:\s+(\d+)/.exec(statusOf(child.pid)) ?? [];
    peak = Math.max(peak, Number(kilobytes) / 1000);
  }, 100);
  const hash = await child.stdout.text();
  assertEquals((await child.status).code, 0);
  clearInterval(timer);
  assertEquals(hash, (await theirs).stdout);
  assertLess(peak, 200);
  return "the same hash as through the shell's pipe; memory flat";
}

function statusOf(pid: number): string {
  return Deno.build.os === "linux" ? Deno.readTextFileSync(`/proc/${pid}/status`) : "";
}

async function atTheSameTime(): Promise<string> {
  await Promise.all(Array.from({ length: 200 }, async (_, who) => {
    const child = new Deno.Command("cat", { stdin: "piped", stdout: "piped" }).spawn();
    const writer = child.stdin.getWriter();
    const reader = new LineReader(child.stdout);
    for (let n = 0; n < 50; n++) {
      const question = `question ${n} of ${who}`;
      await writer.write(new TextEncoder().encode(`${question}\n`));
      assertEquals(await reader.readLine(), question);
    }
    await writer.close();
    assertEquals(await reader.readLine(), null);
    assertEquals((await child.status).code, 0);
  }));
  return "10,000 answers, each to its own question";
}

/** Questions that a child answers without reading all of them. */
async function halfRead(random: () => number): Promise<string> {
  const ask = async (n: number) => {
    const read = Math.floor(random() * 70_000);
    // It exits, or closes its stdin and lives on.
    const rest = n % 2 === 0 ? "" : "; exec <&-; exec sleep 1000";
    const args = ["-c", `head -c ${read} > /dev/null; echo answer ${n}${rest}`];
    await using child = new Deno.Command("sh", { args, stdin: "piped", stdout: "piped" }).spawn();
    const dialogue = new Dialogue(child, {
      timeout: 60,
      onUnasked: (line) => assertEquals(line, "no line unasked"),
    });
    assertEquals(await dialogue.ask("x".repeat(70_000)), `answer ${n}`);
  };
  await inParallel(20, 8, ask);
  const before = descriptors();
  await inParallel(1000, 8, ask);
  assertLess(descriptors() - before, 100);
  return "1,000 answers, each to its own question";
}

/** Families of which a zombie is left, whose parent has left the group and asks for no status. */
async function zombies(): Promise<string> {
  const mark = crypto.randomUUID();
  const line = "(sleep 1000 & exec setsid sh -c 'echo $$; exec sleep 1000') & wait";
  let slowest = 0;
  await inParallel(1000, 4, async () => {
    const command = new Deno.Command("sh", {
      args: ["-c", line],
      env: { MARK: mark },
      stdout: "piped",
      detached: true,
    });
    const child = startChild(command, { grace: 60 });
    await using lines = new LineReader(child.stdout);
    const parent = Number(await lines.readLine());
    const start = performance.now();
    await child[Symbol.asyncDispose]();
    slowest = Math.max(slowest, performance.now() - start);
    Deno.kill(parent, "SIGKILL");
  });
  assertEquals(await processesMarked(mark), []);
  assertLess(slowest, 10_000);
  return `no process left; none was waited for: the slowest took ${Math.ceil(slowest)} ms`;
}

const { options } = parseOptions({
  shows: "Runs the collection for about a minute and counts what was lost.",
  example: "../tests/soak.ts --seed 1",
}, { seed: wholeNumber(Math.floor(Math.random() * 1_000_000), "the seed of everything random") });
const random = randomNumbers(options.seed);
await print(`seed ${options.seed}\n`);
await print("| what was run | what was lost or left |\n| --- | --- |");
const row = async (what: string, work: Promise<string>) => print(`| ${what} | ${await work} |`);
await row("500 dialogues, 200 of them ended by a signal", dialogues(random));
await row("100 dialogues with `yes`, ended by a signal", floods(random));
await row("1,000 families with a zombie, each with a grace of 60 s", zombies());
await row("12 dialogues stopped for longer than their time limit", pauses(random));
await row("4 GB of lines through `LineReader`", longStream());
await row("10,000 random texts at random cuts", randomTexts(random));
await row("4 GB through `pipeline.ts`, three stages", longPipeline());
await row("200 dialogues at the same time", atTheSameTime());
await row("1,000 children that answer before they have read the question", halfRead(random));
