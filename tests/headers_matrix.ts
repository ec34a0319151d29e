import { assertEquals } from "@std/assert";
import { PROGRAMS, pythonTest } from "./headers.ts";
import { processTest } from "./process.ts";
import { scriptNames } from "./readme.ts";

processTest("the Python in the header of every script is run", async () => {
  const scripts = (await scriptNames()).map((name) => name.replace(".ts", ""));
  assertEquals(Object.keys(PROGRAMS).sort(), scripts.sort());
});

Object.keys(PROGRAMS).forEach(pythonTest);
