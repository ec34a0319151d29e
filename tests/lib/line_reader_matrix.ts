import { assert } from "@std/assert";
import { largestGap } from "../process.ts";
import {
  byBatches,
  byIteration,
  byReadLine,
  byteStreamOf,
  findLinesHoweverCut,
  readFlood,
} from "./sweeps.ts";

for (const read of [byReadLine, byIteration, byBatches]) {
  Deno.test(`LineReader finds the same lines in every way to cut the bytes, ${read.name}`, () =>
    findLinesHoweverCut(read, 1));
}

Deno.test("LineReader finds the same lines in every way to cut a byte stream", () =>
  findLinesHoweverCut(byReadLine, 1, byteStreamOf));

for (const way of ["byReadLine", "byIteration", "byBatches"]) {
  Deno.test(`LineReader never starves timers while lines come without end, ${way}`, async () => {
    const gap = await largestGap(() => readFlood(way));
    assert(gap < 350, `a gap of ${gap} ms`);
  });
}
