/** Reads `yes` for two seconds and prints the largest gap of a 10 ms interval: `gaps.ts WAY`. */
import { LineReader } from "../../lib/line_reader.ts";

await using child = new Deno.Command("yes", { stdout: "piped" }).spawn();
await using reader = new LineReader(child.stdout);
const start = performance.now();
let last = start;
let largest = 0;
setInterval(() => {
  const now = performance.now();
  largest = Math.max(largest, now - last);
  last = now;
}, 10);

/** About two microseconds. */
function work(line: string): void {
  for (let n = 0; n < 2000; n++) if (line.length === n + 2) throw new Error("y has one letter");
}

const isOver = () => performance.now() - start > 2000;
const ways: Record<string, () => Promise<void>> = {
  async batches() {
    for await (const batch of reader.batches()) {
      batch.forEach(work);
      if (isOver()) break;
    }
  },
  async iteration() {
    for await (const line of reader) {
      work(line);
      if (isOver()) break;
    }
  },
  async readLine() {
    while (!isOver()) work(await reader.readLine() ?? "");
  },
};
await ways[Deno.args[0] ?? ""]?.();
console.log(Math.max(largest, performance.now() - last).toFixed(0));
Deno.exit();
