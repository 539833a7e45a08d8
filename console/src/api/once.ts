/** A key under which the daemon does a request once, however often it is sent; another wish has another key. */
export class Once {
  #wish: string | null = null;
  #key = '';

  key(wish: unknown): string {
    const text = JSON.stringify(wish);
    if (text !== this.#wish) {
      this.#wish = text;
      this.#key = fresh();
    }
    return this.#key;
  }

  /** It is done: the same wish again means a second one. */
  done() {
    this.#wish = null;
  }
}

/** `crypto.randomUUID` is absent on plain HTTP. */
function fresh(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((it) => it.toString(16).padStart(2, '0')).join('');
}
