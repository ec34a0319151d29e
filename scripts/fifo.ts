/**
 * A named pipe, for processes that did not start each other: they meet by its name.
 *
 * In Python:
 *
 *     os.mkfifo("pipe", 0o600)
 *     with open("pipe") as reader:    # waits until a writer opens it, too
 *         for line in reader:
 *             print(line[:-1])
 *     os.remove("pipe")
 *
 * Deno has no mkfifo, so the program of that name makes it; opening and reading are Deno's. Without
 * arguments the script starts itself twice, in a temporary folder of its own, for which it needs
 * --allow-run --allow-read --allow-write. Needs Unix.
 *
 *     deno run --allow-run=mkfifo --allow-read=PATH --allow-write=PATH scripts/fifo.ts read PATH
 *
 * @module
 */
import { describeStatus, startChild } from "../lib/child.ts";
import { ensureFifo, openFifo, privateFolder } from "../lib/fifo.ts";
import { LineReader } from "../lib/line_reader.ts";
import { parseOptions, UsageError } from "../lib/options.ts";
import { Failure, print, stdinBytes } from "../lib/script.ts";

const { operands: [part, path = ""] } = parseOptions({
  shows: `A named pipe, for processes that did not start each other. Run the two halves
in two terminals: "read" prints the lines that arrive, "write" sends its stdin.
Whichever starts first creates the pipe, waits for the other, and removes it.
A shell may take either part: echo hi > PATH, cat PATH.
Without arguments: both halves, as two processes that share only the name.`,
  operands: "[read PATH | write PATH]",
  maximumOperands: 2,
  example: "fifo.ts",
}, {});
if (Deno.build.os === "windows") throw new Failure("a FIFO needs Unix; Windows has none");

if (part === undefined) await demonstrate();
else if (part === "read" && path !== "") await read();
else if (part === "write" && path !== "") await write();
else throw new UsageError(`expected "read PATH" or "write PATH" (--help shows how)`);

async function read() {
  // mkfifo, unless the other half was faster. Removed when this block is left.
  await using _fifo = await ensureFifo(path);
  // As open() in Python: waits until the other end is opened.
  const file = await openFifo(path, "read");
  for await (const line of new LineReader(file.readable)) await print(line);
}

async function write() {
  await using _fifo = await ensureFifo(path);
  const file = await openFifo(path, "write");
  try {
    await stdinBytes().pipeTo(file.writable);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    throw new Failure("the reader closed the pipe before it had read everything");
  }
}

async function demonstrate() {
  await using folder = privateFolder();
  const half = (part: "read" | "write", stdin: "null" | "piped", stdout: "inherit" | "piped") => {
    // Both halves run inside the folder and call the pipe `pipe`: --allow-read splits its value at
    // commas, and the path of the folder may have one.
    const permissions = ["--allow-run=mkfifo", "--allow-read=pipe", "--allow-write=pipe"];
    const args = ["run", "--no-prompt", ...permissions, import.meta.url, part, "pipe"];
    return startChild(new Deno.Command(Deno.execPath(), { args, cwd: folder.path, stdin, stdout }));
  };
  await using reader = half("read", "null", "piped");
  await using writer = half("write", "piped", "inherit");
  await print(`reader ${reader.pid} and writer ${writer.pid} know only ${folder.path}/pipe`);

  const sent = "how are you\nover a pipe with a name\n";
  const mustSucceed = async (name: string, child: Deno.ChildProcess) => {
    const status = await child.status;
    if (!status.success) throw new Failure(`the ${name} ${describeStatus(status)}`, status.code);
  };
  // If one half fails, leaving the block ends the other, which would wait for ever.
  const [received] = await Promise.all([
    reader.stdout.text(),
    // A writer that died breaks this pipe, but its status says more.
    new Blob([sent]).stream().pipeTo(writer.stdin).catch(() => {}),
    mustSucceed("reader", reader),
    mustSucceed("writer", writer),
  ]);
  for (const line of received.trimEnd().split("\n")) await print(`reader got: "${line}"`);
  if (received !== sent) throw new Failure(`expected ${JSON.stringify(sent)}`);
  const left = await Array.fromAsync(Deno.readDir(folder.path));
  if (left.length > 0) throw new Failure(`the name is still there: ${folder.path}/pipe`);
  await print("the name is gone");
}
