import "../process.ts";
import { byBatches, byIteration, byReadLine, byteStreamOf, findLinesHoweverCut } from "./sweeps.ts";

for (const read of [byReadLine, byIteration, byBatches]) {
  Deno.test(`LineReader finds the same lines in every way to cut the bytes, ${read.name}`, () =>
    findLinesHoweverCut(read, 1));
}

Deno.test("LineReader finds the same lines in every way to cut a byte stream", () =>
  findLinesHoweverCut(byReadLine, 1, byteStreamOf));
