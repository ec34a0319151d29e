/**
 * Terminals: programs hold one end, and whoever shows it and types holds the other. Both are
 * followed as two pipes: what is typed, and what is shown.
 *
 * @module
 */
import { type End, measure, type Pipe } from "./pipes.ts";
import { field, readText, statOf } from "./proc.ts";
import type { View } from "./snapshot.ts";

/** A terminal, as it is seen from one of its ends. */
export interface Terminal {
  /** Such as `/dev/pts/3`. */
  path: string;
  /** Whether this is the end of whoever shows it and types. */
  isKeyboard: boolean;
  /** What is typed there. */
  typed: Pipe;
  /** What is shown there. */
  shown: Pipe;
}

/** The terminal that a descriptor refers to; undefined if it refers to none. */
export function terminalAt(view: View, { pid, descriptor }: End): Terminal | undefined {
  const link = view.links.get(pid)?.get(descriptor) ?? "";
  if (!/^\/dev\/(tty|pts|ptmx|console|ttyS)/.test(link)) return;
  const path = pathOf(view, { pid, descriptor });
  const keyboards: End[] = [];
  const programs: End[] = [];
  for (const [link, ends] of view.holders) {
    if (link.endsWith("/ptmx")) keyboards.push(...ends.filter((end) => pathOf(view, end) === path));
    else if (link === path) programs.push(...ends);
    else if (link === "/dev/tty") {
      programs.push(...ends.filter((end) => pathOf(view, end) === path));
    }
  }
  const [program] = programs;
  const held = program && measure(`/proc/${program.pid}/fd/${program.descriptor}`).held;
  return {
    path,
    isKeyboard: link.endsWith("/ptmx"),
    typed: { readers: programs, writers: keyboards, terminal: path, held },
    shown: { readers: keyboards, writers: programs, terminal: path },
  };
}

function pathOf(view: View, { pid, descriptor }: End): string {
  const link = view.links.get(pid)?.get(descriptor) ?? "";
  if (link.endsWith("/ptmx")) {
    return `/dev/pts/${field(readText(`/proc/${pid}/fdinfo/${descriptor}`), "tty-index")}`;
  }
  if (link !== "/dev/tty") return link;
  // The terminal of its session: the numbers of its device, of which these are pseudo-terminals.
  const device = Number(statOf(pid)[4]);
  const [major, minor] = [device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xfff00];
  return major >= 136 && major <= 143 ? `/dev/pts/${(major - 136) * 256 + minor}` : link;
}
