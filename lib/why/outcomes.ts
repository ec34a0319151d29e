/**
 * What follows from the trials of a program that does not answer over pipes.
 *
 * @module
 */
import { describeStatus } from "../child.ts";
import { paste, READY } from "../script/paste.ts";
import { UNBUFFERED } from "./remedies.ts";
import type { Evidence } from "./evidence.ts";
import { FLOOD } from "./program.ts";
import { brief, isUnclear, mayRead, type Trial } from "./trial.ts";
import { byteCount, quote } from "../script/format.ts";
import { SECTIONS } from "./sections.ts";
import { STOPPED } from "./words.ts";

/** What a pipe holds on Linux. */
const CAPACITY = 65_536;
/** Who takes as many milliseconds to answer does not answer at once. */
const SLOW = 1000;

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

  function speaksRpc({ rpc, piped, piped: { command, answer } }) {
    const answered = /^Content-Length: \d+\r?\n/i.test(answer)
      ? "content-length"
      : /^\{.*"jsonrpc"/.test(answer)
      ? "lines"
      : undefined;
    const { framing, trial: { milliseconds } } = answered
      ? { framing: answered, trial: piped }
      : rpc ?? { framing: "", trial: piped };
    if (framing === "") return;
    return {
      what: answered
        ? `it speaks JSON-RPC, in the framing "${framing}": so it answered a plain line, after ` +
          `${milliseconds} ms`
        : `it speaks JSON-RPC, and no plain lines: asked to initialize in the framing ` +
          `"${framing}" it answered after ${milliseconds} ms`,
      cures: [`deno run -A scripts/rpc.ts --framing ${framing} ${paste(command)}`],
      section: framing === "lines" ? SECTIONS.rpcLines : SECTIONS.rpcLength,
    };
  },

  function wantsTerminal({ piped, terminal, pasted }) {
    const { status, unread, milliseconds, lastError } = piped;
    if (milliseconds !== undefined || terminal?.milliseconds === undefined) return;
    if (status === undefined && !unread) return;
    // Its stderr is the terminal as well, and so is that of a shell, which names a signal.
    if (status?.signal || lastError !== "" && terminal.answer.includes(lastError)) return;
    return giveTerminal(
      terminal,
      pasted,
      status === undefined ? "did not read its stdin" : ended(piped),
    );
  },

  function asksNothing({ piped }) {
    const { status, before, milliseconds, left } = piped;
    if (!status?.success || milliseconds !== undefined || left !== undefined) return;
    if (before.trim() === "" || !before.endsWith("\n") && before.length < CAPACITY) return;
    const much = before.length < CAPACITY ? "" : `, ${byteCount(before.length)} in all`;
    return {
      what: `it does not wait to be asked: it wrote ${quote(brief(before))}${much}, and ` +
        describeStatus(status),
      cures: [
        "read its output to the end, then wait for its exit: a pipe holds 65,536 bytes",
        'if it is to read its stdin: some programs take "-" for that',
      ],
      section: SECTIONS.readWhileWriting,
    };
  },

  function exited({ piped }) {
    const { status, milliseconds, left } = piped;
    if (status === undefined || milliseconds !== undefined) return;
    const wrote = brief(piped.before + piped.answer);
    const what = `it exited without an answer (${ended(piped)})` +
      (wrote && `; before that it wrote ${quote(wrote)}`);
    if (left !== undefined) {
      return {
        what: `${what}, before it was asked: ${left}`,
        cures: ["its exit is not the end: talk on to whoever holds its pipes, or end that as well"],
        section: SECTIONS.endOfFile,
      };
    }
    return {
      what,
      cures: [
        `see what it says by itself: ${paste(piped.command)}`,
        "if it refused what it was asked: --question TEXT",
      ],
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

  function buffersUnasked(evidence) {
    const { cured, output, terminal, piped } = evidence;
    const missing = evidence.missing ?? "";
    const cure = cured ?? output;
    if (missing === "" || cure?.milliseconds === undefined || terminal === undefined) return;
    const command = cured?.command ?? terminal.command;
    return {
      what:
        `it buffers because it writes to a pipe: over pipes it wrote nothing of what it wrote ` +
        `at a terminal, unasked: ${quote(missing)}${piped.doing && `; it ${piped.doing}`}`,
      cures: [
        `${pasted(command)}   # wrote that after ${cure.milliseconds} ms`,
      ],
      section: SECTIONS.buffer,
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

  function readsForNoReason({ piped, terminal, unfed }) {
    if (terminal?.status === undefined || unfed?.status === undefined) return;
    const wrote = brief(terminal.before + terminal.answer);
    return {
      what: "it reads its stdin because that is a pipe: at a terminal it did not wait for it, " +
        `${wrote && `wrote ${quote(wrote)} and `}${describeStatus(terminal.status)}`,
      cures: [
        'if nothing is to be sent: start it with stdin: "null", or close its stdin',
        `${paste(piped.command)} </dev/null   # ${describeStatus(unfed.status)} at once`,
      ],
      section: SECTIONS.closeStdin,
    };
  },

  function isLateAnyhow({ piped, terminal, cured }) {
    // However it was asked, it took as long: so nothing but time is what it wants.
    const { atEnd = "", atEndAfter = 0, doing, unread } = piped;
    const times = [terminal, cured].flatMap((trial) => trial?.milliseconds ?? []);
    if (unread !== 0 || atEnd === "" || mayRead(doing) || times.length === 0) return;
    return Math.min(...times) < atEndAfter / 2 ? undefined : isSlowFor(piped);
  },

  function buffers({ piped, terminal, cured, output, pasted }) {
    const isByTerminal = output?.milliseconds !== undefined && terminal !== undefined;
    if (cured?.milliseconds === undefined && !isByTerminal) return;
    const wrote = piped.unread === 0
      ? `it has read the question and written nothing${piped.complaint && " to stdout"}`
      : "no answer";
    const at = terminal?.milliseconds === undefined
      ? ""
      : `; at a terminal it answered after ${terminal.milliseconds} ms`;
    return {
      what: `it buffers because it writes to a pipe: ${wrote}${at}`,
      cures: [cured ? cureLine(cured) : terminal ? terminalCure(terminal, pasted) : ""],
      section: SECTIONS.buffer,
    };
  },

  function isInteractive({ piped: { atEnd }, interactive }) {
    if (interactive?.milliseconds === undefined) return;
    const { milliseconds } = interactive;
    return {
      what: "it talks only when it is interactive: it has read the question and written nothing" +
        `${atEnd && " before end of file"}; told to be, it answered after ${milliseconds} ms`,
      cures: [cureLine(interactive)],
      section: SECTIONS.prompt,
    };
  },

  function talksAtTerminal({ piped: { atEnd }, terminal, pasted }) {
    if (terminal?.milliseconds === undefined) return;
    const did = atEnd
      ? `wrote ${quote(atEnd)} at end of file alone`
      : "read the question and wrote nothing";
    return giveTerminal(terminal, pasted, did);
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

  function isSlow({ piped }) {
    const { unread, doing, atEnd = "", atEndAfter } = piped;
    if (unread !== 0 || atEnd === "" || atEndAfter === undefined || mayRead(doing)) return;
    return isSlowFor(piped);
  },

  function answersAfterMore({ piped: { atEnd = "" }, many }) {
    if (atEnd === "" || many?.milliseconds === undefined) return;
    return {
      what:
        `it answers only after more input than that, or at end of file: asked 20 times at once ` +
        `it answered after ${many.milliseconds} ms, asked once it wrote ${quote(atEnd)} when its ` +
        "stdin was closed",
      cures: [
        "send all that it waits for; or close its stdin when all is sent, then read",
        ...(many.command[0] === "stdbuf" ? [`and it buffers: ${paste(many.command)}`] : []),
      ],
      section: SECTIONS.closeStdin,
    };
  },

  function answersAtEnd({ piped: { atEnd = "" }, terminal, many }) {
    if (atEnd === "") return;
    const unsure = terminal ? "" : " (or buffers: no terminal was tried)";
    const more = many ? ", not after 20 questions either" : ", or after more input";
    return {
      what: `it answers only at end of file${more}${unsure}: it wrote ${quote(atEnd)} when its ` +
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

/** A cure, as it was run: by a parent that writes at once. */
function cureLine({ command, milliseconds }: Trial): string {
  return `${pasted(command)}   # answered after ${milliseconds} ms`;
}

/** A command to paste. What script(1) says at its end is not for the user. */
function pasted(command: string[]): string {
  return command[0] === "script"
    ? `${paste(command)} 2>/dev/null   # write after its line "${READY}"`
    : paste(command);
}

function terminalCure(terminal: Trial, again: Trial | undefined): string {
  if (again?.milliseconds !== undefined) return cureLine(again);
  const isTried = again === undefined ? "was not tried" : "was in vain";
  return `${
    pasted(terminal.command)
  }; it answered when it was asked as it rested; to ask at once ` +
    isTried;
}

function giveTerminal(terminal: Trial, again: Trial | undefined, did: string): Outcome {
  return {
    what: `it wants a terminal: over pipes it ${did}; at a terminal it answered`,
    cures: [`give it one: ${terminalCure(terminal, again)}`],
    section: SECTIONS.password,
  };
}

function isSlowFor({ doing, atEnd = "", atEndAfter = 0 }: Trial): Outcome {
  return {
    what: `it is slow: it has read the question, and ${doing}; it wrote ${quote(atEnd)} ` +
      `${atEndAfter} ms after that`,
    cures: [`give it more time: --timeout ${Math.ceil(atEndAfter * 1.5 / 1000)}`],
    section: SECTIONS.elsewhere,
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
function hasNothingToSay({ piped, terminal, missing = "", isOnce }: Evidence): Outcome {
  const { before, unread, doing } = piped;
  const at = terminal?.status ? `, and ${describeStatus(terminal.status)}` : "";
  const either = terminal === undefined
    ? isOnce ? "(it was started once)" : "(no terminal was tried)"
    : missing !== ""
    ? `, and no answer at a terminal, where it wrote ${quote(missing)} unasked${at}`
    : `or at a terminal${at}`;
  const read = unread === 0 ? "it has read the question, " : "";
  return {
    what: `it has nothing to say: ${read}${doing && `${doing}, `}and wrote nothing ` +
      `${before && "more "}at end of file${either.startsWith(",") ? "" : " "}${either}`,
    cures: ["ask what has an answer: --question TEXT", "or ask for a mark after each answer"],
    section: SECTIONS.wholeAnswers,
  };
}
