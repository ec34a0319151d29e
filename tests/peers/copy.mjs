// Connects two programs: copy.mjs FIRST SECOND, each a command line for the shell.
import { spawn } from "node:child_process";

const [firstCommand, secondCommand] = process.argv.slice(2);
const first = spawn(firstCommand, { shell: true, stdio: ["inherit", "pipe", "inherit"] });
const second = spawn(secondCommand, { shell: true, stdio: ["pipe", "inherit", "inherit"] });
first.stdout.pipe(second.stdin);
