/**
 * A child that answers only when it exits, and three ways to make it answer at once.
 *
 * A program that writes to a pipe usually keeps its output back until some 4 KiB of it have come
 * together; at a terminal it writes every line. That is what sys.stdout.flush() in the article's
 * programs is for. From outside there is: the program's own switch; stdbuf, which changes the
 * C library's buffering; and a terminal in place of the pipe.
 *
 *     deno run --allow-run=sed,stdbuf,script scripts/buffering.ts
 *
 * @module
 */
import { startChild } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { parseOptions } from "../lib/options.ts";
import { Failure, print, run } from "../lib/script.ts";
import { strong } from "../lib/terminal.ts";
import { within } from "../lib/within.ts";

const HELP = `Usage: buffering.ts

Asks sed for an answer that does not come until its stdin closes, because sed
buffers its output; then gets it at once, in three ways. A way whose program is
not installed is skipped.

Options:
  -h, --help     show this text

Example:
  deno run --allow-run scripts/buffering.ts`;

const EDIT = "s/question/answer/";

const WAYS = [
  { name: "its own switch", command: ["sed", "-u", EDIT] },
  { name: "stdbuf", command: ["stdbuf", "-oL", "sed", EDIT] },
  {
    name: "a terminal",
    command: Deno.build.os === "linux"
      ? ["script", "-qec", `sed ${EDIT}`, "/dev/null"]
      : ["script", "-q", "/dev/null", "sed", EDIT],
  },
];

/** Sends a question, and returns what is needed to wait for the answer and to end the dialogue. */
async function ask([program = "", ...args]: string[]) {
  const command = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" });
  const child = startChild(command, program);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("question\n"));
  return { child, writer, answer: findAnswer(new LineReader(child.stdout)) };
}

async function findAnswer(lines: LineReader): Promise<boolean> {
  for await (const line of lines) {
    // A terminal echoes the question, so the answer need not be the first line.
    if (line === "answer") return true;
  }
  return false;
}

await run("buffering", async () => {
  parseOptions(HELP, {});

  const silent = ["sed", EDIT];
  await print(strong(silent.join(" ")));
  const { answer, child, writer } = await ask(silent);
  if (await within(1, answer) !== undefined) throw new Failure("this sed does not buffer");
  await print("  no answer within 1 s: it waits in a buffer of sed's");
  await writer.close();
  if (!await within(10, answer)) throw new Failure("no answer even when sed's stdin was closed");
  await child.status;
  await print("  the answer came when its stdin was closed, as sed ended");

  let worked = 0;
  for (const { name, command } of WAYS) {
    const words = command.map((word) => word.includes(" ") ? `'${word}'` : word);
    await print(`${strong(words.join(" "))}  (${name})`);
    try {
      const start = performance.now();
      const { answer, child, writer } = await ask(command);
      if (!await within(10, answer)) throw new Failure("  no answer within 10 s");
      await print(
        `  answered after ${Math.ceil(performance.now() - start)} ms, its stdin still open`,
      );
      worked++;
      await writer.close();
      if (!await within(10, child.status)) throw new Failure("  it does not end with its stdin");
    } catch (error) {
      if (!(error instanceof Failure) || error.exitCode !== 127) throw error;
      await print(`  skipped: ${error.message}`);
    }
  }
  if (worked === 0) throw new Failure("none of the three ways worked");
});
