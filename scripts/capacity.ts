/**
 * How many bytes a pipe holds before its writer blocks.
 *
 * "The size of a pipe is limited", says the article. In Python one would os.write() to a pipe
 * until it stops. Here a child does, step by step, and tells on its stderr how far it got; nobody
 * reads its stdout until it has fallen silent.
 *
 *     deno run --allow-run scripts/capacity.ts
 *
 * @module
 */
import { startChild } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { flag, parseOptions, wholeNumber } from "../lib/options.ts";
import { Failure, print, run, write } from "../lib/script.ts";
import { byteCount, faint, strong } from "../lib/terminal.ts";
import { within } from "../lib/within.ts";

const HELP = `Usage: capacity.ts [--step 4096]

How many bytes a pipe holds: a child fills one that nobody reads until it
blocks, then the pipe is emptied and the child goes on.

Options:
  --step BYTES   how much the child writes at a time (default 4096)
  --child        be the child: write to stdout for ever, say how much on stderr
  -h, --help     show this text

Example:
  deno run --allow-run scripts/capacity.ts --step 1000`;

/** How long the child must have made no progress to count as blocked, in seconds. */
const SILENCE = 1;

async function child(step: number): Promise<never> {
  const bytes = new Uint8Array(step);
  for (let written = 0;; written += await Deno.stdout.write(bytes)) console.error(written);
}

await run("capacity", async () => {
  const { options } = parseOptions(HELP, { step: wholeNumber(4096, 1), child: flag() });
  if (options.child) return await child(options.step);

  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", import.meta.url, "--child", `--step=${options.step}`],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const writer = startChild(command, "deno");
  const reports = new LineReader(writer.stderr);
  // A report that was waited for in vain is still the next one, hence one promise until it comes.
  let report = reports.readLine();
  let written = Number(await report);
  let shown = 0;
  const show = async () => {
    shown = written;
    if (!Deno.stdout.isTerminal()) return await print(`wrote ${byteCount(written)}`);
    const bar = "█".repeat(Math.min(32, Math.ceil(written / 4096)));
    await write(`\r\x1b[Kwrote ${byteCount(written).padEnd(14)} ${bar}`);
    // The pipe is full long before an eye could see it fill.
    await new Promise((resolve) => setTimeout(resolve, 30));
  };
  for (;;) {
    report = reports.readLine();
    const line = await within(SILENCE, report);
    if (line === undefined) break;
    if (line === null) throw new Failure("the writer ended before the pipe was full");
    written = Number(line);
    if (written - shown >= 4096) await show();
  }
  if (shown !== written || written === 0) await show();
  if (Deno.stdout.isTerminal()) await write("\n");

  // One read empties the pipe before the writer can add to it.
  const reader = writer.stdout.getReader({ mode: "byob" });
  const { value } = await reader.read(new Uint8Array(4 * 1024 * 1024));
  const held = value?.length ?? 0;
  await print(`then the writer was blocked: the pipe held ${strong(byteCount(held))}`);
  await print(faint(explanation(held, written)));
  // What comes from now on is thrown away; the next report comes when a whole step was written.
  reader.releaseLock();
  writer.stdout.pipeTo(new WritableStream()).catch(() => {});
  const next = Number(await within(10, report));
  if (!(next > written)) throw new Failure("the pipe was emptied, and the writer did not go on");
  await print(`emptied, and the writer goes on: it wrote ${byteCount(next)} and more`);
  if (held < written || held >= written + options.step) {
    throw new Failure(`${byteCount(written)} were written and ${held} were in the pipe`);
  }
});

function explanation(held: number, written: number): string {
  if (held > written) {
    return `(the last ${byteCount(held - written)} are the beginning of the next step)`;
  }
  if (Deno.build.os !== "linux") return `(on Linux it is 65,536; this is ${Deno.build.os})`;
  if (held === 65_536) return "(16 pages of 4 KiB, since Linux 2.6.11; before, one page: 4 KiB)";
  return "(Linux counts pages, 16 of them: what does not fit into the last begins a new one)";
}
