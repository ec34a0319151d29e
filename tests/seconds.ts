/**
 * Prints the seconds of processor that `deno test -A` takes, by test file, with all processes that
 * it starts and waits for. Exits with 1 above the most that it may take.
 *
 * Processor time, since the clock also measures what else the machine does. Linux alone tells it of
 * a process that still runs.
 *
 * @module
 */
import { LineReader } from "../lib/line_reader.ts";

/** The most that the whole may take, in seconds. */
const MOST = 90;

/** Seconds that a process has worked, and those of its children that have ended. */
async function processorSeconds(pid: number | "self"): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // After the name, which may have spaces: utime, stime, cutime, cstime in hundredths.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 15);
  return fields.reduce((sum, field) => sum + Number(field), 0) / 100;
}

const start = performance.now();
const ownWork = await processorSeconds("self");
await using child = new Deno.Command(Deno.execPath(), {
  args: ["test", "-A"],
  cwd: new URL("..", import.meta.url),
  env: { NO_COLOR: "1" },
  stdout: "piped",
}).spawn();

const byFile: [name: string, seconds: number][] = [];
const output: string[] = [];
let name = "to find the files and check their types";
let soFar = 0;
for await (const line of new LineReader(child.stdout)) {
  output.push(line);
  // The next file begins, or the last one is over.
  const match = /^(?:running \d+ tests? from \.\/(.*)|(?:ok|FAILED) \|.*)$/.exec(line);
  if (match === null) continue;
  const now = await processorSeconds(child.pid);
  byFile.push([name, now - soFar]);
  [name, soFar] = [match[1] ?? "", now];
}
const { code } = await child.status;
// Measured now, this has all that the tests waited for; what this script itself did is little.
const whole = await processorSeconds("self") - ownWork;

if (code !== 0) console.log(output.join("\n"));
const tell = (seconds: number, what: string) =>
  console.log(`${seconds.toFixed(1).padStart(6)} s  ${what}`);
for (const [name, seconds] of byFile.sort(([, a], [, b]) => b - a)) tell(seconds, name);
const clock = ((performance.now() - start) / 1000).toFixed();
tell(whole, `in all, of at most ${MOST}; ${clock} s by the clock`);
Deno.exit(code === 0 && whole <= MOST ? 0 : 1);
