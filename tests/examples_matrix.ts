/**
 * The examples in the documentation comments of `lib/`.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { processTest, root, runCommand, sources, temporaryFolder } from "./process.ts";
import { copyTo, FILES } from "./take_home.ts";

const command = [Deno.execPath(), "test", "-A", "--doc", "--cached-only"];
const env = { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };

processTest("every file to take home, and its examples, work where nothing else is", async () => {
  await using folder = await temporaryFolder();
  // A folder for each, and one Deno for all: most of the time goes into the check of types.
  for (const [file, , ...others] of FILES) {
    const own = `${folder.path}/${file.replace(".ts", "")}`;
    await Deno.mkdir(own);
    await copyTo(own, [file, ...others]);
  }
  const { code, stdout, stderr } = await runCommand(command, { cwd: folder.path, env });
  assertEquals(code, 0, stdout + stderr);
  for (const [file] of FILES) assertStringIncludes(stdout, ` from ./${file.replace(".ts", "")}/`);
});

processTest("the examples in the comments of the other files work", async () => {
  const others = (await sources("lib")).filter((path) => path.split("/").length > 2);
  const { code, stdout, stderr } = await runCommand([...command, ...others], {
    cwd: root.pathname,
    env,
  });
  assertEquals(code, 0, stdout + stderr);
});
