/**
 * The child of bytes.ts and lines.ts: writes a line to its stdout every second.
 *
 * In Python, and as child(wpipe) in the article 《Python进程间通信之匿名管道》 (2024):
 *
 *     while True:
 *         os.write(wpipe, b"how are you\n")
 *         time.sleep(1)
 *
 * Its stdout is the write end of the pipe. The parent put it there, so the script knows nothing of
 * pipes, and needs no permission.
 *
 *     deno run scripts/hello.ts
 *
 * @module
 */
import { parseOptions, seconds, text, wholeNumber } from "../lib/script/options.ts";

const { options: { count, interval, message } } = parseOptions({
  shows: "The child of bytes.ts and lines.ts: writes a line every --interval seconds.",
  example: "hello.ts --count 2 --interval 0.1",
}, {
  count: wholeNumber(3, "how many lines; 0: until interrupted"),
  interval: seconds(1, "the time between two lines"),
  message: text("how are you", "the line"),
});

// stdout is the pipe to the parent, so the greeting goes to stderr, past it.
console.error(`hello from child ${Deno.pid}`);
const line = new TextEncoder().encode(`${message}\n`);
for (let sent = 0; count === 0 || sent < count; sent++) {
  if (sent > 0) await new Promise((resolve) => setTimeout(resolve, interval * 1000));
  // Nothing to flush: it is in the pipe at once; while that is full, we wait here. When nobody
  // reads any more, it throws BrokenPipe, which ends us. console.log() ignores that, and would go
  // on.
  Deno.stdout.writeSync(line);
}
