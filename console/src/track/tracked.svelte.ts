import { api } from '../api/client';
import { readTrack, type Fix } from './track';

/** The first question may only have it made. */
const AGAIN_MS: readonly number[] = [2_000, 6_000, 15_000];

/** A recording's track, where it has one. Most have none, which is no failure and is not shown. */
export class Tracked {
  fixes = $state.raw<Fix[]>([]);
  /** One place for the whole of it. */
  still = $state(false);
  /** The recording that is the file beside it, where the positions are from there. */
  from = $state<string | null>(null);

  constructor(private readonly recording: string) {}

  /** Looks now and, while there is none, a few times more; returns what ends it. */
  follow(): () => void {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let tries = 0;
    const look = async () => {
      const given = (await api.track(this.recording, abort.signal).catch(() => null)) as { source?: unknown; from_recording?: unknown } | null;
      if (abort.signal.aborted) return;
      this.fixes = readTrack(given);
      this.still = given?.source === 'location';
      this.from = typeof given?.from_recording === 'string' ? given.from_recording : null;
      const again_ms = AGAIN_MS[tries++];
      if (this.fixes.length === 0 && again_ms !== undefined) timer = setTimeout(() => void look(), again_ms);
    };
    void look();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }
}
