/**
 * The types of the standard library's names, for a source that ships none: `deno-std` on npm is
 * plain JavaScript. Only what the collection imports is declared. These declarations win over JSR's
 * own: where the names are mapped to JSR, delete this file and the `types` entry in deno.json.
 */

declare module "@std/assert" {
  export function assert(condition: unknown, message?: string): asserts condition;
  export function assertEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertLess<T>(actual: T, expected: T, message?: string): void;
  export function assertMatch(actual: string, expected: RegExp, message?: string): void;
  export function assertRejects<E extends Error>(
    act: () => PromiseLike<unknown>,
    errorClass: abstract new (...args: never[]) => E,
    messageIncludes?: string,
    message?: string,
  ): Promise<E>;
  export function assertThrows<E extends Error>(
    act: () => unknown,
    errorClass: abstract new (...args: never[]) => E,
    messageIncludes?: string,
    message?: string,
  ): E;
  export function assertStringIncludes(actual: string, expected: string, message?: string): void;
}

declare module "@std/cli/parse-args" {
  export function parseArgs(args: readonly string[], options: {
    string: readonly string[];
    collect: readonly string[];
  }): Record<string, unknown>;
}

declare module "@std/streams/merge-readable-streams" {
  export function mergeReadableStreams<T>(...streams: ReadableStream<T>[]): ReadableStream<T>;
}

declare module "@std/streams/text-line-stream" {
  export class TextLineStream extends TransformStream<string, string> {
    constructor(options?: { allowCR?: boolean });
  }
}
