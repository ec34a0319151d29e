import { isInstalled, mustSucceed, scriptCommand } from "../process.ts";

const file = (name: string) => new URL(`../peers/${name}`, import.meta.url).pathname;

// Only a function that is declared async is waited for.

const answers = "5000 answers of cat, printed";
Deno.bench(
  "duplex.ts",
  { group: answers, baseline: true },
  async () => await mustSucceed(scriptCommand("duplex", ["--count=5000", "cat"])),
);
Deno.bench(
  "a plain loop",
  { group: answers },
  async () =>
    await mustSucceed([Deno.execPath(), "run", "-A", file("plain.ts"), "print", "5000", "cat"]),
);

const pairs = "5000 answers of a child in the same language, printed";
Deno.bench(
  "duplex.ts and pipetest.ts",
  { group: pairs, baseline: true },
  async () => await mustSucceed(scriptCommand("duplex", ["--delay=0", "--count=5000"])),
);
Deno.bench(
  "Python 3 and Python 3",
  { group: pairs, ignore: !isInstalled("python3") },
  async () =>
    await mustSucceed(["python3", file("printing.py"), "5000", "python3", file("answer.py")]),
);
