import type { Frame } from './boxes';

/** So many frames back one may claim the time of a later one. */
const CLAIMS = 16;

/** Frame times: read from the segments where they can be, else learnt from what was shown. */
export class Frames {
  #shown_s: number | null = null;
  #step_s = 1 / 25;
  /** By segment, in seconds of the media element, ascending. */
  #known = new Map<number, Frame[]>();
  #sorted: Frame[] | null = null;
  /** Where the last step led, for keys that are pressed faster than frames can be shown. */
  #aim: { at_s: number; starts_s: number; exact: boolean } | null = null;

  get step_s(): number {
    return this.#step_s;
  }

  /** The exact time of the frame on the screen, where it is known. */
  get shown_s(): number | null {
    return this.#shown_s;
  }

  /** What a segment holds; the same segment may come again. */
  learn(segment: number, frames: Frame[]) {
    this.#known.set(segment, frames);
    this.#sorted = null;
    // An hour of 2 s segments is 1,800; more is forgotten oldest first, and learnt again when it is loaded again.
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= 2_000) break;
      this.#known.delete(oldest);
    }
  }

  /** A frame was shown. Neighbours are at most 0.2 s apart; what is further was a seek or a dropped frame. */
  saw(media_s: number) {
    const before = this.#shown_s;
    this.#shown_s = media_s;
    if (this.#aim && !this.#aim.exact && Math.abs(media_s - this.#aim.at_s) < this.#step_s) this.#aim.starts_s = media_s;
    if (before === null) return;
    const apart_s = media_s - before;
    if (apart_s < 0.004 || apart_s > 0.2) return;
    // The smallest distance is the true one: dropped frames only make it larger.
    this.#step_s = apart_s < this.#step_s * 1.5 ? apart_s * 0.3 + this.#step_s * 0.7 : this.#step_s;
  }

  /** Where to seek so that the neighbour of what is shown appears: into that frame's time, not to its edge. */
  target(current_s: number, direction: 1 | -1, duration_s: number): number {
    const here_s = this.#here(current_s);
    const exact = this.#exact(here_s, direction);
    const starts_s = exact?.starts_s ?? here_s + direction * this.#step_s;
    const at_s = Math.min(Math.max(0, exact?.at_s ?? starts_s + this.#step_s / 2), Math.max(0, duration_s));
    this.#aim = { at_s, starts_s, exact: exact !== null };
    return at_s;
  }

  /** When the frame begins that is on the screen, or will be once the last step is done. */
  #here(current_s: number): number {
    if (this.#aim && Math.abs(this.#aim.at_s - current_s) < 0.001) return this.#aim.starts_s;
    const near_s = Math.max(this.#step_s * 2, 0.3);
    return this.#shown_s !== null && Math.abs(this.#shown_s - current_s) < near_s ? this.#shown_s : current_s;
  }

  #exact(shown_s: number, direction: 1 | -1): { starts_s: number; at_s: number } | null {
    const frames = (this.#sorted ??= [...this.#known.values()].flat().sort((a, b) => a.at_s - b.at_s));
    let low = 0;
    let high = frames.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((frames[middle] as Frame).at_s < shown_s - 0.002) low = middle + 1;
      else high = middle;
    }
    const here = frames[low];
    const to = frames[low + direction];
    // The element tells times in microseconds; a frame that is not on the list means that the list is another's.
    if (!here || !to || Math.abs(here.at_s - shown_s) > 0.002 || Math.abs(to.at_s - here.at_s) > 2) return null;
    return { starts_s: to.at_s, at_s: within(frames, low + direction) };
  }
}

/**
 * The time to seek to for one frame. Browsers show the first that says it is not over yet, and go by the durations of the
 * decoding order: where the rate varies, an earlier frame may claim this one's time, or this one say that it is short.
 */
function within(frames: readonly Frame[], place: number): number {
  const frame = frames[place] as Frame;
  const before = frames.slice(Math.max(0, place - CLAIMS), place);
  const from_s = Math.max(frame.at_s, ...before.map((it) => it.at_s + it.lasts_s));
  const until_s = frame.at_s + frame.lasts_s;
  if (until_s - from_s > 0.0005) return (from_s + until_s) / 2;
  const next_s = frames[place + 1]?.at_s ?? until_s;
  return (frame.at_s + Math.max(frame.at_s, Math.min(next_s, frame.at_s + 1))) / 2;
}
