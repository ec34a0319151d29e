/**
 * Programs that are tried, and what is said of them.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { diagnose } from "../../../lib/why/diagnosis.ts";
import { processesMarked, processTest } from "../../process.ts";
import { python } from "./hangs.ts";

// Python is to buffer, as it does where nobody has set this.
Deno.env.delete("PYTHONUNBUFFERED");
const mark = crypto.randomUUID();
Deno.env.set("MARK", mark);

/** A program that is tried. */
interface Tried {
  command: string[];
  says: RegExp;
  question?: string;
  timeout?: number;
  needs?: string[];
}

const buffered =
  /it buffers because it writes to a pipe: it has read the question and written nothing; at a terminal it answered after \d+ ms/;
export const cure = (command: string) =>
  new RegExp(`${buffered.source}\\n  ${command} {3}# answered after \\d+ ms\\n`);
export const echo = "import sys\nfor line in sys.stdin: print(line.strip())";
const reader = "import sys; print(len(sys.stdin.read()))";

/** Programs, one of each kind. */
export const KINDS: Record<string, Tried> = {
  "cat answers at once": {
    command: ["cat"],
    says:
      /answers at once over pipes, after \d+ ms: the fault is in the parent\n.*\n.*\n.*--pid.*\n.*hold a dialogue/,
  },
  "python buffers": {
    command: ["python3", "-c", echo],
    says: cure("python3 -u -c [^]*"),
    needs: ["python3"],
  },
  "sort answers at its end of file": {
    command: ["sort"],
    says: /answers only at end of file, not after 20 questions either: it wrote "question\\n" when/,
  },
  "a prompt": {
    command: ["sh", "-c", 'printf "Name? "; read n; echo hi $n'],
    says:
      /a prompt without a newline: it wrote "Name\? " and waits\n.*\n.*: talk to a program that shows a prompt/,
  },
  "sleep does not read": {
    command: ["sleep", "300"],
    says: /it does not read its stdin: the question is unread, and it sleeps/,
  },
  "one that hangs with a child of its own": {
    command: python(
      'p = Popen(["sed", "p"], stdin=PIPE, stdout=PIPE)\nfor line in sys.stdin.buffer:\n' +
        "  p.stdin.write(line); p.stdin.flush(); print(p.stdout.readline())",
    ),
    says:
      /it has read the question, and its own pipes are in the way: python3 \d+ and sed \d+ both wait to read, [^]*\n {2}sed \d+: sed buffers its output/,
    needs: ["python3"],
  },
  "much on stderr": {
    command: ["sh", "-c", "head -c 1000000 /dev/zero >&2; cat"],
    says:
      /its stderr carries much, 1,000,000 bytes: a parent that pipes it and does not read it hangs/,
  },
  "a shell answers on stderr": {
    command: ["sh"],
    question: "question ",
    says: /it answers on stderr, not on stdout: ".*sh: .*question: not found"\n/,
  },
  "one that leaves its dialogue to a child": {
    command: python(
      "if os.fork() == 0:\n  for line in sys.stdin: print(line, flush=True)\nos._exit(0)",
    ),
    says:
      /it exited without an answer \(exited with status 0\), before it was asked: python3 \d+ still holds its stdin, stdout and stderr\n/,
    needs: ["python3"],
  },
  "yes floods": {
    command: ["yes"],
    says: /it floods: it wrote [\d,]{7,} lines without being asked/,
  },
};

/** Others of these kinds, for the matrix. */
export const VARIANTS: Record<string, Tried> = {
  "one that looks for a terminal": {
    command: ["sh", "-c", "[ -t 0 ] || { echo no tty >&2; exit 3; }; cat"],
    says:
      /it wants a terminal: over pipes it exited with status 3, saying "no tty"; at a terminal it answered/,
  },
  "python reads a program": {
    command: ["python3"],
    question: "print(6*7)",
    says:
      /it talks only when it is interactive: [^]*\n {2}python3 -iu {3}# answered after \d+ ms\n.*: talk to a program that shows a prompt\n/,
    needs: ["python3"],
  },
  "one that is slow to answer": {
    command: ["sh", "-c", "read x; sleep 1.7; echo $x; cat"],
    says:
      /it is slow: it has read the question, and waits for the exit of sleep \d+, which sleeps; it wrote "question\\n" \d{4} ms after that\n {2}give it more time: --timeout \d\n|it answers over pipes, but is slow: after \d{4} ms\n/,
  },
  "an answer without a newline": {
    command: ["sh", "-c", 'while read x; do printf "got $x"; done'],
    says: /no whole line within 1 s: .*\n[^]*it answers without a newline: it wrote "got question"/,
  },
  "a program that stops itself": {
    command: ["sh", "-c", "kill -STOP $$; cat"],
    says:
      /, is stopped by a signal, [^]*\nit is stopped by a signal\n {2}see what stops it; where it hangs, why\.ts --pid PID says how to continue it\n/,
  },
  "bc has nothing to say to an assignment": {
    command: ["bc"],
    question: "x=3",
    says:
      /it has nothing to say: it has read the question, waits to read stdin, and wrote nothing at end of file(, and no answer at a terminal, where it wrote ".*warranty.*" unasked)?\n/,
    needs: ["bc"],
  },
  "one that fails once it is asked": {
    command: ["sh", "-c", "read x; echo no such line >&2; exit 3"],
    says: /it exited without an answer \(exited with status 3, saying "no such line"\)/,
  },
  "one that is ready late": {
    command: ["sh", "-c", "sleep 1; echo started; exec cat >/dev/null"],
    says: /it has nothing to say: it has read the question, [^]* wrote nothing more at end of file/,
  },
  "an editor of lines shows what it is asked, which is no answer": {
    command: python("import readline\nwhile input() != 'status': pass\nprint('up')"),
    says: /it has nothing to say: .* at end of file or at a terminal\n/,
    needs: ["python3"],
  },
  "one that logs on stderr buffers": {
    command: python("for line in sys.stdin: sys.stderr.write('[debug]\\n'); print('answer', line)"),
    says:
      /, to stderr "\[debug\]", [^]*it has read the question and written nothing to stdout; at a terminal it answered after \d+ ms\n {2}\S*python3 -u -c /,
    needs: ["python3"],
  },
  "what is printed and not asked for is in a buffer as well": {
    command: python("print('listening'); time.sleep(99)"),
    says:
      /wrote "listening" unasked[^]*it buffers because it writes to a pipe: over pipes it wrote nothing of what it wrote at a terminal, unasked: "listening"; it sleeps\n {2}\S+ -u -c [^]*# wrote that after/,
    needs: ["python3"],
  },
  "a line that comes late and unasked is no answer": {
    command: ["sh", "-c", "sleep 1.7; echo started; sleep 100"],
    says: /it does not read its stdin: the question is unread/,
  },
  "a prompt of one that then exits": {
    command: ["sh", "-c", 'printf "Overwrite (y/n)? "; read x; [ "$x" = y ] || exit 1'],
    says:
      /it exited without an answer \(exited with status 1\); before that it wrote "Overwrite \(y\/n\)\?"\n[^]*--question TEXT\n/,
  },
  "one that reads its stdin because that is a pipe": {
    command: [
      "sh",
      "-c",
      "[ -t 0 ] || [ ! -p /dev/stdin ] && { echo found; exit; }; exec sort >/dev/null",
    ],
    says:
      /it reads its stdin because that is a pipe: at a terminal it did not wait for it, wrote "found" and exited with status 0\n {2}if nothing is to be sent: start it with stdin: "null", or close its stdin\n {2}sh -c .* <\/dev\/null {3}# exited with status 0 at once\n/,
  },
  "two lines make one, in a buffer": {
    command: ["paste", "-", "-"],
    says:
      /it answers only after more input than that, or at end of file: [^]*\n {2}and it buffers: stdbuf -oL paste - -\n/,
    needs: ["paste", "stdbuf"],
  },
  "an answer after two lines": {
    command: ["sh", "-c", "read a; read b; echo $a$b"],
    says:
      /it answers only after more input than that, or at end of file: asked 20 times at once it answered/,
  },
  "a reader of 100 bytes": {
    command: python("while os.read(0, 100): pass"),
    says: /it has nothing to say/,
    needs: ["python3"],
  },
  "an answer that contains the question": {
    command: python("for line in sys.stdin: print('got', line); time.sleep(100)"),
    says:
      /it buffers because it writes to a pipe: it has read the question and written nothing; at a/,
    needs: ["python3"],
  },
  "a question that fits the program": {
    command: ["jq", "."],
    says: /\n {2}jq --unbuffered \. {3}# answered after/,
    needs: ["jq"],
  },
  "a language server that answers a line": {
    command: [Deno.execPath(), "lsp"],
    says:
      /it speaks JSON-RPC, in the framing "content-length"[^]*rpc\.ts --framing content-length .* lsp\n/,
  },
  "a server that answers to JSON-RPC alone, a message a line": {
    command: python(
      "import json\nfor line in sys.stdin:\n  try: id = json.loads(line)['id']\n  except Exception: continue\n" +
        "  print(json.dumps({'jsonrpc': '2.0', 'id': id, 'result': {}}), flush=True)",
    ),
    says:
      /it speaks JSON-RPC, and no plain lines: asked to initialize in the framing "lines" it ans/,
    needs: ["python3"],
  },
  "a prompt in a buffer": {
    command: python("sys.stdout.write('Name? '); time.sleep(99)"),
    says: /over pipes it wrote nothing of what it wrote at a terminal|it does not read its stdin/,
    needs: ["python3"],
  },
  "the last useful line of stderr, with what would turn it around": {
    command: [
      "sh",
      "-c",
      "printf 'Error: a\\342\\200\\256b\\n    at x\\n\\nNode.js v1\\n' >&2; exit 3",
    ],
    says: /it exited without an answer \(exited with status 3, saying "Error: a\\u202eb"\)/,
  },
  "sed -u answers at once": { command: ["sed", "-u", "p"], says: /answers at once/ },
  "sed buffers": { command: ["sed", "s/a/b/"], says: cure("sed -u s/a/b/") },
  "grep buffers": { command: ["grep", "q"], says: cure("grep --line-buffered q") },
  "mawk buffers": { command: ["mawk", "1"], says: cure("mawk -W interactive 1"), needs: ["mawk"] },
  "cut buffers": { command: ["cut", "-c1-"], says: cure("stdbuf -oL cut -c1-"), needs: ["stdbuf"] },
  "a program in a shell buffers": {
    command: ["sh", "-c", "sed p; true"],
    says: cure("stdbuf -oL sh -c 'sed p; true'"),
    needs: ["stdbuf"],
  },
  "one that buffers, and ends at a terminal": {
    command: ["sh", "-c", "if [ -t 0 ]; then echo usage >&2; exit 1; fi; exec sed p"],
    says:
      /it has read the question and written nothing\n {2}stdbuf -oL sh -c [^]* {3}# answered after/,
    needs: ["stdbuf"],
  },
  "one of two that buffers, at a terminal as well": {
    command: ["sh", "-c", "sed p | cat"],
    says: /it has read the question and written nothing\n {2}stdbuf -oL sh -c 'sed p \| cat' {3}#/,
    needs: ["stdbuf"],
  },
  "perl buffers": {
    command: ["perl", "-ne", "print"],
    says: cure(
      "script -qec 'stty -echo; echo ready; exec perl -ne print' /dev/null 2>/dev/null   # write after its line \"ready\"",
    ),
    needs: ["perl"],
  },
  "ruby buffers": {
    command: ["ruby", "-pe", "1"],
    says: cure(
      "script -qec 'stty -echo; echo ready; exec ruby -pe 1' /dev/null 2>/dev/null   # write after its line \"ready\"",
    ),
    needs: ["ruby"],
  },
  "node reads a program": {
    command: ["node"],
    question: "6*7",
    says: /\n {2}answered "42" after [^]*\n {2}node -i {3}# answered after \d+ ms\n/,
    needs: ["node"],
  },
  "lua reads a program": {
    command: ["lua5.4"],
    question: "print(6*7)",
    says: /it talks only when it is interactive: [^]*\n {2}lua5.4 -i {3}# answered after \d+ ms\n/,
    needs: ["lua5.4"],
  },
  "wc answers at its end of file": {
    command: ["wc", "-c"],
    says: /answers only at end of file, not after 20 questions either: it wrote "9\\n" when/,
  },
  "one that is slow to answer, and is given the time": {
    command: ["sh", "-c", "read x; sleep 1.7; echo $x; cat"],
    timeout: 3,
    says: /it answers over pipes, but is slow: after \d{4} ms\n {2}does the parent wait for/,
  },
  "python answers at its end of file": {
    command: ["python3", "-c", reader],
    says: /answers only at end of file/,
    needs: ["python3"],
  },
  "the beginning of a line, and work": {
    command: ["sh", "-c", 'printf "Loading ... "; sleep 300; cat'],
    says:
      /wrote nothing more, [^]*it does not read its stdin: the question is unread, and it waits/,
  },
  "a prompt on stderr, and nothing to say": {
    command: ["python3", "-i"],
    question: "import os",
    says: /it has nothing to say: it has read the question, waits to read stdin, and wrote nothing/,
    needs: ["python3"],
  },
  "a prompt on stderr, and an error": {
    command: ["python3", "-i"],
    question: "question ",
    says: /it answers on stderr, not on stdout: ".*NameError.* not defined"\n/,
    needs: ["python3"],
  },
  "an empty line for an answer": {
    command: ["sh", "-c", "while read x; do echo; done"],
    says: /\n {2}answered "" after [^]*answers at once over pipes/,
  },
  "one that answers, and says more at end of file": {
    command: ["sh", "-c", "while read x; do echo $x; done; echo bye"],
    says: /^.*\n {2}answered "question" after \d+ ms\n\nit answers at once over pipes/,
  },
  "one that is ready late, and buffers": {
    command: ["sh", "-c", "sleep 1; echo ready; exec sed p"],
    says: cure("stdbuf -oL sh -c 'sleep 1; echo ready; exec sed p'"),
    needs: ["stdbuf"],
  },
  "one that is ready after it was asked": {
    command: ["sh", "-c", "sleep 1; echo ready; exec cat >/dev/null"],
    timeout: 0.5,
    says: /nothing more at end of file|reads its stdin late, [^]* it wrote "ready\\n"/,
  },
  "one that does not wait in its read": {
    command: python(
      "os.set_blocking(0, False)\nfor n in range(30000):\n  try: text = os.read(0, 99)\n" +
        "  except BlockingIOError: time.sleep(0.01); continue\n  if not text: break\n" +
        "  os.write(1, text)",
    ),
    says: /answers at once over pipes/,
    needs: ["python3"],
  },
  "one that tells that it lives does not read": {
    command: ["sh", "-c", "for n in $(seq 600); do echo alive; sleep 0.5; done"],
    timeout: 0.5,
    says: /it does not read its stdin: the question is unread/,
    needs: ["seq"],
  },
  "one that counts beside its dialogue": {
    command: python(
      "def count():\n  for n in range(6000): print(n, flush=True); time.sleep(0.05)\n" +
        "threading.Thread(target=count, daemon=True).start()\nsys.stdin.read()",
    ),
    timeout: 0.5,
    says: /it has nothing to say: [^]* wrote nothing more at end of file/,
    needs: ["python3"],
  },
  "one that says the same before the question and after it": {
    command: ["sh", "-c", "echo ok; while read x; do echo ok; done"],
    says: /answers at once over pipes/,
  },
  "a shell that waits for another does not read": {
    command: ["sh", "-c", "sleep 300; true"],
    says: /it does not read its stdin: .* waits for the exit of sleep \d+, which sleeps/,
  },
  "a server does not read": {
    command: python('socket.create_server(("127.0.0.1", 0)).accept()'),
    says: /it does not read its stdin: .* waits for a network connection to its port/,
    needs: ["python3"],
  },
  "one that waits for a child of its own": {
    command: ["sh", "-c", "read x; sleep 300; echo $x"],
    says: /it has read the question, and waits for the exit of sleep \d+, which sleeps: it wrote/,
  },
  "one behind another that buffers": {
    command: ["nice", "sed", "p"],
    says: cure("nice sed -u p"),
    needs: ["nice"],
  },
  "one that reads from the terminal": {
    command: ["sh", "-c", "read x < /dev/tty || exit; echo $x"],
    says: /it wants a terminal: .*\/dev\/tty/,
  },
  "a shell that names the line of its stdin": {
    command: ["bash"],
    question: "question ",
    says: /it answers on stderr, not on stdout: ".*bash: line 1: question: command not found"\n/,
    needs: ["bash"],
  },
  "false exits": {
    command: ["false"],
    says: /it exited without an answer \(exited with status 1\)/,
  },
  "a program that fails": {
    command: ["sh", "-c", "echo one >&2; echo two >&2; exit 3"],
    says: /it exited without an answer \(exited with status 3, saying "two"\)/,
  },
  "a crash": {
    command: ["sh", "-c", "read x; kill -SEGV $$"],
    says: /it exited without an answer \(was ended by SIGSEGV\)/,
  },
  "one that closes its stdin does not read it": {
    command: ["sh", "-c", "exec <&-; exec sleep 300"],
    says:
      /read 0 of 9 bytes, [^]*it does not read its stdin: the question is unread, and it sleeps\n/,
  },
  "a flood on stderr, which why.ts does not end": {
    command: ["sh", "-c", "yes >&2"],
    says: /\n {2}wrote [\d,]{9,} bytes to stderr, and was read no further\n[^]*its stderr carries/,
  },
  "cat answers a long line at once": {
    command: ["cat"],
    question: "q".repeat(70_000),
    says: /answers at once over pipes, after \d{1,3} ms/,
  },
  "a long line without a newline": {
    command: ["sh", "-c", "read x; head -c 300000 /dev/zero | tr '\\0' a; cat"],
    says: /it answers without a newline: it wrote "a{1000}…"/,
  },
  "a flood without a newline": {
    command: ["sh", "-c", "yes | tr -d '\\n'"],
    says: /it floods: it wrote [\d,]{9,} bytes without being asked/,
  },
  "a program that waits for several of its own": {
    command: ["bash", "-c", "sleep 300 & sleep 300 & wait"],
    says: /the exit of sleep \d+ or waits for the exit of sleep \d+, which sleeps\n/,
    needs: ["bash"],
  },
};

/** Few at a time: how soon a program answers is a part of what is said. */
const places = Array.from({ length: 4 }, () => Promise.resolve());

async function alone(act: () => Promise<void>): Promise<void> {
  const before = places.shift() ?? Promise.resolve();
  const done = before.then(act);
  places.push(done.catch(() => {}));
  await done;
}

/** Tries programs, and sees what is said of them, and that nothing of them is left. */
export function testPrograms(programs: Record<string, Tried>): void {
  for (const [title, program] of Object.entries(programs)) {
    const { command, question, timeout = 1, says, needs = [] } = program;
    processTest(`why finds out: ${title}`, () =>
      alone(async () => {
        const lines: string[] = [];
        const tell = (line: string) => Promise.resolve(void lines.push(line));
        const { what, cures, section } = await diagnose(command, { question, timeout, tell });
        lines.push("", what, ...cures.map((cure) => `  ${cure}`), `  more in ${section}`, "");
        assertMatch(lines.join("\n"), says);
      }), { needs: ["script", ...needs], os: "linux" });
  }
  Deno.test("nothing is left of the programs that were tried", async () => {
    assertEquals(await processesMarked(mark), []);
  });
}
