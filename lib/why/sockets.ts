/**
 * Sockets: those whose other end is on this machine, as that of a pipe is, and the others.
 *
 * @module
 */
import { attempt, readText } from "./proc.ts";

/** A socket whose other end is on this machine. */
export interface Connection {
  /** The link of the other end; of the socket that has not yet accepted it, if that is so. */
  peer: string;
  /** How many bytes wait at this one. */
  held: number;
  /** The port that it leads to, if it is one of the network. */
  port?: number;
}

/** The sockets whose other end is on this machine, by their links. */
export function readConnections(): Map<string, Connection> {
  return new Map([...readPairs(), ...readLocal()]);
}

/** Those of no network, as ss of iproute2 tells; none where that is missing. */
function readPairs(): [string, Connection][] {
  const command = new Deno.Command("ss", { args: ["-xnH"], stdin: "null", stderr: "null" });
  const output = attempt(() => command.outputSync().stdout) ?? new Uint8Array();
  const lines = new TextDecoder().decode(output).matchAll(
    /^\S+ +ESTAB +(\d+) +\d+ .* (\d+) +\S+ +(\d+) *$/gm,
  );
  return [...lines].map((
    [, held, own, peer],
  ) => [`socket:[${own}]`, { peer: `socket:[${peer}]`, held: Number(held) }]);
}

/** Those of the network that lead to this machine: each has a row, with the same two addresses. */
function readLocal(): [string, Connection][] {
  const rows = ["tcp", "tcp6"].flatMap((table) => rowsOf(`/proc/net/${table}`)).map((row) => {
    const [own = "", other = ""] = row.slice(1, 3).map((address) =>
      // An address of IPv4, as it is written in IPv6.
      address.replace(/^0{16}FFFF0000/, "")
    );
    const held = parseInt(row[4]?.split(":")[1] ?? "", 16);
    return { own, other, held, isListening: row[3] === "0A", link: `socket:[${row[9]}]` };
  });
  const byAddress = new Map(rows.map((row) => [`${row.own} ${row.other}`, row]));
  const byPort = new Map(
    rows.filter((row) => row.isListening).map((row) => [portOf(row.own), row]),
  );
  return rows.flatMap(({ own, other, held, isListening, link }) => {
    if (isListening) return [];
    const found = byAddress.get(`${other} ${own}`);
    const peer = found?.link === "socket:[0]" ? byPort.get(portOf(other)) : found;
    return peer ? [[link, { peer: peer.link, held, port: portOf(other) }]] : [];
  });
}

/** What a process waits for at each socket that leads elsewhere, by its link. */
export function readNetwork(pid: number): Map<string, string> {
  const known = new Map<string, string>();
  for (const row of ["tcp", "tcp6"].flatMap((table) => rowsOf(`/proc/${pid}/net/${table}`))) {
    const isListening = row[3] === "0A";
    known.set(
      `socket:[${row[9]}]`,
      isListening
        ? `waits for a network connection to its port ${portOf(row[1])}`
        : `waits for the network: a connection to port ${portOf(row[2])}`,
    );
  }
  for (const row of rowsOf(`/proc/${pid}/net/unix`)) {
    const path = row.slice(7).join(" ");
    if (path !== "") known.set(`socket:[${row[6]}]`, `waits for a connection at ${path}`);
  }
  return known;
}

function rowsOf(path: string): string[][] {
  return readText(path).split("\n").map((row) => row.trim().split(/\s+/));
}

/** The port of an address such as `0100007F:1F90`. */
function portOf(address = ""): number {
  return parseInt(address.split(":")[1] ?? "", 16);
}
