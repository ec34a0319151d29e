// Answers each JSON-RPC request with its params: rpc_server.mjs lines|content-length
const isLines = process.argv[2] === "lines";
let rest = Buffer.alloc(0);
process.stdin.on("data", (chunk) => {
  rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
  let [answers, at] = ["", 0];
  for (;;) {
    const end = rest.indexOf(isLines ? "\n" : "\r\n\r\n", at);
    if (end === -1) break;
    const header = rest.toString("latin1", at, end);
    const start = isLines ? at : end + 4;
    const stop = isLines ? end : start + Number(/Content-Length: (\d+)/.exec(header)[1]);
    if (stop > rest.length) break;
    const { id, params } = JSON.parse(rest.toString("utf8", start, stop));
    const answer = JSON.stringify({ jsonrpc: "2.0", id, result: params });
    const length = isLines ? "" : `Content-Length: ${Buffer.byteLength(answer)}\r\n\r\n`;
    answers += length + answer + (isLines ? "\n" : "");
    at = isLines ? end + 1 : stop;
  }
  rest = rest.subarray(at);
  if (answers !== "") process.stdout.write(answers);
});
