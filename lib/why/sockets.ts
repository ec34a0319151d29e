/**
 * Sockets: those that are joined in pairs, as pipes are, and those of the network.
 *
 * @module
 */
import { attempt, readText } from "./proc.ts";

/** A socket that is one of a pair. */
export interface PairedSocket {
  /** The link of the other end. */
  peer: string;
  /** How many bytes wait at this one. */
  held: number;
}

/** The sockets that are joined in pairs, as ss of iproute2 tells; none where that is missing. */
export function readPairs(): Map<string, PairedSocket> {
  const command = new Deno.Command("ss", { args: ["-xnH"], stdin: "null", stderr: "null" });
  const output = attempt(() => command.outputSync().stdout) ?? new Uint8Array();
  const lines = new TextDecoder().decode(output).matchAll(
    /^\S+ +ESTAB +(\d+) +\d+ .* (\d+) +\S+ +(\d+) *$/gm,
  );
  return new Map(
    [...lines].map(([, held, own, peer]) =>
      [`socket:[${own}]`, { peer: `socket:[${peer}]`, held: Number(held) }] as const
    ),
  );
}

/** What a process waits for at each socket of its network, by its link. */
export function readNetwork(pid: number): Map<string, string> {
  const known = new Map<string, string>();
  const rows = (table: string) =>
    readText(`/proc/${pid}/net/${table}`).split("\n").map((row) => row.trim().split(/\s+/));
  for (const row of ["tcp", "tcp6"].flatMap(rows)) {
    const port = (address = "") => parseInt(address.split(":")[1] ?? "", 16);
    const isListening = row[3] === "0A";
    known.set(
      `socket:[${row[9]}]`,
      isListening
        ? `waits for a network connection to its port ${port(row[1])}`
        : `waits for the network: a connection to port ${port(row[2])}`,
    );
  }
  for (const row of rows("unix")) {
    const path = row.slice(7).join(" ");
    if (path !== "") known.set(`socket:[${row[6]}]`, `waits for a connection at ${path}`);
  }
  return known;
}
