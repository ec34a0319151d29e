/**
 * A child that answers only when it exits, and three ways to make it answer at once.
 *
 * In Python:
 *
 *     child = subprocess.Popen(["sed", "s/question/answer/"], stdin=PIPE, stdout=PIPE, text=True)
 *     child.stdin.write("question\n"); child.stdin.flush()
 *     child.stdout.readline()   # waits for ever: the answer is in a buffer inside sed
 *
 * A program that writes to a pipe usually holds its output back until 4 or 8 KiB have collected;
 * at a terminal it writes every line. That is why the programs of the article
 * 《Python进程间通信之匿名管道》 (2024) call sys.stdout.flush().
 *
 *     deno run --allow-run=sed,stdbuf,script scripts/buffering.ts
 *
 * @module
 */
import { describeStatus, endChild, startChild, StartError } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { parseOptions } from "../lib/script/options.ts";
import { atTerminal, paste, READY } from "../lib/script/paste.ts";
import { Failure, print } from "../lib/script/script.ts";
import { strong } from "../lib/script/terminal.ts";
import { within } from "../lib/within.ts";

const sed = ["sed", "s/question/answer/"];
const ways: [way: string, command: string[]][] = [
  // Each program has its own: sed -u, python3 -u, grep --line-buffered, fflush() in awk.
  ["its own switch", ["sed", "-u", "s/question/answer/"]],
  // It tells the C library how to buffer. No help for a program that buffers by itself.
  ["stdbuf", ["stdbuf", "-oL", ...sed]], // -oL: output by the line.
  // The program writes to a terminal. That echoes what is sent before "stty -echo" has turned it
  // off: write when the line "ready" has come.
  ["a terminal", atTerminal(sed)],
];

function start([program = "", ...args]: string[]): Deno.ChildProcess {
  const stderr = program === "script" ? "null" : "inherit"; // script speaks of signals there.
  const command = new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr });
  return startChild(command, { name: program });
}

/** Sends a question. True when its answer comes, false if end of file comes instead. */
async function isAnswered({ stdin, stdout }: Deno.ChildProcess, first?: string): Promise<boolean> {
  const lines = new LineReader(stdout);
  if (first !== undefined && await lines.readLine() !== first) return false;
  const writer = stdin.getWriter();
  writer.write(new TextEncoder().encode("question\n")).catch(() => {}); // Its status says more.
  writer.releaseLock(); // So that stdin can be closed below.
  for await (const line of lines) if (line === "answer") return true;
  return false;
}

async function waitInVain() {
  await print(strong(paste(sed)));
  await using child = start(sed);
  const answered = isAnswered(child);
  const early = await within(1, answered); // Undefined when the second has passed.
  if (early !== undefined) throw new Failure(`this sed ${early ? "does not buffer" : "failed"}`);
  await print("  no answer within 1 s");
  await child.stdin.close();
  if (!await within(10, answered)) throw new Failure("no answer even when sed's stdin was closed");
  await print("  the answer came when its stdin was closed: sed wrote its buffer as it exited");
}

/** Whether the command answers while its stdin is open. */
async function works(command: string[]): Promise<boolean> {
  const begin = performance.now();
  await using child = start(command);
  const first = command[0] === "script" ? READY : undefined;
  const answered = await within(10, isAnswered(child, first));
  if (answered === undefined) await print("  failed: no answer within 10 s");
  if (answered === false) await print(`  failed: it ${describeStatus(await endChild(child))}`);
  if (!answered) return false;
  const duration = Math.ceil(performance.now() - begin);
  await print(`  answered after ${duration} ms, its stdin still open`);
  await child.stdin.close().catch(() => {}); // It may have gone.
  const hasExited = await within(10, child.status);
  if (!hasExited) await print("  it did not exit when its stdin was closed");
  return true;
}

// That is all. What follows tries the ways, as far as they are installed.
parseOptions({
  shows: `Asks sed for an answer, which comes only when its stdin closes: sed buffers its
output. Then gets it at once, in three ways, as far as they are installed.`,
  example: "buffering.ts",
}, {});
await waitInVain();
let worked = 0;
for (const [way, command] of ways) {
  await print(`${strong(paste(command))}  (${way})`);
  try {
    if (await works(command)) worked++;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    await print(`  skipped: ${error.message}`);
  }
}
if (worked === 0) throw new Failure("none of the three ways worked");
