import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { ConnectionClosedError, JsonRpcError, JsonRpcPeer } from "../../lib/json_rpc.ts";
import { untilExit } from "../../lib/until_exit.ts";
import { processTest, runCommand, temporaryFolder } from "../process.ts";
import { copyTo } from "../take_home.ts";
import { answer, body, connect, connectBoth } from "./json_rpc_sides.ts";

const FRAMINGS = ["lines", "nul", "content-length"] as const;

/** Runs a program beside copies of what a JsonRpcPeer needs. */
async function runBeside(program: string, ...args: string[]) {
  await using folder = await temporaryFolder();
  await copyTo(folder.path, ["json_rpc.ts", "frames.ts", "byte_reader.ts", "until_exit.ts"]);
  await Deno.writeTextFile(`${folder.path}/program.ts`, program);
  const command = [Deno.execPath(), "run", "-A", "--no-config", `${folder.path}/program.ts`];
  return await runCommand([...command, ...args]);
}

for (const framing of FRAMINGS) {
  Deno.test(`two JsonRpcPeers call each other 50,000 times each way at once, nested: ${framing}`, async () => {
    const methods = (other: () => JsonRpcPeer) => ({
      echo: (params: unknown) => params,
      outer: (params: unknown) => other().request("echo", [params]),
    });
    const [left, right, close] = connectBoth({ methods: methods(() => left), framing }, {
      methods: methods(() => right),
      framing,
    });
    const ask = (peer: JsonRpcPeer) =>
      Promise.all(Array.from({ length: 50_000 }, async (_, n) => {
        const result = await peer.request(n % 10 === 0 ? "outer" : "echo", [n]);
        assertEquals(JSON.stringify(result), n % 10 === 0 ? `[[${n}]]` : `[${n}]`);
      }));
    await Promise.all([ask(left), ask(right)]);
    await close();
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

Deno.test("two JsonRpcPeers that send much and owe much both go on", async () => {
  const methods = { big: () => "x".repeat(100_000), long: () => "ok" };
  const [left, right, close] = connectBoth({ methods }, { methods });
  const asked = [left, right].flatMap((peer) => [
    ...Array.from({ length: 100 }, () => peer.request("big")),
    ...[5_000_000, 600_000, 600_000].map((length) => peer.request("long", ["x".repeat(length)])),
  ]);
  assertEquals((await Promise.all(asked)).filter((result) => result === "ok").length, 6);
  await close();
});

Deno.test("two JsonRpcPeers do not wait for each other when each asks for more than it is sent", async () => {
  const methods = { long: () => "x".repeat(10_000) };
  const [left, right, close] = connectBoth({ methods }, { methods });
  const ask = async (peer: JsonRpcPeer) => {
    const params = ["x".repeat(1000)];
    const answers = Array.from({ length: 3000 }, () => peer.request("long", params));
    for (const answer of answers) assertEquals(await answer, methods.long());
  };
  await Promise.all([ask(left), ask(right)]);
  await close();
});

Deno.test("two JsonRpcPeers that notify each other of much go on", async () => {
  for (const [count, size] of [[40, 2 ** 20], [50_000, 400]] as const) {
    const received = { left: 0, right: 0 };
    const [left, right, close] = connectBoth(
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
    // Among them, so that a request stands behind notifications.
    const asked = Array.from({ length: 20 }, () => left.request("length", params));
    await Promise.all([...notified, ...asked]);
    await close();
    assertEquals(received, { left: count, right: count });
  }
});

Deno.test("JsonRpcPeer sends answers that are together longer than a string can be", async () => {
  const ready = Promise.withResolvers<string>();
  const methods = { long: () => ready.promise };
  const [left, , close] = connectBoth({}, { methods, maxLength: 2 ** 30 });
  const answers = Array.from({ length: 9 }, () => left.request("long"));
  await left.notify("last");
  ready.resolve("x".repeat(60 * 2 ** 20));
  for (const answer of answers) assertEquals(`${await answer}`.length, 60 * 2 ** 20);
  await close();
});

Deno.test("JsonRpcPeer reads a long message that comes in small pieces", async () => {
  for (const framing of FRAMINGS) {
    await using other = connect({ framing });
    const asked = other.peer.request("long");
    const text = JSON.stringify(answer(1, "é".repeat(2 ** 24)));
    const end = framing === "lines" ? "\n" : "\0";
    const bytes = new TextEncoder().encode(framing === "content-length" ? body(text) : text + end);
    for (let at = 0; at < bytes.length; at += 1000) {
      await other.writer.write(bytes.slice(at, at + 1000));
    }
    assertEquals(`${await asked}`.length, 2 ** 24);
  }
});

processTest("a worker and its parent call each other 10,000 times each way at once", async () => {
  const program = `import { JsonRpcPeer } from "./json_rpc.ts";
    const pipes = { stdin: "piped", stdout: "piped" };
    const child = Deno.args[0] === "worker" ? undefined : new Deno.Command(Deno.execPath(),
      { args: ["run", import.meta.filename, "worker"], ...pipes }).spawn();
    const peer = new JsonRpcPeer({
      readable: child?.stdout ?? Deno.stdin.readable,
      writable: child?.stdin ?? Deno.stdout.writable,
    }, { methods: { double: (n) => [n[0] * 2], start: ask } });
    async function ask() {
      const all = Array.from({ length: 10000 }, (_, n) => peer.request("double", [n]));
      return (await Promise.all(all)).every((answer, n) => answer[0] === 2 * n);
    }
    if (child) {
      console.log(...await Promise.all([peer.request("start"), ask()]));
      await peer.close();
      await peer.closed;
      console.log((await child.status).code);
    }`;
  const { stdout, stderr } = await runBeside(program);
  assertEquals([stdout, stderr], ["true true\n0\n", ""]);
});

processTest("two processes send each other long requests, each of which asks back", async () => {
  const program = `import { JsonRpcPeer } from "./json_rpc.ts";
    const child = Deno.args[0] === "worker" ? undefined : new Deno.Command(Deno.execPath(),
      { args: ["run", import.meta.filename, "worker"], stdin: "piped", stdout: "piped" }).spawn();
    const peer = new JsonRpcPeer({
      readable: child?.stdout ?? Deno.stdin.readable,
      writable: child?.stdin ?? Deno.stdout.writable,
    }, { methods: { inner: (params) => params, outer: (params) => peer.request("inner", params), flood } });
    async function flood() {
      const params = ["x".repeat(100_000)];
      const all = Array.from({ length: 100 }, () => peer.request("outer", params));
      return (await Promise.all(all)).filter((result) => result[0] === params[0]).length;
    }
    if (child) {
      console.log(...await Promise.all([peer.request("flood"), flood()]));
      await peer.close();
    }`;
  const { stdout, stderr } = await runBeside(program);
  assertEquals([stdout, stderr], ["100 100\n", ""]);
});

processTest(
  "a child that floods with requests and never reads is an error, not an end of memory",
  async () => {
    const program = `import { JsonRpcPeer } from "./json_rpc.ts";
    const line = '{"jsonrpc":"2.0","id":1,"method":"m"}';
    const child = new Deno.Command("yes", { args: [line], stdin: "piped", stdout: "piped" }).spawn();
    const peer = new JsonRpcPeer({ readable: child.stdout, writable: child.stdin }, {
      methods: { m: () => "x".repeat(Number(Deno.args[0])) },
      maxLength: 2 ** 24,
    });
    const before = Deno.memoryUsage().rss;
    await peer.closed.catch((error) => console.log(error.message));
    console.log(Math.round((Deno.memoryUsage().rss - before) / 2 ** 20));
    child.kill("SIGKILL");
    Deno.exit();`;
    for (const length of ["1000", "1"]) {
      const { stdout, stderr } = await runBeside(program, length);
      const [message = "", growth] = stdout.split("\n");
      assertEquals(stderr, "");
      assert(message.includes("asks and does not read"), message);
      assert(Number(growth) < 400, stdout);
    }
  },
);

Deno.test("JsonRpcPeer settles all calls, whenever the pipes end and in whatever way", async () => {
  const ends: ((other: ReturnType<typeof connect>) => unknown)[] = [
    (other) => other.writer.close(),
    (other) => other.writer.abort(new Error("broken")),
    (other) => other.received[Symbol.asyncDispose](),
    (other) => other.peer.close(),
    (other) => other.write("Content-Length: 5\n"),
    (other) => other.write('{"jsonrpc":"2.0","method":"fail"}\n'),
    (other) => other.write('{"jsonrpc":"2.0","method":"failLater"}\n'),
  ];
  const ask = (other: ReturnType<typeof connect>) => {
    const cancel = new AbortController();
    const { signal } = cancel;
    const calls = [
      other.peer.request("small"),
      other.peer.request("big", ["x".repeat(2 ** 21)]),
      other.peer.request("given up", [], { signal }),
      other.peer.notify("told", ["x".repeat(1000)]),
      other.peer.notification("n"),
      other.peer.notification("n", { signal }),
    ];
    const settled = Promise.all(calls.map((call) => call.then(() => "", (error) => error)));
    return { cancel, settled };
  };
  const cases = ends.flatMap((first) =>
    ends.flatMap((second) => [{ first, second, isRead: false }, { first, second, isRead: true }])
  );
  await Promise.all(cases.map(async ({ first, second, isRead }) => {
    const never = () => new Promise(() => {});
    const onNotification = (method: string) => {
      if (method === "fail") throw new Error("thrown");
      if (method === "failLater") return Promise.reject(new Error("thrown later"));
    };
    const other = connect({ methods: { never }, onNotification });
    const asked = ask(other);
    other.send({ jsonrpc: "2.0", id: 1, method: "never" }).catch(() => {});
    other.write('{"jsonrpc":').catch(() => {});
    if (isRead) await other.receive();
    Promise.resolve(first(other)).catch(() => {});
    asked.cancel.abort(new Error("given up"));
    const late = ask(other);
    Promise.resolve(second(other)).catch(() => {});
    late.cancel.abort(new Error("given up"));
    const closed = other.peer.close();
    other.writer.close().catch(() => {});
    for (const error of [...await asked.settled, ...await late.settled]) {
      const isExpected = error === "" || error instanceof ConnectionClosedError ||
        error instanceof Error && /given up|thrown|broken/.test(error.message);
      assert(isExpected, `${error}`);
    }
    await other.peer.closed.catch(() => {});
    await closed;
    await other.received[Symbol.asyncDispose]().catch(() => {});
  }));
});

/** A message of tsserver or of a debug adapter. */
interface Foreign {
  seq: number;
  type: string;
  command: string;
  event: string;
  arguments?: object;
  request_seq: number;
  success: boolean;
  message?: string;
  body?: unknown;
}

/** One of ours. */
interface Own {
  id?: number;
  method?: string;
  params?: unknown;
  result?: unknown;
}

function read(
  { seq, type, command, event, request_seq: id, success, message, body, ...rest }: Foreign,
) {
  if (type === "event") return { method: event, params: body };
  if (type === "request") return { id: seq, method: command, params: rest.arguments };
  if (type !== "response") return undefined;
  return success ? { id, result: body } : { id, error: { code: 1, message } };
}

function start(program: string, ...args: string[]) {
  return new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
}

processTest("JsonRpcPeer talks to tsserver", async () => {
  await using child = start("tsserver", "--disableAutomaticTypingAcquisition");
  const pipes = { readable: untilExit(child.stdout, child.status), writable: child.stdin };
  const tsserver = new JsonRpcPeer(pipes, {
    framing: { read: "content-length", write: "lines" },
    translate: {
      read,
      write: ({ id = 0, method, params }: Own) => (
        { seq: id, type: "request", command: method, arguments: params }
      ),
    },
  });
  const file = "/nowhere/hello.ts";
  const diagnosed = tsserver.notification("semanticDiag");
  await tsserver.notify("open", { file, fileContent: 'const hello: number = "how";\n' });
  await tsserver.notify("geterr", { files: [file], delay: 0 });
  const info = await tsserver.request("quickinfo", { file, line: 1, offset: 7 });
  assertMatch(JSON.stringify(info), /"displayString":"const hello: number"/);
  assertMatch(JSON.stringify(await diagnosed), /Type 'string' is not assignable/);
  await assertRejects(() => tsserver.request("noSuchCommand"), JsonRpcError, "Unrecognized");
  await tsserver.notify("exit");
  await Promise.all([tsserver.close(), tsserver.closed]);
  assertEquals((await child.status).code, 0);
}, { needs: ["tsserver"] });

/** Debian's own Python has Debian's packages. */
const PYTHON = "/usr/bin/python3";
const hasDebugpy = Deno.permissions.querySync({ name: "run" }).state === "granted" &&
  await runCommand(["sh", "-c", `${PYTHON} -c "import debugpy.adapter"`])
    .then(({ code }) => code === 0);

processTest("JsonRpcPeer talks to a debug adapter, which asks back", async () => {
  await using folder = await temporaryFolder();
  const program = `${folder.path}/program.py`;
  await Deno.writeTextFile(program, "how = ['are', 'you']\nprint(len(how))\n");
  await using child = start(PYTHON, "-m", "debugpy.adapter");
  const pipes = { readable: untilExit(child.stdout, child.status), writable: child.stdin };
  let debuggee: Deno.ChildProcess | undefined;
  const adapter: JsonRpcPeer = new JsonRpcPeer(pipes, {
    framing: "content-length",
    translate: {
      read,
      write: ({ id = 0, method, params, result }: Own) =>
        method === undefined
          ? {
            seq: 0,
            type: "response",
            request_seq: id,
            success: true,
            body: result,
            command: "runInTerminal",
          }
          : { seq: id, type: "request", command: method, arguments: params },
    },
    methods: {
      runInTerminal(params) {
        const { args: [file = "", ...args], env } = params as {
          args: string[];
          env?: Record<string, string>;
        };
        debuggee = new Deno.Command(file, { args, env: env ?? {}, stdin: "null", stdout: "null" })
          .spawn();
        return { processId: debuggee.pid };
      },
    },
  });
  const initialized = adapter.notification("initialized");
  const stopped = adapter.notification("stopped");
  const terminated = adapter.notification("terminated");
  await adapter.request("initialize", { adapterID: "test", supportsRunInTerminalRequest: true });
  const launched = adapter.request("launch", {
    program,
    python: PYTHON,
    console: "integratedTerminal",
  });
  await initialized;
  const breakpoints = [{ line: 2 }];
  await adapter.request("setBreakpoints", { source: { path: program }, breakpoints });
  await adapter.request("configurationDone");
  await launched;
  const { threadId } = await stopped as { threadId: number };
  const stack = await adapter.request("stackTrace", { threadId }) as {
    stackFrames: { id: number }[];
  };
  const frameId = stack.stackFrames[0]?.id;
  const length = await adapter.request("evaluate", { expression: "len(how)", frameId });
  assertMatch(JSON.stringify(length), /"result":"2"/);
  await assertRejects(() => adapter.request("noSuchCommand"), JsonRpcError, "noSuchCommand");
  await adapter.request("continue", { threadId });
  await terminated;
  await adapter.request("disconnect");
  await debuggee?.status;
  await adapter.close();
  await adapter.closed;
  assertEquals((await child.status).code, 0);
}, { needs: hasDebugpy ? [] : ["python3-debugpy"] });

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
  const readable = untilExit(child.stdout, child.status);
  const peer = new JsonRpcPeer({ readable, writable: child.stdin }, {
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
