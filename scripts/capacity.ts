/**
 * How many bytes a pipe holds before its writer blocks.
 *
 * "The size of a pipe is limited", says the article 《Python进程间通信之匿名管道》 (2024).
 * In Python:
 *
 *     rpipe, wpipe = os.pipe()
 *     os.set_blocking(wpipe, False)
 *     written = 0
 *     with contextlib.suppress(BlockingIOError):
 *         while True: written += os.write(wpipe, bytes(4096))
 *     print(written)   # 65536 on Linux
 *
 * Why 65,536? Linux keeps what is in a pipe in pages, as all memory: 16 of them, of 4 KiB each. A
 * short write goes into the last page if it fits there whole, else it begins another. So in writes
 * of 1000 bytes a pipe holds 64,000: four writes a page, and 96 bytes of each page stay empty.
 *
 * Here a cat that is stopped does not read its stdin. We write until a write no longer settles.
 *
 *     deno run --allow-run=sh scripts/capacity.ts
 *
 * @module
 */
import { startChild } from "../lib/child.ts";
import { explain, show } from "../lib/script/filling.ts";
import { parseOptions, wholeNumber } from "../lib/script/options.ts";
import { byteCount, Failure, print } from "../lib/script/script.ts";
import { untilStill } from "../lib/script/still.ts";
import { faint, strong } from "../lib/script/terminal.ts";
import { within } from "../lib/within.ts";

const { options: { step } } = parseOptions({
  shows: `How many bytes a pipe holds: fills one that nobody reads until a write blocks,
then lets cat read, and the write goes on.`,
  example: "capacity.ts --step 1000",
}, { step: wholeNumber(4096, "how many bytes to write at a time", 1) });

// The shell stops itself before it becomes cat, so that nothing is read before we want it.
// Detached, since Ctrl-Z and fg would set going whatever belongs to the terminal's group.
const command = new Deno.Command("sh", {
  args: ["-c", "kill -STOP $$; exec cat"],
  stdin: "piped",
  stdout: "piped",
  detached: true,
});
await using cat = startChild(command);

let written = 0;
let isFull = false;
const writing = (async () => {
  const writer = cat.stdin.getWriter();
  while (!isFull) {
    // While the pipe is full, this write does not settle.
    await writer.write(new Uint8Array(step));
    written += step;
    if (!isFull) await show(written, step);
  }
  // End of file for cat.
  await writer.close();
})();
writing.catch(() => {}); // Awaited below, unless the script fails first.

// Half a second without a write: it is blocked.
await untilStill(() => written, 0.5);
isFull = true;
const held = written;
if (Deno.stdout.isTerminal()) await print(); // Ends the line of the bar.
const least = step > 4096 ? "at least " : "";
await print(`then a write blocked: the pipe holds ${least}${strong(byteCount(held))}`);
await print(faint(`(${explain(held, step)})`));

cat.kill("SIGCONT");
const [read] = await within(10, Promise.all([cat.stdout.bytes(), writing])) ?? [];
if (read === undefined) throw new Failure("cat reads the pipe, and the write still blocks");
await print(`cat reads, and the write goes on: ${byteCount(read.length)} came through in all`);
if (read.length !== held + step) throw new Failure(`expected ${held + step}, got ${read.length}`);
