/**
 * What makes a program answer over a pipe, by its name.
 *
 * @module
 */

/** What is known of a program that does not answer. */
interface Cure {
  /** Its name. */
  program: RegExp;
  /** What may be wrong, and what helps. */
  advice: string;
  /** The words after its name that make it write each line at once. */
  words?: string[];
  /** What in its command shows that the advice was taken. */
  tried?: RegExp;
}

const CURES: Cure[] = [
  {
    program: /^python[\d.]*$|^pypy/,
    advice: "Python buffers its output itself: run it with -u, or flush",
    words: ["-u"],
    tried: /^-[a-zA-Z]*u/,
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
    program: /^jq$/,
    advice: "jq buffers its output: run it with --unbuffered",
    words: ["--unbuffered"],
    tried: /^--unbuffered$/,
  },
  {
    program: /^(sort|wc|tac|tail|[a-z0-9]+sum)$/,
    advice: "it answers at the end of its input, not before",
  },
  {
    program: /^(cat|tee)$/,
    advice: "it writes at once what it reads: see that it is sent something, and its stdin closed",
  },
  {
    program: /^(dc|bc)$/,
    advice: "an assignment has no answer; ask for a value, or see session.ts",
  },
  {
    program: /^gdb$/,
    advice: "its prompt (gdb) has no newline: read up to it",
  },
  {
    program: /^(sh|bash|dash|zsh|ksh|sqlite3|psql)$/,
    advice: "a command may print nothing; see session.ts",
  },
];

const CAUSES = "it may wait for end of file, or have nothing to say (see session.ts)";

/** What to do about a program that does not answer. */
export function hintFor(command: readonly string[]): string {
  const names = command.map((word) => word.replace(/.*\//, ""));
  const isWrapped = names[0] === "stdbuf" || names[0] === "unbuffer";
  const name = names.slice(isWrapped ? 1 : 0).find((word) => !word.startsWith("-")) ?? "";
  const { advice, tried } = CURES.find(({ program }) => program.test(name)) ?? {};
  const isTried = names.some((word) => tried?.test(word));
  // What a shell runs by -c may be anything.
  const isLine = name.endsWith("sh") && names.includes("-c");
  if (advice !== undefined && !isTried && !isLine) return advice;
  if (isWrapped) return `stdbuf does not help a program that buffers by itself; else ${CAUSES}`;
  if (isTried) return CAUSES;
  return `its output may wait in a buffer (try stdbuf -oL, see buffering.ts), ${CAUSES}`;
}

/** The words after its name that make a program write each line at once; none if none are known. */
export function wordsFor(name: string): string[] {
  return CURES.find(({ program }) => program.test(name))?.words ?? [];
}

/** The words after an interpreter's name that make it take each line by itself, as at a terminal. */
export function interactiveWordsFor(name: string): string[] {
  return /^(python[\d.]*|pypy\d*|node|lua[\d.]*)$/.test(name) ? ["-i"] : [];
}

const ENDS: [program: RegExp, end: string | RegExp][] = [
  [/^bc$/, 'print "{}\\n"'],
  [/^dc$/, "[{}]ps."],
  // A number is its own value.
  [/^(deno|jq)$/, "{}"],
  [/^gdb$/, /\(gdb\) $/],
  [/^node$/, /^> $/],
  [/^psql$/, "\\echo {}"],
  // The empty line ends a block.
  [/^(python|pypy)[\d.]*$/, '\nprint("{}")'],
  [/^sqlite3$/, ".print {}"],
];

/**
 * How the end of a program's answer is known, by its name: a line that makes it write what stands
 * in place of `{}`, or its own prompt. A shell's line if the name is unknown.
 */
export function endOfAnswer(program: string): string | RegExp {
  const name = program.replace(/.*\//, "");
  return ENDS.find(([pattern]) => pattern.test(name))?.[1] ?? "echo {}";
}
