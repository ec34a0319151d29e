/**
 * What is said of programs that are tried, but for those in programs_test.ts.
 *
 * @module
 */
import { testPrograms, VARIANTS } from "./programs.ts";

testPrograms(VARIANTS);
