import type { Stretch } from '../api/types';

/** Further apart, and it was a jump, not playing. */
const APART_S = 0.3;
/** So many stretches are kept while they can't be delivered. */
const MOST = 256;

/** Collects which stretches were on the screen, frame by frame, until they are claimed. */
export class Shown {
  #stretches: Stretch[] = [];
  #open: { from_s: number; until_s: number } | null = null;

  /** A frame appeared, or sound was heard up to here; it lasts so long. */
  saw(at_s: number, lasts_s: number, speed: number) {
    const open = this.#open;
    const until_s = at_s + lasts_s;
    if (open && at_s >= open.from_s && at_s - open.until_s <= APART_S * Math.max(1, speed)) {
      open.until_s = Math.max(open.until_s, until_s);
      return;
    }
    this.#close();
    this.#open = { from_s: at_s, until_s };
  }

  /** What was shown since the last time; what goes on begins anew where it is. */
  take(): Stretch[] {
    const open = this.#open;
    this.#close();
    if (open) this.#open = { from_s: open.until_s, until_s: open.until_s };
    return this.#stretches.splice(0);
  }

  /** It could not be delivered: next time. */
  back(stretches: Stretch[]) {
    this.#stretches = merged([...stretches, ...this.#stretches]).slice(-MOST);
  }

  #close() {
    if (this.#open) {
      const from_ms = Math.max(0, Math.round(this.#open.from_s * 1000));
      const until_ms = Math.round(this.#open.until_s * 1000);
      if (until_ms > from_ms) this.#stretches = merged([...this.#stretches, { from_ms, until_ms }]).slice(-MOST);
    }
    this.#open = null;
  }
}

/** In order of time, those that touch as one. */
export function merged(stretches: Stretch[]): Stretch[] {
  const found: Stretch[] = [];
  for (const next of [...stretches].sort((a, b) => a.from_ms - b.from_ms)) {
    const last = found[found.length - 1];
    if (last && next.from_ms <= last.until_ms + 1) last.until_ms = Math.max(last.until_ms, next.until_ms);
    else found.push({ ...next });
  }
  return found;
}
