/**
 * A time limit, and the end of a child with all that it started. A lesson, and a tool for your own
 * programs.
 *
 * In Python:
 *
 *     child = subprocess.Popen(["sh", "-c", "sleep 100 & wait"], start_new_session=True)
 *     try:
 *         child.wait(timeout=2)
 *     except subprocess.TimeoutExpired:
 *         os.killpg(child.pid, signal.SIGTERM)
 *
 * In Deno, with lib/within.ts and lib/child.ts:
 *
 *     const status = await within(2, child.status) ?? await endChild(child);
 *
 * Ending the child alone is not enough. What it started lives on and holds the pipe, so that the
 * reader waits for end of file as before. `detached: true` gives the child a process group of its
 * own (setsid), and a signal to the group reaches all of them.
 *
 *     deno run --allow-run scripts/timeout.ts
 *     deno run --allow-run scripts/timeout.ts --timeout 1 sleep 100
 *
 * @module
 */
import { describeStatus, endChild, startChild } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { parseOptions, seconds } from "../lib/script/options.ts";
import { Failure, print } from "../lib/script/script.ts";
import { strong } from "../lib/script/terminal.ts";
import { untilExit } from "../lib/until_exit.ts";
import { within } from "../lib/within.ts";

async function demonstrate() {
  // The child, sh, waits for a grandchild, sleep, which has inherited the pipe as its stdout.
  const args = ["-c", "sleep 1000 & echo $!; wait"];
  const pipes = { stdin: "null", stdout: "piped" } as const;
  await using child = startChild(new Deno.Command("sh", { args, ...pipes, detached: true }));
  await using lines = new LineReader(child.stdout);
  const grandchild = await lines.readLine();

  await print(strong("Ending the child alone:"));
  child.kill("SIGTERM");
  await print(`  the child ${describeStatus(await child.status)}`);
  const end = lines.readLine();
  const early = await within(timeout, end);
  if (early !== undefined) throw new Failure("end of file came, though the grandchild lives");
  await print(`  after ${timeout} s no end of file: its child ${grandchild} still holds the pipe`);

  await print(strong("Ending the whole group:"));
  Deno.kill(-child.pid, "SIGTERM"); // The group has the number of its leader; - says group.
  if (await within(10, end) !== null) throw new Failure("no end of file came");
  await print("  end of file comes at once: nobody is left who holds the pipe");
}

async function runWithLimit([program = "", ...args]: string[]) {
  // The command has our stdin, which spawn() hands on unless told otherwise.
  const command = new Deno.Command(program, { args, stdout: "piped", detached: true });
  await using child = startChild(command, { name: program, grace });
  // To the child's exit: what it left running may hold the pipe, and write for ever.
  const output = untilExit(child.stdout, child.status);
  // `true`, since within() has undefined for what is late.
  const passing = output.pipeTo(Deno.stdout.writable).then(() => true);
  const status = await within(timeout, child.status);
  // Also after an exit in time: what the command left running ends with it.
  const how = `${program} ${describeStatus(await endChild(child))}`;
  if (status === undefined) {
    // Past the time limit, whoever reads our stdout may not keep us waiting either.
    const lost = await within(1, passing) ? "" : "; what nobody has read of its output is lost";
    throw new Failure(`no exit within ${timeout} s; then ${how}${lost}`, 124);
  }
  await passing;
  if (status.signal !== null) throw new Failure(how, status.code);
  Deno.exitCode = status.code;
}

// That is all. What follows reads the command line.
const { options: { timeout, grace }, operands } = parseOptions({
  shows: `Without COMMAND: shows why ending the child alone is not enough.
With COMMAND: runs it with a time limit, as timeout(1) does. When the time is
over, ends the command and all that it started: SIGTERM first, SIGKILL after
--grace seconds; a process that has left the group (setsid) lives on, and its
output is not waited for. Then exits with 124; else with the command's own code,
and ends what it left running. COMMAND has no terminal of its own: it cannot ask
for a password there.`,
  operands: "[COMMAND [ARG…]]",
  maximumOperands: Infinity,
  example: "timeout.ts --timeout 1 cat < README.md",
}, {
  timeout: seconds(2, "how long the command may run", 0.1),
  grace: seconds(0.5, "how long it may take to clean up, from SIGTERM to SIGKILL"),
});
// To signal a whole group, Deno wants the permission to run anything.
const { state } = await Deno.permissions.request({ name: "run" });
if (state !== "granted") throw new Failure("cannot end a group; needs --allow-run without a list");
if (operands.length === 0) await demonstrate();
else await runWithLimit(operands);
