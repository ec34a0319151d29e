import { assert, assertEquals } from "@std/assert";
import { processTest, root, runCommand, sources, temporaryFolder } from "./process.ts";
import { copyTo, FILES, importsOf } from "./take_home.ts";

/** What is still longer than it may be. */
const UNFINISHED = ["lib/within.ts", "lib/script"];

async function linesOf(path: string): Promise<string[]> {
  return (await Deno.readTextFile(new URL(path, root))).trimEnd().split("\n");
}

processTest("no file has more lines than it may have", async () => {
  const tooLong: string[] = [];
  const hold = (path: string, lines: number, most: number) => {
    if (lines > most && !UNFINISHED.includes(path)) tooLong.push(`${path}: ${lines} of ${most}`);
  };
  const most = new Map<string, number>(FILES.map(([file, most]) => [`lib/${file}`, most]));
  let [script, all] = [0, 0];
  for (const path of [...await sources("lib"), ...await sources("scripts")]) {
    const lines = await linesOf(path);
    if (path.startsWith("lib/script/")) script += lines.length;
    else if (path.startsWith("lib/why/")) hold(path, lines.length, 400);
    else if (path.startsWith("scripts/")) hold(path, lines.length, 100);
    else {
      all += lines.length;
      hold(path, lines.length, most.get(path) ?? 0);
    }
  }
  hold("lib/script", script, 1200);
  hold("lib", all, 2800);
  assertEquals(tooLong, []);
});

processTest(
  "the classes to take home keep few fields, and the line reader little code",
  async () => {
    const tooMuch: string[] = [];
    for (const [file, most] of [["line_reader.ts", 13], ["dialogue.ts", 13]] as const) {
      const fields = (await linesOf(`lib/${file}`)).filter((line) =>
        /^ {2}(readonly )?#\w+(;|:| =)/.test(line)
      );
      if (fields.length > most) tooMuch.push(`lib/${file}`);
    }
    const code = (await linesOf("lib/line_reader.ts")).filter((line) =>
      !/^\s*(\/\/|\/\*|\*|$)/.test(line)
    );
    if (code.length > 150) tooMuch.push("lib/line_reader.ts");
    assertEquals(tooMuch.filter((path) => !UNFINISHED.includes(path)), []);
  },
);

processTest("every file to take home says first what to copy, and imports only that", async () => {
  const found = (await sources("lib")).filter((path) => path.split("/").length === 2);
  assertEquals(found.sort(), FILES.map(([file]) => `lib/${file}`));
  for (const [file, , ...others] of FILES) {
    const lines = await linesOf(`lib/${file}`);
    const imported = importsOf(lines.join("\n")).map((name) => name.replace("./", "")).sort();
    assert(imported.every((name) => others.includes(name)), `${file}: ${imported}`);
    const [, what = ""] = /^ \* To take home, (.*?): /.exec(`${lines[1]} `) ?? [];
    const named = [...what.matchAll(/`(\w+\.ts)`/g)].map(([, name]) => name).sort();
    assertEquals([what.split(" ")[0], named], [others.length > 0 ? "with" : "alone", others]);
    assertEquals(lines.filter((line) => line.length > 100), []);
  }
});

processTest("the files to take home are in order in a stranger's project", async () => {
  await using folder = await temporaryFolder();
  await copyTo(folder.path, FILES.map(([file]) => file));
  // examples_matrix.ts checks the types of each alone.
  for (const words of ["fmt --check", "lint"]) {
    const env = { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
    const command = [Deno.execPath(), ...words.split(" ")];
    const { code, stdout, stderr } = await runCommand(command, { cwd: folder.path, env });
    assertEquals(code, 0, `deno ${words}: ${stdout}${stderr}`);
  }
  // Wider than Deno's default, which a line in each says, and formatted all the same.
  for (const [file] of FILES) {
    const path = `${folder.path}/${file}`;
    const text = (await Deno.readTextFile(path)).replace(/^\/\/ deno-fmt-ignore-file: .*\n/m, "");
    await Deno.writeTextFile(path, text);
  }
  const command = [Deno.execPath(), "fmt", "--check", "--line-width=100"];
  const { code, stderr } = await runCommand(command, { cwd: folder.path });
  assertEquals(code, 0, stderr);
});
