/** Sends lines to a program and waits for each to come back: `dialogue.ts COUNT PROGRAM [ARG…]`. */
import { LineReader } from "../../lib/line_reader.ts";

const [count = "", program = "", ...args] = Deno.args;
const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
const writer = child.stdin.getWriter();
const reader = new LineReader(child.stdout);
const encoder = new TextEncoder();
for (let n = 0; n < Number(count); n++) {
  const line = `how are you ${n}`;
  await writer.write(encoder.encode(`${line}\n`));
  const answer = await reader.readLine();
  if (answer !== line) throw new Error(`${line} was answered with ${answer}`);
}
await writer.close();
await child.status;
