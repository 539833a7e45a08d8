import { SvelteMap } from 'svelte/reactivity';
import type { ProgressEvent, Recording } from '../api/types';
import { advance, STALLED_MS, type Arrival } from '../live/rates';

export interface Progress {
  received_bytes: number;
  size_bytes: number | null;
  rate: number | null;
  /** Nothing came for a while, although this page would have heard. */
  stalled: boolean;
}

/** How far uploads are, from the events heard since the page opened. */
export class Arriving {
  #arrivals = new SvelteMap<string, Arrival>();

  heard(event: ProgressEvent) {
    const next = advance(this.#arrivals.get(event.recording), event.received_bytes, Date.now());
    this.#arrivals.set(event.recording, next);
  }

  of(recording: Recording, now_ms: number): Progress {
    const arrival = this.#arrivals.get(recording.id);
    const stalled = arrival !== undefined && now_ms - arrival.at_ms > STALLED_MS;
    return {
      received_bytes: Math.max(recording.received_bytes, arrival?.bytes ?? 0),
      size_bytes: recording.size_bytes,
      rate: stalled ? null : (arrival?.rate ?? null),
      stalled,
    };
  }
}
