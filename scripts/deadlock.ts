/**
 * Two ways to wait for each other for ever, and the cures: read while you write; read both outputs.
 *
 * In Python, communicate() is there to avoid both:
 *
 *     child = subprocess.Popen(["cat"], stdin=PIPE, stdout=PIPE)
 *     child.stdin.write(bytes(1_000_000))   # hangs: cat cannot write, so it does not read
 *     child.stdin.close()
 *     child.stdout.read()
 *
 * A pipe holds little, 64 KiB on Linux. Once it is full, its writer waits for its reader.
 *
 *     deno run --allow-run=cat,sh scripts/deadlock.ts
 *
 * @module
 */
import { startChild } from "../lib/child.ts";
import { parseOptions, seconds, wholeNumber } from "../lib/options.ts";
import { byteCount, Failure, print } from "../lib/script.ts";
import { untilStill } from "../lib/still.ts";
import { strong } from "../lib/terminal.ts";
import { within } from "../lib/within.ts";

const { options: { bytes, timeout } } = parseOptions({
  shows: `Writes everything to cat before reading anything, which hangs; then reads while
writing, which ends. Reads a child's stdout to its end before its stderr, which
hangs; then reads both at once, which ends.`,
  example: "deadlock.ts --bytes 10000000",
}, {
  bytes: wholeNumber(1_048_576, "how many bytes go through each pipe", 1, 100_000_000),
  timeout: seconds(2, "how long nothing must move before it counts as hanging", 0.001),
});

let moved = 0;
const cat = new Deno.Command("cat", { stdin: "piped", stdout: "piped" });

await print(strong(`Writing ${byteCount(bytes)} to cat, then reading:`));
await using stuck = startChild(cat);
const writing = writeAll(stuck.stdin);
await mustHang(writing);
await print(`  nothing moves: we wrote ${byteCount(moved)}, and the next write is blocked`);
const held = await takeHeld(stuck.stdout);
await print(`  cat is blocked too: its stdout holds ${byteCount(held)}, cat and stdin the rest`);
const [rest] = await Promise.all([stuck.stdout.bytes(), writing]);
await print(`  as soon as we read, both go on: ${byteCount(held + rest.length)} came back`);
mustBeAll(held + rest.length);

await print(strong("Reading while writing:"));
await using child = startChild(cat);
const [read] = await Promise.all([child.stdout.bytes(), writeAll(child.stdin)]);
await print(`  ${byteCount(bytes)} written, ${byteCount(read.length)} read`);
mustBeAll(read.length);

const line = `head -c ${bytes} /dev/zero >&2; echo done`;
const noisy = new Deno.Command("sh", { args: ["-c", line], stdout: "piped", stderr: "piped" });
await print(strong("Reading stdout to its end, of a child that first writes much to stderr:"));
await using silent = startChild(noisy);
const stdout = silent.stdout.text();
await mustHang(stdout);
const heldErrors = await takeHeld(silent.stderr);
await print(`  nothing moves: the child is blocked, its stderr holds ${byteCount(heldErrors)}`);
const [errors] = await Promise.all([silent.stderr.bytes(), stdout]);
await print(`  as soon as we read stderr, stdout ends: "${(await stdout).trim()}"`);
mustBeAll(heldErrors + errors.length);

await print(strong("Reading both at once:"));
await using loud = startChild(noisy);
const [out, err] = await Promise.all([loud.stdout.text(), loud.stderr.bytes()]);
await print(`  "${out.trim()}" on stdout, ${byteCount(err.length)} on stderr`);
mustBeAll(err.length);

async function writeAll(stdin: WritableStream<Uint8Array>) {
  const writer = stdin.getWriter();
  for (let left = bytes; left > 0; left -= 4096) {
    const part = new Uint8Array(Math.min(left, 4096));
    await writer.write(part);
    moved += part.length;
  }
  await writer.close();
}

/** What the pipe holds: one read takes it all. Nothing there: the child has not started writing. */
async function takeHeld(output: ReadableStream<Uint8Array>): Promise<number> {
  const reader = output.getReader({ mode: "byob" });
  const { value } = await within(0.1, reader.read(new Uint8Array(4 * 1024 * 1024))) ?? {};
  if (value === undefined) throw new Failure("nothing hung: the child has written nothing yet");
  reader.releaseLock();
  return value.length;
}

/** Returns once nothing has moved for a while. Fails if the work finishes instead. */
async function mustHang(work: Promise<unknown>) {
  const done = work.then(() => true);
  if (!await Promise.race([done, untilStill(() => moved, timeout)])) return;
  throw new Failure(`nothing hung: ${byteCount(bytes)} fit into the pipes; try --bytes 1048576`);
}

function mustBeAll(count: number) {
  if (count !== bytes) throw new Failure(`expected ${byteCount(bytes)}, got ${byteCount(count)}`);
}
