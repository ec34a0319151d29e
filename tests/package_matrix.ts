import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { processTest, root, runCommand, temporaryFolder } from "./process.ts";

const env = { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };

processTest("the package can be published, without a warning", async () => {
  const command = [Deno.execPath(), "publish", "--dry-run", "--allow-dirty"];
  const { code, stdout, stderr } = await runCommand(command, { cwd: root.pathname, env });
  assertEquals(code, 0, stdout + stderr);
  assert(!/warning/i.test(stdout + stderr), stdout + stderr);
  assertStringIncludes(stderr, "/scripts/why.ts (");
  assert(!/\/(tests|\.ci|\.github)\//.test(stderr.replaceAll(root.pathname, "/")), stderr);
});

processTest("why.ts can be installed as a command of its own", async () => {
  await using folder = await temporaryFolder();
  const words = `install -g -A --config deno.json --root ${folder.path} scripts/why.ts`;
  const command = [Deno.execPath(), ...words.split(" ")];
  const { code, stderr } = await runCommand(command, { cwd: root.pathname, env });
  assertEquals(code, 0, stderr);
  // The command starts the deno that it finds on the PATH, which a machine with npx has not.
  await Deno.symlink(Deno.execPath(), `${folder.path}/bin/deno`);
  const PATH = `${folder.path}/bin:${Deno.env.get("PATH")}`;
  const help = await runCommand(["sh", "-c", "why --help"], { env: { ...env, PATH } });
  assertMatch(help.stdout, /^Usage: why/);
});
