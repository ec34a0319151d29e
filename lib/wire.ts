/**
 * Messages on their way through a pipe, as rows of a table.
 *
 * @module
 */
import { byteCount } from "./format.ts";
import { strong } from "./terminal.ts";

/**
 * A row that shows a message on its way: its size, and of each part that goes through the pipe the
 * first eight bytes in hexadecimal, as `68 6f 77`.
 */
export function wireRow(name: string, size: number, parts: Uint8Array[], fate: string): string {
  const wire = parts.map(firstBytes).join("  ");
  const count = byteCount(size).padStart(13);
  return `${strong(name.padEnd(14))}  ${count}  ${wire.padEnd(38)}  came back ${fate}`;
}

function firstBytes(bytes: Uint8Array): string {
  const hex = bytes.subarray(0, 8).toHex().replaceAll(/..(?=.)/g, "$& ");
  return bytes.length > 8 ? `${hex} …` : hex;
}
