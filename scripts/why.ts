/**
 * Why does my program hang on its pipes? Who waits, for which end of which pipe, held by whom: a
 * tool for your own programs.
 *
 * In Python:
 *
 *     child = subprocess.Popen(["cat"], stdin=PIPE, stdout=PIPE)
 *     child.stdin.write(bytes(1_000_000))   # hangs: run why.ts --pid with this process's id
 *     child.stdout.read()
 *
 * A process that waits tells Linux what for. By hand, for that Python:
 *
 *     cat /proc/1234/syscall       # 1 0x4 …: it waits in call 1 (write on x86-64), descriptor 4
 *     lsof -a -p 1234 -d 4 +E      # … pipe 1235,cat,0r: cat, 1235, holds the read end as its 0
 *
 * The same for 1235 shows that cat waits in a write to a pipe that Python alone could read: a
 * circle. This script follows who waits for whom to such a circle, or to the one who
 * could go on: lib/why/processes.ts looks, verdicts.ts concludes. Looking changes no process. A
 * program that does not answer is started anew, and tried as a person would (diagnosis.ts).
 *
 *     deno run -A scripts/why.ts --pid 1234
 *     deno run -A scripts/why.ts sed s/question/answer/
 *
 * @module
 */
import { diagnose } from "../lib/why/diagnosis.ts";
import {
  flag,
  parseOptions,
  seconds,
  text,
  UsageError,
  wholeNumber,
} from "../lib/script/options.ts";
import { draw } from "../lib/why/picture.ts";
import { takeSnapshot } from "../lib/why/processes.ts";
import type { Verdict } from "../lib/why/verdict.ts";
import { verdictOn } from "../lib/why/verdicts.ts";
import { escapeControls, print } from "../lib/script/script.ts";
import { columns, faint, fold, strong } from "../lib/script/terminal.ts";

const { options: { pid, question, timeout, once }, operands } = parseOptions({
  shows: `With --pid: looks at a process that hangs, at those it waits for, and at the
pipes between them; says why it hangs, and what to do. Linux only.
With PROGRAM: starts it over pipes, asks it, and finds out why it does not
answer: closes its stdin, asks it at a terminal, tries the cures.
With neither it tries sed.`,
  operands: "[PROGRAM [ARG…]]",
  maximumOperands: Infinity,
  example: "why.ts sed s/question/answer/",
}, {
  pid: wholeNumber(undefined, "the process id of the parent, or of the child", 1, 4_194_304),
  question: text("question", "what PROGRAM is asked, in a line; of some, what they answer"),
  timeout: seconds(1, "how long nothing must move before it counts as no answer", 0.1),
  once: flag("start PROGRAM once: it may delete, send or pay"),
});

if (pid === undefined) {
  // Starts it anew for each trial: over pipes, at a terminal, with each cure that may help.
  const command = operands.length > 0 ? operands : ["sed", "s/question/answer/"];
  const { what, cures, section } = await diagnose(command, {
    question: question === "question" ? undefined : question,
    timeout,
    isOnce: once,
    tell: print,
  });
  await conclusion(what, cures, [section]);
} else if (operands.length > 0) throw new UsageError("--pid and PROGRAM exclude each other");
else await lookAt(pid);

/** Looks at a process that runs, and says who waits for whom. */
async function lookAt(pid: number) {
  let now = takeSnapshot(pid, Deno.pid);
  let verdict: Verdict | undefined;
  // A process that moves between two looks does not hang. But a hanging one may wake for a moment.
  for (let looks = 0; looks < 5 && verdict === undefined; looks++) {
    const before = now;
    await new Promise((resolve) => setTimeout(resolve, 50));
    now = takeSnapshot(pid, Deno.pid);
    // From each wait to whoever holds the other end: to a circle, or to one who could go on.
    verdict = verdictOn(pid, now, before);
  }
  for (const line of draw(pid, now, columns())) await print(escapeControls(line));
  if (verdict) await conclusion(verdict.what, verdict.cures, verdict.sections);
  else await conclusion("nothing hangs at this moment: it moves", ["look again when it does not"]);
}

async function conclusion(what: string, cures: string[], sections: string[] = []) {
  await print(`\n${strong(fold(escapeControls(what)))}`);
  for (const cure of cures) await print(`  ${escapeControls(cure)}`);
  for (const section of sections) await print(faint(fold(`  more in ${section}`)));
}
