import { assertEquals, assertMatch } from "@std/assert";
import { processTest, root, runCommand, temporaryFolder } from "./process.ts";
import { copyTo, FILES, importsOf } from "./take_home.ts";

for (const [file] of FILES) {
  processTest(`${file} and its examples work where nothing else was copied`, async () => {
    const source = await Deno.readTextFile(new URL(`lib/${file}`, root));
    await using folder = await temporaryFolder();
    await copyTo(folder.path, [file, ...importsOf(source).map((name) => name.slice(2))]);
    const command = [Deno.execPath(), "test", "-A", "--doc", "--cached-only"];
    const env = { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
    const { code, stdout, stderr } = await runCommand(command, { cwd: folder.path, env });
    assertEquals(code, 0, stdout + stderr);
    assertMatch(stdout, /ok \| [1-9]/);
  });
}
