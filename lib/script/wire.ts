/**
 * Messages on their way through a pipe, as rows of a table.
 *
 * @module
 */
import { byteCount } from "./format.ts";
import { strong } from "./terminal.ts";

/**
 * A row that shows a message on its way: its size, of each part that goes through the pipe the
 * first four bytes in hexadecimal, as `68 6f 77`, and what came back.
 */
export function wireRow(name: string, size: number, parts: Uint8Array[], fate: string): string {
  const wire = parts.map(firstBytes).join("  ").padEnd(13 * parts.length);
  const count = byteCount(size).padStart(13);
  return `${strong(name.padEnd(14))}  ${count}  ${wire}  came back ${fate}`;
}

function firstBytes(bytes: Uint8Array): string {
  const hex = bytes.subarray(0, 4).toHex().replaceAll(/..(?=.)/g, "$& ");
  return bytes.length > 4 ? `${hex} …` : hex;
}
