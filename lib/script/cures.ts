/**
 * What is known of programs by their names: what makes them answer over a pipe, how to ask them,
 * how to keep them from asking or from reading.
 *
 * @module
 */

/** What is known of a program. */
interface Known {
  /** Its name. */
  program: RegExp;
  /** What may be wrong if it does not answer, and what helps. */
  advice?: string;
  /** Whether it holds nothing back: then it has no answer yet. */
  isUnbuffered?: true;
  /** Whether it reads its stdin for no other reason than that this is a pipe, or to its end. */
  readsToEnd?: true;
  /** The words after its name that make it write each line at once. */
  words?: string[];
  /** The words after its name that make it take each line by itself, as at a terminal. */
  interactive?: string[];
  /** What in its command shows that the advice was taken. */
  tried?: RegExp;
  /** How to have it fail instead of asking at a terminal. */
  unasking?: string;
  /** How to keep it from reading its stdin. */
  unreading?: string;
  /** A question that has an answer, if it is started without a program of its own to run. */
  question?: string;
  /** How the end of its answer is known: a line that makes it write what stands in place of `{}`,
   * or its own prompt. */
  end?: string | RegExp;
}

const PROGRAMS: Known[] = [
  {
    program: /^(python[\d.]*|pypy\d*)$/,
    advice: "Python buffers its output itself: run it with -u, or flush",
    words: ["-u"],
    interactive: ["-iu"],
    tried: /^-[a-zA-Z]*u/,
    question: "1+1",
    // The empty line ends a block.
    end: '\nprint("{}")',
  },
  {
    program: /^mawk$/,
    advice: "mawk buffers its input: run it with -W interactive",
    words: ["-W", "interactive"],
    tried: /^-W$/,
  },
  {
    program: /^(g|n|o)?awk$/,
    advice: "awk buffers its output: call fflush(). mawk buffers its input, too: -W interactive",
    words: ["-W", "interactive"],
    tried: /fflush|^-W$/,
  },
  {
    program: /^g?sed$/,
    advice: "sed buffers its output: run it with -u",
    words: ["-u"],
    tried: /^(-[a-zA-Z]*u|--(line-|un)buffered|stdbuf$)/,
  },
  {
    program: /^[ef]?grep$/,
    advice: "grep buffers its output: run it with --line-buffered",
    words: ["--line-buffered"],
    tried: /^(--line-buffered|stdbuf)$/,
  },
  {
    program: /^rg$/,
    advice: "rg reads its stdin where that is a pipe: name a folder to search, or close its stdin",
    readsToEnd: true,
    words: ["--line-buffered"],
    tried: /^--line-buffered$/,
  },
  {
    program: /^jq$/,
    advice: "jq buffers its output: run it with --unbuffered",
    readsToEnd: true,
    words: ["--unbuffered"],
    tried: /^--unbuffered$/,
    question: '"a"',
    // A string is its own value.
    end: "{}",
  },
  {
    program: /^(sort|wc|tac|tail|shuf|column|[a-z0-9]+sum)$/,
    advice: "it answers at the end of its input, not before",
    readsToEnd: true,
    isUnbuffered: true,
  },
  {
    program: /^cat$/,
    advice: "it writes at once what it reads: see that it is sent something, and its stdin closed",
    isUnbuffered: true,
  },
  {
    program: /^tee$/,
    advice: "it writes at once what it reads; tee -p goes on when one of its outputs has gone",
    isUnbuffered: true,
  },
  {
    program: /^(sleep|true|false)$/,
    advice: "it has nothing to say",
    isUnbuffered: true,
  },
  {
    program: /^bc$/,
    advice: "an assignment has no answer; ask for a value, or see session.ts",
    question: "1+1",
    end: 'print "{}\\n"',
  },
  {
    program: /^dc$/,
    advice: "an assignment has no answer; ask for a value, or see session.ts",
    question: "1 1+p",
    end: "[{}]ps.",
  },
  {
    program: /^gdb$/,
    advice: "its prompt (gdb) has no newline: read up to it",
    question: "print 1+1",
    end: /\(gdb\) $/,
  },
  {
    program: /^(sh|bash|dash|zsh|ksh)$/,
    advice: "a command may print nothing; see session.ts",
    isUnbuffered: true,
    question: "echo 1",
  },
  {
    program: /^sqlite3$/,
    advice: "a command may print nothing; see session.ts",
    question: "select 1+1;",
    end: ".print {}",
  },
  {
    program: /^psql$/,
    advice: "a command may print nothing; see session.ts",
    unasking: "psql -w",
    question: "select 1+1;",
    end: "\\echo {}",
  },
  { program: /^node$/, interactive: ["-i"], question: "1+1", end: /^> $/ },
  { program: /^lua[\d.]*$/, interactive: ["-i"], question: "print(1+1)" },
  { program: /^deno$/, question: "1+1", end: "{}" },
  { program: /^gnuplot(-\w+)?$/, question: "print 1+1" },
  { program: /^(irb|octave(-cli)?|R|guile|ghci|julia)$/, question: "1+1" },
  {
    program: /^(nc|ncat|netcat)$/,
    advice: "nc may go on after its stdin has ended: run it with -N",
    tried: /^-[a-z]*N/,
  },
  {
    program: /^git(-.*)?$/,
    advice: "git may wait in its pager, or ask: git --no-pager, GIT_TERMINAL_PROMPT=0",
    unasking: "GIT_TERMINAL_PROMPT=0",
  },
  {
    program: /^(ssh|scp|sftp)$/,
    unasking: "ssh -o BatchMode=yes",
    unreading: "ssh -n",
  },
  { program: /^sudo$/, unasking: "sudo -n" },
  { program: /^(gpg2?|gpg-agent|pinentry.*)$/, unasking: "gpg --batch --pinentry-mode loopback" },
  {
    program: /^ffmpeg$/,
    advice: "ffmpeg reads its stdin for commands, and asks there: run it with -nostdin, and -y",
    readsToEnd: true,
    tried: /^-nostdin$/,
    unreading: "ffmpeg -nostdin",
  },
  {
    program: /^(cp|mv|rm)$/,
    advice: "it asks on stderr before it overwrites: answer there, or leave out -i",
    isUnbuffered: true,
  },
  {
    program: /^(docker|podman)$/,
    advice: "docker run -i without -t: with -t it wants a terminal",
  },
];

function known(name: string): Known | undefined {
  return PROGRAMS.find(({ program }) => program.test(name));
}

/** The name of a program, without its folder. */
function baseName(word = ""): string {
  return word.replace(/.*\//, "");
}

const CAUSES = "it may wait for end of file, or have nothing to say (see session.ts)";

/** What to do about a program that does not answer. */
export function hintFor(command: readonly string[]): string {
  const names = command.map(baseName);
  const isWrapped = names[0] === "stdbuf" || names[0] === "unbuffer";
  const name = names.slice(isWrapped ? 1 : 0).find((word) => !word.startsWith("-")) ?? "";
  const { advice, tried } = known(name) ?? {};
  const isTried = names.some((word) => tried?.test(word));
  // What a shell runs by -c may be anything.
  const isLine = name.endsWith("sh") && names.includes("-c");
  if (advice !== undefined && !isTried && !isLine) return advice;
  if (isWrapped) return `stdbuf does not help a program that buffers by itself; else ${CAUSES}`;
  if (isTried) return CAUSES;
  return `its output may wait in a buffer (try stdbuf -oL, see buffering.ts), ${CAUSES}`;
}

/** Whether what a program has printed may wait in a buffer of its own, as far as its command tells.
 */
export function mayBuffer(command: readonly string[]): boolean {
  const { isUnbuffered, tried } = known(baseName(command[0])) ?? {};
  return !isUnbuffered && !command.some((word) => tried?.test(word));
}

/** Whether a program reads its stdin to the end, or only because that is a pipe. */
export function readsToEnd(name: string): boolean {
  return known(baseName(name))?.readsToEnd ?? false;
}

/** How to have these programs fail instead of asking at a terminal. */
export function unaskingCures(names: readonly string[]): string[] {
  return [...new Set(names.flatMap((name) => known(baseName(name))?.unasking ?? []))];
}

/** How to keep a program from reading its stdin. */
export function unreadingCure(name: string): string {
  return known(baseName(name))?.unreading ?? "</dev/null";
}

/** The words after its name that make a program write each line at once; none if none are known. */
export function wordsFor(name: string): string[] {
  return known(name)?.words ?? [];
}

/** The words after an interpreter's name that make it take each line by itself, as at a terminal;
 * none if it is to run a program of its own. */
export function interactiveWordsFor(name: string, words: readonly string[]): string[] {
  return isAlone(words) ? known(name)?.interactive ?? [] : [];
}

/** Whether these words after a program's name are options alone, and none of them a program. */
function isAlone(words: readonly string[]): boolean {
  return words.every((word) => /^--?[\w-]+$/.test(word) && !/^(-c|-e|-m|--eval)$/.test(word));
}

/** A question that this command has an answer to, if one is known: an interpreter that runs a
 * program of its own may be asked anything. */
export function questionFor([program, ...words]: readonly string[]): string | undefined {
  const name = baseName(program);
  const { question } = known(name) ?? {};
  return isAlone(words) || /^(jq|bc|dc|gdb|sqlite3|psql)$/.test(name) ? question : undefined;
}

/**
 * How the end of a program's answer is known, by its name: a line that makes it write what stands
 * in place of `{}`, or its own prompt. A shell's line if the name is unknown.
 */
export function endOfAnswer(program: string): string | RegExp {
  return known(baseName(program))?.end ?? "echo {}";
}
