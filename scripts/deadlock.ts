/**
 * Write everything, then read: it hangs. Read while you write: it does not.
 *
 * In Python this is child.stdin.write(everything) before child.stdout.read(), which communicate()
 * is there to avoid. A pipe holds little. Once cat's stdout is full, cat stops reading its stdin;
 * once that is full, we stop writing. Each waits for the other.
 *
 *     deno run --allow-run=cat scripts/deadlock.ts
 *
 * @module
 */
import { endChild, startChild } from "../lib/child.ts";
import { parseOptions, seconds, wholeNumber } from "../lib/options.ts";
import { Failure, print, run } from "../lib/script.ts";
import { byteCount, faint, strong } from "../lib/terminal.ts";
import { within } from "../lib/within.ts";

const HELP = `Usage: deadlock.ts [--bytes 1048576] [--timeout 2]

Writes everything to cat before it reads anything, which hangs; then reads
while it writes, which ends.

Options:
  --bytes N      how much to write (default 1048576)
  --timeout SECONDS
                 how long to wait before it counts as hanging (default 2)
  -h, --help     show this text

Example:
  deno run --allow-run=cat scripts/deadlock.ts --bytes 10000000`;

/** Writes so many bytes and closes; tells of each piece that the pipe has taken. */
async function writeAll(
  stdin: WritableStream<Uint8Array>,
  bytes: number,
  onWritten: (bytes: number) => void,
) {
  const writer = stdin.getWriter();
  for (let left = bytes; left > 0;) {
    const piece = new Uint8Array(Math.min(left, 4096));
    await writer.write(piece);
    onWritten(piece.length);
    left -= piece.length;
  }
  await writer.close();
}

async function countAll(stdout: ReadableStream<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of stdout) bytes += chunk.length;
  return bytes;
}

await run("deadlock", async () => {
  const { options: { bytes, timeout } } = parseOptions(HELP, {
    bytes: wholeNumber(1_048_576, 1, 1_000_000_000),
    timeout: seconds(2, 0.001),
  });
  const cat = new Deno.Command("cat", { stdin: "piped", stdout: "piped" });

  await print(strong(`Writing ${byteCount(bytes)} to cat, then reading:`));
  const stuck = startChild(cat, "cat");
  let written = 0;
  const writing = writeAll(stuck.stdin, bytes, (count) => written += count);
  writing.catch(() => {}); // It fails when cat is ended, as it must be.
  const finished = await within(timeout, writing.then(() => true));
  if (finished) {
    throw new Failure(
      `nothing hung: ${byteCount(bytes)} fit into the pipes; try --bytes 1048576`,
    );
  }
  await print(`  after ${timeout} s we are blocked: cat's stdin took ${byteCount(written)}`);
  // One read takes what is in the pipe at this moment, which is what cat could write.
  const reader = stuck.stdout.getReader({ mode: "byob" });
  const { value } = await reader.read(new Uint8Array(4 * 1024 * 1024));
  await print(`  and cat is blocked: its stdout took ${byteCount(value?.length ?? 0)}`);
  await print(faint("  (the rest is in the pipe to cat, and in cat)"));
  await reader.cancel();
  await endChild(stuck);

  await print(strong("Reading while writing:"));
  const child = startChild(cat, "cat");
  const [read] = await Promise.all([
    countAll(child.stdout),
    writeAll(child.stdin, bytes, () => {}),
  ]);
  await print(`  ${byteCount(bytes)} written, ${byteCount(read)} read`);
  if (read !== bytes) throw new Failure(`${bytes} bytes were written and ${read} came back`);
});
