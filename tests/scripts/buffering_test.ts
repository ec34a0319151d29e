import { assert, assertEquals, assertMatch } from "@std/assert";
import { isInstalled, processTest, runScript, temporaryFolder } from "../process.ts";

processTest("buffering waits in vain, then gets the answer in every way there is", async () => {
  const { code, stdout, stderr } = await runScript("buffering");
  assertMatch(
    stdout,
    /^sed s.*\n +no answer within 1 s.*\n +the answer came when its stdin was closed/,
  );
  let expected = 1;
  for (const program of ["stdbuf", "script"]) if (isInstalled(program)) expected++;
  assertEquals(stdout.match(/answered after \d+ ms, its stdin still open/g)?.length, expected);
  assertEquals([code, stderr], [0, ""]);
});

processTest("buffering names a way that is not installed as skipped", async () => {
  await using folder = await temporaryFolder();
  await Deno.symlink("/bin/sed", `${folder.path}/sed`);
  const { code, stdout } = await runScript("buffering", [], { env: { PATH: folder.path } });
  for (const program of ["stdbuf", "script"]) {
    assert(stdout.includes(`skipped: cannot start ${program}: not found`));
  }
  assertEquals(code, 0);
});
