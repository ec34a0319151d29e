/**
 * What follows from the trials of a program that does not answer over pipes.
 *
 * @module
 */
import { describeStatus } from "../child.ts";
import { paste } from "../script/paste.ts";
import { UNBUFFERED } from "./remedies.ts";
import { FLOOD, isUnclear, mayRead, type Trial } from "./trial.ts";
import { byteCount, quote } from "../script/format.ts";
import { SECTIONS } from "./sections.ts";
import { STOPPED } from "./words.ts";

/** What a pipe holds on Linux. */
const CAPACITY = 65_536;
/** Who takes as many milliseconds to answer does not answer at once. */
const SLOW = 1000;

/** What has been tried with a program. */
export interface Evidence {
  /** Over pipes. */
  piped: Trial;
  /** At a terminal, if that was tried. */
  terminal?: Trial | undefined;
  /** The first cure that made it answer. */
  cured?: Trial | undefined;
  /** The first way to make it interactive that made it answer. */
  interactive?: Trial | undefined;
  /** With its stdout at a terminal, and its stdin a pipe. */
  output?: Trial | undefined;
  /** Over pipes, without {@linkcode UNBUFFERED}, if that is set. */
  unset?: Trial | undefined;
}

/** What follows from the trials. */
export interface Outcome {
  /** Why there is no answer. */
  what: string;
  /** What to do about it. */
  cures: string[];
  /** The page and the heading that say more. */
  section: string;
}

/** What may follow, the surest first: each looks at the evidence and says what it sees. */
const OUTCOMES: ((evidence: Evidence) => Outcome | undefined)[] = [
  function floods({ piped: { before } }) {
    if (before.length < FLOOD) return;
    const lines = before.split("\n").length - 1;
    const much = lines > 0 ? `${lines.toLocaleString("en")} lines` : byteCount(before.length);
    return {
      what: `it floods: it wrote ${much} without being asked, and was read no further`,
      cures: ["count or pass on what it writes, and end it when you have enough"],
      section: SECTIONS.timeLimit,
    };
  },

  function muchOnStderr({ piped: { errors } }) {
    if (errors < CAPACITY) return;
    return {
      what: `its stderr carries much, ${byteCount(errors)}: a parent that pipes it and does not ` +
        "read it hangs",
      cures: ["read stdout and stderr at the same time, or let stderr be inherited"],
      section: SECTIONS.readBoth,
    };
  },

  function wantsTerminal({ piped, terminal }) {
    const { status, unread, milliseconds, lastError } = piped;
    if (milliseconds !== undefined || terminal?.milliseconds === undefined) return;
    if (status === undefined && !unread) return;
    // Its stderr is the terminal as well, and so is that of a shell, which names a signal.
    if (status?.signal || lastError !== "" && terminal.answer.includes(lastError)) return;
    return giveTerminal(terminal, status === undefined ? "did not read its stdin" : ended(piped));
  },

  function exited({ piped }) {
    const { status, milliseconds, left } = piped;
    if (status === undefined || milliseconds !== undefined) return;
    const what = `it exited without an answer (${ended(piped)})`;
    if (left !== undefined) {
      return {
        what: `${what}, before it was asked: ${left}`,
        cures: ["its exit is not the end: talk on to whoever holds its pipes, or end that as well"],
        section: SECTIONS.endOfFile,
      };
    }
    return {
      what,
      cures: [`see what it says by itself: ${paste(piped.command)}`],
      section: SECTIONS.brokenPipe,
    };
  },

  function prompts({ piped: { before, milliseconds, doing } }) {
    if (before === "" || before.endsWith("\n")) return;
    if (milliseconds === undefined && !mayRead(doing)) return;
    return {
      what: `a prompt without a newline: it wrote ${
        quote(before.split("\n").at(-1) ?? "")
      } and waits`,
      cures: ["read up to the prompt; whoever reads whole lines waits for its newline"],
      section: SECTIONS.prompt,
    };
  },

  function answersAtOnce({ piped, piped: { milliseconds }, unset = piped }) {
    if (milliseconds === undefined) return;
    const isSlow = milliseconds > SLOW;
    return {
      what: isSlow
        ? `it answers over pipes, but is slow: after ${milliseconds} ms`
        : `it answers at once over pipes, after ${milliseconds} ms: the fault is in the parent`,
      cures: [
        ...(isSlow ? ["does the parent wait for as long?"] : []),
        ...(isUnclear(unset) ? [`${UNBUFFERED} is set here; is it where it hangs?`] : []),
        "does the parent end each question with a newline, and flush it?",
        "does it read while it writes, and before it waits for the exit?",
        "while it hangs, look at it: why.ts --pid PID",
      ],
      section: SECTIONS.dialogue,
    };
  },

  function isStopped({ piped: { doing } }) {
    if (!doing.endsWith(STOPPED)) return;
    return {
      what: `it ${doing}`,
      cures: ["see what stops it; where it hangs, why.ts --pid PID says how to continue it"],
      section: SECTIONS.elsewhere,
    };
  },

  function hangsInside({ piped: { unread, answer, atEnd = "", inside }, terminal }) {
    if (inside === undefined || answer + atEnd !== "") return;
    if (terminal?.milliseconds !== undefined) return;
    const read = unread === 0 ? "it has read the question" : "it has not read the question";
    const { what, cures, sections: [section = SECTIONS.elsewhere] } = inside;
    return { what: `${read}, and its own pipes are in the way: ${what}`, cures, section };
  },

  function readsLate({ piped: { unread = 0, doing, atEnd = "" } }) {
    if (unread === 0 || atEnd === "") return;
    return {
      what: `it reads its stdin late, if at all: first it ${doing}, with the question unread; ` +
        `then it wrote ${quote(atEnd)}`,
      cures: ["give it more time: --timeout SECONDS; or send when it says that it is ready"],
      section: SECTIONS.elsewhere,
    };
  },

  function doesNotRead({ piped: { unread = 0, doing } }) {
    if (unread === 0) return;
    return {
      what: `it does not read its stdin: the question is unread${doing && `, and it ${doing}`}`,
      cures: [
        `let it do that, or tell it to read stdin; some programs take "-" for that`,
        "if it only reads later, give it more time: --timeout SECONDS",
      ],
      section: SECTIONS.elsewhere,
    };
  },

  function buffers({ piped, terminal, cured, output }) {
    const cure = cured ?? (output?.milliseconds === undefined ? undefined : terminal);
    if (cure?.milliseconds === undefined) return;
    const wrote = piped.unread === 0
      ? `it has read the question and written nothing${piped.complaint && " to stdout"}`
      : "no answer";
    const at = terminal?.milliseconds === undefined
      ? ""
      : `; at a terminal it answered after ${terminal.milliseconds} ms`;
    return {
      what: `it buffers because it writes to a pipe: ${wrote}${at}`,
      cures: [`${paste(cure.command)}   # answered after ${cure.milliseconds} ms`],
      section: SECTIONS.buffer,
    };
  },

  function isInteractive({ piped: { atEnd }, interactive }) {
    if (interactive?.milliseconds === undefined) return;
    const { command, milliseconds } = interactive;
    return {
      what: "it talks only when it is interactive: it has read the question and written nothing" +
        `${atEnd && " before end of file"}; told to be, it answered after ${milliseconds} ms`,
      cures: [`${paste(command)}   # answered after ${milliseconds} ms`],
      section: SECTIONS.prompt,
    };
  },

  function talksAtTerminal({ piped: { atEnd }, terminal }) {
    if (terminal?.milliseconds === undefined) return;
    const did = atEnd
      ? `wrote ${quote(atEnd)} at end of file alone`
      : "read the question and wrote nothing";
    return giveTerminal(terminal, did);
  },

  function answersOnStderr({ piped: { complaint, answer, atEnd = "" } }) {
    if (complaint === "" || answer + atEnd !== "") return;
    return {
      what: `it answers on stderr, not on stdout: ${quote(complaint)}`,
      cures: ["read its stderr as well", "ask what it understands: --question TEXT"],
      section: SECTIONS.bothOutputs,
    };
  },

  function answersWithoutNewline({ piped: { answer } }) {
    if (answer.trim() === "" || answer.endsWith("\n")) return;
    return {
      what: `it answers without a newline: it wrote ${quote(answer)} and waits`,
      cures: ["read what comes; whoever reads whole lines waits for its newline"],
      section: SECTIONS.prompt,
    };
  },

  function isSlow({ piped: { unread, doing, atEnd = "", atEndAfter } }) {
    if (unread !== 0 || atEnd === "" || atEndAfter === undefined || mayRead(doing)) return;
    return {
      what: `it is slow: it has read the question, and ${doing}; it wrote ${quote(atEnd)} ` +
        `${atEndAfter} ms after that`,
      cures: [`give it more time: --timeout ${Math.ceil(atEndAfter * 1.5 / 1000)}`],
      section: SECTIONS.elsewhere,
    };
  },

  function answersAtEnd({ piped: { atEnd = "" }, terminal }) {
    if (atEnd === "") return;
    const unsure = terminal ? "" : " (or buffers: no terminal could be tried)";
    return {
      what: `it answers only at end of file${unsure}: it wrote ${quote(atEnd)} when its ` +
        "stdin was closed",
      cures: ["close its stdin when all is sent, then read the answer"],
      section: SECTIONS.closeStdin,
    };
  },

  function doesSomethingElse({ piped: { unread, doing } }) {
    if (unread !== 0 || mayRead(doing)) return;
    return {
      what: `it has read the question, and ${doing}: it wrote nothing, at end of file neither`,
      cures: ["see what it waits for, or give it more time: --timeout SECONDS"],
      section: SECTIONS.elsewhere,
    };
  },
];

function giveTerminal({ command }: Trial, did: string): Outcome {
  return {
    what: `it wants a terminal: over pipes it ${did}; at a terminal it answered`,
    cures: [`give it one: ${paste(command)}`],
    section: SECTIONS.password,
  };
}

function ended({ status, lastError }: Trial): string {
  return (status ? describeStatus(status) : "") + (lastError && `, saying ${quote(lastError)}`);
}

/** Why a program does not answer, as far as the trials tell. */
export function conclude(evidence: Evidence): Outcome {
  for (const find of OUTCOMES) {
    const outcome = find(evidence);
    if (outcome !== undefined) return outcome;
  }
  return hasNothingToSay(evidence);
}

/** What is left if nothing else was seen. */
function hasNothingToSay({ piped: { before, unread, doing }, terminal }: Evidence): Outcome {
  const either = terminal ? "or at a terminal" : "(no terminal could be tried)";
  const read = unread === 0 ? "it has read the question, " : "";
  return {
    what: `it has nothing to say: ${read}${doing && `${doing}, `}and wrote nothing ` +
      `${before && "more "}at end of file ${either}`,
    cures: ["ask what has an answer: --question TEXT", "or ask for a mark after each answer"],
    section: SECTIONS.wholeAnswers,
  };
}
