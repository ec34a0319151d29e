/**
 * Where the pages say more.
 *
 * @module
 */

/** The sections that a verdict leads to, as `page: heading`. */
export const SECTIONS = {
  buffer: "README.md: No answer from the child, or all answers at once when it exits",
  prompt: "lib/RECIPES.md: talk to a program that shows a prompt",
  readWhileWriting: "README.md: It hangs when much goes through, though little works",
  readBoth: "README.md: It hangs as soon as the child writes much to stderr",
  closeStdin: "README.md: The child never exits",
  endOfFile: "README.md: The child has exited, and reading its output still does not end",
  elsewhere: "README.md: The child does something else, or is stopped",
  livesOn: "README.md: The script ended and its child lives on",
  namedPipe: "lib/RECIPES.md: use a named pipe",
  fromPython: "scripts/README.md: From Python to Deno",
  timeLimit: "lib/RECIPES.md: limit the time of a child and its family",
  password: "README.md: ssh, sudo or getpass cannot ask for a password",
  brokenPipe: "README.md: Uncaught (in promise) BrokenPipe: Broken pipe (os error 32)",
  exitFirst: "README.md: You wait for the exit before you read",
  eatsStdin: "README.md: The child eats my stdin",
  dialogue: "lib/RECIPES.md: hold a dialogue",
  bothOutputs: "lib/RECIPES.md: read stdout and stderr",
  rpcLines: "lib/RECIPES.md: an MCP server's tools",
  rpcLength: "lib/RECIPES.md: a language server's capabilities",
  wholeAnswers: "lib/RECIPES.md: get whole answers, of any number of lines",
};
