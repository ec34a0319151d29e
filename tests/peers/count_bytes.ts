/** Counts the bytes of a stream, into the same memory each time: no reading is faster in Deno. */
export async function countBytes(readable: ReadableStream<Uint8Array>): Promise<number> {
  const reader = readable.getReader({ mode: "byob" });
  let buffer = new Uint8Array(64 * 1024);
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read(buffer);
    if (done) return bytes;
    bytes += value.length;
    buffer = new Uint8Array(value.buffer);
  }
}
