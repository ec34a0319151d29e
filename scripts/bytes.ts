/**
 * A one-way pipe, read as raw chunks of bytes.
 *
 * In Python, and in the first example of the article 《Python进程间通信之匿名管道》 (2024):
 *
 *     rpipe, wpipe = os.pipe()
 *     if os.fork() == 0:
 *         child(wpipe)
 *     os.close(wpipe)
 *     while chunk := os.read(rpipe, 32):
 *         print(chunk.decode())
 *
 * Deno has no fork: the child is a program of its own, hello.ts. Each chunk is shown in quotes,
 * with its size: a pipe knows no lines, so a chunk may be half a line, or three. (The Python shows
 * a blank line after each: the chunk ends with a newline of its own, and print() adds another.)
 *
 *     deno run --allow-run scripts/bytes.ts                  # a line each, since the child pauses
 *     deno run --allow-run scripts/bytes.ts --size 8         # parts of lines
 *     deno run --allow-run scripts/bytes.ts --interval 0     # several lines, or parts of them
 *
 * @module
 */
import { startChild } from "../lib/child.ts";
import { flag, parseOptions, seconds, text, wholeNumber } from "../lib/script/options.ts";
import { byteCount, Failure, mustSucceed, print } from "../lib/script/script.ts";

/** Runs hello.ts, and shows what comes out of it. Returns how many bytes that were. */
async function showChunks(childOptions: string[]): Promise<number> {
  const args = ["run", "--no-prompt", new URL("hello.ts", import.meta.url).href, ...childOptions];
  // "piped" is os.pipe(): the child holds the write end as its stdout, the parent the read end.
  const command = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped" });
  // As command.spawn(), but the child ends with this block, and with the script.
  await using child = startChild(command);
  await print(`hello from parent ${Deno.pid}, its child is ${child.pid}`);

  // A BYOB reader ("bring your own buffer") is os.read(): it waits until there are any bytes, and
  // takes what is there, at most as many as the buffer holds.
  const reader = child.stdout.getReader({ mode: "byob" });
  // One decoder for all chunks: if one ends inside a character, the decoder keeps that part, and
  // the character comes with the next chunk. (A last decode() would show a part that has no rest.)
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let received = 0;
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(size));
    // End of file: the child was the only holder of the write end, and it has gone.
    if (done) break;
    received += value.length;
    const chunk = decoder.decode(value, { stream: true });
    await print(isText ? chunk : `${byteCount(value.length)} ${JSON.stringify(chunk)}`);
  }
  // The loop ended because the pipe did. The child's exit status says whether all went well.
  mustSucceed("the child", await child.status);
  return received;
}

// That is all. What follows reads the command line, and checks that every byte came.
const { options: { count, interval, size, message, text: isText } } = parseOptions({
  shows: `A one-way pipe, read as raw chunks: a child writes a line every --interval
seconds; the parent prints each chunk as it comes, with its number of bytes.`,
  example: "bytes.ts --count 1 --size 4",
}, {
  count: wholeNumber(3, "how many lines; 0: until interrupted"),
  interval: seconds(1, "the time between two lines"),
  size: wholeNumber(32, "the most bytes that one read may return", 1),
  message: text("how are you", "the line"),
  text: flag("show the text alone, as the article does; newlines in it make blank lines"),
});
const received = await showChunks([
  `--count=${count}`,
  `--interval=${interval}`,
  `--message=${message}`,
]);
const sent = count * new TextEncoder().encode(`${message}\n`).length;
if (count > 0 && received !== sent) throw new Failure(`expected ${sent} bytes, got ${received}`);
