import { assert, assertEquals, assertMatch } from "@std/assert";
import { fakeProgram, isInstalled, processTest, runScript, temporaryFolder } from "../process.ts";

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

processTest("buffering names a way that fails with its status, and tries the others", async () => {
  await using stdbuf = await fakeProgram("stdbuf", "exit 125");
  const { code, stdout } = await runScript("buffering", [], { env: stdbuf.env });
  assertMatch(stdout, /\(stdbuf\)\n +failed: it exited with status 125\n/);
  assertMatch(stdout, /\(a terminal\)\n +(answered|skipped)/);
  assertEquals(code, 0);
});

processTest("buffering names a terminal whose shell fails with its status", async () => {
  const { code, stdout } = await runScript("buffering", [], { env: { SHELL: "/bin/false" } });
  assertMatch(stdout, /\(a terminal\)\n +failed: it exited with status 1\n$/);
  assertEquals(code, 0);
}, { needs: ["script"], os: "linux" });

processTest("buffering says that a sed failed, not that it does not buffer", async () => {
  await using sed = await fakeProgram("sed", "exit 3");
  const { code, stderr } = await runScript("buffering", [], { env: sed.env });
  assertEquals([code, stderr], [1, "buffering: this sed failed\n"]);
});
