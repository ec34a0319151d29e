/**
 * The types of the standard library's names, for a source that ships none: `deno-std` on npm is
 * plain JavaScript. Only what the collection imports is declared. These declarations win over JSR's
 * own: where the names are mapped to JSR, delete this file and the `types` entry in deno.json.
 */

declare module "@std/assert" {
  export class AssertionError extends Error {}
  export function assert(condition: unknown, message?: string): asserts condition;
  export function assertEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertGreater<T>(actual: T, expected: T, message?: string): void;
  export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void;
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
  export interface ParseOptions<
    TString extends string,
    TBoolean extends string,
    TCollect extends string,
  > {
    "--"?: boolean;
    alias?: Record<string, string | readonly string[]>;
    boolean?: readonly TBoolean[];
    collect?: readonly TCollect[];
    string?: readonly TString[];
    stopEarly?: boolean;
    unknown?: (argument: string, key?: string, value?: unknown) => unknown;
  }

  export type Parsed<
    TString extends string,
    TBoolean extends string,
    TCollect extends string,
  > =
    & { _: (string | number)[]; "--"?: string[] }
    & { [Name in TString]: Name extends TCollect ? string[] : string | undefined }
    & { [Name in TBoolean]: Name extends TCollect ? boolean[] : boolean };

  export function parseArgs<
    const TString extends string = never,
    const TBoolean extends string = never,
    const TCollect extends string = never,
  >(
    args: readonly string[],
    options?: ParseOptions<TString, TBoolean, TCollect>,
  ): Parsed<TString, TBoolean, TCollect>;
}

declare module "@std/streams/text-line-stream" {
  export class TextLineStream extends TransformStream<string, string> {
    constructor(options?: { allowCR?: boolean });
  }
}
