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
