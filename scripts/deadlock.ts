/**
 * Two ways to wait for each other for ever, and the cures: read while you write; read both outputs.
 *
 * In Python, communicate() is there to avoid both:
 *
 *     child = subprocess.Popen(["cat"], stdin=PIPE, stdout=PIPE)
 *     child.stdin.write(bytes(1_000_000))   # hangs: cat cannot write, so it does not read
 *     child.stdout.read()
 *
 * A pipe holds little, 64 KiB on Linux. Once it is full, its writer waits for its reader. So begin
 * to read before you wait for a write.
 *
 *     deno run --allow-run=cat,sh scripts/deadlock.ts
 *
 * @module
 */
import { startChild } from "../lib/child.ts";
import { parseOptions, seconds, wholeNumber } from "../lib/script/options.ts";
import { byteCount, Failure, print } from "../lib/script/script.ts";
import { untilStill } from "../lib/script/still.ts";
import { strong } from "../lib/script/terminal.ts";
import { within } from "../lib/within.ts";

async function writeThenRead() {
  const cat = new Deno.Command("cat", { stdin: "piped", stdout: "piped" });
  await print(strong(`Writing ${all} to cat, then reading:`));
  await using stuck = startChild(cat);
  const progress = { written: 0 };
  const writing = writeAll(stuck.stdin, progress);
  const { held, written } = await hang(writing, stuck.stdout, progress);
  await print(`  nothing moves: we wrote ${byteCount(written)}, and the next write is blocked`);
  await print(`    ${byteCount(held)} fill cat's stdout: we read nothing before all is written`);
  // cat's stdin holds as much as its stdout. What is in neither, cat has read.
  const inCat = byteCount(written - 2 * held);
  await print(`    ${inCat} are in cat, which cannot write them, nor read on`);
  await print(`    ${byteCount(held)} fill cat's stdin: that is why we cannot write`);
  const [rest] = await Promise.all([stuck.stdout.bytes(), writing]);
  await conclude(held + rest.length, `as soon as we read, both go on: ${all} came back`);

  await print(strong("Reading while writing:"));
  await using child = startChild(cat);
  const [output] = await Promise.all([child.stdout.bytes(), writeAll(child.stdin)]);
  await conclude(output.length, `${all} written, ${all} read`);
}

async function stdoutThenStderr() {
  const args = ["-c", `head -c ${bytes} /dev/zero >&2; echo done`];
  const noisy = new Deno.Command("sh", { args, stdout: "piped", stderr: "piped" });
  await print(strong("Reading stdout to its end, of a child that first writes much to stderr:"));
  await using stuck = startChild(noisy);
  const reading = stuck.stdout.text();
  const { held } = await hang(reading, stuck.stderr); // Nothing to count: it waits.
  await print(`  nothing moves: the child is blocked, its stderr holds ${byteCount(held)}`);
  const [rest, output] = await Promise.all([stuck.stderr.bytes(), reading]);
  await conclude(held + rest.length, `as soon as we read stderr, stdout ends: "${output.trim()}"`);

  await print(strong("Reading both at once:"));
  await using child = startChild(noisy);
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.bytes()]);
  await conclude(err.length, `"${out.trim()}" on stdout, ${all} on stderr`);
}

async function writeAll(stdin: WritableStream<Uint8Array>, progress = { written: 0 }) {
  const writer = stdin.getWriter();
  for (; progress.written < bytes; progress.written += 4096) {
    await writer.write(new Uint8Array(Math.min(4096, bytes - progress.written)));
  }
  await writer.close();
}

/** Returns once nothing moves, with what `output` then holds: one read takes all that is there. */
async function hang(work: Promise<unknown>, output: ReadableStream, progress = { written: 0 }) {
  const still = untilStill(() => progress.written, timeout);
  const hasEnded = await Promise.race([work.then(() => true), still]);
  const { written } = progress; // Before we read, which sets it going again.
  const reader = output.getReader({ mode: "byob" });
  const { value } = await within(0.1, reader.read(new Uint8Array(4 * 1024 * 1024))) ?? {};
  if (hasEnded || value === undefined) throw new Failure("nothing hung: try --bytes 1048576");
  reader.releaseLock();
  return { held: value.length, written };
}

/** Says what came of it, if every byte came. */
async function conclude(count: number, what: string) {
  if (count !== bytes) throw new Failure(`expected ${all}, got ${byteCount(count)}`);
  await print(`  ${what}`);
}

// That is all. What follows reads the command line, and runs both.
const { options: { bytes, timeout } } = parseOptions({
  shows: `Writes all to cat before it reads, which hangs; then reads while it writes.
Reads a child's stdout before its stderr, which hangs; then both at once.`,
  example: "deadlock.ts --bytes 10000000",
}, {
  bytes: wholeNumber(1_048_576, "how many bytes go through each pipe", 1, 100_000_000),
  timeout: seconds(2, "how long nothing must move before it counts as hanging", 0.001),
});
const all = byteCount(bytes);
await writeThenRead();
await stdoutThenStderr();
