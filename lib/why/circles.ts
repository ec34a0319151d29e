/**
 * Circles of processes that wait for each other: one function for each kind.
 *
 * @module
 */
import { hintFor } from "../script/cures.ts";
import { byteCount } from "../script/format.ts";
import { type Edge, findCircle, type Situation, waysOf } from "./edges.ts";
import { SECTIONS } from "./sections.ts";
import { awaited, type Wait } from "./snapshot.ts";
import { CLOSE_STDIN, isOutput, OWN_BYTE, unless, type Verdict } from "./verdict.ts";
import { edgeInWords, labelOf, labelsOf, list, who } from "./words.ts";

/** A circle, and what is waited for in it. */
interface Circle {
  edges: Edge[];
  /** Who waits in it. */
  waiting: number[];
  /** Whether somebody in it waits for this. */
  some: (kind: Wait["for"]) => boolean;
  /** Whether everybody in it does. */
  all: (kind: Wait["for"]) => boolean;
  /** Who waits for whom, in words. */
  what: string;
}

const KINDS: ((circle: Circle, situation: Situation) => Omit<Verdict, "waiting"> | undefined)[] = [
  function allRead({ edges, some, all, waiting }, situation) {
    if (some("write") || !all("read")) return;
    const { processes, pipes } = situation;
    const [first, second = first] = edges;
    if (first === undefined || second === undefined) return;
    const isParent = ({ from }: Edge) =>
      edges.some((edge) => processes.get(edge.from)?.parent === from);
    const { from: parent } = edges.find(isParent) ?? first;
    const { from: child } = edges.find(({ to }) => to.includes(parent)) ?? second;
    const { name = "", args = [], written = 0 } = processes.get(child) ?? {};
    const asked = who(processes, child);
    // What lies unread, as in its stderr, is not what was read.
    const held = [...pipes.values()].filter(({ writers }) =>
      writers.some(({ pid }) => pid === child)
    ).reduce((sum, { held = 0 }) => sum + held, 0);
    const isMore = written - held > OWN_BYTE;
    return {
      what: `${list(waiting.map((pid) => who(processes, pid)))} ${waiting[2] ? "all" : "both"} ` +
        `wait to read, and nothing is in their pipes: ${asked} ` +
        (isMore
          ? `has written ${byteCount(written - held)}, and what came here of them was read; ` +
            `${who(processes, parent)} waits for more, which comes only when more is sent, ` +
            `or at end of file, unless it is in the buffer of ${asked}`
          : `has read what was sent, so the answer is in its buffer, or there is none before ` +
            `more is sent, or end of file`) +
        unless(processes, waiting),
      cures: [
        ...(isMore
          ? ["read no more than has come: read(N), readline() and read() wait for all of it"]
          : []),
        `${asked}: ${hintFor([name, ...args])}`,
        "if it shows a prompt, on stdout or stderr: that has no newline, so read up to the prompt",
        "if it answers only at end of file: close its stdin",
        `and see that ${who(processes, parent)} flushes what it sends`,
      ],
      sections: [SECTIONS.buffer, SECTIONS.prompt],
    };
  },

  function allWrite({ all, what }) {
    if (!all("write")) return;
    return { what, cures: ["read while you write"], sections: [SECTIONS.readWhileWriting] };
  },

  function exitBeforeEndOfFile({ edges, some, what }, situation) {
    if (some("write")) return;
    const { processes } = situation;
    const own = edges.filter(({ from, wait }) => awaited(situation, wait).includes(from));
    const inherited = edges.flatMap((edge) => inheritorsOf(situation, edge));
    const isClosed = edges.every(({ from, wait }) =>
      wait.for !== "read" || inherited.some(({ reader }) => reader === from)
    );
    const cures = [
      ...inherited.map(({ reader, pids, descriptors }) =>
        `if ${list(pids.map((pid) => who(processes, pid)))} ${pids[1] ? "are" : "is"} not to ` +
        `write to ${who(processes, reader)}: close the write end there, after fork ` +
        `(${list(descriptors.map(labelOf))})`
      ),
      ...(isClosed ? [] : [CLOSE_STDIN]),
      ...own.map(({ from }) => `and close the write end in ${who(processes, from)} itself`),
    ];
    const sections = [
      ...(inherited.length > 0 ? [SECTIONS.fromPython] : []),
      ...(isClosed ? [] : [SECTIONS.closeStdin]),
    ];
    return { what, cures, sections };
  },

  function exitBeforeReading({ edges, some, what }, situation) {
    if (!some("exit") || edges.some((edge) => labelsOf(situation, edge).includes("stderr"))) return;
    const both = some("read") ? "both outputs at the same time, and " : "";
    return {
      what,
      cures: [`read ${both}before you wait for the exit, as communicate() does`],
      sections: [...(both ? [SECTIONS.readBoth] : []), SECTIONS.readWhileWriting],
    };
  },

  function oneOutputAfterTheOther({ what }) {
    return {
      what,
      cures: ["read both outputs at the same time"],
      sections: [SECTIONS.readBoth],
    };
  },
];

/** A circle of processes that wait for each other, if there is one. */
export function circleVerdict(situation: Situation): Verdict | undefined {
  const { processes } = situation;
  const edges = findCircle(situation);
  if (edges.length === 0) return;
  const waiting = edges.map(({ from }) => from);
  const ways = edges.map((edge) => waysOf(situation, edge));
  const chain = edges.map((edge, index) => edgeInWords(situation, edge, ways[index]));
  const circle: Circle = {
    edges,
    waiting,
    all: (kind) => ways.every((waits) => waits.some((wait) => wait.for === kind)),
    some: (kind) => ways.flat().some((wait) => wait.for === kind),
    what: `deadlock: ${list(chain, ", and ")}${unless(processes, waiting)}`,
  };
  // Whoever reads from itself alone is in no circle with others.
  if (edges.length === 1 && circle.all("read") && !circle.some("write")) return;
  for (const kind of KINDS) {
    const verdict = kind(circle, situation);
    if (verdict !== undefined) return { ...verdict, waiting };
  }
}

/** Who holds the write end of what a process reads as other children of its parent do that have it
 * from that. */
function inheritorsOf({ processes, pipes }: Situation, { from, wait }: Edge) {
  const ends = wait.for === "read" ? pipes.get(wait.pipe)?.writers ?? [] : [];
  const { parent } = processes.get(from) ?? {};
  const inherited = ends.filter((end) =>
    end.pid !== from && !isOutput(end) && processes.get(end.pid)?.parent === parent
  );
  if (inherited.length === 0) return [];
  const pids = [...new Set(inherited.map(({ pid }) => pid))];
  const descriptors = [...new Set(inherited.map(({ descriptor }) => descriptor))];
  return [{ reader: from, pids, descriptors }];
}
