import { assertEquals, assertMatch } from "@std/assert";
import { conclude } from "../../../lib/why/outcomes.ts";
import type { Trial } from "../../../lib/why/trial.ts";
import "../../process.ts";
import { answered, silent } from "./made_up.ts";

const exited: Trial = { ...silent, status: { success: false, code: 3, signal: null } };
const end = { ...silent, atEnd: "yes\n" };

const CASES: [title: string, evidence: Parameters<typeof conclude>[0], says: RegExp][] = [
  ["an answer", { piped: answered }, /answers at once/],
  ["an answer before the exit", { piped: { ...exited, ...answered } }, /answers at once/],
  [
    "at end of file alone",
    { piped: end, terminal: silent },
    /only at end of file, or after more input: it wrote "yes/,
  ],
  [
    "without a terminal",
    { piped: end },
    /at end of file, or after more input \(or buffers: no terminal was tried\)/,
  ],
  ["a cure without a terminal", { piped: end, cured: answered }, /it buffers because/],
  [
    "a closed stdin where nothing else can be seen",
    { piped: { ...silent, unread: 9, doing: "" } },
    /does not read its stdin: the question is unread$/,
  ],
  [
    "a question that was unread for a while",
    { piped: { ...end, unread: 9, doing: "sleeps" } },
    /late, if at all: first it sleeps, with the question unread; then it wrote "yes\\n"$/,
  ],
  [
    "a partial line of a program that buffers",
    { piped: { ...silent, answer: "ye" }, cured: answered },
    /it buffers/,
  ],
  [
    "a prompt behind other lines",
    { piped: { ...silent, before: "hello\n> " } },
    /a prompt without a newline: it wrote "> " and waits$/,
  ],
  [
    "the beginning of a line, and work",
    { piped: { ...silent, before: "Loading ... ", unread: 9, doing: "sleeps" } },
    /does not read its stdin: the question is unread, and it sleeps$/,
  ],
  [
    "a prompt of a program that answered, and sleeps",
    { piped: { ...answered, before: "Name? ", doing: "sleeps" } },
    /a prompt without a newline: it wrote "Name\? " and waits$/,
  ],
  ["nothing anywhere", { piped: silent, terminal: silent }, /nothing to say: .* or at a terminal$/],
  ["nothing, no terminal", { piped: silent }, /nothing to say: .*\(no terminal was tried\)$/],
  [
    "a program that reads from the terminal itself",
    { piped: { ...silent, unread: 9 }, terminal: answered },
    /wants a terminal: over pipes it did not read its stdin; at a terminal it answered/,
  ],
  [
    "an exit that a terminal does not change",
    { piped: exited, terminal: exited },
    /exited without an answer \(exited with status 3\)/,
  ],
  [
    "an exit that leaves its pipes to another",
    { piped: { ...exited, left: "cat 7 still holds its stdin" } },
    /exited without an answer \(exited with status 3\), before it was asked: cat 7 still holds its stdin$/,
  ],
  [
    "a crash that a shell tells at a terminal",
    {
      piped: { ...silent, status: { success: false, code: 139, signal: "SIGSEGV" } },
      terminal: { ...answered, answer: "Segmentation fault\n" },
    },
    /exited without an answer \(was ended by SIGSEGV\)/,
  ],
  [
    "a complaint that a terminal shows as well",
    { piped: { ...exited, lastError: "bad" }, terminal: { ...answered, answer: "bad\n" } },
    /exited without an answer \(exited with status 3, saying "bad"\)/,
  ],
  [
    "an answer that a sleep keeps",
    { piped: { ...end, doing: "sleeps", atEndAfter: 1503 }, terminal: silent },
    /it is slow: it has read the question, and sleeps; it wrote "yes\\n" 1503 ms after that$/,
  ],
  ["an answer that takes its time", { piped: { ...answered, milliseconds: 1503 } }, /slow: .*1503/],
  [
    "a buffer that a loop of sleeps and reads fills",
    { piped: { ...end, doing: "sleeps", atEndAfter: 1003 }, cured: answered },
    /it buffers because/,
  ],
  [
    "a log on stderr, and an answer in a buffer",
    { piped: { ...end, complaint: "[debug]" }, terminal: silent, cured: answered },
    /it buffers because/,
  ],
  [
    "a log on stderr, and an answer at end of file",
    { piped: { ...end, complaint: "[debug]" }, terminal: silent },
    /answers only at end of file/,
  ],
  [
    "an answer on stderr alone",
    { piped: { ...silent, complaint: "no" }, terminal: silent },
    /answers on stderr, not on stdout: "no"$/,
  ],
  [
    "an interpreter that reads a program",
    { piped: end, terminal: answered, interactive: answered },
    /it talks only when it is interactive: .* written nothing before end of file; told to be,/,
  ],
  [
    "an interpreter that shows values when it is interactive",
    { piped: silent, terminal: answered, interactive: answered },
    /it talks only when it is interactive: .* written nothing; told to be,/,
  ],
  [
    "a program that buffers unless its stdout is a terminal",
    { piped: end, terminal: answered, output: answered },
    /it buffers because it writes to a pipe: .*; at a terminal it answered after 3 ms$/,
  ],
  [
    "a program that acts as another at a terminal",
    { piped: end, terminal: answered, output: silent },
    /it wants a terminal: over pipes it wrote "yes\\n" at end of file alone; at a terminal it answ/,
  ],
  [
    "a program that talks only at a terminal",
    { piped: silent, terminal: answered },
    /it wants a terminal: over pipes it read the question and wrote nothing; at a terminal it answ/,
  ],
  [
    "where nothing can be seen",
    {
      piped: { ...silent, unread: undefined, doing: "", atEnd: "yes\n" },
      terminal: answered,
      output: answered,
    },
    /buffers because it writes to a pipe: no answer; at a terminal it answered after 3 ms/,
  ],
];

Deno.test("a variable counts only where its lack leaves the program without an answer", () => {
  const said = (unset: Trial) => conclude({ piped: answered, unset }).cures.join();
  assertMatch(said(silent), /PYTHONUNBUFFERED is set here; is it where it hangs\?/);
  assertEquals(said(answered), conclude({ piped: answered }).cures.join());
});

Deno.test("who is slow is to be given the time that it took, and more", () => {
  const { cures } = conclude({ piped: { ...end, doing: "sleeps", atEndAfter: 1503 } });
  assertEquals(cures, ["give it more time: --timeout 3"]);
});

for (const [title, evidence, says] of CASES) {
  Deno.test(`why no answer: ${title}`, () => assertMatch(conclude(evidence).what, says));
}
