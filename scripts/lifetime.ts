/**
 * The four ends of a pipe's life.
 *
 * "A pipe lives as long as its processes", says the article. As in Python, the kernel counts who
 * holds which end. The reader gets end of file when nobody can write any more; a writer gets
 * SIGPIPE, or the error EPIPE, when nobody can read any more.
 *
 *     deno run --allow-run=cat,true,yes,sh scripts/lifetime.ts
 *
 * @module
 */
import { toText } from "@std/streams/to-text";
import { describeStatus, startChild } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { parseOptions } from "../lib/options.ts";
import { Failure, print, run } from "../lib/script.ts";
import { strong } from "../lib/terminal.ts";

const HELP = `Usage: lifetime.ts

The four ends of a pipe's life: the writer closes, the reader goes, the child
exits, and a grandchild keeps the pipe when the child has gone.

Options:
  -h, --help     show this text

Example:
  deno run --allow-run scripts/lifetime.ts`;

function expect(happened: boolean, what: string) {
  if (!happened) throw new Failure(`expected, and it did not happen: ${what}`);
}

await run("lifetime", async () => {
  parseOptions(HELP, {});

  await print(strong("1. The writer closes: the reader sees end of file"));
  const cat = startChild(
    new Deno.Command("cat", { stdin: "piped", stdout: "piped" }),
    "cat",
  );
  const text = toText(cat.stdout);
  const writer = cat.stdin.getWriter();
  await writer.write(new TextEncoder().encode("how are you"));
  await writer.close();
  expect(await text === "how are you", "all that was written comes before end of file");
  await print(`   cat read to the end of its stdin and ${describeStatus(await cat.status)};`);
  await print("   so its stdout ended as well, which is our end of file");

  await print(strong("2. The reader goes: the writer gets a broken pipe"));
  const deaf = startChild(new Deno.Command("true", { stdin: "piped" }), "true");
  await deaf.status;
  const error = await deaf.stdin.getWriter().write(new Uint8Array(1)).catch((error) => error);
  expect(error instanceof Deno.errors.BrokenPipe, "writing to a child that has gone fails");
  await print(`   true reads nothing and ends: our write failed with ${error.name}`);
  const yes = startChild(new Deno.Command("yes", { stdin: "null", stdout: "piped" }), "yes");
  await yes.stdout.cancel();
  const { signal } = await yes.status;
  expect(signal === "SIGPIPE", "a writer without a reader is ended by SIGPIPE");
  await print(`   yes writes for ever: when we closed the read end it was ended by ${signal}`);

  await print(strong("3. The child exits: its status arrives"));
  const child = startChild(new Deno.Command("sh", { args: ["-c", "exit 3"] }), "sh");
  const { code } = await child.status;
  expect(code === 3, "the status is the child's own");
  await print(`   sh -c "exit 3" exited with status ${code}`);

  await print(strong("4. The child has gone, a grandchild holds the pipe: no end of file yet"));
  // The grandchild lives until its stdin ends, so until we close it.
  const script = 'exec 3<&0; cat <&3 & echo "$!"';
  const parent = startChild(
    new Deno.Command("sh", { args: ["-c", script], stdin: "piped", stdout: "piped" }),
    "sh",
  );
  const lines = new LineReader(parent.stdout);
  const grandchild = await lines.readLine();
  let hasEnded = false;
  const end = lines.readLine().then((line) => {
    hasEnded = line === null;
  });
  const status = await parent.status;
  expect(!hasEnded, "the status arrives before end of file");
  await print(
    `   sh ${describeStatus(status)}, but cat, its child ${grandchild}, still holds the pipe`,
  );
  await parent.stdin.close();
  await end;
  expect(hasEnded, "end of file arrives when the grandchild has gone");
  await print("   when we closed its stdin the grandchild ended, and end of file came");
});
