/** Reads 64 MiB in chunks of 1 KiB: one long line, or short ones: `long_line.ts long|short`. */
import { LineReader } from "../../lib/line_reader.ts";

const line = "how are you\n";
const text = Deno.args[0] === "long" ? "x".repeat(1024) : line.repeat(100).slice(-1024);
const chunk = new TextEncoder().encode(text);
let left = 64 * 1024;
const readable = new ReadableStream<Uint8Array>({
  pull: (controller) => left-- > 0 ? controller.enqueue(chunk) : controller.close(),
});
let letters = 0;
for await (const batch of new LineReader(readable).batches()) {
  for (const line of batch) letters += line.length;
}
console.log(letters);
