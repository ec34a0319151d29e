/**
 * The Python in the headers of the scripts. Some of it is run in `headers_test.ts`, all of it in
 * `headers_matrix.ts`.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { processTest, runCommand, scriptPath } from "./process.ts";

/** The lines of Python in a script's header. */
async function pythonOf(script: string): Promise<string> {
  const [header = ""] = (await Deno.readTextFile(scriptPath(script))).split("*/");
  const [, block = ""] = /^ \* In Python[^]*?:\n \*\n((?: \* {5}.*\n)+)/m.exec(header) ?? [];
  return block.replaceAll(/^ \* {5}/gm, "");
}

const imports = "import contextlib, os, signal, struct, subprocess, sys, time\n" +
  "from subprocess import PIPE, Popen\n";

/** What stands around the lines of each header, and what comes of them: the output, or a hang. */
export const PROGRAMS: Record<string, { before?: string; after?: string; output: string | null }> =
  {
    // One that goes on for ever is left after two rounds.
    hello: {
      before:
        "wpipe, rounds = 1, iter([1])\ntime.sleep = lambda seconds: next(rounds, 0) or os._exit(0)\n",
      output: "how are you\nhow are you\n",
    },
    bytes: {
      before: "def child(wpipe):\n    os.write(wpipe, b'how are you\\n')\n    os._exit(0)\n",
      output: "how are you\n\n",
    },
    lines: {
      before: "def child(wpipe):\n    os.write(wpipe, b'how are you\\n')\n    os._exit(0)\n",
      output: "how are you\n",
    },
    duplex: { output: "Hello\n" },
    pipetest: { before: "time.sleep = lambda seconds: None\n", output: "got: [a]\n" },
    capacity: { output: "65536\n" },
    rpc: {
      before: "import json\nfrom concurrent.futures import Future\nfrom threading import Thread\n" +
        "server = ['sed', '-u', 's/\"method.*/\"result\": \"pong\"}/']\n" +
        "child = Popen(server, stdin=PIPE, stdout=PIPE, text=True)\nfutures = {}\n",
      after: "child.stdin.close()\n",
      output: "pong\n",
    },
    session: { output: "etc\n" },
    stderr: { before: "import threading\n", output: "err ls: " },
    timeout: { after: "print(child.wait())\n", output: "-15\n" },
    pipeline: { before: "os.chdir('/')\n", output: "\n" },
    framing: {
      after: "cat = Popen(['cat'], stdin=PIPE, stdout=PIPE)\n" +
        "send(cat.stdin, b'a\\nb'); print(receive(cat.stdout))\n",
      output: "b'a\\nb'\n",
    },
    fifo: {
      before: "import tempfile\nos.chdir(tempfile.mkdtemp())\nif os.fork() == 0:\n" +
        "    while not os.path.exists('pipe'): time.sleep(0.05)\n    open('pipe', 'w').write('hi\\n')\n    os._exit(0)\n",
      after: "os.rmdir(os.getcwd())\n",
      output: "hi\n",
    },
    lifetime: { output: "b''\n" },
    deadlock: { output: null },
    buffering: { output: null },
    why: { output: null },
  };

/** The Python in the header of a script does what the script does, or hangs. */
export function pythonTest(script: string): void {
  const { before = "", after = "", output = null } = PROGRAMS[script] ?? {};
  const what = output === null ? "hangs" : "does what the script does";
  processTest(`the Python in the header of ${script} ${what}`, async () => {
    const lines = await pythonOf(script);
    assert(lines.split("\n").length > 2, lines);
    // The error is the point of that line.
    const tolerant = lines.replace("timeout=2", "timeout=0.2").replace(
      /^(os\.write\(wpipe, b"x"\).*)/m,
      "try: $1\nexcept BrokenPipeError: pass",
    );
    const program = imports + before + tolerant + after;
    const { code, stdout, stderr } = await runCommand(
      ["timeout", "-s", "KILL", output === null ? "1" : "60", "python3", "-Suc", program],
      { stdin: "a\nb\n" },
    );
    if (output === null) assertEquals([code, stdout], [137, ""], stderr);
    else assertStringIncludes(stdout, output, stderr);
    assert(!/Error/.test(stderr), stderr);
  }, { needs: ["python3", "timeout"], os: "linux" });
}
