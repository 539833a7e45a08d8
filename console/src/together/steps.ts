/** What keeps cameras in step: pure, so that it can be tested without any. */

export const MOST = 4;

/** Closer than this nothing is done: it can't be seen, and every change of rate costs. */
const CLOSE_S = 0.008;
/** Further apart, catching up would take too long: it is jumped. */
const FAR_S = 0.3;
/** How soon a distance should be gone. */
const WITHIN_S = 0.5;
const MOST_NUDGE = 0.25;

export type Correction = { rate: number; seek: false } | { seek: true };

/** What to do with a camera that is `ahead_s` before (or behind) the common clock. */
export function correct(ahead_s: number, speed: number): Correction {
  const distance_s = Math.abs(ahead_s);
  if (distance_s > FAR_S * Math.max(1, speed)) return { seek: true };
  if (distance_s <= CLOSE_S) return { seek: false, rate: speed };
  const most = Math.min(MOST_NUDGE * Math.max(1, speed), 0.6 * speed);
  const nudge = Math.min(most, Math.max(-most, ahead_s / WITHIN_S));
  // Hundredths: finer changes are lost in the noise of the measurement.
  return { seek: false, rate: Math.round((speed - nudge) * 100) / 100 };
}

export type Place = 'before' | 'in' | 'after' | 'not_arrived';

/** Where the common clock stands for a camera, in its own seconds. */
export function placeOf(target_s: number, duration_s: number, growing: boolean, playable_s: number): Place {
  if (target_s < 0) return 'before';
  // A little before its end, or the others would wait for what only an upload can bring.
  if (growing && target_s >= playable_s - 0.5) return 'not_arrived';
  if (target_s >= duration_s) return 'after';
  return 'in';
}

/** Where, after here, the next camera has something; null: nowhere. */
export function nextStart(at_ms: number, starts_ms: readonly number[]): number | null {
  const later = starts_ms.filter((it) => it > at_ms);
  return later.length > 0 ? Math.min(...later) : null;
}
