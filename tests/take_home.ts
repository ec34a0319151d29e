/**
 * The files to take home, for their test and its matrix.
 *
 * @module
 */
import { root } from "./process.ts";

/** Each file of `lib/`, how many lines it may have, and the others that it may need. */
export const FILES: [file: string, most: number, ...others: string[]][] = [
  ["byte_reader.ts", 450],
  ["child.ts", 520],
  ["dialogue.ts", 520],
  ["frames.ts", 260, "byte_reader.ts"],
  ["json_rpc.ts", 680, "byte_reader.ts", "frames.ts", "until_exit.ts"],
  ["line_reader.ts", 220],
  ["until_exit.ts", 80],
  ["within.ts", 30],
];

/** The files that a source imports, by what stands between its quotes. */
export function importsOf(source: string): string[] {
  return [...source.matchAll(/^(?:import|export|\}) .*?from "([^"]*)";$/gm)].map(([, name = ""]) =>
    name
  );
}

/** Copies files to take home into a folder, where nothing else is. */
export async function copyTo(folder: string, files: string[]): Promise<void> {
  for (const file of files) await Deno.copyFile(new URL(`lib/${file}`, root), `${folder}/${file}`);
}
