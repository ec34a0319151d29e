/**
 * Waits until nothing has moved for a stretch of time: until `progress` has given the same number
 * at each of ten looks. Time that has passed proves nothing by itself: a process that was stopped
 * meanwhile, or starved, still looks ten times, with a turn of the event loop before each.
 *
 * @param seconds The length of the stretch, at least 0.1.
 * @param isOver Asked at each look: whether there is nothing more to wait for.
 */
export async function untilStill(
  progress: () => number,
  seconds: number,
  isOver: () => boolean = () => false,
): Promise<void> {
  let last = progress();
  for (let looks = 0; looks < 10 && !isOver(); looks++) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0.01, seconds / 10) * 1000));
    if (progress() !== last) looks = 0;
    last = progress();
  }
}
