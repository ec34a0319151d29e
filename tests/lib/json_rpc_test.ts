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
import { LineReader } from "../../lib/line_reader.ts";
import { largestGap, processTest, runCommand, takeHome } from "../process.ts";
import { pipesInOrder } from "../streams.ts";

const encoder = new TextEncoder();

/** A peer, and the other side as bare streams: what it is sent, and what it sends. */
function connect(options: JsonRpcPeerOptions = {}) {
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
function connectBoth(left: JsonRpcPeerOptions, right: JsonRpcPeerOptions) {
  const [there, back] = [new TransformStream(), new TransformStream()];
  return [
    new JsonRpcPeer({ readable: back.readable, writable: there.writable }, left),
    new JsonRpcPeer({ readable: there.readable, writable: back.writable }, right),
  ] as const;
}

function answer(id: unknown, result: unknown) {
  return { jsonrpc: "2.0", id, result };
}

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
  const body = (line: string) => `content-length:${encoder.encode(line).length}\r\n\r\n${line}`;
  const header = "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n";
  for (const framing of ["lines", "content-length"] as const) {
    const bytes = encoder.encode(
      framing === "lines" ? stream : `${lines.map((line) => header + body(line)).join("\r\n")}`,
    );
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
  const [left, right] = connectBoth({}, {
    methods: {
      slow: (_params, _signal, id) => new Promise((_resolve, reject) => running.set(id, reject)),
    },
    onNotification(method, params) {
      assertEquals(method, "$/cancelRequest");
      const id = params instanceof Object && "id" in params ? params.id : undefined;
      running.get(id)?.(new JsonRpcError("cancelled", -32800));
    },
  });
  const ids: number[] = [];
  const onSent = (id: number) => void ids.push(id);
  const asked = [1, 2, 3].map(() => left.request("slow", {}, { onSent }));
  await left.notify("$/cancelRequest", { id: ids[1] });
  await assertRejects(() => asked[1] ?? Promise.resolve(), JsonRpcError, "cancelled");
  assertEquals([...running.keys()], ids);
  await Promise.all([left.close(), right.close(), left.closed, right.closed]);
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

Deno.test("JsonRpcPeer remembers 10,000 requests that were given up, not all", async () => {
  const noise: string[] = [];
  await using other = connect({ onNoise: (text) => noise.push(text) });
  // A signal each: to listen to one signal 10,000 times takes seconds.
  const controllers = Array.from({ length: 10_001 }, () => new AbortController());
  for (const { signal } of controllers) other.peer.request("slow", [], { signal });
  await other.receive();
  for (const controller of controllers) controller.abort(new Error("given up"));
  const last = other.peer.request("last");
  await other.send(answer(1, "late"), answer(2, "late"), answer(10_001, "late"));
  await other.send(answer(10_002, "last"));
  assertEquals(await last, "last");
  assertEquals(noise, [JSON.stringify(answer(1, "late"))]);
});

Deno.test("JsonRpcPeer rejects with the error that a request was answered with", async () => {
  await using other = connect();
  const asked = ["a", "b", "c", "d", "e"].map((method) => other.peer.request(method));
  await other.send(
    { jsonrpc: "2.0", id: 1, error: { code: -32601, message: "no", data: [1] } },
    { jsonrpc: "2.0", id: 2, error: "words" },
    // As JSON-RPC 1.0 has it.
    { id: 3, result: 3, error: null },
    { jsonrpc: "2.0", id: 4, error: {} },
    { jsonrpc: "2.0", id: 5 },
  );
  const failures = await Promise.allSettled(asked);
  const [a, b, c, d, e] = failures.map((it) => it.status === "rejected" ? it.reason : it.value);
  assert(a instanceof JsonRpcError && b instanceof JsonRpcError && d instanceof JsonRpcError);
  assertEquals([a.message, a.code, a.data], ["no", -32601, [1]]);
  assertEquals([b.message, b.code, c, d.code, e], ['"words"', -32603, 3, -32603, undefined]);
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

Deno.test("JsonRpcPeer answers a body that is no message", async () => {
  const noise: string[] = [];
  await using other = connect({ framing: "content-length", onNoise: (text) => noise.push(text) });
  const texts = ["", "no JSON", "42", "{}"];
  await other.write(texts.map((text) => `Content-Length: ${text.length}\r\n\r\n${text}`).join(""));
  const read = Array.fromAsync(other.received);
  await other.writer.close();
  await other.peer.closed;
  await other.peer.close();
  const codes = [...(await read).join("").matchAll(/"code":(-\d+)/g)].map(([, code]) => code);
  assertEquals(codes, ["-32700", "-32700", "-32600", "-32600"]);
  assertEquals(noise, texts);
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
  await other.send([]);
  assertEquals((await other.receive()).error.code, -32600);
  await other.send([1, 2]);
  assertEquals((await other.receive()).length, 2);
  assertEquals(notified, ["note", "note", "note"]);
  // A server may answer several requests with one message.
  const asked = [other.peer.request("a"), other.peer.request("b")];
  await other.send([answer(2, "b"), answer(1, "a")]);
  assertEquals(await Promise.all(asked), ["a", "b"]);
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
    ["lines", "Content-Length: 12\r\n\r\n{", /its framing is "content-length"/],
    ["content-length", '{"jsonrpc":"2.0"}\n', /wrote "\{.*where a header with Content-Length/],
    ["content-length", "INFO: started\n", /INFO: started/],
    ["content-length", "Content-Length: abc\r\n\r\n", /wrote "Content-Length: abc" where/],
    // Counted in characters: the end of the body stands where a header belongs.
    ["content-length", 'Content-Length: 16\r\n\r\n{"id":1,"a":"éé"}', /}" where a header/],
    ["content-length", "x".repeat(20_000), /xxx/],
    ["content-length", `Content-${"x".repeat(20_000)}`, /wrote "Content-xxx/],
    ["content-length", "Content-Length: 999999999999\r\n\r\n", /announces 999999999999 bytes/],
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
  await assertRejects(() => asked, RangeError, "longer than 100");
  await using bodies = connect({ maxLength: 100, framing: "content-length" });
  const bounded = bodies.peer.request("a");
  const [fits, tooLong] = [100, 101].map((size) => {
    const text = JSON.stringify({ jsonrpc: "2.0", method: "" });
    const body = text.replace('""', JSON.stringify("n".repeat(size - text.length)));
    return `Content-Length: ${size}\r\n\r\n${body}`;
  });
  await bodies.write(`${fits}${fits}${tooLong}`).catch(() => {});
  await assertRejects(() => bounded, FramingError, "announces 101 bytes");
});

Deno.test("JsonRpcPeer hands on what the other side said before it closed inside a message", async () => {
  const noise: string[] = [];
  await using other = connect({ framing: "content-length", onNoise: (text) => noise.push(text) });
  const asked = other.peer.request("a");
  await other.write('Content-Length: 20\r\n\r\n{"id":1,');
  await other.writer.close();
  await assertRejects(() => asked, ConnectionClosedError);
  assertEquals(noise, ['{"id":1,']);
  // Where a header belongs, that is no framing.
  await using another = connect({ framing: "content-length" });
  const askedToo = another.peer.request("a");
  await another.write("cannot start");
  await assertRejects(() => askedToo, FramingError, 'wrote "cannot start"');
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
    new JsonRpcError("m", Number(1), { data: 10n }),
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

Deno.test("JsonRpcPeer ends with what the promise of a listener rejects with", async () => {
  for (const name of ["onNotification", "onNoise"] as const) {
    await using other = connect({ [name]: () => Promise.reject(new Error("enough")) });
    const asked = other.peer.request("a");
    await other.write('{"jsonrpc":"2.0","method":"a"}\nnoise\n').catch(() => {});
    await assertRejects(() => asked, Error, "enough");
  }
});

Deno.test("two JsonRpcPeers that send much and owe much both go on", async () => {
  const [there, back] = [new TransformStream(), new TransformStream()];
  const methods = { big: () => "x".repeat(100_000), long: () => "ok" };
  const options = { methods };
  const one = new JsonRpcPeer({ readable: back.readable, writable: there.writable }, options);
  const two = new JsonRpcPeer({ readable: there.readable, writable: back.writable }, options);
  const asked = [one, two].flatMap((peer) => [
    ...Array.from({ length: 100 }, () => peer.request("big")),
    ...[5_000_000, 600_000, 600_000].map((length) => peer.request("long", ["x".repeat(length)])),
  ]);
  assertEquals((await Promise.all(asked)).filter((result) => result === "ok").length, 6);
  await Promise.all([one.close(), two.close(), one.closed, two.closed]);
});

Deno.test("JsonRpcPeer waits for the answer of a side that reads no more, until it has exited", async () => {
  const there = new TransformStream<Uint8Array, Uint8Array>();
  const back = new TransformStream<Uint8Array, Uint8Array>();
  const exit = Promise.withResolvers<void>();
  const peer = new JsonRpcPeer({ readable: back.readable, writable: there.writable }, {
    until: exit.promise,
  });
  const asked = peer.request("a");
  const reader = there.readable.getReader();
  await reader.read();
  await reader.cancel(new Error("closed"));
  await assertRejects(() => peer.notify("b"), ConnectionClosedError);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const writer = back.writable.getWriter();
  await writer.write(encoder.encode('{"jsonrpc":"2.0","id":1,"result":"late"}\n'));
  assertEquals(await asked, "late");
  exit.resolve();
  await peer.closed;
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

Deno.test("two JsonRpcPeers call each other 50,000 times each way at once", async () => {
  for (const framing of ["lines", "content-length"] as const) {
    const methods = { echo: (params: unknown) => params };
    const [left, right] = connectBoth({ methods, framing }, { methods, framing });
    const ask = (peer: JsonRpcPeer) =>
      Promise.all(Array.from({ length: 50_000 }, async (_, n) => {
        assertEquals(await peer.request("echo", [n]) instanceof Array, true);
      }));
    await Promise.all([ask(left), ask(right)]);
    await Promise.all([left.close(), right.close(), left.closed, right.closed]);
  }
});

Deno.test("two JsonRpcPeers do not wait for each other when each asks for more than it is sent", async () => {
  const methods = { long: () => "x".repeat(10_000) };
  const [left, right] = connectBoth({ methods }, { methods });
  const ask = async (peer: JsonRpcPeer) => {
    const params = ["x".repeat(1000)];
    const answers = Array.from({ length: 3000 }, () => peer.request("long", params));
    for (const answer of answers) assertEquals(await answer, methods.long());
  };
  await Promise.all([ask(left), ask(right)]);
  await Promise.all([left.close(), right.close(), left.closed, right.closed]);
});

Deno.test("two JsonRpcPeers that notify each other of much go on", async () => {
  for (const [count, size] of [[40, 2 ** 20], [50_000, 400]] as const) {
    const received = { left: 0, right: 0 };
    const [left, right] = connectBoth(
      { onNotification: () => received.left++ },
      {
        onNotification: () => received.right++,
        methods: { length: (params) => `${params}`.length },
      },
    );
    const params = ["x".repeat(size)];
    const notified = [left, right].flatMap((peer) =>
      Array.from({ length: count }, () => peer.notify("n", params))
    );
    // Among them, so that notifications wait behind a request.
    const asked = Array.from({ length: 20 }, () => left.request("length", params));
    await Promise.all([...notified, ...asked]);
    await Promise.all([left.close(), right.close(), left.closed, right.closed]);
    assertEquals(received, { left: count, right: count });
  }
});

Deno.test("JsonRpcPeer sends answers that are together longer than a string can be", async () => {
  const ready = Promise.withResolvers<string>();
  const [left, right] = connectBoth({}, { methods: { long: () => ready.promise } });
  const answers = Array.from({ length: 9 }, () => left.request("long"));
  await left.notify("last");
  ready.resolve("x".repeat(60 * 2 ** 20));
  for (const answer of answers) assertEquals(`${await answer}`.length, 60 * 2 ** 20);
  await Promise.all([left.close(), right.close(), left.closed, right.closed]);
});

Deno.test("JsonRpcPeer ends with what a listener rejects with, though it reads no more", async () => {
  const failing = Promise.withResolvers<void>();
  await using other = connect({ onNoise: () => failing.promise });
  await other.write("noise\n");
  other.peer.notify("big", ["x".repeat(2 ** 20)]);
  const request = { jsonrpc: "2.0", id: 1, method: "m", params: ["x".repeat(2 ** 20)] };
  const sent = Array.from({ length: 12 }, () => other.send(request).catch(() => {}));
  await new Promise((resolve) => setTimeout(resolve, 100));
  failing.reject(new Error("enough"));
  await assertRejects(() => other.peer.closed, Error, "enough");
  await Promise.all(sent);
});

Deno.test("JsonRpcPeer ends after until though what it has to send is not read", async () => {
  const exit = Promise.withResolvers<void>();
  await using other = connect({ until: exit.promise });
  const asked = other.peer.request("big", ["x".repeat(2 ** 20)]);
  const request = { jsonrpc: "2.0", id: 1, method: "m", params: ["x".repeat(2 ** 20)] };
  const sent = Array.from({ length: 12 }, () => other.send(request).catch(() => {}));
  await new Promise((resolve) => setTimeout(resolve, 100));
  exit.resolve();
  await assertRejects(() => asked, ConnectionClosedError);
  await other.peer.closed;
  await Promise.all(sent);
});

Deno.test("JsonRpcPeer has handed out all notifications when closed resolves", async () => {
  for (const framing of ["lines", "content-length"] as const) {
    const methods: string[] = [];
    const onNotification = (method: string) => methods.push(method);
    await using other = connect({ framing, onNotification });
    other.peer.notify("big", ["x".repeat(2 ** 20)]).catch(() => {});
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

Deno.test("JsonRpcPeer reads no more of whoever asks and does not read, until that reads", async () => {
  const order: unknown[] = [];
  const methods = { m: (params: unknown) => void order.push(params) };
  await using other = connect({ methods, onNotification: (_, params) => order.push(params) });
  const text = "x".repeat(2 ** 20);
  let id = 0;
  for (let round = 0; round < 2; round++) {
    const unread = other.peer.notify("big", [text]);
    let read = 0;
    const sending = Array.from({ length: 24 }, async (_, n) => {
      const params = [round, n];
      // Notifications do not count, whatever their length.
      const call = n < 12 ? { method: "n" } : { id: ++id, method: "m" };
      await other.send({ jsonrpc: "2.0", ...call, params, text });
      read++;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    // Twelve, the eight that are held, and one or two on their way.
    assert(read >= 12 && read < 24, `${read}`);
    assertEquals((await other.receive()).method, "big");
    for (let n = 12; n < 24; n++) assertEquals((await other.receive()).result, null);
    await Promise.all([unread, ...sending]);
  }
  const expected = [0, 1].flatMap((round) => Array.from({ length: 24 }, (_, n) => [round, n]));
  assertEquals(order, expected);
});

Deno.test("JsonRpcPeer reads on of whoever has little open, however much it asks in all", async () => {
  const text = "x".repeat(600 * 1024);
  await using other = connect({ methods: { m: () => text } });
  const unread = other.peer.notify("big", [text, text]);
  let id = 0;
  const ask = () => other.send({ jsonrpc: "2.0", id: ++id, method: "m", params: [text] });
  for (let n = 0; n < 12; n++) await ask();
  assertEquals((await other.receive()).method, "big");
  await unread;
  // It answers no faster than it is read, so that some of the twelve are always held.
  for (let n = 0; n < 24; n++) {
    await ask();
    assertEquals((await other.receive()).id, id - 12);
  }
  for (let n = 0; n < 12; n++) await other.receive();
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

Deno.test("JsonRpcPeer takes no header for one behind a request that waits", async () => {
  const noise: string[] = [];
  await using other = connect({ onNoise: (text) => noise.push(text) });
  const asked = other.peer.request("big", ["x".repeat(2 ** 20)]);
  await other.send({ jsonrpc: "2.0", id: 1, method: "waits" });
  await other.write("Content-Length: 12\n");
  await other.send(answer(1, "big"));
  assertEquals([await asked, noise], ["big", ["Content-Length: 12"]]);
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

Deno.test("JsonRpcPeer ends with what a listener throws that had to wait", async () => {
  await using other = connect({
    onNotification: () => {
      throw new Error("enough");
    },
  });
  const asked = other.peer.request("big", ["x".repeat(2 ** 21)]);
  const notification = { jsonrpc: "2.0", method: "n", params: ["x".repeat(1000)] };
  await other.send(...Array(6000).fill(notification));
  const received = other.receive();
  await assertRejects(() => asked, Error, "enough");
  await assertRejects(() => other.peer.closed, Error, "enough");
  assertEquals((await received).method, "big");
});

for (const framing of ["lines", "content-length"] as const) {
  Deno.test(`JsonRpcPeer writes what is asked after an answer before it reads on: ${framing}`, async () => {
    const { order, readable, writable } = pipesInOrder((text) => {
      const reply = JSON.stringify(answer(Number(/"id":(\d+)/.exec(text)?.[1]), null));
      return `${framing === "lines" ? "" : `Content-Length: ${reply.length}\r\n\r\n`}${reply}\n`;
    });
    const peer = new JsonRpcPeer({ readable, writable }, { framing });
    const ask = async () => await peer.request("m");
    for (let n = 0; n < 3; n++) await ask();
    assertEquals(order, ["read", "write", "write", "read", "write", "read"]);
    await peer.close();
    await peer.closed;
  });
}

Deno.test("JsonRpcPeer calls in the order of the calls, with a megabyte in between", async () => {
  const order: unknown[] = [];
  const [left, right] = connectBoth({}, {
    methods: { m: (params) => void order.push(params) },
    onNotification: (_, params) => order.push(params),
  });
  const expected = Array.from({ length: 5000 }, (_, n) => [n]);
  await left.notify("big", ["x".repeat(2 ** 20)]);
  order.length = 0;
  left.notify("big", ["x".repeat(2 ** 21)]);
  await Promise.all(expected.map((p, n) => n % 2 ? left.notify("n", p) : left.request("m", p)));
  assertEquals(order.slice(1), expected);
  await Promise.all([left.close(), right.close(), left.closed, right.closed]);
});

Deno.test("JsonRpcPeer goes on when more was asked than may be open at once, and answered or given up", async () => {
  const methods = { length: (params: unknown) => String(params).length };
  const [left, right] = connectBoth({}, {
    methods: { ...methods, never: () => new Promise(() => {}) },
  });
  const late = new AbortController();
  const limit = setTimeout(() => late.abort(new Error("waits for ever")), 60_000);
  const params = ["x".repeat(2 ** 20)];
  for (let n = 0; n < 20; n++) {
    const { signal } = late;
    assertEquals(await left.request("length", params, { signal }), params[0]?.length);
    const controller = new AbortController();
    const never = left.request("never", params, { signal: controller.signal });
    controller.abort(new Error("given up"));
    await assertRejects(() => never, Error, "given up");
  }
  clearTimeout(limit);
  await Promise.all([left.close(), right.close(), left.closed, right.closed]);
});

Deno.test("JsonRpcPeer that is closed first sends the requests that wait for earlier answers", async () => {
  await using other = connect();
  const params = ["x".repeat(3 * 2 ** 20)];
  const requests = Array.from({ length: 6 }, () => other.peer.request("big", params));
  const closed = other.peer.close();
  for (let id = 1; id <= 3; id++) assertEquals((await other.receive()).id, id);
  // All that may be without an answer has been sent: the fourth waits for an answer.
  const fourth = other.receive();
  await new Promise((resolve) => setTimeout(resolve));
  for (let id = 1; id <= 3; id++) await other.send(answer(id, id));
  assertEquals((await fourth)?.id, 4);
  for (let id = 5; id <= 6; id++) assertEquals((await other.receive()).id, id);
  for (let id = 4; id <= 6; id++) await other.send(answer(id, id));
  assertEquals(await Promise.all(requests), [1, 2, 3, 4, 5, 6]);
  assertEquals(await other.received.readLine(), null);
  await closed;
});

Deno.test("JsonRpcPeer that is closed while requests wait is done when they can no more be sent", async () => {
  const ends: ((other: ReturnType<typeof connect>) => Promise<void>)[] = [
    async (other) => {
      assertEquals((await other.receive()).method, "sent");
      await other.writer.close();
    },
    (other) => other.received[Symbol.asyncDispose](),
  ];
  for (const end of ends) {
    await using other = connect();
    const params = ["x".repeat(9 * 2 ** 20)];
    const cancel = new AbortController();
    const requests = [
      other.peer.request("sent", params),
      other.peer.request("sent or not", params),
      other.peer.request("given up", [], { signal: cancel.signal }),
      other.peer.request("waits"),
    ];
    const closed = other.peer.close();
    cancel.abort(new Error("given up"));
    await end(other);
    await closed;
    await other.writer.close().catch(() => {});
    const results = await Promise.allSettled(requests);
    const reasons = results.map((result) => result.status === "rejected" ? result.reason : "");
    assertEquals(reasons[2].message, "given up");
    for (const n of [0, 1, 3]) assert(reasons[n] instanceof ConnectionClosedError, reasons[n]);
  }
});

Deno.test("JsonRpcPeer that is closed is done when the last request that waits is given up", async () => {
  await using other = connect();
  const cancel = new AbortController();
  const sent = other.peer.request("sent", ["x".repeat(9 * 2 ** 20)]);
  const waiting = other.peer.request("waits", [], { signal: cancel.signal });
  assertEquals((await other.receive()).method, "sent");
  const closed = other.peer.close();
  cancel.abort(new Error("given up"));
  await assertRejects(() => waiting, Error, "given up");
  assertEquals(await other.received.readLine(), null);
  await closed;
  await other.send(answer(1, "late"));
  assertEquals(await sent, "late");
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
  await other.writer.close();
  await assertRejects(() => big, ConnectionClosedError, "big was not answered: the other side");
  const reasons = (await Promise.allSettled(waiting)).map((result) =>
    result.status === "rejected" && result.reason.message
  );
  const why = "cannot be sent: the other side has closed the connection";
  assertEquals(reasons, [`a ${why}`, `b ${why}`]);
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

Deno.test("JsonRpcPeer's calls do not wait for requests that are answered or given up", async () => {
  // Together longer than what may be without an answer at a time, several times over.
  const params = ["x".repeat(2 ** 20)];
  await using other = connect();
  for (let n = 1; n <= 40; n++) {
    const cancel = new AbortController();
    const asked = other.peer.request("long", params, { signal: cancel.signal });
    assertEquals((await other.receive()).id, n);
    if (n % 2 === 0) cancel.abort(new Error("given up"));
    else await other.send(answer(n, n));
    if (n % 2 === 0) await assertRejects(() => asked, Error, "given up");
    else assertEquals(await asked, n);
  }
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

Deno.test("JsonRpcPeer refuses a header of many lines as soon as it is past the bound", async () => {
  const other = connect({ framing: "content-length" });
  const asked = other.peer.request("asked");
  const [first, second] = ["Content-Type: x\n".repeat(500), "Content-Type: x\n".repeat(50)];
  await other.write(first);
  const error = assertRejects(() => asked, FramingError, "where a header with Content-Length");
  await Promise.race([other.write(second), error]);
  await error;
  await other.received[Symbol.asyncDispose]();
});

Deno.test("JsonRpcPeer hands on whole what was a header that did not end", async () => {
  for (const text of ["C", "Content-Le", "Content-Length: 5"]) {
    const noise: string[] = [];
    await using other = connect({
      framing: "content-length",
      onNoise: (text) => noise.push(text),
    });
    await other.write(text);
    await other.writer.close();
    await other.peer.closed;
    assertEquals(noise, [text]);
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
      if (++count === 500) controller.close();
    },
  });
  const gap = await largestGap(async () => {
    const { writable } = new TransformStream();
    await new JsonRpcPeer({ readable, writable }).closed;
  });
  assert(gap < 500, `${gap}`);
});

/** Starts the server with bad manners. */
function startServer(framing: "lines" | "content-length", options: JsonRpcPeerOptions = {}) {
  const path = new URL("../testdata/rpc_server.ts", import.meta.url).pathname;
  const args = ["run", "-A", path, framing];
  const command = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" });
  const child = command.spawn();
  const pipes = { readable: child.stdout, writable: child.stdin };
  const peer = new JsonRpcPeer(pipes, {
    framing,
    until: child.status,
    ...options,
  });
  return { child, peer };
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
    assert(typeof long === "string" && long.length === 35 * 2 ** 20);
    const many = Array.from({ length: 10_000 }, (_, n) => peer.request("echo", [n]));
    assertEquals(await Promise.all(many), many.map((_, n) => [n]));
    assertEquals(noise, framing === "lines" ? ["starting…", '{"level":"info"}'] : []);
    await peer.close();
    await peer.closed;
    assertEquals((await child.status).code, 0);
  });

  processTest(`every open request hears that a server in ${framing} has died`, async () => {
    const { child, peer } = startServer(framing);
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
}

processTest("a worker and its parent call each other 10,000 times each way at once", async () => {
  const worker = `import { JsonRpcPeer } from "./json_rpc.ts";
    const pipes = { readable: Deno.stdin.readable, writable: Deno.stdout.writable };
    const peer = new JsonRpcPeer(pipes, { methods: { double: (n) => [n[0] * 2], start } });
    async function start() {
      const all = Array.from({ length: 10000 }, (_, n) => peer.request("half", [n * 2]));
      return (await Promise.all(all)).every((answer, n) => answer === n);
    }`;
  await using folder = await takeHome(["json_rpc.ts", "line_reader.ts", "byte_reader.ts"], worker);
  const [program = "", ...args] = folder.command;
  const command = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" });
  await using child = command.spawn();
  const peer = new JsonRpcPeer({ readable: child.stdout, writable: child.stdin }, {
    methods: { half: (params) => Array.isArray(params) ? params[0] / 2 : null },
  });
  const start = peer.request("start");
  const all = Array.from({ length: 10_000 }, (_, n) => peer.request("double", [n]));
  assertEquals(await Promise.all(all), all.map((_, n) => [n * 2]));
  assertEquals(await start, true);
  await peer.close();
  await peer.closed;
  assertEquals((await child.status).code, 0);
});

processTest("a worker answers what was asked before its stdin ended", async () => {
  const worker = `import { JsonRpcPeer } from "./json_rpc.ts";
    new JsonRpcPeer({ readable: Deno.stdin.readable, writable: Deno.stdout.writable }, {
      methods: { slow: () => new Promise((resolve) => setTimeout(() => resolve("done"), 50)) },
    });`;
  await using folder = await takeHome(["json_rpc.ts", "line_reader.ts", "byte_reader.ts"], worker);
  const stdin = '{"jsonrpc":"2.0","id":1,"method":"slow"}\n';
  const { code, stdout, stderr } = await runCommand(folder.command, { stdin });
  assertEquals([code, stdout, stderr], [0, '{"jsonrpc":"2.0","id":1,"result":"done"}\n', ""]);
});

processTest(
  "a child that does not read, or floods with requests, costs little memory",
  async () => {
    const program = `import { JsonRpcPeer } from "./json_rpc.ts";
    const line = ${JSON.stringify(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "m" }))};
    const words = Deno.args[0] === "flood" ? ["yes", line] : ["sleep", "1000"];
    const command = new Deno.Command(words[0], { args: [words[1]], stdin: "piped", stdout: "piped" });
    const child = command.spawn();
    const peer = new JsonRpcPeer({ readable: child.stdout, writable: child.stdin }, {
      methods: { m: () => "x".repeat(1000) },
    });
    const params = ["x".repeat(2 ** 20)];
    const before = Deno.memoryUsage().rss;
    if (words[0] === "sleep") {
      for (let n = 0; n < 300; n++) peer.request("m", params);
      await Promise.race([peer.notify("n", params), new Promise((r) => setTimeout(r, 500))]);
    } else await new Promise((r) => setTimeout(r, 1500));
    console.log(Math.round((Deno.memoryUsage().rss - before) / 2 ** 20));
    child.kill("SIGKILL");
    await peer.closed;`;
    await using folder = await takeHome(
      ["json_rpc.ts", "line_reader.ts", "byte_reader.ts"],
      program,
    );
    for (const what of ["silent", "flood"]) {
      const { code, stdout, stderr } = await runCommand([...folder.command, what]);
      assertEquals([code, stderr], [0, ""]);
      // 300 MB of requests; the garbage of the flood is more than what is kept.
      assert(Number(stdout) < (what === "flood" ? 100 : 50), `${what}: ${stdout} MiB`);
    }
  },
);

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
  await using folder = await takeHome(["json_rpc.ts", "line_reader.ts", "byte_reader.ts"], program);
  const { code, stdout, stderr } = await runCommand(folder.command);
  assertEquals([code, stdout, stderr], [0, "over\n", ""]);
});

processTest("a grandchild that keeps the pipe open does not keep requests open", async () => {
  const args = ["-c", "sleep 3 & exit 3"];
  const command = new Deno.Command("sh", { args, stdin: "piped", stdout: "piped" });
  await using child = command.spawn();
  const pipes = { readable: child.stdout, writable: child.stdin };
  const peer = new JsonRpcPeer(pipes, { until: child.status });
  await assertRejects(() => peer.request("a"), ConnectionClosedError);
  await peer.closed;
  await peer.close();
});

processTest("JsonRpcPeer talks to the reference server of the Model Context Protocol", async () => {
  // Pinned here: without a lock file, and without the configuration that would write one.
  const server = "npm:@modelcontextprotocol/server-everything@2026.8.31";
  const args = ["run", "-A", "--quiet", "--no-lock", "--no-config", server, "stdio"];
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd: "/",
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  });
  await using child = command.spawn();
  const progress: unknown[] = [];
  const askedForRoots = Promise.withResolvers<void>();
  const noise: string[] = [];
  const peer = new JsonRpcPeer({ readable: child.stdout, writable: child.stdin }, {
    until: child.status,
    methods: {
      "roots/list": () => {
        askedForRoots.resolve();
        return { roots: [] };
      },
      "sampling/createMessage": () => ({
        role: "assistant",
        content: { type: "text", text: "how are you" },
        model: "none",
      }),
    },
    onNotification: (method, params) => {
      if (method === "notifications/progress") progress.push(params);
    },
    onNoise: (text) => noise.push(text),
  });
  const call = async (name: string, values: object, meta: object = {}) =>
    JSON.stringify(await peer.request("tools/call", { name, arguments: values, _meta: meta }));
  await peer.request("initialize", {
    protocolVersion: "2025-06-18",
    capabilities: { roots: {}, sampling: {} },
    clientInfo: { name: "test", version: "1" },
  });
  await peer.notify("notifications/initialized");
  assertMatch(JSON.stringify(await peer.request("tools/list")), /"name":"echo"/);
  const echoes = Array.from({ length: 50 }, (_, n) => call("echo", { message: `<${n}>` }));
  (await Promise.all(echoes)).forEach((text, n) => assertStringIncludes(text, `<${n}>`));
  const [steps, progressToken] = [3, "token"];
  await call("trigger-long-running-operation", { duration: 0.1, steps }, { progressToken });
  assertEquals(progress, [1, 2, 3].map((at) => ({ progress: at, total: steps, progressToken })));
  assertStringIncludes(await call("trigger-sampling-request", { prompt: "?" }), "how are you");
  await assertRejects(() => peer.request("no/such/method"), JsonRpcError, "Method not found");
  // It asks a moment after it was initialized, and waits a minute for an answer before it exits.
  await Promise.race([askedForRoots.promise, peer.closed]);
  await call("echo", { message: "after the answer" });
  await peer.close();
  await peer.closed;
  assertEquals([(await child.status).code, noise], [0, []]);
});
