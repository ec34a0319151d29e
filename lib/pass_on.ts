import { ByteReader } from "./byte_reader.ts";
import { writeBytes } from "./script.ts";

/** Copies a child's stdout to ours until the child has exited: all that it wrote is passed on, though
 * another process may hold the pipe and write for ever. */
export async function passOn({ stdout, status }: Deno.ChildProcess): Promise<void> {
  for await (const chunk of new ByteReader(stdout, { until: status })) await writeBytes(chunk);
}
