import { assertEquals, assertMatch } from "@std/assert";
import {
  processTest,
  runCommand,
  scriptCommand,
  sideBySide,
  temporaryFolder,
} from "../../process.ts";

processTest("a script says that it cannot read its stdin", async () => {
  await using folder = await temporaryFolder();
  const cases: [line: string, command: string[]][] = [
    ['"$@" </', scriptCommand("pipetest", ["x"])],
    ['"$@" </ & cat "$FIFO"; wait $!', scriptCommand("fifo", ["write", `${folder.path}/pipe`])],
  ];
  await runCommand(["mkfifo", `${folder.path}/pipe`]);
  await sideBySide(cases, async ([line, command]) => {
    const env = { FIFO: `${folder.path}/pipe` };
    const { code, stderr } = await runCommand(["sh", "-c", line, "sh", ...command], { env });
    assertEquals(code, 1);
    assertMatch(stderr, /(^|\n)\w+: cannot read stdin: Is a dir[^\n]*\n$/);
  });
}, { needs: ["mkfifo"], os: "linux" });
