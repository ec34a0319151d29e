import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { isInstalled, processTest, runScript, scriptPath, temporaryFolder } from "./process.ts";

interface Case {
  script: string;
  args?: string[];
  /** What the script's header says it needs. */
  needs: string[];
  /** Plausible, and one too few. */
  tooFew?: string[];
}

const CASES: Case[] = [
  { script: "bytes", args: ["--count=1"], needs: ["--allow-run"], tooFew: [] },
  { script: "lines", args: ["--count=1"], needs: ["--allow-run"], tooFew: [] },
  { script: "duplex", args: ["--delay=0"], needs: ["--allow-run"], tooFew: [] },
  {
    script: "duplex",
    args: ["sed", "-u", "p;d"],
    needs: ["--allow-run=sed"],
    tooFew: ["--allow-run=cat"],
  },
  { script: "pipetest", args: ["spam"], needs: [] },
  { script: "pipeline", needs: ["--allow-run=ls,wc"], tooFew: ["--allow-run=ls"] },
  {
    script: "fifo",
    needs: ["--allow-run", "--allow-read", "--allow-write"],
    tooFew: ["--allow-run", "--allow-read"],
  },
  { script: "capacity", needs: ["--allow-run"], tooFew: [] },
  { script: "framing", needs: ["--allow-run"], tooFew: [] },
  {
    script: "lifetime",
    needs: ["--allow-run=cat,true,yes,sh"],
    tooFew: ["--allow-run=cat,true,yes"],
  },
  { script: "deadlock", needs: ["--allow-run=cat"], tooFew: ["--allow-run=ls"] },
];

for (const { script, args = [], needs, tooFew } of CASES) {
  processTest(`${[script, ...args].join(" ")} needs ${needs.join(" ") || "nothing"}`, async () => {
    const header = await Deno.readTextFile(scriptPath(script));
    for (const permission of needs) assertStringIncludes(header, permission);
    const { code, stderr } = await runScript(script, args, { permissions: needs });
    assertEquals(code, 0, stderr);
    if (tooFew === undefined) return;
    const refused = await runScript(script, args, { permissions: tooFew });
    assertEquals(refused.code, 1);
    assertMatch(refused.stderr, new RegExp(`^${script}: Requires [^\\n]* --allow-[^\\n]*\\n$`));
  });
}

processTest("buffering needs --allow-run for sed, stdbuf and script", async () => {
  for (const program of ["stdbuf", "script"]) if (!await isInstalled(program)) return;
  const permissions = ["--allow-run=sed,stdbuf,script"];
  assertStringIncludes(await Deno.readTextFile(scriptPath("buffering")), permissions.join());
  assertEquals((await runScript("buffering", [], { permissions })).code, 0);
  const refused = await runScript("buffering", [], { permissions: ["--allow-run=sed"] });
  assertEquals(refused.code, 1);
  assertMatch(refused.stderr, /^buffering: Requires run access to "stdbuf"[^\n]*\n$/);
});

processTest("fifo read PATH needs to run mkfifo, to read PATH and to write it", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/pipe`;
  const needs = ["--allow-run=mkfifo", `--allow-read=${path}`, `--allow-write=${path}`];
  for (const missing of needs) {
    const permissions = needs.filter((permission) => permission !== missing);
    const { code, stderr } = await runScript("fifo", ["read", path], { permissions });
    assertEquals(code, 1);
    assertMatch(stderr, /^fifo: [^\n]*--allow-(run|read|write)[^\n]*\n$/);
    assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
  }
});
