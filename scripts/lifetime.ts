/**
 * Three ways in which a pipe ends, and one in which it does not.
 *
 * "A pipe lives as long as its processes", says the article
 * 《Python进程间通信之匿名管道》 (2024). The kernel counts who holds which end.
 *
 * In Python:
 *
 *     rpipe, wpipe = os.pipe()
 *     os.close(wpipe)
 *     print(os.read(rpipe, 1))   # b"": end of file, since nobody can write any more
 *     rpipe, wpipe = os.pipe()
 *     os.close(rpipe)
 *     os.write(wpipe, b"x")      # BrokenPipeError, since nobody can read any more
 *
 *     deno run --allow-run=cat,true,yes,sh scripts/lifetime.ts
 *
 * @module
 */
import { describeStatus, startChild } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { parseOptions } from "../lib/script/options.ts";
import { Failure, print } from "../lib/script/script.ts";
import { strong } from "../lib/script/terminal.ts";
import { within } from "../lib/within.ts";

async function theWriterCloses() {
  await using cat = startChild(new Deno.Command("cat", { stdin: "piped", stdout: "piped" }));
  const text = cat.stdout.text(); // Reads until end of file.
  const writer = cat.stdin.getWriter();
  await writer.write(new TextEncoder().encode("how are you"));
  await writer.close();
  expect(await text === "how are you", "all that was written comes before end of file");
  await print(`   cat read to the end of its stdin and ${describeStatus(await cat.status)};`);
  await print("   so its stdout closed as well, which is our end of file");
}

async function theReaderGoes() {
  await using deaf = startChild(new Deno.Command("true", { stdin: "piped" }));
  await deaf.status;
  // Two writes: Deno 2.5 reports a failed write only at the next one.
  const writing = ReadableStream.from([new Uint8Array(1), new Uint8Array(1)]).pipeTo(deaf.stdin);
  const error: unknown = await writing.catch((error) => error);
  expect(error instanceof Deno.errors.BrokenPipe, "writing to a child that has gone fails");
  await print(`   true reads nothing and exits: our write failed with ${error.name}`);
  // SIGPIPE ends a program that does not ignore it. Deno and Python ignore it: so our write failed.
  await using yes = startChild(new Deno.Command("yes", { stdin: "null", stdout: "piped" }));
  await yes.stdout.cancel();
  const { signal } = await yes.status;
  expect(signal === "SIGPIPE", "a writer without a reader is ended by SIGPIPE");
  await print(`   yes writes for ever: when we closed the read end it was ended by ${signal}`);
}

async function theChildExits() {
  const args = ["-c", "echo bye; exit 3"];
  await using child = startChild(new Deno.Command("sh", { args, stdout: "piped" }));
  const { code } = await child.status;
  expect(code === 3, "the status is the child's own");
  expect(await child.stdout.text() === "bye\n", "what a child wrote outlives it in the pipe");
  await print(
    `   sh wrote "bye" and exited with status ${code}: we still read it, then end of file`,
  );
}

async function aGrandchildHoldsThePipe() {
  // A shell gives a command in the background (&) an empty stdin. So this one copies its own stdin
  // to descriptor 3 (3<&0), from which cat gets it (<&3): our grandchild lives until we close that.
  const args = ["-c", 'exec 3<&0; cat <&3 & echo "$!"'];
  const command = new Deno.Command("sh", { args, stdin: "piped", stdout: "piped" });
  await using shell = startChild(command);
  const lines = new LineReader(shell.stdout);
  const grandchild = await lines.readLine();
  const end = lines.readLine();
  const how = describeStatus(await shell.status);
  expect(await within(0.2, end) === undefined, "end of file waits for cat"); // Nothing came.
  await print(`   sh ${how}, but cat, its child ${grandchild}, still holds the pipe`);
  await shell.stdin.close();
  expect(await end === null, "end of file comes when the grandchild has gone");
  await print("   when we closed its stdin the grandchild ended, and end of file came");
}

function expect(happened: boolean, what: string): asserts happened {
  if (!happened) throw new Failure(`expected that ${what}, but it did not happen`);
}

// That is all. What follows runs the four.
parseOptions({
  shows: `Three ways in which a pipe ends, and one in which it does not: the writer
closes, the reader goes, the child exits; a grandchild keeps the pipe of a child
that has gone.`,
  example: "lifetime.ts",
}, {});
await print(strong("1. The writer closes: the reader sees end of file"));
await theWriterCloses();
await print(strong("2. The reader goes: the writer gets a broken pipe"));
await theReaderGoes();
await print(strong("3. The child exits: end of file, and its status"));
await theChildExits();
await print(strong("4. The child has gone, a grandchild holds the pipe: no end of file yet"));
await aGrandchildHoldsThePipe();
