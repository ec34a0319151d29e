/**
 * What is said of programs that are tried: each kind once. The others are in programs_matrix.ts.
 *
 * @module
 */
import { KINDS, testPrograms } from "./programs.ts";

testPrograms(KINDS);
