/** Counts the frames that cat writes, and their bytes: `frames.ts WAY FILE…`. */
import { ByteReader } from "../../lib/byte_reader.ts";
import { readFrames } from "../../lib/frames.ts";
import { countBytes } from "./count_bytes.ts";

const [way = "", ...paths] = Deno.args;
const child = new Deno.Command("cat", { args: paths, stdout: "piped" }).spawn();
let frames = 0;
let bytes = 0;

const ways: Record<string, () => Promise<void>> = {
  async ByteReader() {
    const reader = new ByteReader(child.stdout);
    for (let length; (length = await reader.readUint32()) !== null;) {
      bytes += (await reader.readBytes(length))?.length ?? 0;
      frames++;
    }
  },
  async readFrames() {
    for await (const message of readFrames(child.stdout)) {
      bytes += message.length;
      frames++;
    }
  },
  async bytes() {
    bytes = await countBytes(child.stdout);
  },
};

await ways[way]?.();
await child.status;
console.log(frames, bytes);
