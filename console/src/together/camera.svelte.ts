import { api, place as address } from '../api/client';
import { asProblem } from '../api/problem';
import type { Recording } from '../api/types';
import { Claims } from '../player/claims';
import type { Attached, Trouble } from '../player/hls';
import { Playing } from '../player/playing.svelte';
import { obstacle, refusal, type Why } from '../player/why';
import { session } from '../session.svelte';
import { placeOf, type Place } from './steps';

const AGAIN_MS = 3_000;

/** One recording among several on one clock. */
export class Camera {
  recording = $state.raw() as Recording;
  /** The recorder's clock minus the station's, measured when it was docked; null: not known. */
  offset_ms = $state<number | null>(null);
  shift_ms = $state(0);
  failed = $state.raw<Why | null>(null);
  retrying = $state(false);
  on = $state(false);
  /** How far it is from the common clock, smoothed over nothing: what was measured last. */
  ahead_ms = $state<number | null>(null);
  readonly playing = new Playing();
  video: HTMLVideoElement | null = null;
  sought_at = 0;
  #attached: Attached | null = null;
  #claims: Claims;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(recording: Recording) {
    this.recording = recording;
    this.#claims = new Claims(recording.id);
    this.playing.onshown = (at_s, lasts_s, speed) => this.#claims.shown.saw(at_s, lasts_s, speed);
    this.know(recording);
  }

  know(recording: Recording) {
    this.recording = recording;
    const { duration_ms, state, playable_ms } = recording.playback;
    const seconds = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : ms / 1000);
    this.playing.know(seconds(duration_ms), state === 'growing', seconds(playable_ms));
  }

  get why(): Why | null {
    return this.failed ?? (this.on ? null : obstacle(this.recording, typeof MediaSource !== 'undefined'));
  }

  /** When its first moment was, by the common clock; null where the device gave no time. */
  starts_ms(corrected: boolean): number | null {
    if (this.recording.recorded_at === null) return null;
    return Date.parse(this.recording.recorded_at) - (corrected ? (this.offset_ms ?? 0) : 0) + this.shift_ms;
  }

  place(target_s: number): Place {
    return placeOf(target_s, this.playing.duration_s, this.playing.growing, this.playing.playable_s);
  }

  /** It could show its next frame at once. */
  get ready(): boolean {
    const video = this.video;
    return video !== null && !video.seeking && (video.ended || video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA);
  }

  /** Takes the element; returns what lets it go. */
  hold(video: HTMLVideoElement): () => void {
    this.video = video;
    const detach = this.playing.attach(video);
    const claimed = this.#claims.start();
    return () => {
      claimed();
      this.stop();
      detach();
      this.video = null;
    };
  }

  /** Opens a viewing, and that is custody: only when someone presses play. */
  async start() {
    if (this.on || this.why || !this.video) return;
    const { attach } = await import('../player/hls');
    if (this.on || !this.video) return;
    this.failed = null;
    this.#attached = attach(this.video, address.playlist(this.recording.id), {
      retrying: (on) => (this.retrying = on),
      trouble: (trouble) => void this.#trouble(trouble),
      extent: (growing, until_s) => this.playing.extent(growing, until_s),
      frames: (segment, frames) => this.playing.learn(segment, frames),
    });
    this.on = true;
  }

  speed(speed: number) {
    this.#attached?.speed(speed);
  }

  resume() {
    this.#attached?.resume();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#attached?.destroy();
    this.#attached = null;
    this.on = false;
  }

  again() {
    this.stop();
    this.failed = null;
    void this.start();
  }

  async #trouble(trouble: Trouble) {
    if (trouble.kind === 'refused' && trouble.status === 401) return session.expire();
    let why: Why = { key: 'why.failed', said: { code: '', text: trouble.kind === 'refused' ? String(trouble.status) : trouble.detail }, waits: false };
    if (trouble.kind === 'codec') why = { key: 'why.decode', values: { detail: trouble.detail }, waits: false };
    if (trouble.kind === 'refused') {
      const problem = await api.playlist(this.recording.id).then(
        () => null,
        (error: unknown) => asProblem(error),
      );
      if (problem?.status === 401) return;
      // Sealed while it was being fetched: the playlist stands, and the segment is there in a moment.
      if (problem === null && trouble.status === 409) {
        this.#timer = setTimeout(() => this.resume(), 1_000);
        return;
      }
      why = refusal(problem, trouble.status);
    }
    this.stop();
    this.failed = why;
    if (why.waits) this.#timer = setTimeout(() => this.again(), AGAIN_MS);
  }
}
