/**
 * Why does my program hang on its pipes? Who waits, for which end of which pipe, held by whom.
 *
 * In Python:
 *
 *     child = subprocess.Popen(["cat"], stdin=PIPE, stdout=PIPE)
 *     child.stdin.write(bytes(1_000_000))   # hangs: run why.ts --pid with this process's id
 *     child.stdout.read()
 *
 * A process that waits tells Linux what for: a call such as read, and the number of its descriptor.
 * `/proc` shows both, and who holds the other end of that pipe: so one follows who waits for whom,
 * to the one who could go on, or round in a circle. No process is changed by that.
 *
 *     deno run -A scripts/why.ts --pid 1234
 *
 * @module
 */
import { draw, explain } from "../lib/hang.ts";
import { parseOptions, UsageError, wholeNumber } from "../lib/options.ts";
import { look } from "../lib/proc.ts";
import { escapeControls, print } from "../lib/script.ts";
import { strong } from "../lib/terminal.ts";

const { options: { pid } } = parseOptions({
  shows: `Looks at a process that hangs, at whoever it waits for, and at the pipes between
them; then says why it hangs, and what to do. Linux only.`,
  example: "why.ts --pid $$",
}, {
  pid: wholeNumber(undefined, "the id of the process that hangs", 1, 4_194_304),
});
if (pid === undefined) throw new UsageError("--pid takes the id of a process");

// Two looks: what moves in between does not hang.
const before = look(pid);
await new Promise((resolve) => setTimeout(resolve, 50));
const now = look(pid);

const width = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : 80;
for (const line of draw(pid, now, width)) await print(escapeControls(line));
const { what, cure, section } = explain(pid, now, before);
await print(`\n${strong(escapeControls(what))}`);
await print(`  ${escapeControls(cure)}`);
if (section) await print(`  more in README.md: ${section}`);
