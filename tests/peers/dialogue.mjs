// Sends lines to a program and waits for each to come back: dialogue.mjs COUNT PROGRAM [ARG…].
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const [count, program, ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
let n = 0;
const ask = () => child.stdin.write(`how are you ${n}\n`);
createInterface({ input: child.stdout }).on("line", (line) => {
  if (line !== `how are you ${n}`) throw new Error(`${n} was answered with ${line}`);
  if (++n < Number(count)) ask();
  else child.stdin.end();
});
ask();
