import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  ConnectionClosedError,
  FramingError,
  JsonRpcError,
  JsonRpcPeer,
  type JsonRpcPeerOptions,
} from "../../lib/json_rpc.ts";
import { untilExit } from "../../lib/until_exit.ts";
import { largestGap, processTest, runCommand, takeHome } from "../process.ts";
import { milliseconds } from "../streams.ts";
import { answer, body, connect, connectBoth } from "./json_rpc_sides.ts";

const encoder = new TextEncoder();
/** What a JsonRpcPeer needs. */
const FILES = ["json_rpc.ts", "frames.ts", "byte_reader.ts", "until_exit.ts"];

function error(id: unknown, code: number, message: string) {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

Deno.test("JsonRpcPeer that finds a pipe in use leaves the other one free", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  for (const stream of [readable, writable]) {
    const holder = stream instanceof ReadableStream ? stream.getReader() : stream.getWriter();
    assertThrows(() => new JsonRpcPeer({ readable, writable }), TypeError, "in use");
    holder.releaseLock();
  }
  const peer = new JsonRpcPeer({ readable, writable }, { methods: { m: () => "here" } });
  assertEquals(await peer.request("m"), "here");
  await peer.close();
  await peer.closed;
});

Deno.test("JsonRpcPeer pairs answers by their ids, in whatever order they come", async () => {
  await using other = connect();
  const requests = Array.from({ length: 1000 }, (_, n) => other.peer.request("n", [n]));
  const asked = [];
  for (const _ of requests) asked.push(await other.receive());
  assertEquals(asked[7], { jsonrpc: "2.0", id: 8, method: "n", params: [7] });
  await other.send(...asked.map(({ id, params }) => answer(id, params[0] * 2)).reverse());
  assertEquals(await Promise.all(requests), requests.map((_, n) => n * 2));
});

Deno.test("JsonRpcPeer reads messages that come byte for byte, in one chunk, with CRLF and blank lines", async () => {
  const texts = ["\u2028 é 😀 \\n \r\n", "", "\ufeff"];
  const lines = texts.map((text, n) => JSON.stringify(answer(n + 1, text)));
  const stream = `\ufeff${lines[0]}\r\n\n  \r\n${lines[1]}\n${lines[2]}`;
  const headed = (line: string) =>
    `Content-Type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-length:${
      encoder.encode(line).length
    }\r\n\r\n${line}`;
  const streams = {
    lines: stream,
    nul: stream.replaceAll("\n", "\0"),
    "content-length": lines.map((line) => headed(line)).join("\r\n"),
  };
  for (const framing of ["lines", "nul", "content-length"] as const) {
    const bytes = encoder.encode(streams[framing]);
    for (const size of [1, 7, bytes.length]) {
      await using other = connect({ framing });
      const requests = texts.map(() => other.peer.request("text"));
      for (let at = 0; at < bytes.length; at += size) {
        await other.writer.write(bytes.slice(at, at + size));
      }
      await other.writer.close();
      assertEquals(await Promise.all(requests), texts);
    }
  }
});

Deno.test("JsonRpcPeer counts a body in bytes", async () => {
  await using other = connect({ framing: "content-length" });
  const notified = other.peer.notify("é😀", ["\u2028"]);
  const text = '{"jsonrpc":"2.0","method":"é😀","params":["\u2028"]}';
  const size = encoder.encode(text).length;
  assertEquals(await other.received.readLine(), `Content-Length: ${size}`);
  assertEquals(await other.received.readLine(), "");
  await Promise.all([notified, other.peer.close()]);
  assertEquals(await other.received.readLine(), text);
});

Deno.test("JsonRpcPeer hands on log lines, unknown ids and second answers as noise", async () => {
  const noise: string[] = [];
  await using other = connect({ onNoise: (text) => noise.push(text) });
  const asked = other.peer.request("a");
  const lines = [
    "ready",
    '{"level":"info","id":1}',
    '"text"',
    "Content-Length is a header",
    "42",
    "[1,2,3]",
    "[]",
    '["jsonrpc",null]',
    JSON.stringify(answer("1", "a string")),
    JSON.stringify(answer(null, "null")),
    JSON.stringify(answer(7, "never asked")),
    JSON.stringify(error(null, -32700, "Parse error")),
  ];
  await other.write(`${lines.join("\n")}\n`);
  await other.send(answer(1, "once"), answer(1, "twice"));
  assertEquals(await asked, "once");
  await other.writer.close();
  await other.peer.closed;
  assertEquals(noise, [...lines, JSON.stringify(answer(1, "twice"))]);
});

Deno.test("JsonRpcPeer takes a header for a log line once it has met a message", async () => {
  const noise: string[] = [];
  await using other = connect({ onNoise: (text) => noise.push(text) });
  const [first, second] = [other.peer.request("a"), other.peer.request("b")];
  await other.send(answer(1, 1));
  await other.write("Content-Length: 12\n");
  await other.send(answer(2, 2));
  assertEquals([await first, await second, noise], [1, 2, ["Content-Length: 12"]]);
});

Deno.test("JsonRpcPeer drops the answer to a request that was given up", async () => {
  const noise: string[] = [];
  await using other = connect({ onNoise: (text) => noise.push(text) });
  const controller = new AbortController();
  const asked = other.peer.request("slow", undefined, { signal: controller.signal });
  await other.receive();
  controller.abort(new Error("given up"));
  await assertRejects(() => asked, Error, "given up");
  const next = other.peer.request("next");
  // Nothing was sent for it.
  assertEquals((await other.receive()).method, "next");
  await other.send(answer(1, "late"), answer(2, "next"));
  assertEquals([await next, noise], ["next", []]);
  const signal = AbortSignal.abort(new Error("too late"));
  await assertRejects(() => other.peer.request("never", [], { signal }), Error, "too late");
  const last = other.peer.request("last");
  assertEquals((await other.receive()).method, "last");
  await other.send(answer(4, "last"));
  assertEquals(await last, "last");
});

Deno.test("JsonRpcPeer tells the id of a request, with which it can be cancelled", async () => {
  const running = new Map<unknown, (error: Error) => void>();
  const [left, , close] = connectBoth({}, {
    methods: {
      slow: (_params, _signal, id) => new Promise((_resolve, reject) => running.set(id, reject)),
    },
    onNotification(method, params) {
      if (method === "told") return;
      const id = params instanceof Object && "id" in params ? params.id : undefined;
      running.get(id)?.(new JsonRpcError("cancelled", -32800));
    },
  });
  const ids: number[] = [];
  const onSent = (id: number) => void ids.push(id);
  const asked = [1, 2, 3].map(() => left.request("slow", {}, { onSent }));
  await left.notify("told"); // Both have been sent by then.
  await left.notify("$/cancelRequest", { id: ids[1] });
  await assertRejects(() => asked[1] ?? Promise.resolve(), JsonRpcError, "cancelled");
  assertEquals([...running.keys()], ids);
  await close();
  const results = await Promise.allSettled(asked);
  assertEquals(results.filter(({ status }) => status === "rejected").length, 3);
});

for (const framing of ["lines", "content-length"] as const) {
  Deno.test(`JsonRpcPeer shows the beginning of a message: ${framing}`, async () => {
    await using other = connect({ framing });
    const whole = (text: string) =>
      framing === "lines" ? `${text}\n` : `Content-Length: ${text.length}\r\n\r\n${text}`;
    const [first, second] = [JSON.stringify(answer(1, "one")), JSON.stringify(answer(2, "two"))];
    const asked = [other.peer.request("m"), other.peer.request("m")];
    await other.write(whole(first) + whole(second).slice(0, -7));
    assertEquals(await asked[0], "one");
    const partial = whole(second).slice(0, -7).split("\n").at(-1);
    assertEquals(other.peer.partialMessage.split("\n").at(-1), partial);
    await other.write(whole(second).slice(-7));
    assertEquals(await asked[1], "two");
    assertEquals(other.peer.partialMessage, "");
  });
}

Deno.test("JsonRpcPeer rejects with the error that a request was answered with", async () => {
  await using other = connect();
  const asked = ["a", "b", "c", "d", "e", "f"].map((method) => other.peer.request(method));
  await other.send(
    { jsonrpc: "2.0", id: 1, error: { code: -32601, message: "no", data: [1] } },
    { jsonrpc: "2.0", id: 2, error: "words" },
    // As JSON-RPC 1.0 has it.
    { id: 3, result: 3, error: null },
    { jsonrpc: "2.0", id: 4, error: {} },
    { jsonrpc: "2.0", id: 5 },
    { jsonrpc: "2.0", id: 6, error: { code: "ENOENT", message: "no file" } },
  );
  const failures = await Promise.allSettled(asked);
  const [a, b, c, d, e, f] = failures.map((it) => it.status === "rejected" ? it.reason : it.value);
  assert(a instanceof JsonRpcError && b instanceof JsonRpcError && d instanceof JsonRpcError);
  assertEquals([a.message, a.code, a.data], ["no", -32601, [1]]);
  assertEquals([b.message, b.code, c, d.code, e], ['"words"', -32603, 3, -32603, undefined]);
  assert(f instanceof JsonRpcError);
  assertEquals([f.message, f.code], ["no file", -32603]);
});

Deno.test("JsonRpcPeer refuses params that cannot be sent, and no other request", async () => {
  await using other = connect();
  const circular: unknown[] = [];
  circular.push(circular);
  for (const params of [[1n], circular, 1, "text", null, Symbol("a"), () => 1]) {
    await assertRejects(() => other.peer.request("m", params), TypeError);
    await assertRejects(() => other.peer.notify("m", params), TypeError);
  }
  const asked = other.peer.request("m", { at: "last" });
  const { id, params } = await other.receive();
  assertEquals(params, { at: "last" });
  await other.send(answer(id, "yes"));
  assertEquals(await asked, "yes");
});

Deno.test("JsonRpcPeer answers what the other side requests", async () => {
  const notified: unknown[] = [];
  await using other = connect({
    methods: {
      echo: (params) => params,
      nothing: () => {},
      later: () => Promise.resolve("later"),
      fails: () => {
        throw new Error("cannot");
      },
      ownCode: () => Promise.reject(new JsonRpcError("own", 7, { more: true })),
      big: () => 1n,
    },
    onNotification: (method, params) => notified.push([method, params]),
  });
  const ask = async (id: unknown, method: unknown, params?: unknown) => {
    await other.send({ jsonrpc: "2.0", id, method, params });
    return await other.receive();
  };
  assertEquals(await ask(1, "echo", ["\u2028"]), answer(1, ["\u2028"]));
  assertEquals(await ask("one", "echo", { a: 1 }), answer("one", { a: 1 }));
  assertEquals(await ask(null, "nothing"), answer(null, null));
  assertEquals(await ask(1.5, "later"), answer(1.5, "later"));
  assertEquals(await ask(2, "fails"), error(2, -32603, "cannot"));
  assertEquals((await ask(3, "ownCode")).error, { code: 7, message: "own", data: { more: true } });
  assertMatch((await ask(4, "big")).error.message, /BigInt/);
  for (const method of ["unknown", "toString", "__proto__"]) {
    assertEquals(await ask(5, method), error(5, -32601, `Method not found: ${method}`));
  }
  const invalid = "Invalid Request";
  assertEquals(await ask(6, 1), error(6, -32600, invalid));
  assertEquals(await ask(6, "echo", "text"), error(6, -32600, invalid));
  assertEquals(await ask({}, "echo"), error(null, -32600, invalid));
  await other.write('{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]\n');
  assertEquals((await other.receive()).error.code, -32700);
  await other.send({ jsonrpc: "2.0", method: "echo", params: [1] }, {
    jsonrpc: "2.0",
    method: "x",
  });
  assertEquals(await ask(8, "echo", []), answer(8, []));
  assertEquals(notified, [["echo", [1]], ["x", undefined]]);
});

Deno.test("JsonRpcPeer takes params of null for none, and refuses what is no structure", async () => {
  const notified: unknown[] = [];
  await using other = connect({
    methods: { echo: (params) => [params === undefined] },
    onNotification: (_, params) => notified.push(params),
  });
  await other.send({ jsonrpc: "2.0", method: "n", params: null });
  await other.send({ jsonrpc: "2.0", id: 1, method: "echo", params: null });
  assertEquals(await other.receive(), answer(1, [true]));
  assertEquals(notified, [undefined]);
  await other.send({ jsonrpc: "2.0", id: 2, method: "echo", params: 3 });
  assertEquals(await other.receive(), error(2, -32600, "Invalid Request"));
});

Deno.test("JsonRpcPeer takes messages without a version for what they are", async () => {
  const [noise, notified]: unknown[][] = [[], []];
  await using other = connect({
    methods: { echo: (params) => params },
    onNotification: (method, params) => notified?.push([method, params]),
    onNoise: (text) => noise?.push(text),
  });
  await other.send({ method: "n", params: [1] }, { id: "a", method: "echo", params: [2] });
  assertEquals(await other.receive(), answer("a", [2]));
  // More than a message has: a log line. An id of null: whoever writes that may be no peer.
  const logs = [{ method: "GET", id: 7, path: "/" }, { id: null, method: "echo" }];
  await other.send(...logs, { id: "b", method: "echo", params: [3] });
  assertEquals(await other.receive(), answer("b", [3]));
  assertEquals([notified, noise], [[["n", [1]]], logs.map((log) => JSON.stringify(log))]);
});

Deno.test("JsonRpcPeer answers a request with its id as it was written", async () => {
  await using other = connect({ methods: { echo: (_params, _signal, id) => typeof id } });
  for (const id of ["9007199254740993", "-9007199254740993", "1e400", "1.5", "12", '"1e400"']) {
    await other.write(`{"jsonrpc":"2.0","params":{"id":1},"id":${id},"method":"echo"}\n`);
    const type = id.startsWith('"') ? "string" : "number";
    const result = `"result":"${type}"`;
    assertEquals(await other.received.readLine(), `{"jsonrpc":"2.0","id":${id},${result}}`);
  }
  await other.write('[{"jsonrpc":"2.0","id":9007199254740993,"method":"none"}]\n');
  assertStringIncludes(await other.received.readLine() ?? "", '"id":9007199254740993,"error"');
});

Deno.test("JsonRpcPeer asks onRequest what its methods do not list", async () => {
  const onRequest = (method: string, params: unknown, signal: AbortSignal, id: unknown) => {
    if (method === "none") throw new JsonRpcError("no such thing", 7);
    return Promise.resolve([method, params, signal.aborted, id]);
  };
  await using other = connect({ methods: { one: () => 1 }, onRequest });
  const call = (id: number, method: string) => ({ jsonrpc: "2.0", id, method, params: [] });
  await other.send(call(1, "one"), call(2, "none"), call(3, "toString"));
  assertEquals(await other.receive(), answer(1, 1));
  assertEquals(await other.receive(), error(2, 7, "no such thing"));
  assertEquals(await other.receive(), answer(3, ["toString", [], false, 3]));
});

Deno.test("JsonRpcPeer waits for the next notification", async () => {
  const seen: string[] = [];
  await using other = connect({ onNotification: (method) => seen.push(method) });
  const note = (method: string, params?: unknown) => ({ jsonrpc: "2.0", method, params });
  await other.send(note("passed", [0]));
  while (seen.length === 0) await null;
  const [late, both] = [other.peer.notification("passed"), other.peer.notification("both")];
  const [again, never] = [other.peer.notification("both"), other.peer.notification("never")];
  const controller = new AbortController();
  const { signal } = controller;
  const givenUp = other.peer.notification("passed", { signal });
  controller.abort(new Error("given up"));
  await assertRejects(() => givenUp, Error, "given up");
  await assertRejects(() => other.peer.notification("both", { signal }), Error, "given up");
  await other.send(note("both", [1]), note("passed", [2]), note("both", [3]));
  assertEquals(await Promise.all([late, both, again]), [[2], [1], [1]]);
  await other.writer.close();
  await assertRejects(() => never, ConnectionClosedError, "never has not come: the other side");
  await assertRejects(() => other.peer.notification("late"), ConnectionClosedError, "late has not");
  assertEquals(seen, ["passed", "both", "passed", "both"]);
});

Deno.test("JsonRpcPeer translates a dialect both ways, and frames each way by itself", async () => {
  interface Seen {
    seq: number;
    type: string;
    [key: string]: unknown;
  }
  const noise: string[] = [];
  await using other = connect({
    framing: { read: "content-length", write: "lines" },
    translate: {
      read({ seq, type, command, event, arguments: params, request_seq: id, body }: Seen) {
        if (type === "request") return { id: seq, method: command, params };
        if (type === "event") return { method: event, params: body };
        return type === "response" ? { id, result: body } : undefined;
      },
      write: (message) => ({ ...message, jsonrpc: undefined, dialect: true }),
    },
    methods: { double: (params) => Number(Array.isArray(params) && params[0]) * 2 },
    onNoise: (text) => noise.push(text),
  });
  const asked = other.peer.request("ask", [1]);
  const event = other.peer.notification("happened");
  assertEquals(await other.receive(), { id: 1, method: "ask", params: [1], dialect: true });
  const messages = [
    { seq: 1, type: "event", event: "happened", body: { n: 1 } },
    { seq: 2, type: "other" },
    { seq: 3, type: "request", command: "double", arguments: [4] },
    { seq: 4, type: "response", request_seq: 1, body: "answered" },
  ];
  await other.write(messages.map((message) => body(JSON.stringify(message))).join(""));
  assertEquals([await event, await asked], [{ n: 1 }, "answered"]);
  assertEquals(await other.receive(), { id: 3, result: 8, dialect: true });
  assertEquals(noise, ['{"seq":2,"type":"other"}']);
});

Deno.test("JsonRpcPeer says a few times that what claims to be a message is none", async () => {
  const noise: string[] = [];
  await using other = connect({ onNoise: (text) => noise.push(text) });
  await other.send(...Array(1000).fill({ jsonrpc: "2.0", method: 1 }));
  await other.write('{"jsonrpc": "2.0", "method: \n'.repeat(1000));
  // A request is answered however often, and what does not claim it never.
  await other.send({ seq: 1, type: "event" }, { method: 1 }, [1, { a: 1 }], "x");
  await other.send({ jsonrpc: "2.0", id: 5, method: 1 }, { jsonrpc: "2.0", id: 6, method: "no" });
  for (let n = 0; n < 10; n++) assertEquals((await other.receive()).id, null);
  assertEquals([(await other.receive()).id, (await other.receive()).id], [5, 6]);
  assertEquals(noise.length, 2005);
});

Deno.test("JsonRpcPeer says what it was sent instead of the first message with a length", async () => {
  const cases = [
    [
      '{"seq":0,"type":"event","event":"typingsInstallerPid"}',
      /no message of JSON-RPC, but with seq and type, as a debug adapter's or tsserver's$/,
    ],
    ["no JSON", /"no JSON" has come: no message of JSON-RPC$/],
    ["42", /"42" has come/],
    ["[1,2]", /"\[1,2\]" has come/],
  ] as const;
  for (const [text, expected] of cases) {
    await using other = connect({ framing: "content-length" });
    const asked = other.peer.request("a");
    await other.write(body(text));
    assertMatch((await assertRejects(() => asked, FramingError)).message, expected);
  }
  // Later it is noise.
  const noise: string[] = [];
  await using other = connect({ framing: "content-length", onNoise: (text) => noise.push(text) });
  const asked = other.peer.request("a");
  await other.write(body(JSON.stringify(answer(1, 1))) + body('{"seq":1,"type":"event"}'));
  assertEquals(await asked, 1);
  await other.writer.close();
  await other.peer.closed;
  assertEquals(noise, ['{"seq":1,"type":"event"}']);
});

Deno.test("JsonRpcPeer answers a batch with one message", async () => {
  const notified: string[] = [];
  await using other = connect({
    methods: { one: () => 1, two: () => Promise.resolve(2) },
    onNotification: (method) => notified.push(method),
  });
  const call = (method: string, id?: number) => ({ jsonrpc: "2.0", method, id });
  await other.send([call("two", 2), call("note"), 1, call("one", 1), call("none", 3)]);
  const answers: { id: number; result: unknown }[] = await other.receive();
  assertEquals(answers.length, 4);
  assertEquals(answers.find(({ id }) => id === 1)?.result, 1);
  assertEquals(answers.find(({ id }) => id === 2)?.result, 2);
  await other.send([call("note"), call("note")]);
  await other.send([], [1, 2], [{ a: 1 }]); // No messages.
  await other.send([1, call("one", 4)]);
  assertEquals((await other.receive()).length, 2);
  assertEquals(notified, ["note", "note", "note"]);
  // A server may answer several requests with one message.
  const asked = [other.peer.request("a"), other.peer.request("b")];
  await other.send([answer(2, "b"), answer(1, "a")]);
  assertEquals(await Promise.all(asked), ["a", "b"]);
});

Deno.test("JsonRpcPeer reads whatever stands in a header, in any order and case, in linear time", async () => {
  const header = "content-type: application/vscode-jsonrpc; charset=utf8\r\nX-Mine: 1\r\n";
  let count = 0;
  await using other = connect({ framing: "content-length", onNotification: () => count++ });
  const text = JSON.stringify({ jsonrpc: "2.0", method: "n" });
  const after = `CONTENT-LENGTH: ${text.length}\r\nContent-Type: x\r\n\r\n${text}`;
  await other.write(body(text, header) + after);
  const start = milliseconds();
  await other.write((body(text, header) + after).repeat(5000));
  while (count < 10_002) await new Promise((resolve) => setTimeout(resolve));
  const took = milliseconds() - start;
  assert(took < 1000, `${took} ms`);
});

Deno.test("JsonRpcPeer takes a banner before the first header for noise", async () => {
  const noise: string[] = [];
  await using other = connect({ framing: "content-length", onNoise: (text) => noise.push(text) });
  const asked = other.peer.request("a");
  await other.write("Welcome: to the shell\r\n\nStarting clangd\n");
  await other.write(body(JSON.stringify(answer(1, "here"))));
  assertEquals(await asked, "here");
  assertEquals(noise, ["Welcome: to the shell", "Starting clangd"]);
});

Deno.test("JsonRpcPeer rejects every open request when the other side closes, after its answers", async () => {
  const aborted = Promise.withResolvers<unknown>();
  await using other = connect({
    methods: {
      wait: (_, signal) =>
        new Promise((resolve) =>
          signal.addEventListener(
            "abort",
            () => (aborted.resolve(signal.reason), resolve("stopped")),
          )
        ),
    },
  });
  const { peer } = other;
  const [first, second, third] = [peer.request("a"), peer.request("b"), peer.request("c")];
  await other.send({ jsonrpc: "2.0", id: 1, method: "wait" }, answer(1, "a"));
  await other.writer.close();
  assertEquals(await first, "a");
  await assertRejects(() => second, ConnectionClosedError, "b was not answered");
  await assertRejects(() => third, ConnectionClosedError, "closed the connection");
  await other.peer.closed;
  assert(await aborted.promise instanceof ConnectionClosedError);
  await assertRejects(
    () => other.peer.request("late"),
    ConnectionClosedError,
    "late cannot be sent",
  );
});

Deno.test("JsonRpcPeer closes its end after what was sent, once, and still gets the answers", async () => {
  await using other = connect();
  const asked = other.peer.request("a");
  const closings = [other.peer.close(), other.peer.close()];
  await assertRejects(() => other.peer.request("b"), ConnectionClosedError, "this side has closed");
  await assertRejects(() => other.peer.notify("b"), ConnectionClosedError);
  assertEquals((await other.receive()).method, "a");
  assertEquals(await other.receive(), null);
  await Promise.all(closings);
  await other.send(answer(1, "a"));
  assertEquals(await asked, "a");
});

Deno.test("JsonRpcPeer tells of the wrong framing at once", async () => {
  const cases = [
    ["lines", "Content-Length: 12\r\n\r\n{", /the framing is "content-length"/],
    ["content-length", '{"jsonrpc":"2.0"}\n', /"\{.* has come: the framing is "lines"/],
    ["content-length", "Content-Type: x\r\n\r\n", /"Content-Type: x" stands where a header/],
    ["content-length", "Content-Length: abc\r\n\r\n", /"Content-Length: abc" stands where/],
    // Counted in characters: the end of the body stands where a header belongs.
    [
      "content-length",
      'Content-Length: 17\r\n\r\n{"id":1,"a":"éé"}',
      /has come: no message of JSON-RPC/,
    ],
    ["content-length", "x".repeat(70_000), /xxx/],
    ["content-length", `Content-${"x".repeat(70_000)}`, /"Content-xxx/],
    ["content-length", "Content-Length: 999999999999\r\n\r\n", /999999999999 bytes is over/],
  ] as const;
  for (const [framing, text, expected] of cases) {
    await using other = connect({ framing });
    const asked = [other.peer.request("a"), other.peer.request("b")];
    await other.write(text).catch(() => {});
    await other.peer.closed.catch(() => {});
    const late = [other.peer.request("c"), other.peer.notify("d")];
    const failures = await Promise.allSettled([...asked, ...late, other.peer.closed]);
    for (const failure of failures) {
      assert(failure.status === "rejected" && failure.reason instanceof FramingError, text);
      assertMatch(failure.reason.message, expected);
    }
  }
});

Deno.test("JsonRpcPeer bounds a message", async () => {
  await using lines = connect({ maxLength: 100 });
  const asked = lines.peer.request("a");
  await lines.write("x".repeat(101)).catch(() => {});
  await assertRejects(() => asked, FramingError, "longer than 100");
  await using bodies = connect({ maxLength: 100, framing: "content-length" });
  const bounded = bodies.peer.request("a");
  const [fits, tooLong] = [100, 101].map((size) => {
    const text = JSON.stringify({ jsonrpc: "2.0", method: "" });
    const body = text.replace('""', JSON.stringify("n".repeat(size - text.length)));
    return `Content-Length: ${size}\r\n\r\n${body}`;
  });
  await bodies.write(`${fits}${fits}${tooLong}`).catch(() => {});
  await assertRejects(() => bounded, FramingError, "101 bytes is over");
});

Deno.test("JsonRpcPeer hands on what the other side said before it closed inside a message", async () => {
  const noise: string[] = [];
  await using other = connect({ framing: "content-length", onNoise: (text) => noise.push(text) });
  const asked = other.peer.request("a");
  await other.write('Content-Length: 20\r\n\r\n{"id":1,');
  await other.writer.close();
  await assertRejects(() => asked, ConnectionClosedError);
  assertEquals(noise, ['{"id":1,']);
  // Where a header has never come, that is no framing.
  await using another = connect({ framing: "content-length" });
  const askedToo = another.peer.request("a");
  await another.write("cannot\nstart");
  await another.writer.close();
  await assertRejects(() => askedToo, FramingError, '"cannot\\nstart" stands');
});

Deno.test("JsonRpcPeer tells a length counted in characters, whatever the rest of the body is", async () => {
  for (
    const text of [
      "Grüße, Jürgen and Zoë said hi to all",
      "naïve – “quoted” and more",
      "你好 hello",
    ]
  ) {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, result: text });
    await using other = connect({ framing: "content-length" });
    const asked = other.peer.request("a");
    await other.write(`Content-Length: ${body.length}\r\n\r\n${body}`).catch(() => {});
    await assertRejects(() => asked, FramingError, "a length not in bytes");
  }
});

Deno.test("JsonRpcPeer answers whatever a method throws or returns", async () => {
  const odd: unknown[] = [
    Object.create(null),
    Object.assign(new Error(), { message: 10n }),
    Object.defineProperty(new Error(), "message", { get: () => odd.at(-1) }),
    new JsonRpcError("m", 1, { data: 10n }),
    10n,
  ];
  const methods: JsonRpcPeerOptions["methods"] = { result: () => () => {}, ok: () => "ok" };
  for (const [n, thrown] of odd.entries()) {
    methods[`sync${n}`] = () => {
      throw thrown;
    };
    methods[`async${n}`] = () => Promise.reject(thrown);
  }
  await using other = connect({ methods });
  const names = Object.keys(methods);
  await other.send(...names.map((method, id) => ({ jsonrpc: "2.0", id, method })));
  const answers: Record<string, unknown>[] = [];
  for (const _ of names) answers.push(await other.receive());
  answers.sort((a, b) => Number(a.id) - Number(b.id));
  assertEquals(answers.slice(0, 2).map(({ result }) => result), [null, "ok"]);
  const codes = answers.slice(2).map(({ error }) =>
    /"code":(-?\d+)/.exec(JSON.stringify(error))?.[1]
  );
  const internal = Array(6).fill("-32603");
  assertEquals(codes, [...internal, "1", "1", ...internal.slice(0, 2)]);
});

Deno.test("JsonRpcError refuses a code that is no integer", () => {
  for (const code of [1.5, NaN, Infinity]) {
    assertThrows(() => new JsonRpcError("no", code), RangeError, `cannot be ${code}`);
  }
});

Deno.test("JsonRpcPeer ends with what the promise of a listener rejects with", async () => {
  for (const name of ["onNotification", "onNoise"] as const) {
    await using other = connect({ [name]: () => Promise.reject(new Error("enough")) });
    const asked = other.peer.request("a");
    await other.write('{"jsonrpc":"2.0","method":"a"}\nnoise\n').catch(() => {});
    await assertRejects(() => asked, Error, "enough");
  }
});

Deno.test("JsonRpcPeer ends with what a listener throws", async () => {
  for (const name of ["onNotification", "onNoise"] as const) {
    await using other = connect({
      [name]: () => {
        throw new Error("enough");
      },
    });
    const asked = other.peer.request("a");
    await other.write('{"jsonrpc":"2.0","method":"a"}\nnoise\n').catch(() => {});
    await assertRejects(() => asked, Error, "enough");
    await assertRejects(() => other.peer.closed, Error, "enough");
    await assertRejects(() => other.peer.request("b"), ConnectionClosedError, "enough");
  }
});

Deno.test("JsonRpcPeer replaces what is not UTF-8", async () => {
  await using other = connect();
  const asked = other.peer.request("a");
  const bytes = encoder.encode(`${JSON.stringify(answer(1, "a?b"))}\n`);
  bytes[bytes.indexOf(63)] = 0xff;
  await other.writer.write(bytes);
  assertEquals(await asked, "a\ufffdb");
});

Deno.test("JsonRpcPeer reads and calls on while a method waits, however much was asked", async () => {
  // What the method asks and the client tells meanwhile stands behind eight megabytes.
  const [client, server, close] = connectBoth({
    methods: {
      config: async () => {
        await client.notify("log");
        return "configured";
      },
    },
  }, { methods: { analyze: () => server.request("config") } });
  assertEquals(await client.request("analyze", ["x".repeat(2 ** 23)]), "configured");
  await close();
});

Deno.test("two JsonRpcPeers flood each other with calls, of which each asks back", async () => {
  const long = ["x".repeat(100_000)];
  const methods = (other: () => JsonRpcPeer) => ({
    outer: () => other().request("inner", long),
    inner: async () => {
      await other().notify("told", long);
      return long;
    },
  });
  const [left, right, close] = connectBoth({ methods: methods(() => left) }, {
    methods: methods(() => right),
  });
  const asked = [left, right].flatMap((peer) =>
    Array.from({ length: 100 }, () => peer.request("outer", long))
  );
  for (const answer of await Promise.all(asked)) assertEquals(answer, long);
  await close();
});

Deno.test("JsonRpcPeer ends the connection with whoever asks and does not read", async () => {
  await using other = connect({ methods: { m: () => "x".repeat(1000) }, maxLength: 100_000 });
  const asked = other.peer.request("a");
  const sent = [];
  for (let id = 0; id < 300; id++) {
    sent.push(other.send({ jsonrpc: "2.0", id, method: "m" }).catch(() => {}));
  }
  await assertRejects(() => asked, ConnectionClosedError, "asks and does not read");
  await assertRejects(() => other.peer.closed, ConnectionClosedError, "asks and does not read");
  await Promise.all(sent);
});

Deno.test("JsonRpcPeer tells a notification and a request sent when the pipe has taken them", async () => {
  await using other = connect();
  const taken: unknown[] = [];
  const big = other.peer.request("big", ["x"], { onSent: (id) => taken.push(id) });
  const told = other.peer.notify("told").then(() => taken.push("told"));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(taken, []);
  assertEquals((await other.receive()).method, "big");
  await told;
  assertEquals(taken, [1, "told"]);
  await other.send(answer(1, "yes"));
  assertEquals(await big, "yes");
});

Deno.test("JsonRpcPeer reads on for a moment when it can write no more, and then rejects", async () => {
  await using other = connect();
  const [asked, open] = [other.peer.request("a"), other.peer.request("b")];
  assertEquals((await other.receive()).method, "a");
  assertEquals((await other.receive()).method, "b");
  await other.received[Symbol.asyncDispose]();
  await assertRejects(() => other.peer.notify("c"), ConnectionClosedError, "c cannot be sent");
  await other.send(answer(1, "answered before"));
  assertEquals(await asked, "answered before");
  await assertRejects(() => open, ConnectionClosedError, "b was not answered: the other side does");
  await other.peer.closed;
});

Deno.test("JsonRpcPeer tells what the server complained of to a request that gets no answer", async () => {
  await using other = connect();
  const ask = (milliseconds: number) =>
    other.peer.request("tools/list", [], { signal: AbortSignal.timeout(milliseconds) });
  const silent = await assertRejects(() => ask(1), DOMException);
  assertEquals([silent.name, silent.message], [
    "TimeoutError",
    "The operation was aborted due to timeout",
  ]);
  const asked = ask(200);
  const open = other.peer.request("open");
  await other.send(error(null, -32602, "clientInfo is missing"));
  await other.write("Error: no session\n");
  const late = await assertRejects(() => asked, DOMException);
  assertEquals(late.name, "TimeoutError");
  const words = /; it wrote the error "clientInfo is missing"; it wrote "Error: no session", which/;
  assertMatch(late.message, words);
  await other.writer.close();
  assertMatch((await assertRejects(() => open, ConnectionClosedError)).message, words);
});

Deno.test("JsonRpcPeer has handed out all notifications when closed resolves", async () => {
  for (const framing of ["lines", "content-length"] as const) {
    const methods: string[] = [];
    const onNotification = (method: string) => methods.push(method);
    await using other = connect({ framing, onNotification });
    other.peer.notify("unread");
    for (const message of [{ id: 1, method: "waits" }, { method: "behind" }]) {
      const text = JSON.stringify({ jsonrpc: "2.0", ...message });
      other.write(
        framing === "lines" ? `${text}\n` : `Content-Length: ${text.length}\r\n\r\n${text}`,
      );
    }
    other.writer.close();
    await other.peer.closed;
    assertEquals(methods, ["behind"]);
  }
});

Deno.test("JsonRpcPeer takes no header for one after the other side has called", async () => {
  const noise: string[] = [];
  await using other = connect({ onNoise: (text) => noise.push(text) });
  await other.send({ jsonrpc: "2.0", method: "notification" });
  await other.write("Content-Length: 12\n");
  await other.writer.close();
  await other.peer.closed;
  assertEquals(noise, ["Content-Length: 12"]);
});

Deno.test("JsonRpcPeer takes no log line for an answer, though it has an id and an error", async () => {
  const noise: string[] = [];
  await using other = connect({ onNoise: (text) => noise.push(text) });
  const asked = other.peer.request("a");
  const line = '{"level":"warn","id":1,"error":"slow query"}';
  await other.write(`${line}\n`);
  await other.send(answer(1, "the answer"));
  assertEquals([await asked, noise], ["the answer", [line]]);
  // What some servers leave out.
  const again = other.peer.request("b");
  await other.send({ id: 2, result: "without a version" });
  assertEquals(await again, "without a version");
});

Deno.test("JsonRpcPeer calls in the order of the calls, with a megabyte in between", async () => {
  const order: unknown[] = [];
  const [left, , close] = connectBoth({}, {
    methods: { m: (params) => void order.push(params) },
    onNotification: (_, params) => order.push(params),
  });
  const expected = Array.from({ length: 1000 }, (_, n) => [n]);
  await left.notify("big", ["x".repeat(2 ** 20)]);
  order.length = 0;
  left.notify("big", ["x".repeat(2 ** 21)]);
  await Promise.all(expected.map((p, n) => n % 2 ? left.notify("n", p) : left.request("m", p)));
  assertEquals(order.slice(1), expected);
  await close();
});

Deno.test("JsonRpcPeer that is closed writes first what was asked, and gets the answers", async () => {
  await using other = connect();
  const params = ["x".repeat(2 ** 20)];
  const requests = [1, 2, 3].map(() => other.peer.request("big", params));
  const closed = other.peer.close();
  for (const id of [1, 2, 3]) assertEquals((await other.receive()).id, id);
  assertEquals(await other.received.readLine(), null);
  await closed;
  await other.send(answer(3, 3), answer(2, 2), answer(1, 1));
  assertEquals(await Promise.all(requests), [1, 2, 3]);
});

Deno.test("JsonRpcPeer closes though the other side reads no more, once that has closed its end", async () => {
  const other = connect();
  const unread = [other.peer.notify("a", ["x".repeat(2 ** 21)]), other.peer.request("b")];
  const closed = other.peer.close();
  await other.writer.close();
  await other.peer.closed;
  await closed;
  const failures = await Promise.allSettled(unread);
  for (const failure of failures) {
    assert(failure.status === "rejected" && failure.reason instanceof ConnectionClosedError);
  }
  await other.received[Symbol.asyncDispose]();
});

Deno.test("JsonRpcPeer says who closed the connection first", async () => {
  await using other = connect();
  const unread = other.peer.notify("a");
  const ours = other.peer.close();
  await other.received[Symbol.asyncDispose]();
  await Promise.allSettled([unread, ours]);
  await other.writer.close();
  await other.peer.closed;
  await assertRejects(
    () => other.peer.request("b"),
    ConnectionClosedError,
    "b cannot be sent: this",
  );

  await using another = connect();
  await another.writer.close();
  await another.peer.closed;
  await another.peer.close();
  await assertRejects(() => another.peer.request("b"), ConnectionClosedError, "the other side has");
});

Deno.test("JsonRpcPeer says of what was never sent that it cannot be", async () => {
  await using other = connect();
  const big = other.peer.request("big", ["x".repeat(2 ** 21)]);
  const waiting = [other.peer.request("a"), other.peer.notify("b")];
  await new Promise((resolve) => setTimeout(resolve));
  await other.writer.close();
  await assertRejects(() => big, ConnectionClosedError, "big was not answered: the other side");
  const reasons = (await Promise.allSettled(waiting)).map((result) =>
    result.status === "rejected" && result.reason.message
  );
  const why = "the other side has closed the connection";
  assertEquals(reasons, [`a was not answered: ${why}`, `b cannot be sent: ${why}`]);
});

Deno.test("a request that waits for its turn can be given up", async () => {
  await using other = connect();
  other.peer.request("big", ["x".repeat(2 ** 21)]);
  const controller = new AbortController();
  const sent: number[] = [];
  const onSent = (id: number) => void sent.push(id);
  const waiting = other.peer.request("waits", [], { signal: controller.signal, onSent });
  const after = other.peer.request("after", [], { onSent });
  controller.abort(new Error("given up"));
  await assertRejects(() => waiting, Error, "given up");
  assertEquals((await other.receive()).method, "big");
  assertEquals((await other.receive()).method, "after");
  await other.send(answer(3, "after"));
  assertEquals(await after, "after");
  assertEquals(sent, [3]);
});

Deno.test("JsonRpcPeer goes on saying what ended the connection first", async () => {
  const closed = connect();
  const closing = closed.peer.close();
  await closed.writer.close();
  await closed.peer.closed;
  const late = () => closed.peer.request("late");
  await assertRejects(late, ConnectionClosedError, "late cannot be sent: this side has closed");
  await closed.received[Symbol.asyncDispose]();
  await closing;

  const shut = connect();
  const lost = shut.peer.notify("lost");
  const shutting = shut.peer.close();
  await shut.received[Symbol.asyncDispose]();
  await assertRejects(() => lost, ConnectionClosedError, "does not read");
  await shutting;
  await assertRejects(() => shut.peer.notify("late"), ConnectionClosedError, "this side has");
  await shut.writer.close();

  await using wrong = connect();
  const asked = wrong.peer.request("asked");
  await wrong.write("Content-Length: 12\n");
  await assertRejects(() => asked, FramingError);
  wrong.peer.close();
  await assertRejects(() => wrong.peer.request("late"), FramingError);

  const deaf = connect();
  await deaf.received[Symbol.asyncDispose]();
  await assertRejects(() => deaf.peer.notify("lost"), ConnectionClosedError, "does not read");
  await deaf.writer.close();
  await deaf.peer.closed;
  await deaf.peer.close();
  await assertRejects(() => deaf.peer.notify("late"), ConnectionClosedError, "does not read");
});

Deno.test("JsonRpcPeer shows whole what was a header that did not end", async () => {
  for (const text of ["C", "Content-Le", "Content-Length: 5"]) {
    await using other = connect({ framing: "content-length" });
    await other.write(text);
    await other.writer.close();
    await assertRejects(() => other.peer.closed, FramingError, `"${text}" stands where`);
  }
});

Deno.test("JsonRpcPeer's errors carry their own names, and an exit code for a script", () => {
  for (
    const [error, name] of [
      [new JsonRpcError("no", -1), "JsonRpcError"],
      [new ConnectionClosedError("gone"), "ConnectionClosedError"],
      [new FramingError("other"), "FramingError"],
    ] as const
  ) assertEquals([error.name, error.exitCode], [name, 1]);
});

Deno.test("JsonRpcPeer lets timers run however fast messages come", async () => {
  const line = encoder.encode(`${JSON.stringify({ jsonrpc: "2.0", method: "n" })}\n`.repeat(1000));
  let count = 0;
  const readable = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(line.slice());
      if (++count === 100) controller.close();
    },
  });
  const gap = await largestGap(async () => {
    const { writable } = new TransformStream();
    await new JsonRpcPeer({ readable, writable }).closed;
  });
  assert(gap < 500, `${gap}`);
});

Deno.test("JsonRpcPeer ends with what onSent throws", async () => {
  await using other = connect();
  const onSent = () => {
    throw new Error("enough");
  };
  const asked = other.peer.request("a", [], { onSent });
  await other.receive();
  await assertRejects(() => asked, Error, "enough");
  await assertRejects(() => other.peer.closed, Error, "enough");
  await other.peer.close();
});

Deno.test("JsonRpcPeer ends with what a listener throws just when writing has failed", async () => {
  await using other = connect({
    onNotification: () => {
      throw new Error("enough");
    },
  });
  const asked = other.peer.request("a");
  await other.receive();
  const failed = other.received[Symbol.asyncDispose]();
  const sent = other.send({ jsonrpc: "2.0", method: "n" }).catch(() => {});
  await assertRejects(() => asked, Error, "enough");
  await assertRejects(() => other.peer.closed, Error, "enough");
  await Promise.all([failed, sent]);
});

/** Starts a shell, and talks to it. */
function startShell(line: string, options: JsonRpcPeerOptions = {}) {
  const pipes = { stdin: "piped", stdout: "piped" } as const;
  const child = new Deno.Command("sh", { args: ["-c", line], ...pipes }).spawn();
  const readable = untilExit(child.stdout, child.status);
  return { child, peer: new JsonRpcPeer({ readable, writable: child.stdin }, options) };
}

processTest("every open request hears that a child has closed its stdin", async () => {
  const line = `read -r a; exec <&-; echo '{"jsonrpc":"2.0","id":1,"result":1}'; exec sleep 30`;
  const { child, peer } = startShell(line);
  await using _child = child;
  const [first, second] = [peer.request("a"), peer.request("b")];
  assertEquals(await first, 1);
  const why = "the other side has closed its stdin";
  await assertRejects(() => peer.notify("c"), ConnectionClosedError, `c cannot be sent: ${why}`);
  await assertRejects(() => second, ConnectionClosedError, `b was not answered: ${why}`);
  await Promise.all([peer.closed, peer.close()]);
});

processTest(
  "JsonRpcPeer closes though a grandchild holds the stdin of a dead child unread",
  async () => {
    const { child, peer } = startShell("exec 3<&0; sleep 1000 <&3 >/dev/null & echo $!; exit 3", {
      onNoise: (text) => pids.push(Number(text)),
    });
    const pids: number[] = [];
    await using _child = child;
    const unread = peer.notify("big", ["x".repeat(200_000)]);
    await assertRejects(() => peer.request("a", ["x"]), ConnectionClosedError);
    await assertRejects(() => unread, ConnectionClosedError);
    await peer.closed;
    await peer.close();
    for (const pid of pids) Deno.kill(pid); // Deno ends no earlier than the write.
  },
);

/** Starts the server with bad manners. */
function startServer(framing: "lines" | "content-length", options: JsonRpcPeerOptions = {}) {
  const path = new URL("../testdata/rpc_server.ts", import.meta.url).pathname;
  const args = ["run", "-A", path, framing];
  const command = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" });
  const child = command.spawn();
  const pipes = { readable: untilExit(child.stdout, child.status), writable: child.stdin };
  return { child, peer: new JsonRpcPeer(pipes, { framing, ...options }) };
}

for (const framing of ["lines", "content-length"] as const) {
  processTest(`JsonRpcPeer talks to a server in ${framing}`, async () => {
    const noise: string[] = [];
    const { child, peer } = startServer(framing, {
      methods: { whoAreYou: (params) => ["a client", params] },
      onNoise: (text) => noise.push(text),
    });
    await using _child = child;
    const order: unknown[] = [];
    await Promise.all(["first", "last"].map(async (method) => {
      order.push(await peer.request(method));
    }));
    assertEquals(order, ["last", "first"]);
    assertEquals(await peer.request("ask", [1]), ["a client", [1]]);
    const long = await peer.request("long");
    assert(typeof long === "string" && long.length === 4 * 2 ** 20);
    const many = Array.from({ length: 1000 }, (_, n) => peer.request("echo", [n]));
    assertEquals(await Promise.all(many), many.map((_, n) => [n]));
    assertEquals(noise, framing === "lines" ? ["starting…", '{"level":"info"}'] : []);
    await peer.close();
    await peer.closed;
    assertEquals((await child.status).code, 0);
  });
}

processTest("every open request hears that a server has died", async () => {
  const { child, peer } = startServer("lines");
  await using _child = child;
  const open = Array.from({ length: 1000 }, () => peer.request("never"));
  const failures = await Promise.allSettled([...open, peer.request("die")]);
  for (const failure of failures) {
    assert(failure.status === "rejected" && failure.reason instanceof ConnectionClosedError);
  }
  assertEquals((await child.status).code, 3);
  await peer.closed;
  await assertRejects(() => peer.request("late"), ConnectionClosedError);
  await peer.close();
});

processTest("a worker answers what was asked before its stdin ended", async () => {
  const worker = `import { JsonRpcPeer } from "./json_rpc.ts";
    new JsonRpcPeer({ readable: Deno.stdin.readable, writable: Deno.stdout.writable }, {
      methods: { slow: () => new Promise((resolve) => setTimeout(() => resolve("done"), 50)) },
    });`;
  await using folder = await takeHome(FILES, worker);
  const stdin = '{"jsonrpc":"2.0","id":1,"method":"slow"}\n';
  const { code, stdout, stderr } = await runCommand(folder.command, { stdin });
  assertEquals([code, stdout, stderr], [0, '{"jsonrpc":"2.0","id":1,"result":"done"}\n', ""]);
});

processTest("a loop that awaits notify() or onSent keeps to the pace of a deaf child", async () => {
  const program = `import { JsonRpcPeer } from "./json_rpc.ts";
    const command = new Deno.Command("sleep", { args: ["1000"], stdin: "piped", stdout: "piped" });
    const child = command.spawn();
    const peer = new JsonRpcPeer({ readable: child.stdout, writable: child.stdin });
    const params = ["x".repeat(100_000)];
    const before = Deno.memoryUsage().rss;
    const loops = [async () => { while (true) await peer.notify("n", params); }, async () => {
      while (true) await new Promise((onSent) => peer.request("r", params, { onSent }));
    }];
    for (const loop of loops) loop().catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 500));
    console.log(Math.round((Deno.memoryUsage().rss - before) / 2 ** 20));
    child.kill("SIGKILL");
    await peer.closed;
    Deno.exit();`;
  await using folder = await takeHome(FILES, program);
  const { code, stdout, stderr } = await runCommand([...folder.command]);
  assertEquals([code, stderr], [0, ""]);
  assert(Number(stdout) < 40, `${stdout} MiB`);
});

processTest("no rejection is unhandled when a child is dead", async () => {
  const program = `import { JsonRpcPeer } from "./json_rpc.ts";
    const child = new Deno.Command("true", { stdin: "piped", stdout: "piped" }).spawn();
    await child.status;
    const peer = new JsonRpcPeer({ readable: child.stdout, writable: child.stdin });
    for (let n = 0; n < 10; n++) { peer.request("a"); peer.notify("b", ["x".repeat(2 ** 20)]); }
    await peer.closed;
    peer.request("a"); peer.notify("b");
    await peer.close();
    console.log("over");`;
  await using folder = await takeHome(FILES, program);
  const { code, stdout, stderr } = await runCommand(folder.command);
  assertEquals([code, stdout, stderr], [0, "over\n", ""]);
});

processTest("a grandchild that keeps the pipe open does not keep requests open", async () => {
  const args = ["-c", "sleep 3 & exit 3"];
  const command = new Deno.Command("sh", { args, stdin: "piped", stdout: "piped" });
  await using child = command.spawn();
  const readable = untilExit(child.stdout, child.status);
  const peer = new JsonRpcPeer({ readable, writable: child.stdin });
  await assertRejects(() => peer.request("a"), ConnectionClosedError);
  await peer.closed;
  await peer.close();
});
