import { runCommand, scriptCommand } from "./process.ts";

const group = "200 MB from one program to another";
const first = ["head", "-c", "200000000", "/dev/zero"];

// Only a function that is declared async is waited for.
async function mustSucceed(command: string[]) {
  const { code, stderr } = await runCommand(command);
  if (code !== 0) throw new Error(stderr);
}

Deno.bench(
  "pipeline.ts",
  { group, baseline: true },
  async () =>
    await mustSucceed(
      scriptCommand("pipeline", [...first, "|", "sh", "-c", "exec cat >/dev/null"]),
    ),
);

Deno.bench(
  "the shell's pipe",
  { group },
  async () => await mustSucceed(["sh", "-c", `${first.join(" ")} | cat >/dev/null`]),
);

Deno.bench("pipeTo", { group }, async () => {
  const source = new Deno.Command("head", { args: first.slice(1), stdout: "piped" }).spawn();
  const sink = new Deno.Command("cat", { stdin: "piped", stdout: "null" }).spawn();
  await source.stdout.pipeTo(sink.stdin);
  await Promise.all([source.status, sink.status]);
});
