import { assert, assertEquals } from "@std/assert";
import { processTest, runCommand, runScript, scriptPath, temporaryFolder } from "../process.ts";

processTest("lines prints the article's second transcript", async () => {
  const { code, stdout, stderr } = await runScript("lines", ["--interval=0.1"]);
  const [, parent, child] = /^hello from parent (\d+), its child is (\d+)\n/.exec(stdout) ?? [];
  assert(parent !== child);
  const [, ...lines] = stdout.split("\n");
  assertEquals(lines, [...Array(3).fill("how are you"), ""]);
  assertEquals(stderr, `hello from child ${child}\n`);
  assertEquals(code, 0);
});

processTest("lines gives a line for each message, however many come at once", async () => {
  const { code, stdout } = await runScript("lines", ["--count", "200", "--interval", "0"]);
  const [, ...lines] = stdout.split("\n");
  assertEquals(lines, [...Array(200).fill("how are you"), ""]);
  assertEquals(code, 0);
});

processTest("lines shows in its header what reads the same lines with @std/streams", async () => {
  const header = await Deno.readTextFile(scriptPath("lines"));
  const [, code = ""] = /^((?: \* {5}.*\n)+) \*\n \* LineReader also reads/m.exec(header) ??
    [];
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(
    `${folder.path}/program.ts`,
    'import { TextLineStream } from "@std/streams/text-line-stream";\n' +
      'const command = new Deno.Command("printf", { args: ["how\\nare\\nyou"], stdout: "piped" });\n' +
      "const child = command.spawn();\n" + code.replaceAll(/^ \* {5}/gm, ""),
  );
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const command = [Deno.execPath(), "run", "-A", "--config", config, `${folder.path}/program.ts`];
  assertEquals(await runCommand(command), { code: 0, stdout: "how\nare\nyou\n", stderr: "" });
});
