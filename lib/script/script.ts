/**
 * What a script needs around its lesson, by one import: errors of one line, its stdin, its stdout,
 * values as a person reads them.
 *
 * @module
 */
export { Failure } from "./failure.ts";
export { byteCount, escapeControls } from "./format.ts";
export { stdinBytes } from "./stdin.ts";
export { print, writeBytes } from "./stdout.ts";
