/**
 * Two pipes, and a dialogue over them with another program.
 *
 * In the article this is spawn(prog, *args): two os.pipe(), os.fork(), os.dup2() to put the pipes
 * in place of stdin and stdout, and os.execvp(). Deno.Command does all four. And where the article
 * turned the parent's own stdin and stdout into the pipes, here they stay what they were.
 *
 *     deno run -A scripts/duplex.ts
 *     deno run -A scripts/duplex.ts sed -u s/Hello/Goodbye/
 *
 * --allow-run is enough; for one program, --allow-run=sed.
 *
 * @module
 */
import { describeStatus, endChild, startChild, stdoutUntilExit } from "../lib/child.ts";
import { LineReader } from "../lib/line_reader.ts";
import { flag, parseOptions, seconds, wholeNumber } from "../lib/options.ts";
import { Failure, print, run } from "../lib/script.ts";
import { within } from "../lib/within.ts";

const HELP = `Usage: duplex.ts [OPTION…] [PROGRAM [ARG…]]

Two pipes, a dialogue with another program: sends it a line, waits for a line in
answer, prints it. Without PROGRAM the other program is pipetest.ts.

Options:
  --count N      how many lines to send; 0: until interrupted (default 2)
  --stdin        send the lines of stdin in place of greetings, all of them
                 unless --count says otherwise
  --timeout SECONDS
                 how long to wait for each answer, and for the end (default 10)
  --delay SECONDS
                 how long pipetest.ts pauses before it reads and answers (default 1)
  -h, --help     show this text

Example:
  deno run -A scripts/duplex.ts sed -u s/Hello/Goodbye/`;

async function* greetings() {
  for (let n = 1;; n++) yield `Hello ${n} from parent ${Deno.pid}`;
}

/** Says in one line that a stream cannot be read, or has a line that never ends. */
function reading<T>(source: string, read: Promise<T>): Promise<T> {
  const told = read.catch((error: Error) => {
    throw new Failure(`cannot read ${source}: ${error.message}`);
  });
  // It is met where it is awaited, which may be later than it happens.
  told.catch(() => {});
  return told;
}

/** What a silent child is told of: the part of a line that it said, and the usual cure. */
function noAnswer(name: string, message: number, timeout: number, part: string): Failure {
  const said = part === "" ? "" : `; it only began to: ${JSON.stringify(part.slice(0, 1000))}`;
  const hint = `does it buffer its output? Try stdbuf -oL ${name}, or python3 -u`;
  return new Failure(
    `no answer from ${name} to message ${message} within ${timeout} s${said}; ${hint}`,
    124,
  );
}

await run("duplex", async () => {
  const { options, operands } = parseOptions(HELP, {
    count: wholeNumber(undefined),
    stdin: flag(),
    timeout: seconds(10, 0.001),
    delay: seconds(undefined),
  }, Infinity);
  const { timeout } = options;
  const count = options.count ?? (options.stdin ? 0 : 2);
  const [name = "pipetest.ts"] = operands;
  const [program = Deno.execPath(), ...args] = operands;

  // 1. The program, and a pipe to each side of it.
  if (operands.length === 0) {
    const script = new URL("pipetest.ts", import.meta.url).href;
    args.push("run", "--no-prompt", script, `--count=${count}`, `--delay=${options.delay ?? 1}`);
    args.push("spam");
  } else if (options.delay !== undefined) {
    console.error(`duplex: --delay is for pipetest.ts; ${name} does not get it`);
  }
  const command = new Deno.Command(program, {
    args,
    stdin: "piped",
    stdout: "piped",
    // In a process group of its own, out of reach of Ctrl-C at the terminal: this script ends it.
    detached: true,
  });
  const child = startChild(command, name);
  const writer = child.stdin.getWriter();
  const reader = new LineReader(stdoutUntilExit(child));

  const readAnswer = () => reading(`the stdout of ${name}`, reader.readLine());
  const questions = options.stdin
    ? new LineReader(Deno.stdin.readable)[Symbol.asyncIterator]()
    : greetings();

  let unasked = 0;
  const reportUnasked = (line: string) => {
    unasked++;
    if (unasked <= 10) console.error(`duplex: ${name} said unasked: ${JSON.stringify(line)}`);
  };

  // 2. The dialogue: a line out, a line back.
  let sent = 0;
  let cutShort = "";
  const after = (message: number) => message > 0 ? `after message ${message}, ` : "";
  // An answer is waited for before its question goes out: a line that is there by then is none.
  let answer = readAnswer();
  while (count === 0 || sent < count) {
    const question = reading("stdin", questions.next());
    let first = await Promise.race([answer, question]);
    while (typeof first === "string") {
      reportUnasked(first);
      answer = readAnswer();
      first = await Promise.race([answer, question]);
    }
    if (first === null) {
      // The child has ended, which is in order if the questions have ended as well.
      const next = await within(0.2, question);
      if (next?.done !== true) cutShort ||= `${after(sent)}before message ${sent + 1} was sent`;
      break;
    }
    if (first.done === true) break;

    sent++;
    // Not awaited, for a child that does not read would keep us here. It may also have closed its
    // stdin, a broken pipe.
    const bytes = new TextEncoder().encode(`${first.value}\n`);
    writer.write(bytes).catch(() =>
      cutShort ||= `${after(sent - 1)}without reading message ${sent}`
    );
    const line = await within(timeout, answer);
    if (line === undefined) throw noAnswer(name, sent, timeout, reader.partialLine);
    if (line === null) {
      cutShort ||= `${after(sent - 1)}without answering message ${sent}`;
      break;
    }
    await print(`Parent got: "${line}"`);
    answer = readAnswer();
  }

  // 3. The end. End of file tells the child that the dialogue is over. What it still says was not
  // asked for.
  writer.close().catch(() => {});
  const grace = Math.min(0.5, timeout / 2);
  const deadline = performance.now() / 1000 + timeout - grace;
  const left = () => Math.max(0, deadline - performance.now() / 1000);
  for (let line; typeof (line = await within(left(), answer)) === "string"; answer = readAnswer()) {
    reportUnasked(line);
  }
  if (unasked > 10) console.error(`duplex: ${name} said ${unasked - 10} more lines unasked`);
  const status = await within(left(), child.status);
  if (status === undefined) {
    const end = describeStatus(await endChild(child, grace));
    throw new Failure(
      `${name} did not end within ${timeout} s of the end of its stdin${cutShort && ", "}` +
        `${cutShort}; sent SIGTERM, it ${end}`,
      124,
    );
  }

  // 4. Was it a dialogue?
  if (cutShort !== "") {
    throw new Failure(`${name} ${describeStatus(status)} ${cutShort}`, status.code || 1);
  }
  if (!status.success) throw new Failure(`${name} ${describeStatus(status)}`, status.code);
  if (unasked > 0) {
    throw new Failure(
      `${name} said ${unasked} ${unasked === 1 ? "line" : "lines"} unasked: an answer may stand ` +
        `with the wrong message`,
    );
  }
});
