/**
 * Sends each line back. Nothing else is to be done meanwhile, so it reads its stdin synchronously:
 * that spares two changes of thread a line, and would keep timers and signals waiting.
 */
import { LineReader } from "../../lib/line_reader.ts";

const buffer = new Uint8Array(64 * 1024);
const stdin = new ReadableStream<Uint8Array>({
  pull(controller) {
    const bytes = Deno.stdin.readSync(buffer);
    if (bytes === null) controller.close();
    else controller.enqueue(buffer.subarray(0, bytes));
  },
}, { highWaterMark: 0 });
const encoder = new TextEncoder();
for await (const line of new LineReader(stdin)) Deno.stdout.writeSync(encoder.encode(`${line}\n`));
