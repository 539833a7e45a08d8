/** How fast bytes arrive, smoothed over the last events. */
export interface Arrival {
  bytes: number;
  at_ms: number;
  rate: number | null;
  /** Where the stretch began that is being measured. */
  since: { bytes: number; at_ms: number };
}

/** Shorter stretches are not measured: their length is mostly chance. */
const STRETCH_S = 0.2;

/** Weighs a new stretch by its length: about five seconds count. */
export function advance(before: Arrival | undefined, bytes: number, at_ms: number): Arrival {
  const begin: Arrival = { bytes, at_ms, rate: null, since: { bytes, at_ms } };
  if (!before || bytes < before.bytes) return begin;
  const elapsed_s = (at_ms - before.since.at_ms) / 1000;
  if (elapsed_s < STRETCH_S) return { ...before, bytes, at_ms };
  const rate = (bytes - before.since.bytes) / elapsed_s;
  if (before.rate === null) return { ...begin, rate };
  const weight = 1 - Math.exp(-elapsed_s / 5);
  return { ...begin, rate: before.rate + weight * (rate - before.rate) };
}

/** Nothing came for this long: the upload stands still, and no rate is shown. */
export const STALLED_MS = 10_000;
