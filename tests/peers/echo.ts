/**
 * Sends each line back. Nothing else is to be done meanwhile, so it reads its stdin synchronously:
 * that spares two changes of thread a line, and would keep timers and signals waiting.
 */
import { LineReader } from "../../lib/line_reader.ts";

const stdin = new ReadableStream({
  type: "bytes",
  autoAllocateChunkSize: 64 * 1024,
  pull(controller) {
    const view = controller.byobRequest?.view;
    if (!view) return;
    const bytes = Deno.stdin.readSync(
      new Uint8Array(view.buffer, view.byteOffset, view.byteLength),
    );
    if (bytes === null) controller.close();
    controller.byobRequest?.respond(bytes ?? 0);
  },
});
const encoder = new TextEncoder();
for await (const line of new LineReader(stdin)) Deno.stdout.writeSync(encoder.encode(`${line}\n`));
