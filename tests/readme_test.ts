import { assert, assertEquals, assertMatch } from "@std/assert";
import { isInstalled, processTest, runCommand, temporaryFolder } from "./process.ts";

const root = new URL("..", import.meta.url).pathname;

/** Where reading is not permitted, processes are not either, and nothing of this is run. */
async function readme(): Promise<string> {
  return await Deno.readTextFile(`${root}README.md`);
}

processTest("every command of the README works as it is written", async () => {
  const blocks = [...(await readme()).matchAll(/^```sh\n([^]*?)^```$/gm)];
  const commands = blocks.flatMap(([, block = ""]) => block.trim().split("\n"));
  assert(commands.length > 10);
  // A deno on the PATH, which a machine that starts it with npx has not.
  await using folder = await temporaryFolder();
  await Deno.symlink(Deno.execPath(), `${folder.path}/deno`);
  const hasNpx = await isInstalled("npx");
  await Promise.all(commands.map(async (command) => {
    // The gate runs this one, and this test with it.
    if (command.endsWith(" test -A") || command.startsWith("npx") && !hasNpx) return;
    const { code, stdout, stderr } = await runCommand(
      ["sh", "-c", `PATH="${folder.path}:$PATH"; ${command}`],
      { cwd: root },
    );
    assertEquals(code, 0, `${command}: ${stderr}`);
    assert(stdout !== "");
  }));
});

processTest("every task that the README names is there, and says what it does", async () => {
  const { stdout, stderr } = await runCommand([Deno.execPath(), "task"], {
    ...{ cwd: root, env: { NO_COLOR: "1" } },
  });
  for (const [, name] of (await readme()).matchAll(/`deno task ([\w:]+)`/g)) {
    assertMatch(stdout + stderr, new RegExp(`- ${name}\\n +// \\w`));
  }
});

processTest("the README names every script, with what its header says that it needs", async () => {
  const text = await readme();
  for await (const { name } of Deno.readDir(`${root}scripts`)) {
    const [row = ""] = new RegExp(`^\\| \\[\`${name}\`\\].*`, "m").exec(text) ?? [];
    assert(row !== "", name);
    const header = await Deno.readTextFile(`${root}scripts/${name}`);
    for (const [permission] of row.matchAll(/--allow-[\w=,]+/g)) {
      assert(header.includes(permission), `${name}: ${permission}`);
    }
  }
});

processTest("the example in each script's help works when pasted", async () => {
  await using folder = await temporaryFolder();
  await Deno.symlink(Deno.execPath(), `${folder.path}/deno`);
  const scripts = await Array.fromAsync(Deno.readDir(`${root}scripts`));
  await Promise.all(scripts.map(async ({ name }) => {
    const source = await Deno.readTextFile(`${root}scripts/${name}`);
    const [, example = ""] = /\nExample:\n {2}(.*)`;/.exec(source) ?? [];
    const { code, stderr } = await runCommand(
      ["sh", "-c", `PATH="${folder.path}:$PATH"; ${example}`],
      { cwd: root },
    );
    assertEquals(code, 0, `${example}: ${stderr}`);
  }));
});
