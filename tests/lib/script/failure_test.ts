import { assertEquals, assertMatch } from "@std/assert";
import { LineReader } from "../../../lib/line_reader.ts";
import {
  processTest,
  runCommand,
  runScript,
  scriptCommand,
  sideBySide,
  temporaryFolder,
} from "../../process.ts";

const program = new URL("../../testdata/ending.ts", import.meta.url).pathname;

function ending(...args: string[]) {
  return runCommand([Deno.execPath(), "run", "-A", "--no-prompt", program, ...args]);
}

processTest("a failure is one line, wherever it comes from", async () => {
  const cases: [string[], number, RegExp][] = [
    [["failure", "3"], 3, /^ending: it failed\n$/],
    [["long"], 1, /^ending: A line is longer than 5 [^\n]*\n$/],
    [["system"], 1, /^ending: No such file [^\n]*\n$/],
    [["timer"], 7, /^ending: in a timer\n$/],
    [["code"], 127, /^ending: its class has an exit code\n$/],
    [["forgotten"], 5, /^ending: nobody waited\n$/],
  ];
  for (const [args, expected, message] of cases) {
    const { code, stdout, stderr } = await ending(...args);
    assertEquals([code, stdout], [expected, ""]);
    assertMatch(stderr, message);
  }
});

processTest("a mistake in a script keeps its stack trace, for whoever mends it", async () => {
  for (const [way, name] of [["mistake", "TypeError"], ["range", "RangeError"]] as const) {
    const { code, stdout, stderr } = await ending(way);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, new RegExp(`^${name}: a mistake\\n +at .*ending\\.ts:`));
  }
});

processTest("a script tells of a cleanup that fails, and does the others", async () => {
  const { code, stdout, stderr } = await ending("cleanup", "3");
  assertEquals([code, stdout, stderr], [3, "cleaned up\n", "ending: cannot clean up\n"]);
});

processTest("what was printed before a failure is all there", async () => {
  const { code, stdout, stderr } = await ending("printed");
  assertEquals([code, stdout.length, stderr], [1, 1_000_000, "ending: after all was printed\n"]);
});

processTest(
  "a signal that ends a script has the cleanups done, also after one that fails",
  async () => {
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-prompt", program, "signal"],
      stdout: "piped",
      stderr: "piped",
    });
    await using child = command.spawn();
    await using lines = new LineReader(child.stdout);
    assertEquals(await lines.readLine(), "ready");
    child.kill("SIGTERM");
    assertEquals((await child.status).signal, "SIGTERM");
    assertEquals(await child.stderr.text(), "cannot clean up: not this one\n");
    assertEquals(await Array.fromAsync(lines), ["cleaned up"]);
  },
);

processTest("a script whose stderr cannot be written ends with the code that it had", async () => {
  const cases: [string[], number][] = [
    [scriptCommand("pipeline", ["--foo"]), 2],
    [scriptCommand("duplex", ["no-such-program"]), 127],
    [scriptCommand("duplex", ["--timeout=1", "sleep", "1000"]), 124],
    [scriptCommand("hello", ["--count=1"]), 1],
  ];
  await sideBySide(cases, async ([command, expected]) => {
    const line = 'timeout -s KILL 60 "$@" 2>/dev/full';
    const { code } = await runCommand(["sh", "-c", line, "sh", ...command]);
    assertEquals(code, expected);
  });
}, { needs: ["timeout"], os: "linux" });

processTest("a message is one line, whatever characters a name has", async () => {
  for (const script of ["stderr", "pipeline"]) {
    const { code, stderr } = await runScript(script, ["no\nsuch\x1b\u009b1m"]);
    assertEquals(code, 127);
    assertMatch(stderr, /^\w+: cannot start no\\nsuch\\u001b\\u009b1m: not found [^\n]*\n$/);
  }
});

processTest(
  "a script tells first of its error, and in one line of a cleanup that failed",
  async () => {
    const { code, stdout, stderr } = await ending("suppressed", "3");
    assertEquals([code, stdout], [3, ""]);
    assertEquals(stderr, "cannot clean up: not this one\nending: it failed\n");
  },
);

processTest("a script says that it cannot read its stdin", async () => {
  await using folder = await temporaryFolder();
  const cases: [line: string, command: string[]][] = [
    ['"$@" </', scriptCommand("pipetest", ["x"])],
    ['"$@" </ & cat "$FIFO"; wait $!', scriptCommand("fifo", ["write", `${folder.path}/pipe`])],
  ];
  await runCommand(["mkfifo", `${folder.path}/pipe`]);
  await sideBySide(cases, async ([line, command]) => {
    const env = { FIFO: `${folder.path}/pipe` };
    const { code, stderr } = await runCommand(["sh", "-c", line, "sh", ...command], { env });
    assertEquals(code, 1);
    assertMatch(stderr, /(^|\n)\w+: cannot read stdin: Is a dir[^\n]*\n$/);
  });
}, { needs: ["mkfifo"], os: "linux" });
