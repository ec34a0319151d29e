import { mustSucceed, scriptCommand } from "../process.ts";

const group = "200 MB from one program to another";
const first = ["head", "-c", "200000000", "/dev/zero"];

// Only a function that is declared async is waited for.

Deno.bench(
  "pipeline.ts, with its start",
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

Deno.bench("pipeTo in this process", { group }, async () => {
  const source = new Deno.Command("head", { args: first.slice(1), stdout: "piped" }).spawn();
  const sink = new Deno.Command("cat", { stdin: "piped", stdout: "null" }).spawn();
  await source.stdout.pipeTo(sink.stdin);
  await Promise.all([source.status, sink.status]);
});
