/** Counts the blobs that one git gives, and their bytes: `blobs.ts WAY REPOSITORY FILE`, with their
 * ids in the file. */
import { ByteReader } from "../../lib/byte_reader.ts";
import { countBytes } from "./count_bytes.ts";

const [way = "", repository = "", path = ""] = Deno.args;
const args = ["-C", repository, "cat-file", "--batch"];
const git = new Deno.Command("git", { args, stdin: "piped", stdout: "piped" }).spawn();
const writing = ReadableStream.from([await Deno.readFile(path)]).pipeTo(git.stdin);
let blobs = 0;
let bytes = 0;

const ways: Record<string, () => Promise<void>> = {
  async ByteReader() {
    const reader = new ByteReader(git.stdout);
    const newline = Uint8Array.of(10);
    const decoder = new TextDecoder();
    for (let line; (line = await reader.readUntil(newline)) !== null;) {
      const size = Number(decoder.decode(line).split(" ")[2]);
      bytes += (await reader.readBytes(size))?.length ?? 0;
      await reader.readBytes(1);
      blobs++;
    }
  },
  async bytes() {
    bytes = await countBytes(git.stdout);
  },
};

await ways[way]?.();
await writing;
await git.status;
console.log(blobs, bytes);
