import { asProblem, isAbort, type Problem } from './api/problem';

/**
 * Something fetched: what it was, what it is becoming, what went wrong. What is already there stays
 * visible while it is fetched again; only the newest call counts.
 */
export class Fetched<T> {
  data = $state.raw<T | null>(null);
  problem = $state.raw<Problem | null>(null);
  loading = $state(false);
  #abort: AbortController | null = null;

  async load(get: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.loading = true;
    try {
      const data = await get(abort.signal);
      if (this.#abort !== abort) return;
      this.data = data;
      this.problem = null;
    } catch (error) {
      if (this.#abort !== abort || (abort.signal.aborted && isAbort(error))) return;
      this.problem = asProblem(error);
    } finally {
      if (this.#abort === abort) this.loading = false;
    }
  }

  /** Forgets what is there, for another thing in the same place. */
  clear() {
    this.stop();
    this.data = null;
    this.problem = null;
  }

  stop() {
    this.#abort?.abort();
    this.#abort = null;
    this.loading = false;
  }
}
