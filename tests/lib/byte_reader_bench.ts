import { ByteReader } from "../../lib/byte_reader.ts";
import { frame, readFrames } from "../../lib/frames.ts";
import { LineReader } from "../../lib/line_reader.ts";

const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** Declares a benchmark that counts what cat writes of a file, and checks the count. */
function bench(
  name: string,
  { group, path, expected, baseline = false }: Work & { baseline?: boolean },
  count: (stdout: ReadableStream<Uint8Array>) => Promise<number>,
) {
  Deno.bench(name, { group, baseline }, async () => {
    const child = new Deno.Command("cat", { args: [path], stdout: "piped" }).spawn();
    const counted = await count(child.stdout);
    await child.status;
    if (counted !== expected) throw new Error(`${counted} were counted`);
  });
}

interface Work {
  group: string;
  path: string;
  expected: number;
}

/** A file with copies of a piece, to be counted. */
async function work(name: string, piece: Uint8Array, expected: number): Promise<Work> {
  const path = `${folder}/${piece.length}`;
  const bytes = new Uint8Array(piece.length * expected);
  for (let at = 0; at < bytes.length; at += piece.length) bytes.set(piece, at);
  await Deno.writeFile(path, bytes);
  return { group: `${expected} ${name} out of cat`, path, expected };
}

const lines = await work("lines of 12 bytes", new TextEncoder().encode("how are you\n"), 200_000);

bench('ByteReader, readUntil("\\n")', { ...lines, baseline: true }, async (stdout) => {
  const reader = new ByteReader(stdout);
  let count = 0;
  while (await reader.readUntil("\n") !== null) count++;
  return count;
});

bench("LineReader, readLine()", lines, async (stdout) => {
  const reader = new LineReader(stdout);
  let count = 0;
  while (await reader.readLine() !== null) count++;
  return count;
});

const small = await work("frames of 12 bytes", frame(new Uint8Array(12)), 200_000);
const large = await work("frames of 64 KiB", frame(new Uint8Array(65_536)), 1000);

for (const frames of [small, large]) {
  const length = frames === small ? 16 : 65_540;

  bench("ByteReader, readUint32() and readBytes()", frames, async (stdout) => {
    const reader = new ByteReader(stdout);
    let count = 0;
    for (let length; (length = await reader.readUint32()) !== null; count++) {
      await reader.readBytes(length);
    }
    return count;
  });

  bench("readFrames()", frames, async (stdout) => {
    let count = 0;
    for await (const _ of readFrames(stdout)) count++;
    return count;
  });

  bench("bytes only", { ...frames, baseline: true }, async (stdout) => {
    let bytes = 0;
    for await (const chunk of stdout) bytes += chunk.length;
    return bytes / length;
  });
}
