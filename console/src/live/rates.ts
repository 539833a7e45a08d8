/** How fast bytes arrive, smoothed over the last events. */
export interface Arrival {
  bytes: number;
  at_ms: number;
  rate: number | null;
}

/** Weighs a new stretch by its length: about five seconds count. */
export function advance(before: Arrival | undefined, bytes: number, at_ms: number): Arrival {
  if (!before || bytes < before.bytes) return { bytes, at_ms, rate: null };
  const elapsed_s = (at_ms - before.at_ms) / 1000;
  if (elapsed_s < 0.2) return before;
  const rate = (bytes - before.bytes) / elapsed_s;
  if (before.rate === null) return { bytes, at_ms, rate };
  const weight = 1 - Math.exp(-elapsed_s / 5);
  return { bytes, at_ms, rate: before.rate + weight * (rate - before.rate) };
}

/** Nothing came for this long: the upload stands still, and no rate is shown. */
export const STALLED_MS = 10_000;
