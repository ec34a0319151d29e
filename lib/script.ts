/** A failure that is told to the user in one line, without a trace, and the exit code it ends with. */
export class Failure extends Error {
  /** An empty message is not told: the script ends without a word. */
  constructor(message: string, readonly exitCode = 1) {
    super(message);
  }
}

/** What ends a script from outside, with the numbers of signal(7). */
const SIGNALS = [["SIGHUP", 1], ["SIGINT", 2], ["SIGTERM", 15]] as const;

const cleanups: (() => Promise<unknown>)[] = [];

let stopping: Promise<never> | undefined;

/**
 * Has `cleanup` called when the script ends, whether by itself, by an error or by a signal. The
 * last that was handed over is called first.
 */
export function onEnd(cleanup: () => Promise<unknown>): void {
  cleanups.unshift(cleanup);
}

/**
 * Runs a script and ends the process with the number that `main` returns, 0 without one.
 *
 * SIGINT, SIGTERM and SIGHUP end it with 128 plus the signal's number, as shells count. In every
 * case what was handed to {@linkcode onEnd} is called first. A {@linkcode Failure} and an error of
 * the operating system are one line on stderr that begins with `name`; any other error is a
 * mistake in the script and keeps its trace.
 */
export async function run(name: string, main: () => Promise<number | void>): Promise<never> {
  for (const [signal, number] of SIGNALS) {
    Deno.addSignalListener(signal, () => void stop(name, 128 + number));
  }
  try {
    return await stop(name, await main() ?? 0);
  } catch (error) {
    // Ctrl-C reaches the script and its child alike, and may be heard of through the child first.
    await new Promise((resolve) => setTimeout(resolve, 50));
    // What fails because a signal is ending the script has nothing to say.
    if (stopping === undefined) report(name, error);
    return await stop(name, error instanceof Failure ? error.exitCode : 1);
  }
}

function stop(name: string, exitCode: number): Promise<never> {
  stopping ??= (async () => {
    for (const cleanup of cleanups) {
      try {
        await cleanup();
      } catch (error) {
        report(name, error);
        exitCode ||= 1;
      }
    }
    Deno.exit(exitCode);
  })();
  return stopping;
}

function report(name: string, error: unknown): void {
  if (isForeseen(error)) {
    if (error.message !== "") console.error(`${name}: ${error.message}`);
  } else {
    console.error(error);
  }
}

/** Whether a user, or another program, can have caused this: then its message is enough. */
function isForeseen(error: unknown): error is Error {
  return error instanceof Failure ||
    error instanceof Deno.errors.NotCapable ||
    // A line that never ends.
    error instanceof RangeError ||
    // An error of the operating system: only these have a code.
    (error instanceof Error && "code" in error && typeof error.code === "string");
}

/** Writes a line to stdout, as {@linkcode write} does. */
export async function print(line: string): Promise<void> {
  await write(`${line}\n`);
}

/**
 * Writes a text to stdout and waits until it is written.
 *
 * @throws {Failure} Without a message where the reader of stdout has gone, as in `| head -1`, so
 * that the script stops quietly, with the exit code of a program ended by SIGPIPE.
 */
export async function write(text: string): Promise<void> {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) throw new Failure("", 128 + 13);
    throw new Failure(`cannot write to stdout: ${String(error).replace(/^\w+: /, "")}`);
  }
}
