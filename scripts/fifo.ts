/**
 * A named pipe, for two processes that share no ancestor: they meet by its name.
 *
 * In Python: os.mkfifo(path, 0o600), and open(path) on either side, which waits for the other.
 * Deno has no mkfifo, so the program of that name makes it; opening and reading are Deno's.
 *
 *     deno run -A scripts/fifo.ts
 *     deno run --allow-run=mkfifo --allow-read=PATH --allow-write=PATH scripts/fifo.ts read PATH
 *
 * Needs Unix. Without arguments it starts itself twice, in a folder of its own among the temporary
 * ones, for which --allow-run --allow-read --allow-write are enough.
 *
 * @module
 */
import { toText } from "@std/streams/to-text";
import { spawnChild, startChild } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { parseOptions } from "../lib/options.ts";
import { Failure, onEnd, print, run } from "../lib/script.ts";

const HELP = `Usage: fifo.ts [read PATH | write PATH]

A named pipe, for processes that share no ancestor. Run the two halves in two
terminals: "read" prints the lines that arrive, "write" sends its stdin. The
first to come creates the pipe, waits for the other, and removes it in the end.
A shell may take either part: echo hi > PATH, cat PATH.
Without arguments: both halves, as two processes that share only the name.

Options:
  -h, --help     show this text

Example:
  deno run -A scripts/fifo.ts`;

/** Makes the name unless it is there. Who makes it removes it. */
async function makeFifo(path: string) {
  // Asked before, so that nothing is made that cannot be opened or removed.
  for (const name of ["read", "write"] as const) {
    const { state } = await Deno.permissions.request({ name, path });
    if (state !== "granted") throw new Failure(`run again with --allow-${name}=${path}`);
  }
  const command = new Deno.Command("mkfifo", {
    args: ["-m", "600", "--", path],
    env: { LC_ALL: "C" },
    stdin: "null",
    stderr: "piped",
    // Not to be interrupted half-way: it is done at once, and then it is known whether it was.
    detached: true,
  });
  const child = spawnChild(command, "mkfifo");
  onEnd(async () => {
    if ((await child.status).success) await Deno.remove(path).catch(ignoreMissing);
  });
  const [status, message] = await Promise.all([child.status, toText(child.stderr)]);
  if (!status.success && !message.includes("File exists")) {
    throw new Failure(`cannot create ${path}: ${message.trim().replace(/^.*: /s, "")}`);
  }
}

function ignoreMissing(error: unknown) {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/** Opens the FIFO for reading or writing, which waits until the other has opened it too. */
async function openFifo(path: string, part: "read" | "write"): Promise<Deno.FsFile> {
  const notFifo = new Failure(`${path} exists and is not a FIFO; it was left as it is`);
  const named = await Deno.lstat(path);
  if (!named.isFifo) throw notFifo;
  console.error(`fifo: waiting for a ${part === "read" ? "writer" : "reader"} on ${path}`);
  const file = await Deno.open(path, { read: part === "read", write: part === "write" });
  // Between the look and the opening someone may have put a link in its place.
  const opened = await file.stat();
  if (opened.isFifo && opened.ino === named.ino && opened.dev === named.dev) return file;
  file.close();
  throw notFifo;
}

async function read(file: Deno.FsFile) {
  for await (const line of new LineReader(file.readable)) await print(line);
}

async function write(file: Deno.FsFile) {
  try {
    await Deno.stdin.readable.pipeTo(file.writable);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    throw new Failure("the reader has gone before it had read everything");
  }
}

async function demonstrate() {
  // Only we may look into it, so nobody else can have put anything there.
  const folder = Deno.makeTempDirSync({ prefix: "fifo-" });
  onEnd(() => Deno.remove(folder, { recursive: true }));
  const path = `${folder}/pipe`;

  const half = (part: "read" | "write", stdin: "null" | "piped", stdout: "inherit" | "piped") => {
    const permissions = ["--allow-run=mkfifo", `--allow-read=${path}`, `--allow-write=${path}`];
    const args = ["run", "--no-prompt", ...permissions, import.meta.url, part, path];
    return startChild(new Deno.Command(Deno.execPath(), { args, stdin, stdout }), "deno");
  };
  const reader = half("read", "null", "piped");
  const writer = half("write", "piped", "inherit");
  await print(`reader ${reader.pid} and writer ${writer.pid} know only the name ${path}`);

  const sent = "how are you\nover a pipe with a name\n";
  const input = writer.stdin.getWriter();
  await input.write(new TextEncoder().encode(sent));
  await input.close();
  const received = await toText(reader.stdout);
  for (const line of received.trimEnd().split("\n")) await print(`reader got: "${line}"`);

  const codes = [(await reader.status).code, (await writer.status).code];
  if (codes.some((code) => code !== 0)) throw new Failure(`the halves ended with ${codes}`);
  if (received !== sent) throw new Failure(`${JSON.stringify(sent)} was sent`);
  const left = [...Deno.readDirSync(folder)];
  if (left.length > 0) throw new Failure(`the name is still there: ${path}`);
  await print("the name is gone");
}

await run("fifo", async () => {
  const { operands: [part, path, ...rest] } = parseOptions(HELP, {}, 2);
  if (Deno.build.os === "windows") throw new Failure("a FIFO needs Unix; Windows has none");
  if (part === undefined) return await demonstrate();
  if (part !== "read" && part !== "write" || path === undefined || rest.length > 0) {
    throw new Failure(`expected "read PATH" or "write PATH" (--help shows how)`, 2);
  }
  await makeFifo(path);
  const file = await openFifo(path, part);
  await (part === "read" ? read : write)(file);
});
