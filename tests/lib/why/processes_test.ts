import { assert, assertEquals } from "@std/assert";
import { takeSnapshot } from "../../../lib/why/processes.ts";
import { awaited, type Snapshot } from "../../../lib/why/snapshot.ts";
import { processTest, runCommand, temporaryFolder } from "../../process.ts";
import { milliseconds } from "../../streams.ts";

/** Looks at a child until it is as the test needs it. */
async function lookUntil(pid: number, isReady: (now: Snapshot) => boolean): Promise<Snapshot> {
  for (const start = performance.now(); performance.now() - start < 20_000;) {
    const now = takeSnapshot(pid, undefined, Deno.pid);
    if (isReady(now)) return now;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(
    `not within 20 s: ${Deno.inspect(takeSnapshot(pid, undefined, Deno.pid), { depth: 9 })}`,
  );
}

function waitsOf(now: Snapshot, pid: number) {
  return now.processes.get(pid)?.threads.flat() ?? [];
}

function start(program: string, ...args: string[]) {
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
  const end = async () => {
    if (!hasExited) child.kill("SIGKILL");
    await child.status;
    for (const closing of [child.stdin.close(), child.stdout.cancel()]) {
      await closing.catch(() => {});
    }
  };
  let hasExited = false;
  child.status.then(() => hasExited = true);
  return Object.assign(child, { [Symbol.asyncDispose]: end });
}

processTest("a snapshot counts the bytes of a pipe, and leaves them there", async () => {
  await using child = start("sh", "-c", "printf 12345; exec sleep 300");
  const isFilled = ({ pipes }: Snapshot) => [...pipes.values()].some(({ held }) => held === 5);
  const { pipes } = await lookUntil(child.pid, isFilled);
  const pipe = [...pipes.values()].find(({ held }) => held === 5);
  assertEquals(pipe?.writers.map(({ pid, descriptor }) => [pid, descriptor]), [[child.pid, 1]]);
  assertEquals(pipe?.capacity, 65_536);
  const reader = child.stdout.getReader();
  assertEquals((await reader.read()).value, new TextEncoder().encode("12345"));
  reader.releaseLock();
}, { os: "linux" });

processTest(
  "a snapshot tells the end that a process waits for, and who holds the other",
  async () => {
    await using child = start("sh", "-c", "cat | cat");
    const cats = (now: Snapshot) =>
      [...now.processes].filter(([, { name }]) => name === "cat").map(([pid]) => pid);
    await lookUntil(child.pid, (now) => {
      const [first = 0, second = 0] = cats(now);
      const [from, to] = [first, second].map((pid) => waitsOf(now, pid)[0]);
      if (from?.for !== "read" || to?.for !== "read" || to.descriptor !== 0) return false;
      return awaited(now, from).includes(Deno.pid) && awaited(now, to).join() === `${first}`;
    });
  },
  { os: "linux" },
);

processTest(
  "a snapshot holds nothing open, and lets a writer see that its reader has gone",
  async () => {
    await using child = start("yes");
    const isFull = (now: Snapshot) => waitsOf(now, child.pid)[0]?.for === "write";
    for (let n = 0; n < 5; n++) await lookUntil(child.pid, isFull);
    const name = await Deno.readLink(`/proc/${child.pid}/fd/1`);
    const { readers } = takeSnapshot(child.pid, undefined, Deno.pid).pipes.get(name) ?? {};
    assertEquals(readers?.map(({ pid }) => pid), [Deno.pid]);
    await child.stdout.cancel();
    assertEquals((await child.status).signal, "SIGPIPE");
  },
  { os: "linux" },
);

processTest("a snapshot does not open a FIFO that somebody waits at", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/pipe`;
  await runCommand(["mkfifo", path]);
  await using child = start("sh", "-c", `exec 3< ${path}; echo opened`);
  const isOpening = (now: Snapshot) => waitsOf(now, child.pid)[0]?.for === "writer";
  for (let n = 0; n < 5; n++) await lookUntil(child.pid, isOpening);
  await Deno.writeTextFile(path, "");
  assertEquals((await child.stdout.text()).trim(), "opened");
}, { needs: ["mkfifo"], os: "linux" });

processTest("a snapshot takes a FIFO by its name, also when that has been removed", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/pipe`;
  await runCommand(["mkfifo", path]);
  await using child = start("sh", "-c", `exec 3<> ${path}; rm ${path}; exec cat <&3`);
  const now = await lookUntil(child.pid, (now) => {
    const [wait] = waitsOf(now, child.pid);
    return wait?.for === "read" && wait.pipe.startsWith(path);
  });
  const [wait] = waitsOf(now, child.pid);
  assertEquals(wait && awaited(now, wait), [child.pid]);
}, { needs: ["mkfifo"], os: "linux" });

processTest("a snapshot knows the other end of a pair of sockets", async () => {
  const text = 'require("node:child_process").spawn("cat", { stdio: ["pipe", 1, 2] })';
  await using child = start("node", "-e", text);
  const now = await lookUntil(
    child.pid,
    (now) =>
      [...now.processes].some(([pid, { name, parent }]) =>
        name === "cat" && parent === child.pid && waitsOf(now, pid)[0]?.for === "read"
      ),
  );
  const [cat] = [...now.processes].find(([, { parent }]) => parent === child.pid) ?? [0];
  const [wait] = waitsOf(now, cat);
  assert(wait?.for === "read" && wait.pipe.startsWith("socket:"));
  assertEquals(awaited(now, wait), [child.pid]);
}, { needs: ["node", "ss"], os: "linux" });

processTest(
  "a snapshot does not take a descriptor for closed that was opened meanwhile",
  async () => {
    // One thread waits in read for a descriptor that another has closed, in one program for good, in
    // the other for pipes that come and go.
    const read = "def read(end):\n  os.read(end, 1)\nimport os, threading, time\n";
    const closed = "r, w = os.pipe()\nthreading.Thread(target=read, args=(r,)).start()\n" +
      "time.sleep(0.2); os.close(r); time.sleep(300)";
    const fresh = "print(flush=True)\nfor n in range(10**6):\n  r, w = os.pipe()\n" +
      "  t = threading.Timer(0.002, os.write, (w, b'x')); t.start()\n" +
      "  os.read(r, 1); os.close(r); t.join(); os.close(w)";
    const isClosed = (now: Snapshot, pid: number) =>
      waitsOf(now, pid).some((wait) => wait.for === "else" && wait.doing.includes("closed desc"));
    await using one = start("python3", "-c", read + closed);
    await lookUntil(one.pid, (now) => isClosed(now, one.pid));
    await using other = start("python3", "-c", read + fresh);
    const reader = other.stdout.getReader();
    await reader.read();
    reader.releaseLock();
    for (let n = 0; n < 50; n++) {
      assert(!isClosed(takeSnapshot(other.pid, undefined, Deno.pid), other.pid));
    }
  },
  { needs: ["python3"], os: "linux" },
);

processTest("a snapshot takes no longer for each of many connections than for one", async () => {
  await using server = start(
    "python3",
    "-c",
    `import select, socket
listener = socket.create_server(("127.0.0.1", 0), backlog=400)
clients = [socket.create_connection(listener.getsockname()) for _ in range(400)]
poll = select.poll()
servers = [listener.accept()[0] for _ in clients]
for server in servers: poll.register(server, select.POLLIN)
poll.poll()`,
  );
  await lookUntil(server.pid, (now) => waitsOf(now, server.pid).length > 300);
  const before = milliseconds();
  takeSnapshot(server.pid, Deno.pid, Deno.pid);
  const took = milliseconds() - before;
  assert(took < 2000, `${took} ms`);
}, { os: "linux", needs: ["python3"] });
