/**
 * The collection as a package, for those who have no copy of it.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { processTest, root, runCommand, temporaryFolder } from "./process.ts";
import { FILES } from "./take_home.ts";

async function packageConfig() {
  return JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
}

/** A stranger's project, which has the package by its name alone. */
async function strangersProject() {
  const { name, version } = await packageConfig();
  const folder = await temporaryFolder();
  const config = { links: [root.pathname], imports: { [name]: `jsr:${name}@${version}` } };
  await Deno.writeTextFile(`${folder.path}/deno.json`, JSON.stringify(config));
  const run = (args: string[], stdin = "") =>
    runCommand([Deno.execPath(), "run", "-A", "--no-prompt", ...args], {
      cwd: folder.path,
      env: { NO_COLOR: "1" },
      stdin,
    });
  return { ...folder, name, run };
}

processTest("the package has every file to take home, and the tools", async () => {
  const { exports } = await packageConfig();
  const files = FILES.map(([file]) => `lib/${file}`);
  const tools = ["rpc", "session", "timeout", "why"].map((tool) => `scripts/${tool}.ts`);
  assertEquals(Object.values(exports), [...files, ...tools].map((path) => `./${path}`));
  for (const [name, path] of Object.entries<string>(exports)) {
    const [, word = ""] = /(\w+)\.ts$/.exec(path) ?? [];
    assertEquals(name, `./${word.replaceAll("_", "-")}`);
  }
});

processTest("a stranger's project imports the package by its name", async () => {
  await using project = await strangersProject();
  await Deno.writeTextFile(
    `${project.path}/program.ts`,
    `import { LineReader } from "${project.name}/line-reader";
    import { untilExit } from "${project.name}/until-exit";
    await using child = new Deno.Command("echo", { args: ["hi"], stdout: "piped" }).spawn();
    for await (const line of new LineReader(untilExit(child.stdout, child.status))) {
      console.log(line);
    }`,
  );
  const { code, stdout, stderr } = await project.run(["program.ts"]);
  assertEquals([code, stdout, stderr], [0, "hi\n", ""]);
});

processTest("a stranger runs the tools of the package by their names", async () => {
  await using project = await strangersProject();
  const session = await project.run([`jsr:${project.name}/session`, "sh"], "echo hi\n");
  assertMatch(session.stdout, /^hi$/m);
  assertEquals([session.code, session.stderr], [0, ""]);
  const why = await project.run([`jsr:${project.name}/why`, "sed", "s/question/answer/"]);
  assertMatch(why.stdout, /\nit buffers because it writes to a pipe/);
  assertEquals([why.code, why.stderr], [0, ""]);
}, { needs: ["script"], os: "linux" });
