/**
 * What a server that speaks JSON-RPC is asked, to see whether it does.
 *
 * @module
 */

/** How messages are told apart: as {@linkcode JsonRpcPeer} and rpc.ts call it. */
export const FRAMINGS = ["lines", "content-length"] as const;

/** The first request of a language server and of an MCP server, whichever it is. */
export function rpcRequest(framing: typeof FRAMINGS[number]): Uint8Array {
  const request = JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: {
      processId: null,
      rootUri: null,
      protocolVersion: "2024-11-05",
      capabilities: {},
      clientInfo: { name: "why", version: "1" },
    },
  });
  const encoder = new TextEncoder();
  return encoder.encode(
    framing === "lines" ? `${request}\n` : `Content-Length: ${request.length}\r\n\r\n${request}`,
  );
}

/** What its answer looks like, in either framing. */
export const isRpcAnswer: RegExp =
  /"id"\s*:\s*1\b[^]*"(result|error)"|"(result|error)"[^]*"id"\s*:\s*1\b/;
