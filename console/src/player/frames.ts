/** Frame times seen while playing, from which single steps are computed. */
export class Frames {
  #shown_s: number | null = null;
  #step_s = 1 / 25;

  get step_s(): number {
    return this.#step_s;
  }

  /** A frame was shown. Neighbours are at most 0.2 s apart; what is further was a seek or a dropped frame. */
  saw(media_s: number) {
    const before = this.#shown_s;
    this.#shown_s = media_s;
    if (before === null) return;
    const apart_s = media_s - before;
    if (apart_s < 0.004 || apart_s > 0.2) return;
    // The smallest distance is the true one: dropped frames only make it larger.
    this.#step_s = apart_s < this.#step_s * 1.5 ? apart_s * 0.3 + this.#step_s * 0.7 : this.#step_s;
  }

  /** Where to seek so that the neighbour of what is shown appears: into the middle of that frame. */
  target(current_s: number, direction: 1 | -1, duration_s: number): number {
    const shown_s = this.#shown_s !== null && Math.abs(this.#shown_s - current_s) < this.#step_s * 2 ? this.#shown_s : current_s;
    const to_s = shown_s + direction * this.#step_s + this.#step_s / 2;
    return Math.min(Math.max(0, to_s), Math.max(0, duration_s));
  }
}
