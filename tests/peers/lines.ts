/** Counts the lines that cat writes, their letters, and its own megabytes: `lines.ts WAY FILE…`. */
import { LineReader } from "../../lib/line_reader.ts";
import { countBytes } from "./count_bytes.ts";

const [way = "", ...paths] = Deno.args;
const child = new Deno.Command("cat", { args: paths, stdout: "piped" }).spawn();
let lines = 0;
let letters = 0;

const ways: Record<string, () => Promise<void>> = {
  async batches() {
    for await (const batch of new LineReader(child.stdout).batches()) {
      lines += batch.length;
      for (const line of batch) letters += line.length;
    }
  },
  async iteration() {
    for await (const line of new LineReader(child.stdout)) {
      lines++;
      letters += line.length;
    }
  },
  async readLine() {
    const reader = new LineReader(child.stdout);
    for (let line; (line = await reader.readLine()) !== null;) {
      lines++;
      letters += line.length;
    }
  },
  async TextLineStream() {
    const { TextLineStream } = await import("@std/streams/text-line-stream");
    const decoded = child.stdout.pipeThrough(new TextDecoderStream());
    for await (const line of decoded.pipeThrough(new TextLineStream())) {
      lines++;
      letters += line.length;
    }
  },
  async readline() {
    const { createInterface } = await import("node:readline");
    const { Readable } = await import("node:stream");
    const input = Readable.fromWeb(child.stdout);
    for await (const line of createInterface({ input })) {
      lines++;
      letters += line.length;
    }
  },
  async bytes() {
    letters = await countBytes(child.stdout);
  },
};

await ways[way]?.();
await child.status;
const [, peak = 0] = Deno.build.os === "linux"
  ? /VmHWM:\s+(\d+)/.exec(Deno.readTextFileSync("/proc/self/status")) ?? []
  : [];
console.log(lines, letters, Number(peak) / 1000);
