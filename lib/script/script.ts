/**
 * What a script needs around its lesson, by one import: errors of one line, its stdout, values as a
 * person reads them.
 *
 * @module
 */
export { Failure, mustSucceed } from "./failure.ts";
export { byteCount, escapeControls } from "./format.ts";
export { print } from "./stdout.ts";
