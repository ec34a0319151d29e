import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Pipe } from "../../../lib/why/pipes.ts";
import { draw } from "../../../lib/why/picture.ts";
import { COMPUTES, type Process, type Snapshot, type Wait } from "../../../lib/why/snapshot.ts";
import { verdictOn } from "../../../lib/why/verdicts.ts";
import "../../process.ts";

/** A snapshot with processes as given, and pipes between them: `a>b` is one that a writes and b
 * reads. */
function snapshot(
  waits: Record<number, Wait[][]>,
  pipes: string[],
  options: { isPartial?: boolean; held?: number; waited?: number } = {},
): Snapshot {
  const { isPartial = false, held = 0, waited = 1 } = options;
  const process = ([pid, threads]: [string, Wait[][]]): [number, Process] => [
    Number(pid),
    {
      name: `p${pid}`,
      args: [],
      state: "alive",
      parent: 1,
      isOrphan: false,
      threads,
      waited,
      ran: waited * 1e7,
      written: 0,
    },
  ];
  const ends = (side = "", descriptor: number) =>
    side.split(",").filter((pid) => pid !== "").map((pid) => ({ pid: Number(pid), descriptor }));
  const pipe = (name: string): [string, Pipe] => {
    const [writers, readers] = name.split(">");
    return [name, { writers: ends(writers, 1), readers: ends(readers, 0), held, capacity: 65536 }];
  };
  return {
    processes: new Map(Object.entries(waits).map(process)),
    pipes: new Map(pipes.map(pipe)),
    isPartial,
  };
}

const read = (pipe: string): Wait => ({ for: "read", pipe, descriptor: 0 });
const write = (pipe: string): Wait => ({ for: "write", pipe, descriptor: 1 });
const exit = (pid: number): Wait => ({ for: "exit", pid });
const sleeps: Wait = { for: "else", doing: "sleeps" };

/** What is said; nothing if all have moved. */
function whatOf(pid: number, now: Snapshot, before?: Snapshot): string {
  return verdictOn(pid, now, before)?.what ?? "";
}

const CASES: [title: string, snapshot: Snapshot, says: RegExp][] = [
  [
    "a circle of four is told from any of them",
    snapshot(
      { 7: [[write("7>8")]], 8: [[write("8>9")]], 9: [[write("9>10")]], 10: [[write("10>7")]] },
      ["7>8", "8>9", "9>10", "10>7"],
      { held: 65536 },
    ),
    /^deadlock: p7 7 waits until p8 8 reads its stdout, p8 8 .*, and p10 10 waits until p7 7/,
  ],
  [
    "a process outside the circle waits for it as well",
    snapshot({ 7: [[exit(8)]], 8: [[read("9>8")]], 9: [[read("8>9")]] }, ["9>8", "8>9"]),
    /^p8 8 and p9 9 both wait to read/,
  ],
  [
    "who can be set going by somebody outside is not in a circle",
    snapshot({ 7: [[read("8,9>7")]], 8: [[read("7>8")]], 9: [[sleeps]] }, ["8,9>7", "7>8"]),
    /^p7 7 gets no end of file from its stdin before p9 9 exits: it holds the write end/,
  ],
  [
    "one of several waits is enough to go on",
    snapshot({ 7: [[write("7>8"), exit(9)]], 8: [[write("8>7")]], 9: [[sleeps]] }, ["7>8", "8>7"]),
    /^not a pipe: .*p9 9 sleeps/,
  ],
  [
    "another thread may end a deadlock",
    snapshot({ 7: [[write("7>8")], [sleeps]], 8: [[write("8>7")]] }, ["7>8", "8>7"]),
    /^deadlock: .*, unless another thread of p7 7, which sleeps, goes on$/,
  ],
  [
    "the nearest circle is told, not the longest",
    snapshot(
      { 7: [[exit(8), exit(9)]], 8: [[exit(9)]], 9: [[write("9>7")]] },
      ["9>7"],
    ),
    /^deadlock: p7 7 waits until p9 9 exits, and p9 9 waits until p7 7 reads its stdout$/,
  ],
  [
    "an end that a hidden process holds",
    snapshot({ 7: [[read(">7")]] }, [">7"], { isPartial: true }),
    /^p7 7 waits until somebody writes, who cannot be seen.*sudo/,
  ],
  [
    "an end that nobody holds any more",
    snapshot({ 7: [[write("7>")]] }, ["7>"]),
    /^p7 7 waits until somebody reads, .*just gone/,
  ],
  [
    "many who do not read",
    snapshot({ 7: [[write("7>8,9")]], 8: [[sleeps]], 9: [[sleeps]] }, ["7>8,9"]),
    /^p7 7 waits for a reader of its stdout: p8 8 and p9 9 hold the read end, do not read$/,
  ],
  [
    "the reader holds the write end, and its child does so too",
    snapshot({ 7: [[read("7,8>7")]], 8: [[sleeps]] }, ["7,8>7"]),
    /^p7 7 waits to read its stdin, and nothing is there: p8 8 could write it, and p8 8 sleeps. No end of file comes before it and p8 8 close the write end$/,
  ],
  [
    "a writer that has inherited the read end does not wait for itself",
    snapshot({ 7: [[exit(8)]], 8: [[write("7,8>7,8")]] }, ["7,8>7,8"]),
    /^deadlock: p7 7 waits until p8 8 exits, and p8 8 waits until p7 7 reads its stdout$/,
  ],
  [
    "workers share both ends of their pipes",
    snapshot({ 7: [[read("7,8>7"), exit(8)]], 8: [[sleeps]] }, ["7,8>7"]),
    /^p7 7 gets no end of file from its stdin before p8 8 exits/,
  ],
  [
    "an end in a process that has gone meanwhile",
    snapshot({ 7: [[read("8>7")]] }, ["8>7"]),
    /^p7 7 gets no end of file .* before process 8 exits/,
  ],
];

for (const [title, now, says] of CASES) {
  Deno.test(`why it hangs: ${title}`, () => assertMatch(whatOf(7, now), says));
}

Deno.test("why it hangs: what all of them have moved meanwhile does not", () => {
  const take = (waited: number) =>
    snapshot({ 7: [[write("7>8")]], 8: [[write("8>7")]] }, ["7>8", "8>7"], { waited });
  assertEquals(verdictOn(7, take(2), take(1)), undefined);
  assertMatch(whatOf(7, take(2), take(2)), /^deadlock/);
  const before = take(1);
  const one = before.processes.get(7);
  assert(one !== undefined);
  before.processes.set(7, { ...one, waited: 2 });
  // A timer of one of them does not set the other going.
  assertMatch(whatOf(7, take(2), before), /^deadlock/);
});

Deno.test("why it hangs: whoever has just woken, or had no time to run, is looked at again", () => {
  const take = (doing: string, waited: number) =>
    snapshot({ 7: [[exit(8)]], 8: [[{ for: "else", doing }]] }, [], { waited });
  assertEquals(verdictOn(7, take(COMPUTES, 2), take("sleeps", 1)), undefined);
  assertEquals(verdictOn(7, take(COMPUTES, 1), take(COMPUTES, 1)), undefined);
  assertMatch(whatOf(7, take(COMPUTES, 2), take(COMPUTES, 1)), /^not a pipe: .*p8 8 computes$/);
});

const opening = (path: string): Wait => ({ for: "writer", path });

for (
  const [title, other, says] of [
    [
      "for another FIFO",
      "/d/b",
      /^deadlock, unless .*: p7 7 waits in .* \/d\/a, and p8 8 waits in/,
    ],
    ["for the same", "/d/a", /^p7 7 waits in open for a writer of \/d\/a$/],
  ] as const
) {
  Deno.test(`why it hangs: in open, while another waits there ${title}`, () => {
    const now = snapshot({ 7: [[opening("/d/a")]], 8: [[opening(other)]] }, []);
    assertMatch(whatOf(7, now), says);
    assertEquals(draw(7, now, 80).length, 2);
  });
}

Deno.test("why it hangs: whoever waits for the one that waits for it is told once", () => {
  const terminal: Wait = { for: "else", doing: "waits for the terminal tty", terminal: "tty" };
  const now = snapshot({ 7: [[read("8>7")]], 8: [[read("7>8"), terminal]] }, ["8>7", "7>8"]);
  assertMatch(
    whatOf(7, now),
    /^p8 8 waits for what is typed at the terminal tty, and p7 7 waits until p8 8 writes$/,
  );
});

Deno.test("why it hangs: who waits for the exit of one that fills stderr is told to read both", () => {
  const writesStderr: Wait = { for: "write", pipe: "8>7", descriptor: 2 };
  const now = snapshot({ 7: [[exit(8)]], 8: [[writesStderr]] }, ["8>7"], { held: 65536 });
  for (const end of now.pipes.get("8>7")?.writers ?? []) end.descriptor = 2;
  assertEquals(verdictOn(7, now)?.cures, ["read both outputs at the same time"]);
});

Deno.test("why it hangs: whoever waits for more than was written is told so, if that is seen", () => {
  const take = (written: number) => {
    const now = snapshot({ 7: [[read("8>7")]], 8: [[read("7>8")]] }, ["8>7", "7>8"]);
    const child = now.processes.get(8);
    assert(child !== undefined);
    Object.assign(child, { written, parent: 7 });
    return now;
  };
  assertMatch(
    whatOf(7, take(6)),
    /p8 8 has read what was sent, so .*, or was read already \(it has written 6 bytes in its life, here or/,
  );
  for (const written of [0, 1, NaN]) {
    assertMatch(
      whatOf(7, take(written)),
      /p8 8 has read what was sent, so its answer is in its buffer, or there is none before more/,
    );
  }
});

Deno.test("why it hangs: a process that has exited, and one that is stopped", () => {
  const now = snapshot({ 7: [], 8: [[exit(7)]] }, []);
  const process = now.processes.get(7);
  assert(process !== undefined);
  process.state = "exited";
  assertMatch(
    whatOf(7, now),
    /^p7 7 has exited; its parent 1 has not asked for its status$/,
  );
  process.state = "stopped";
  assertMatch(
    whatOf(8, now),
    /^p7 7 is stopped by a signal, and p8 8 waits until p7 7 exits/,
  );
});

Deno.test("the picture shows who waits, and each pipe with its ends and what is in it", () => {
  const now = snapshot({ 7: [[write("7>8")]], 8: [[sleeps]] }, ["7>8"], { held: 65536 });
  assertEquals(draw(7, now, 80), [
    "p7 7  waits to write to stdout",
    "p8 8  sleeps",
    "p7 7 [stdout] ── 65,536 of 65,536 bytes ──▶ p8 8 [stdin]",
  ]);
});

Deno.test("the picture names three holders of an end, each once, with all its descriptors", () => {
  const now = snapshot({ 7: [[write("7>8,9,10")]] }, ["7>8,9,10"]);
  now.pipes.get("7>8,9,10")?.writers.push({ pid: 7, descriptor: 2 });
  assertEquals(
    draw(7, now, 200)[1],
    "p7 7 [stdout and stderr] ── 0 of 65,536 bytes ──▶ " +
      "process 8 [stdin], process 9 [stdin] and process 10 [stdin]",
  );
});

Deno.test("the picture fits the width, whatever the names are and however many hold an end", () => {
  const many = Array.from({ length: 300 }, (_, index) => index + 8);
  const name = `7>${many.join()}`;
  const now = snapshot({ 7: [[write(name)]] }, [name]);
  for (const process of now.processes.values()) process.name = "x".repeat(200);
  for (const width of [20, 80]) {
    const lines = draw(7, now, width);
    for (const line of lines) assert(line.length <= width, line);
    assert(lines.length < 10);
  }
  assertMatch(
    draw(7, now, 1000).join("\n"),
    /process 8 \[stdin\], process 9 \[stdin\] and 298 more/,
  );
});
