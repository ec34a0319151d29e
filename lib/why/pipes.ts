/**
 * The pipes between processes: who holds which end, and how many bytes are in them. No FIFO is
 * opened, and an anonymous pipe whose bytes are counted is open for that moment only.
 *
 * @module
 */
import { attempt, statOf } from "./proc.ts";

/** An end of a pipe, as one process holds it. */
export interface End {
  /** The process. */
  pid: number;
  /** The number of the descriptor: 0 is stdin, 1 stdout, 2 stderr. */
  descriptor: number;
  /** Whether its parent has the same, and cannot read there: so it may not know of it. */
  isInherited?: boolean;
}

/** A pipe, a FIFO, or one direction of a terminal or of a pair of sockets, which Node.js uses in
 * place of a pipe. */
export interface Pipe {
  /** The path of the terminal, if it is one. */
  terminal?: string;
  /** The port that it leads to, if it is a connection of the network. */
  port?: number;
  /** Who can read from it. */
  readers: End[];
  /** Who can write to it. */
  writers: End[];
  /** How many bytes are in it; undefined if that cannot be seen. */
  held?: number | undefined;
  /** How many bytes it has room for; undefined if that cannot be seen. */
  capacity?: number | undefined;
}

/** Whether a path leads to a FIFO, or to a pipe. */
export function isFifo(path: string): boolean {
  return attempt(() => Deno.statSync(path))?.isFifo ?? false;
}

/** A pipe with these ends, which its link in `/proc` names. */
export function readPipe(holders: End[], link: string): Pipe {
  const pipe: Pipe = { readers: [], writers: [] };
  for (const end of holders) {
    const { mode } = attempt(() => Deno.lstatSync(`/proc/${end.pid}/fd/${end.descriptor}`)) ?? {};
    // The rights of the link are those of the descriptor.
    if ((mode ?? 0) & 0o400) pipe.readers.push(end);
    if ((mode ?? 0) & 0o200) pipe.writers.push(end);
  }
  // Found out when it is asked for: hundreds may hold an end that matters to nobody.
  pipe.writers = pipe.writers.map((end) => ({
    ...end,
    get isInherited() {
      return isInherited(end, link, pipe);
    },
  }));
  const [reader] = pipe.readers;
  // To open a FIFO would wake whoever waits for a reader.
  if (reader === undefined || !link.startsWith("pipe:")) return pipe;
  return { ...pipe, ...measure(`/proc/${reader.pid}/fd/${reader.descriptor}`) };
}

function isInherited({ pid, descriptor }: End, link: string, { readers }: Pipe): boolean {
  if (descriptor < 3) return false;
  const parent = Number(statOf(pid)[1]);
  const same = attempt(() => Deno.readLinkSync(`/proc/${parent}/fd/${descriptor}`));
  return same === link && !readers.some((end) => end.pid === parent);
}

/** The C library, while pipes are measured; undefined where it cannot be had. */
let libc: ReturnType<typeof openLibrary> | undefined;

/** Has pipes measured meanwhile: to load the C library for each would take most of the time. */
export function whileMeasuring<T>(act: () => T): T {
  libc = attempt(openLibrary);
  try {
    return act();
  } finally {
    libc?.close();
    libc = undefined;
  }
}

function openLibrary() {
  return Deno.dlopen("libc.so.6", {
    open: { parameters: ["buffer", "i32"], result: "i32" },
    ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
    fcntl: { parameters: ["i32", "i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  });
}

/** How many bytes are in a pipe, and how many it has room for; or of what is typed at a terminal.
 */
export function measure(path: string): Pick<Pipe, "held" | "capacity"> {
  // For reading, without waiting, not to be inherited, and no terminal of ours.
  const [FLAGS, FIONREAD, F_GETPIPE_SZ] = [0o2004400, 0x541b, 1032];
  if (libc === undefined) return {};
  const { open, ioctl, fcntl, close } = libc.symbols;
  const descriptor = open(new TextEncoder().encode(`${path}\0`), FLAGS);
  const held = new Int32Array(1);
  ioctl(descriptor, BigInt(FIONREAD), held);
  const capacity = fcntl(descriptor, F_GETPIPE_SZ);
  close(descriptor);
  return descriptor < 0 ? {} : { held: held[0], capacity };
}
