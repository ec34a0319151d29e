import { TextLineStream } from "@std/streams/text-line-stream";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { LineReader } from "../../lib/line_reader.ts";

const LINES = 500_000;
const folder = await Deno.makeTempDir();
const path = `${folder}/lines.txt`;
await Deno.writeTextFile(path, "how are you\n".repeat(LINES));
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

// Only a function that is declared async is waited for.

/** Starts cat, and checks that all lines were counted. */
async function withCat(
  count: (stdout: ReadableStream<Uint8Array<ArrayBuffer>>) => Promise<number>,
) {
  const child = new Deno.Command("cat", { args: [path], stdout: "piped" }).spawn();
  const lines = await count(child.stdout);
  await child.status;
  if (lines !== LINES) throw new Error(`${lines} lines were counted`);
}

const group = `${LINES} lines of 12 bytes out of cat`;

Deno.bench("batches()", { group, baseline: true }, async () =>
  await withCat(async (stdout) => {
    let lines = 0;
    for await (const batch of new LineReader(stdout).batches()) lines += batch.length;
    return lines;
  }));

Deno.bench(
  "for await (const line of reader)",
  { group },
  async () =>
    await withCat(async (stdout) => {
      let lines = 0;
      for await (const _ of new LineReader(stdout)) lines++;
      return lines;
    }),
);

Deno.bench("await reader.readLine()", { group }, async () =>
  await withCat(async (stdout) => {
    let lines = 0;
    for (const reader = new LineReader(stdout); await reader.readLine() !== null;) lines++;
    return lines;
  }));

Deno.bench("TextLineStream", { group }, async () =>
  await withCat(async (stdout) => {
    const text = stdout.pipeThrough(new TextDecoderStream());
    let lines = 0;
    for await (const _ of text.pipeThrough(new TextLineStream())) lines++;
    return lines;
  }));

Deno.bench("node:readline", { group }, async () =>
  await withCat(async (stdout) => {
    let lines = 0;
    for await (const _ of createInterface({ input: Readable.from(stdout) })) lines++;
    return lines;
  }));

Deno.bench("bytes only", { group }, async () =>
  await withCat(async (stdout) => {
    let bytes = 0;
    for await (const chunk of stdout) bytes += chunk.length;
    return bytes / 12;
  }));

const trips = "1000 round trips of a line through cat";

/** Starts cat for a dialogue, in which `ask` sends a line and waits for it. */
async function dialogue(
  ask: (
    stdout: ReadableStream<Uint8Array<ArrayBuffer>>,
  ) => () => Promise<string | null | undefined>,
) {
  const child = new Deno.Command("cat", { stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  const readLine = ask(child.stdout);
  const line = new TextEncoder().encode("how are you\n");
  for (let trip = 0; trip < 1000; trip++) {
    const written = writer.write(line);
    if (await readLine() !== "how are you") throw new Error("another line came back");
    await written;
  }
  await writer.close();
  await child.status;
}

Deno.bench(
  "a plain loop, no lines looked for",
  { group: trips },
  async () =>
    await dialogue((stdout) => {
      const reader = stdout.getReader({ mode: "byob" });
      const decoder = new TextDecoder();
      let buffer = new Uint8Array(64 * 1024);
      return async () => {
        const { value } = await reader.read(buffer);
        if (value === undefined) return null;
        buffer = new Uint8Array(value.buffer);
        return decoder.decode(value.subarray(0, -1));
      };
    }),
);

Deno.bench("LineReader", { group: trips, baseline: true }, async () =>
  await dialogue((stdout) => {
    const reader = new LineReader(stdout);
    return () => reader.readLine();
  }));

Deno.bench(
  "TextLineStream, read one by one",
  { group: trips },
  async () =>
    await dialogue((stdout) => {
      const text = stdout.pipeThrough(new TextDecoderStream());
      const reader = text.pipeThrough(new TextLineStream()).getReader();
      return async () => (await reader.read()).value;
    }),
);
