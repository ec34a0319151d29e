import { assertEquals, assertMatch } from "@std/assert";
import { fakeProgram, processTest, runScript } from "../process.ts";

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
