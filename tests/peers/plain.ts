/**
 * Sends lines to a program and waits for each to come back, with nothing but the platform: no lines
 * are looked for, no time limit is kept. `plain.ts print|quiet COUNT PROGRAM [ARG…]`.
 */
const [way, count = "", program = "", ...args] = Deno.args;
const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
const writer = child.stdin.getWriter();
const reader = child.stdout.getReader({ mode: "byob" });
const encoder = new TextEncoder();
const decoder = new TextDecoder();
let buffer = new Uint8Array(64 * 1024);
for (let n = 1; n <= Number(count); n++) {
  const written = writer.write(encoder.encode(`Hello ${n} from parent ${Deno.pid}\n`));
  const { value } = await reader.read(buffer);
  await written;
  if (value === undefined) throw new Error("the program has ended");
  const answer = decoder.decode(value).slice(0, -1);
  buffer = new Uint8Array(value.buffer);
  if (way === "print") Deno.stdout.writeSync(encoder.encode(`Parent got: "${answer}"\n`));
}
await writer.close();
await child.status;
