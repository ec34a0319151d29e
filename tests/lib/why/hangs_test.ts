/**
 * What is said of real programs that hang: each kind once, in one language. The others are in
 * hangs_matrix.ts.
 *
 * @module
 */
import { KINDS, testHang } from "./hangs.ts";

for (const [title, hang] of Object.entries(KINDS)) {
  testHang(title, { ...hang, programs: hang.programs.slice(0, 1) });
}
