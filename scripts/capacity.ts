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
import { parseOptions, wholeNumber } from "../lib/script/options.ts";
import { byteCount, Failure, print } from "../lib/script/script.ts";
import { untilStill } from "../lib/script/still.ts";
import { columns, faint, strong } from "../lib/script/terminal.ts";
import { within } from "../lib/within.ts";

async function fill(step: number) {
  // The shell stops itself before it becomes cat, so that nothing is read before we want it.
  // Detached, since Ctrl-Z and fg would set going whatever belongs to the terminal's group.
  const args = ["-c", "kill -STOP $$; exec cat"];
  const pipes = { stdin: "piped", stdout: "piped" } as const;
  await using cat = startChild(new Deno.Command("sh", { args, ...pipes, detached: true }));

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
    await writer.close(); // End of file for cat.
  })();
  writing.catch(() => {}); // Awaited below, unless the script fails first.

  // Half a second without a write: it is blocked.
  await untilStill(() => written, 0.5);
  isFull = true; // When cat reads, the write that is blocked ends, and the loop with it.
  const held = written;
  if (Deno.stdout.isTerminal()) await print(); // Ends the line of the bar.
  const atLeast = step > 4096 ? "at least " : "";
  const what = held === 0 ? `less than ${byteCount(step)}` : atLeast + strong(byteCount(held));
  await print(`then a write blocked: the pipe holds ${what}`);
  await print(faint(`(${whySoMany(held, step)})`));

  cat.kill("SIGCONT");
  const [read] = await within(10, Promise.all([cat.stdout.bytes(), writing])) ?? [];
  if (read === undefined) throw new Failure("cat reads the pipe, and the write still blocks");
  const all = `${byteCount(read.length)} came through, with the ${
    byteCount(step)
  } that were blocked`;
  await print(`cat reads, and the write goes on: ${all}`);
  if (read.length !== held + step) throw new Failure(`expected ${held + step}, got ${read.length}`);
}

/** Shows once a page of 4 KiB how much has been written: at a terminal as a bar that grows. */
async function show(written: number, step: number) {
  if (written % 4096 >= step) return;
  if (!Deno.stdout.isTerminal()) return await print(`wrote ${byteCount(written)}`);
  const bar = "█".repeat(Math.min(32, Math.ceil(written / 4096)));
  const line = `wrote ${byteCount(written).padEnd(14)} ${bar}`;
  await print(`\r\x1b[K${line.slice(0, columns() - 1)}`, "");
  // The pipe is full long before an eye could see it fill.
  await new Promise((resolve) => setTimeout(resolve, 30));
}

function whySoMany(held: number, step: number): string {
  if (held === 0) return "not one write has ended: try a smaller --step";
  if (Deno.build.os !== "linux") return `on Linux it is 65,536; this is ${Deno.build.os}`;
  if (held === 65_536) return "16 pages of 4 KiB; before Linux 2.6.11, a single page";
  if (step > 4096) return "in whole writes; a part of the one that blocks is in the pipe as well";
  return "16 pages of 4 KiB; a write that does not fit into a page begins another";
}

// That is all. What follows reads the command line.
const { options } = parseOptions({
  shows: `How many bytes a pipe holds: fills one that nobody reads until a write blocks,
then lets cat read, and the write goes on.`,
  example: "capacity.ts --step 1000",
}, { step: wholeNumber(4096, "how many bytes to write at a time", 1) });
await fill(options.step);
