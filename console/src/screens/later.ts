/** Does something once after a burst of reasons to do it: `soon` starts the wait, further calls don't prolong it. */
export class Later {
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly delay_ms: number,
    private readonly act: () => unknown,
  ) {}

  soon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.act();
    }, this.delay_ms);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
