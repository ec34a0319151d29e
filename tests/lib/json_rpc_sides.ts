/**
 * Connections of a JsonRpcPeer for its tests.
 *
 * @module
 */
import { JsonRpcPeer, type JsonRpcPeerOptions } from "../../lib/json_rpc.ts";
import { LineReader } from "../../lib/line_reader.ts";

const encoder = new TextEncoder();

/** A peer, and the other side as bare streams: what it is sent, and what it sends. */
export function connect(options: JsonRpcPeerOptions = {}) {
  const there = new TransformStream<Uint8Array, Uint8Array>();
  const back = new TransformStream<Uint8Array, Uint8Array>();
  const peer = new JsonRpcPeer({ readable: back.readable, writable: there.writable }, options);
  const received = new LineReader(there.readable);
  const writer = back.writable.getWriter();
  return {
    peer,
    /** The next message, in the framing "lines". */
    receive: async () => JSON.parse(await received.readLine() ?? "null"),
    received,
    /** Writes texts as they are. */
    write: (text: string) => writer.write(encoder.encode(text)),
    /** Writes messages, a line each. */
    send: (...messages: unknown[]) =>
      writer.write(
        encoder.encode(messages.map((message) => `${JSON.stringify(message)}\n`).join("")),
      ),
    writer,
    async [Symbol.asyncDispose]() {
      await writer.close().catch(() => {});
      await peer.closed.catch(() => {});
      const closed = peer.close();
      await received[Symbol.asyncDispose]().catch(() => {});
      await closed;
    },
  };
}

/** Two peers that are connected with each other. */
export function connectBoth(left: JsonRpcPeerOptions, right: JsonRpcPeerOptions) {
  const [there, back] = [new TransformStream(), new TransformStream()];
  const peers = [
    new JsonRpcPeer({ readable: back.readable, writable: there.writable }, left),
    new JsonRpcPeer({ readable: there.readable, writable: back.writable }, right),
  ] as const;
  const close = () => Promise.all(peers.flatMap((peer) => [peer.close(), peer.closed]));
  return [...peers, close] as const;
}

/** An answer, as it stands in a message. */
export function answer(id: unknown, result: unknown) {
  return { jsonrpc: "2.0", id, result };
}

/** A message with `Content-Length` before it. */
export function body(text: string, moreHeaders = ""): string {
  return `${moreHeaders}Content-Length: ${encoder.encode(text).length}\r\n\r\n${text}`;
}
