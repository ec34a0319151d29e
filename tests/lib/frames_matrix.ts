import "../process.ts";
import { findFramesHoweverCut } from "./sweeps.ts";

Deno.test("readFrames finds the same messages in every way to cut the stream", () =>
  findFramesHoweverCut(1));
