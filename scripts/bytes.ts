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
 * Deno has no fork: the child is a program of its own, hello.ts.
 *
 *     deno run --allow-run scripts/bytes.ts
 *
 * @module
 */
import { describeStatus, startChild } from "../lib/child.ts";
import { flag, parseOptions, seconds, text, wholeNumber } from "../lib/options.ts";
import { byteCount, Failure, print } from "../lib/script.ts";

const { options: { count, interval, size, message, chunks } } = parseOptions({
  shows: `A one-way pipe, read as raw chunks: a child writes a line every --interval
seconds; the parent prints each chunk as it comes. The blank lines are the
newlines that the chunks end with.`,
  example: "bytes.ts --chunks --count 1 --size 4",
}, {
  count: wholeNumber(3, "how many lines; 0: until interrupted"),
  interval: seconds(1, "the time between two lines"),
  size: wholeNumber(32, "the most bytes that one read may return", 1),
  message: text("how are you", "the line"),
  chunks: flag("show where each chunk begins and ends, and its number of bytes"),
});

const hello = new URL("hello.ts", import.meta.url).href;
const childOptions = [`--count=${count}`, `--interval=${interval}`, `--message=${message}`];
// "piped" is os.pipe(): the child holds the write end as its stdout, the parent the read end.
const command = new Deno.Command(Deno.execPath(), {
  args: ["run", "--no-prompt", hello, ...childOptions],
  stdin: "null",
  stdout: "piped",
});
await using child = startChild(command);
await print(`hello from parent ${Deno.pid} ${child.pid}`);

// A BYOB reader ("bring your own buffer") is os.read(): at most as many bytes as the buffer holds,
// as soon as there are any. A read returns what is there: half a line, or three.
const reader = child.stdout.getReader({ mode: "byob" });
// A chunk may end in the middle of a character: the decoder keeps the part that came until the rest
// follows.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
let received = 0;
for (;;) {
  const { done, value } = await reader.read(new Uint8Array(size));
  // End of file: the child was the only holder of the write end, and it has gone.
  if (done) break;
  received += value.length;
  const chunk = decoder.decode(value, { stream: true });
  // Decoded alone, a part of a character becomes "�".
  const alone = JSON.stringify(new TextDecoder().decode(value));
  await print(chunks ? `${byteCount(value.length)} ${alone}` : chunk);
}

const status = await child.status;
if (!status.success) throw new Failure(`the child ${describeStatus(status)}`, status.code);
const sent = count * new TextEncoder().encode(`${message}\n`).length;
if (count > 0 && received !== sent) throw new Failure(`expected ${sent} bytes, got ${received}`);
