import { api } from '../api/client';
import { Once } from '../api/once';
import type { Marker, Page, Recording } from '../api/types';
import { Fetched } from '../fetched.svelte';
import { stretchOf, withBegin, withEnd, type Ends, type Span } from './stretch';

/** What people mark in one recording, and the clips made of it; shared by its player and the lists beside it. */
export class Marking {
  markers = new Fetched<Page<Marker>>();
  clips = new Fetched<Page<Recording>>();
  /** The player is on: there is a present moment. */
  on = $state(false);
  /** The time of the marker that is being written; null: none is. */
  writing_ms = $state<number | null>(null);
  /** What a clip is to be made of, as far as it is chosen. */
  ends = $state.raw<Ends>({ from_ms: null, until_ms: null });
  /** Somebody chooses a stretch, or has chosen one. */
  choosing = $state(false);
  /** The stretch that the dialog asks about; null: it is closed. */
  asking = $state.raw<Span | null>(null);
  #markerOnce = new Once();
  #clipOnce = new Once();

  constructor(readonly recording: string) {}

  readonly standing = $derived((this.markers.data?.items ?? []).filter((it) => it.withdrawn_at === null));
  readonly withdrawn = $derived((this.markers.data?.items ?? []).filter((it) => it.withdrawn_at !== null));
  readonly stretch = $derived(stretchOf(this.ends));
  /** Some clip's bytes are still being cut. */
  readonly cutting = $derived((this.clips.data?.items ?? []).some((it) => it.state === 'receiving' || it.state === 'sealing'));

  readonly loadMarkers = () => this.markers.load((signal) => api.markers(this.recording, signal));
  readonly loadClips = () => this.clips.load((signal) => api.clips(this.recording, signal));

  begin(at_ms: number) {
    this.ends = withBegin(this.ends, at_ms);
    this.choosing = true;
  }

  end(at_ms: number) {
    this.ends = withEnd(this.ends, at_ms);
    this.choosing = true;
  }

  clear() {
    this.ends = { from_ms: null, until_ms: null };
    this.choosing = false;
  }

  async place(at_ms: number, until_ms: number | null, text: string): Promise<Marker> {
    const wanted = { at_ms, until_ms, text };
    const placed = await api.placeMarker(this.recording, wanted, this.#markerOnce.key(wanted));
    this.#markerOnce.done();
    // Shown at once; the list that is fetched then settles its place.
    if (this.markers.data) this.markers.data = { ...this.markers.data, items: [...this.markers.data.items, placed] };
    void this.loadMarkers();
    return placed;
  }

  async withdraw(marker: Marker) {
    await api.withdrawMarker(this.recording, marker.id);
    await this.loadMarkers();
  }

  async clip(wanted: { from_ms: number; until_ms: number; reason: string }): Promise<Recording> {
    const made = await api.makeClip(this.recording, wanted, this.#clipOnce.key(wanted));
    this.#clipOnce.done();
    if (this.clips.data) this.clips.data = { ...this.clips.data, items: [made, ...this.clips.data.items] };
    void this.loadClips();
    return made;
  }

  stop() {
    this.markers.stop();
    this.clips.stop();
  }
}
