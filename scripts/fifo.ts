/**
 * A named pipe, for processes that did not start each other: they meet by its name. A lesson, and a
 * tool for your own programs.
 *
 * In Python:
 *
 *     os.mkfifo("pipe", 0o600)
 *     with open("pipe") as reader:    # waits until a writer opens it, too
 *         for line in reader:
 *             print(line[:-1])
 *     os.remove("pipe")
 *
 * In Deno, which has no mkfifo, the program of that name makes it:
 *
 *     await new Deno.Command("mkfifo", { args: ["-m", "600", "pipe"] }).output();
 *     const pipe = await Deno.open("pipe"); // Waits until a writer opens it, too.
 *     for await (const line of new LineReader(pipe.readable)) console.log(line);
 *     await Deno.remove("pipe");
 *
 * Needs Unix. One half, and then `echo hi > PATH` in another terminal; or both at once:
 *
 *     deno run --allow-run=mkfifo --allow-read=PATH --allow-write=PATH scripts/fifo.ts read PATH
 *     deno run -A scripts/fifo.ts
 *
 * @module
 */
import { startChild } from "../lib/child.ts";
import { ensureFifo, openFifo, privateFolder } from "../lib/script/fifo.ts";
import { LineReader } from "../lib/line_reader.ts";
import { parseOptions, UsageError } from "../lib/script/options.ts";
import { Failure, mustSucceed, print } from "../lib/script/script.ts";

// ensureFifo() and openFifo() are mkfifo and Deno.open(); but a signal leaves no name behind, and
// nobody waits for ever for the other half when the name has been removed.
async function read(path: string) {
  // Runs mkfifo, unless the other half was faster. Whichever made the pipe removes its name.
  await using _fifo = await ensureFifo(path);
  // Once both ends are open, the two have an ordinary pipe.
  const file = await openFifo(path, "read");
  for await (const line of new LineReader(file.readable)) await print(line);
}

async function write(path: string) {
  await using _fifo = await ensureFifo(path);
  const file = await openFifo(path, "write");
  try {
    // At the end of stdin pipeTo() closes our end, which is end of file for the reader.
    await Deno.stdin.readable.pipeTo(file.writable);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    throw new Failure("the reader closed the pipe before it had read everything");
  }
}

// That is all. What follows chooses the half, or shows both at work.
const { operands: [part, path = ""] } = parseOptions({
  shows: `A named pipe, for processes that did not start each other. Run the two halves
in two terminals: "read" prints the lines that arrive, "write" sends its stdin.
Whichever starts first creates the pipe, waits for the other, and removes it.
Once it is there a shell may take either part: echo hi > PATH, cat PATH.
Without arguments: both halves, as two processes that share only the name.`,
  operands: "[read PATH | write PATH]",
  maximumOperands: 2,
  example: "fifo.ts",
}, {});
if (Deno.build.os === "windows") throw new Failure("a FIFO needs Unix; Windows has none");
if (part === undefined) await demonstrate();
else if (part === "read" && path !== "") await read(path);
else if (part === "write" && path !== "") await write(path);
else throw new UsageError(`expected "read PATH" or "write PATH" (--help shows how)`);

async function demonstrate() {
  await using folder = privateFolder();
  await using reader = startHalf("read", folder.path);
  await using writer = startHalf("write", folder.path);
  await print(`reader ${reader.pid} and writer ${writer.pid} know only ${folder.path}/pipe`);

  const sent = "how are you\nover a pipe with a name\n";
  // If one half fails, leaving the block ends the other, which would wait for ever.
  const [received] = await Promise.all([
    reader.stdout.text(),
    new Blob([sent]).stream().pipeTo(writer.stdin).catch(() => {}), // Its status says why.
    reader.status.then((status) => mustSucceed("the reader", status)),
    writer.status.then((status) => mustSucceed("the writer", status)),
  ]);
  for (const line of received.trimEnd().split("\n")) await print(`reader got: "${line}"`);
  if (received !== sent) throw new Failure(`expected ${JSON.stringify(sent)}`);
  for await (const { name } of Deno.readDir(folder.path)) throw new Failure(`${name} is left`);
  await print("the name is gone");
}

/** Runs inside the folder: a whole path might have a comma in it, at which --allow-read splits. */
function startHalf(part: "read" | "write", cwd: string): Deno.ChildProcess {
  const permissions = ["--allow-run=mkfifo", "--allow-read=pipe", "--allow-write=pipe"];
  const args = ["run", "--no-prompt", ...permissions, import.meta.url, part, "pipe"];
  const pipes = { stdin: "piped", stdout: "piped" } as const;
  return startChild(new Deno.Command(Deno.execPath(), { args, cwd, ...pipes }));
}
