/**
 * What is said of processes that hang, and the words that verdicts share.
 *
 * @module
 */
import type { End } from "./pipes.ts";
import type { Snapshot } from "./snapshot.ts";
import { otherActivities, who } from "./words.ts";

/** Why it hangs. */
export interface Verdict {
  /** A sentence that names the processes. */
  what: string;
  /** What to do about it, the likeliest first. */
  cures: string[];
  /** The pages and the headings that say more. */
  sections: string[];
  /** The processes that are said to hang; none if that is not for a pipe. */
  waiting: number[];
}

/** What helps a child that waits for more than it gets. */
export const CLOSE_STDIN = "close the child's stdin when all is sent: that is its end of file";

/** What a child of Node.js has written before its program begins. */
export const OWN_BYTE = 1;

/** What could end a deadlock: other threads of these processes, which do something else. */
export function unless(processes: Snapshot["processes"], pids: number[]): string {
  return pids.flatMap((pid) =>
    otherActivities(processes.get(pid)).map((doing) =>
      `, unless another thread of ${who(processes, pid)}, which ${doing}, goes on`
    )
  ).join("");
}

/** Whether a program writes there by itself: it knows of other ends only if it is told. */
export function isOutput({ descriptor }: End): boolean {
  return descriptor === 1 || descriptor === 2;
}
