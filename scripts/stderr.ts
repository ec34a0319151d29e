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
 * In Deno, a loop for each, both at once:
 *
 *     async function label(name: string, pipe: ReadableStream<Uint8Array>) {
 *       for await (const line of new LineReader(pipe)) console.log(name, line);
 *     }
 *     await Promise.all([label("out", child.stdout), label("err", child.stderr)]);
 *
 * Each pipe keeps its own order. The order between the two is lost: they are two queues, and
 * nothing says which line was written first. If you need that order, send both into one pipe,
 * sh -c 'COMMAND 2>&1', and have COMMAND write at once: many hold back stdout, not stderr.
 *
 *     deno run --allow-run scripts/stderr.ts ls / /missing
 *
 * @module
 */
import { describeStatus, startChild } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { parseOptions } from "../lib/script/options.ts";
import { byteCount, Failure, print } from "../lib/script/script.ts";
import { red, strong } from "../lib/script/terminal.ts";
import { untilExit } from "../lib/until_exit.ts";

const labels = { out: strong("out │"), err: red("err │") };

/** Runs a command, and hands on each line of both its outputs. */
async function run([program = "", ...args]: string[], onLine?: (line: string) => Promise<void>) {
  const pipes = { stdout: "piped", stderr: "piped" } as const;
  // `detached`: a group, which ends as one; where --allow-run has a list, only the child ends.
  const command = new Deno.Command(program, { args, ...pipes, detached: true });
  await using child = startChild(command, { name: program });
  const bytes = { out: 0, err: 0 };
  async function read(name: "out" | "err", output: ReadableStream<Uint8Array>) {
    // What the child started may hold the pipe for longer than the child lives.
    for await (const line of new LineReader(untilExit(output, child.status))) {
      bytes[name] += line.length + 1; // Each letter of the megabyte is a byte.
      await onLine?.(`${labels[name]} ${line}`);
    }
  }
  // Both at once. Reading one after the other hangs as soon as the unread one is full: deadlock.ts.
  await Promise.all([read("out", child.stdout), read("err", child.stderr)]);
  return { bytes, status: await child.status };
}

async function demonstrate() {
  const { bytes: both } = await run(["ls", "-d", "/", "/missing"], print);
  if (both.out === 0 || both.err === 0) throw new Failure("expected a line on either");

  // 65,536 lines of 16 bytes: sixteen times what a pipe holds.
  const megabyte = "yes 'fifteen letters' | head -65536";
  await print("Now a megabyte to stderr, then one to stdout:");
  const { bytes } = await run(["sh", "-c", `${megabyte} >&2; ${megabyte}`]);
  if (bytes.out !== 2 ** 20 || bytes.err !== 2 ** 20) throw new Failure("expected 1,048,576 bytes");
  await print(`${labels.out} ${byteCount(bytes.out)}, none lost`);
  await print(
    `${labels.err} ${byteCount(bytes.err)}, none lost: we read both, so neither stayed full`,
  );
}

// That is all. What follows reads the command line.
const { operands } = parseOptions({
  shows: `Both outputs of one child at once, line by line as they come, each labelled.
Each is in its own order; which of two lines in different pipes was written
first cannot be known. Exits with the command's own code, and ends what that
left running. COMMAND has no terminal of its own: it cannot ask for a password
there.
Without COMMAND: ls -d / /missing, which writes a line to each; then a child
that writes a megabyte to each, checked by count.`,
  operands: "[COMMAND [ARG…]]",
  maximumOperands: Infinity,
  example: "stderr.ts sh -c 'echo one; echo two >&2'",
}, {});
if (operands.length === 0) await demonstrate();
else {
  const { status } = await run(operands, print);
  const what = `${operands[0]} ${describeStatus(status)}`;
  if (status.signal !== null) throw new Failure(what, status.code);
  Deno.exitCode = status.code;
}
