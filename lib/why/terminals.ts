/**
 * Terminals: a program holds one end, and whoever shows it and types holds the other.
 *
 * @module
 */
import type { End } from "./pipes.ts";
import { field, nameOf, readText } from "./proc.ts";
import type { View } from "./snapshot.ts";

/** A terminal, and who holds its other end: `script` and its like, or what runs there. */
export function nameTerminal(view: View, pid: number, descriptor: number): string {
  const pathOf = ({ pid, descriptor }: End) => {
    const index = field(readText(`/proc/${pid}/fdinfo/${descriptor}`), "tty-index");
    return index === "" ? view.links.get(pid)?.get(descriptor) ?? "" : `/dev/pts/${index}`;
  };
  const path = pathOf({ pid, descriptor });
  const masters = [...view.holders].flatMap(([link, ends]) => link.endsWith("/ptmx") ? ends : []);
  const isMaster = masters.some((end) => end.pid === pid && end.descriptor === descriptor);
  const others = isMaster
    ? view.holders.get(path) ?? []
    : masters.filter((end) => pathOf(end) === path);
  const names = [...new Set(others.map((end) => end.pid))].filter((other) => other !== pid)
    .map(nameOf);
  return `the terminal ${path}${names.length > 0 ? ` (other end: ${names.join(", ")})` : ""}`;
}
