import "../process.ts";
import { compareWithModel, findEndsHoweverCut } from "./sweeps.ts";

Deno.test("ByteReader finds an end in every way to cut the bytes", () => findEndsHoweverCut(1));

Deno.test("ByteReader does what a simple model does, 1500 times", () => compareWithModel(1500));
