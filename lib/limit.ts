/**
 * What timeout(1) does with a command.
 *
 * @module
 */
import { ByteReader } from "./byte_reader.ts";
import { describeStatus, endChild } from "./child.ts";
import { Failure } from "./failure.ts";
import { writeBytes } from "./stdout.ts";
import { within } from "./within.ts";

/**
 * What timeout(1) does with a command that has been started `detached`: passes its output on, and
 * ends it, with all that it started, when it exits or its time is over. The script then exits as
 * the command did.
 *
 * @param timeout Seconds that the command may take.
 * @throws {Failure} With 124 if it has not exited in time, with 128+n if signal n ended it.
 */
export async function limitTime(
  child: Deno.ChildProcess,
  name: string,
  timeout: number,
): Promise<void> {
  const passing = (async () => {
    // To the child's exit: one that it left running may hold the pipe, and write for ever.
    const output = new ByteReader(child.stdout, { until: child.status });
    for await (const chunk of output) await writeBytes(chunk);
  })();
  const status = await within(timeout, child.status);
  // What the command left running ends with it, too.
  const end = await endChild(child);
  // Once it is late, do not wait for a program that does not read our stdout.
  await (status ? passing : within(1, passing));
  const how = `${name} ${describeStatus(end)}`;
  if (status === undefined) throw new Failure(`no exit within ${timeout} s: ${how}`, 124);
  if (end.signal !== null) throw new Failure(how, end.code);
  Deno.exitCode = end.code;
}
