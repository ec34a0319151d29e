/**
 * How a pipe fills, for a person to see.
 *
 * @module
 */
import { byteCount } from "./format.ts";
import { print, write } from "./stdout.ts";
import { columns } from "./terminal.ts";

/**
 * Shows, once a page of 4 KiB, how much has been written: at a terminal as a bar that grows.
 *
 * @param written How many bytes in all.
 * @param step How many of them in the last write.
 */
export async function show(written: number, step: number): Promise<void> {
  if (written % 4096 >= step) return;
  if (!Deno.stdout.isTerminal()) return await print(`wrote ${byteCount(written)}`);
  const bar = "█".repeat(Math.min(32, Math.ceil(written / 4096)));
  const line = `wrote ${byteCount(written).padEnd(14)} ${bar}`;
  await write(`\r\x1b[K${line.slice(0, columns() - 1)}`);
  // The pipe is full long before an eye could see it fill.
  await new Promise((resolve) => setTimeout(resolve, 30));
}

/** Why a pipe holds as many bytes as it does, written `step` at a time. */
export function explain(held: number, step: number): string {
  if (held === 0) return `less than one write of ${byteCount(step)}: try a smaller --step`;
  if (Deno.build.os !== "linux") return `on Linux it is 65,536; this is ${Deno.build.os}`;
  if (held === 65_536) return "16 pages of 4 KiB; before Linux 2.6.11, a single page";
  if (step > 4096) return "in whole writes; a part of the one that blocks is in the pipe as well";
  return "16 pages of 4 KiB; a write that does not fit into a page begins another";
}
