/**
 * Two pipes out of one child, its stdout and its stderr, read at once.
 *
 * In Python, this takes two threads, or selectors:
 *
 *     def label(name, pipe):
 *         for line in pipe: print(f"{name} {line}", end="")
 *     child = subprocess.Popen(["ls", "/", "/missing"], stdout=PIPE, stderr=PIPE, text=True)
 *     errors = threading.Thread(target=label, args=("err", child.stderr)); errors.start()
 *     label("out", child.stdout); errors.join()
 *
 * Each pipe keeps its own order. The order between the two is lost: they are two queues, and
 * nothing says which line was written first. If you need that order, send both into one pipe
 * (2>&1).
 *
 *     deno run --allow-run scripts/stderr.ts ls / /missing
 *
 * @module
 */
import { describeStatus, startChild } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { parseOptions } from "../lib/options.ts";
import { byteCount, Failure, print } from "../lib/script.ts";
import { red, strong } from "../lib/terminal.ts";

const { operands } = parseOptions({
  shows: `Both outputs of one child at once, line by line as they come, each labelled.
Each is in its own order; which of two lines in different pipes was written
first cannot be known. Exits with the command's own code. COMMAND has no
terminal of its own: it cannot ask for a password there.
Without COMMAND: a child that writes a megabyte to each, checked by count.`,
  operands: "[COMMAND [ARG…]]",
  maximumOperands: Infinity,
  example: "stderr.ts sh -c 'echo one; echo two >&2'",
}, {});

// 16 bytes a line, 65,536 lines: a megabyte to each, sixteen times what a pipe holds.
const noisy = "yes 'fifteen letters' | head -65536 >&2; yes 'fifteen letters' | head -65536";
const isDemonstration = operands.length === 0;
const [program = "", ...args] = isDemonstration ? ["sh", "-c", noisy] : operands;

// Detached, the child leads a process group: what it started ends with it.
const command = new Deno.Command(program, {
  args,
  stdout: "piped",
  stderr: "piped",
  detached: true,
});
await using child = startChild(command, { name: program });

const bytes = { out: 0, err: 0 };
async function show(name: "out" | "err", output: ReadableStream<Uint8Array>) {
  const label = name === "out" ? strong("out │") : red("err │");
  for await (const line of new LineReader(output)) {
    bytes[name] += line.length + 1;
    if (!isDemonstration) await print(`${label} ${line}`);
  }
}
// Both at once. Reading one after the other hangs as soon as the unread one is full: deadlock.ts.
await Promise.all([show("out", child.stdout), show("err", child.stderr)]);
const status = await child.status;

if (isDemonstration) {
  await print(
    `${strong("out │")} ${byteCount(bytes.out)}, none lost: we read both, so neither filled up`,
  );
  await print(`${red("err │")} ${byteCount(bytes.err)}, none lost`);
  if (bytes.out !== 2 ** 20 || bytes.err !== 2 ** 20) throw new Failure("expected 1,048,576 bytes");
}
if (status.signal !== null) throw new Failure(`${program} ${describeStatus(status)}`, status.code);
Deno.exitCode = status.code;
