/** Counts the bytes of the blobs that one git gives: `blobs.ts REPOSITORY FILE`, with their ids. */
import { ByteReader } from "../../lib/byte_reader.ts";

const [repository = "", path = ""] = Deno.args;
const args = ["-C", repository, "cat-file", "--batch"];
const git = new Deno.Command("git", { args, stdin: "piped", stdout: "piped" }).spawn();
const ids = await Deno.open(path);
const writing = ids.readable.pipeTo(git.stdin);
const reader = new ByteReader(git.stdout);
const newline = Uint8Array.of(10);
const decoder = new TextDecoder();
let blobs = 0;
let bytes = 0;
for (let line; (line = await reader.readUntil(newline)) !== null;) {
  const [, , size] = decoder.decode(line).split(" ");
  bytes += (await reader.readBytes(Number(size)))?.length ?? 0;
  await reader.readBytes(1);
  blobs++;
}
await writing;
await git.status;
console.log(blobs, bytes);
