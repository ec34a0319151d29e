import { assertEquals } from "@std/assert";
import { processTest, runCommand, temporaryFolder } from "./process.ts";

/** The files to take home, and the others that each needs. */
const FILES: [file: string, ...others: string[]][] = [
  ["line_reader.ts"],
  ["byte_reader.ts"],
  ["frames.ts", "byte_reader.ts"],
  ["child.ts"],
  ["dialogue.ts"],
  ["json_rpc.ts", "line_reader.ts", "byte_reader.ts"],
];

/** Those whose lines are longer than Deno's default, and the line by which they say so. */
const WIDE = ["line_reader.ts", "dialogue.ts", "json_rpc.ts"];
const WIDTH = /^\/\/ deno-fmt-ignore-file: .*\n/m;

for (const [file, ...others] of FILES) {
  const isWide = WIDE.includes(file);
  const url = new URL(`../lib/${file}`, import.meta.url);

  processTest(
    `${file} says first what to copy, and keeps to 80 columns or says why not`,
    async () => {
      const lines = (await Deno.readTextFile(url)).split("\n");
      const names = others.map((name) => `\`${name}\``).join(" and ");
      const beginning = ` * To take home, ${others.length > 0 ? `with ${names}` : "alone"}: `;
      assertEquals(`${lines[1]} `.slice(0, beginning.length), beginning);
      assertEquals(lines.filter((line) => line.length > (isWide ? 100 : 80)), []);
      assertEquals(WIDTH.test(lines.join("\n")), isWide);
    },
  );

  processTest(`${file} passes what Deno checks in a stranger's empty project`, async () => {
    await using folder = await temporaryFolder();
    for (const name of [file, ...others]) {
      await Deno.copyFile(new URL(name, url), `${folder.path}/${name}`);
    }
    for (const words of ["fmt --check", "lint", "check", "test -A --doc --cached-only"]) {
      const env = { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
      const command = [Deno.execPath(), ...words.split(" ")];
      const { code, stdout, stderr } = await runCommand(command, { cwd: folder.path, env });
      assertEquals(code, 0, `deno ${words}: ${stdout}${stderr}`);
    }
  });

  processTest(`${file} is formatted`, async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/${file}`;
    await Deno.writeTextFile(path, (await Deno.readTextFile(url)).replace(WIDTH, ""));
    const width = `--line-width=${isWide ? 100 : 80}`;
    const { stderr } = await runCommand([Deno.execPath(), "fmt", "--check", width, path]);
    assertEquals(stderr.trim(), "Checked 1 file");
  });
}
