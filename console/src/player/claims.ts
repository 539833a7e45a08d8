import { api } from '../api/client';
import { asProblem } from '../api/problem';
import type { Stretch } from '../api/types';
import { Shown } from './shown';

const EVERY_MS = 15_000;
/** So many stretches the daemon takes at once. */
const MOST = 64;

/** Claims to the daemon what this page showed: every 15 s, and when one leaves. The server's own record stands beside it. */
export class Claims {
  readonly shown = new Shown();
  #refused = false;

  constructor(private readonly recording: string) {}

  /** Returns what ends it, with a last claim. */
  start(): () => void {
    const timer = setInterval(() => void this.#send(), EVERY_MS);
    const leave = () => void this.#send();
    const hide = () => document.visibilityState === 'hidden' && leave();
    window.addEventListener('pagehide', leave);
    document.addEventListener('visibilitychange', hide);
    return () => {
      clearInterval(timer);
      window.removeEventListener('pagehide', leave);
      document.removeEventListener('visibilitychange', hide);
      leave();
    };
  }

  async #send() {
    if (this.#refused) return;
    const stretches = this.shown.take();
    const claims: Promise<void>[] = [];
    // Side by side: of a page that is being left, nothing runs later.
    for (let at = 0; at < stretches.length; at += MOST) claims.push(this.#claim(stretches.slice(at, at + MOST)));
    await Promise.all(claims);
  }

  async #claim(stretches: Stretch[]) {
    try {
      await api.shown(this.recording, stretches);
    } catch (error) {
      const { status } = asProblem(error);
      // A daemon that doesn't take claims is not asked again; what it finds wrong it will find wrong again.
      if (status === 404 || status === 405) this.#refused = true;
      else if (status === 0 || status === 401 || status === 429 || status >= 500) this.shown.back(stretches);
    }
  }
}
