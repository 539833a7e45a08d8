import { SPEEDS } from '../player/playing.svelte';
import type { Span } from '../wall/line';
import type { Camera } from './camera.svelte';
import { correct, nextStart } from './steps';

const TICK_MS = 50;
/** So long one camera may load before the others wait for it. */
const PATIENCE_MS = 250;
/** A camera that can't keep up is not sought more often than this. */
const SEEK_EVERY_MS = 700;

/** Several cameras on one clock. One of them leads and is never hurried; the others keep to it. */
export class Group {
  cameras: Camera[];
  /** The common clock, in milliseconds since 1970. */
  at_ms = $state(0);
  paused = $state(true);
  /** The clock stands because a camera loads. */
  holding = $state(false);
  speed = $state(1);
  corrected = $state(true);
  /** Which one is heard, by its place; the others are mute, or nobody would understand anything. */
  heard = $state(0);
  muted = $state(false);
  #last = 0;
  #behind_since: number | null = null;
  #lead_s = 0.05;

  constructor(cameras: Camera[]) {
    this.cameras = cameras;
  }

  /** When a camera begins by the common clock: without a time of its own, with the first of the others. */
  starts_ms(camera: Camera): number {
    return camera.starts_ms(this.corrected) ?? this.#first_ms + camera.shift_ms;
  }

  get #first_ms(): number {
    const known = this.cameras.map((it) => it.starts_ms(this.corrected)).filter((it): it is number => it !== null);
    return known.length > 0 ? Math.min(...known) : 0;
  }

  /** Whether any of them knows what time it was. */
  get dated(): boolean {
    return this.cameras.some((it) => it.recording.recorded_at !== null);
  }

  span(camera: Camera): Span {
    const from_ms = this.starts_ms(camera);
    return { from_ms, until_ms: from_ms + camera.playing.duration_s * 1000 };
  }

  get extent(): Span {
    const spans = this.cameras.map((it) => this.span(it));
    if (spans.length === 0) return { from_ms: 0, until_ms: 0 };
    return { from_ms: Math.min(...spans.map((it) => it.from_ms)), until_ms: Math.max(...spans.map((it) => it.until_ms)) };
  }

  target_s(camera: Camera): number {
    return (this.at_ms - this.starts_ms(camera)) / 1000;
  }

  /** Nobody filmed at this moment. */
  get nobody(): boolean {
    return this.cameras.every((it) => it.place(this.target_s(it)) !== 'in');
  }

  /** Returns what ends it. */
  run(): () => void {
    this.#last = performance.now();
    const timer = setInterval(() => this.#tick(), TICK_MS);
    return () => clearInterval(timer);
  }

  async toggle() {
    if (!this.paused) return this.pause();
    if (this.at_ms >= this.extent.until_ms - 50) this.seek(this.extent.from_ms);
    await Promise.all(this.cameras.map((it) => it.start()));
    this.paused = false;
    this.holding = true;
  }

  pause() {
    this.paused = true;
    for (const camera of this.cameras) camera.video?.pause();
  }

  seek(to_ms: number) {
    const { from_ms, until_ms } = this.extent;
    this.at_ms = Math.min(Math.max(from_ms, to_ms), until_ms);
    this.holding = !this.paused;
    for (const camera of this.cameras) this.#align(camera);
  }

  /** To where the next camera has something. */
  get next_ms(): number | null {
    return nextStart(this.at_ms, this.cameras.map((it) => this.starts_ms(it)));
  }

  frame(direction: 1 | -1) {
    const leader = this.#leader();
    if (!leader) return;
    this.pause();
    leader.playing.frame(direction);
    this.seek(this.starts_ms(leader) + leader.playing.at_s * 1000);
  }

  setSpeed(speed: number) {
    this.speed = speed;
    for (const camera of this.cameras) camera.speed(speed);
  }

  faster(direction: 1 | -1) {
    const next = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(this.speed) + direction))];
    if (next !== undefined) this.setSpeed(next);
  }

  #tick() {
    const now = performance.now();
    const elapsed_ms = now - this.#last;
    this.#last = now;
    for (const [at, camera] of this.cameras.entries()) if (camera.video) camera.video.muted = this.muted || at !== this.heard;
    if (this.paused) {
      for (const camera of this.cameras) this.#align(camera);
      return;
    }
    const inside = this.cameras.filter((it) => it.on && it.place(this.target_s(it)) === 'in');
    this.#wait(inside, now);
    if (this.holding) {
      for (const camera of inside) {
        camera.video?.pause();
        this.#align(camera);
      }
      return;
    }
    // A tab that slept wakes up where it fell asleep.
    const awaited = inside.length === 0 && this.cameras.some((it) => it.place(this.target_s(it)) === 'not_arrived');
    if (!awaited) this.at_ms += Math.min(elapsed_ms, 500) * this.speed;
    const leader = this.#leader();
    if (leader) this.#follow(leader);
    for (const camera of this.cameras) this.#keep(camera, leader, now);
    if (this.at_ms >= this.extent.until_ms) {
      this.at_ms = this.extent.until_ms;
      if (!this.cameras.some((it) => it.playing.growing)) this.pause();
    }
  }

  /** All wait for one that loads, and go on together. */
  #wait(inside: Camera[], now: number) {
    if (inside.every((it) => it.ready)) {
      this.#behind_since = null;
      this.holding = false;
    } else if (!this.holding) {
      this.#behind_since ??= now;
      if (now - this.#behind_since > PATIENCE_MS) this.holding = true;
    }
  }

  /** Who is heard leads, for a change of rate is heard too; else the first who plays. */
  #leader(): Camera | null {
    const plays = (it: Camera | undefined) => it !== undefined && it.on && it.place(this.target_s(it)) === 'in';
    const heard = this.cameras[this.heard];
    return (plays(heard) ? heard : this.cameras.find(plays)) ?? null;
  }

  #follow(leader: Camera) {
    const video = leader.video;
    if (!video || video.paused || !leader.ready) return;
    const at_ms = this.starts_ms(leader) + video.currentTime * 1000;
    if (Math.abs(at_ms - this.at_ms) < 500 * Math.max(1, this.speed)) this.at_ms = at_ms;
  }

  #keep(camera: Camera, leader: Camera | null, now: number) {
    const video = camera.video;
    if (!video || !camera.on) return;
    const target_s = this.target_s(camera);
    if (camera.place(target_s) !== 'in') {
      camera.ahead_ms = null;
      if (!video.paused) video.pause();
      // Ready for its beginning.
      if (target_s < 0 && video.currentTime > 0.05 && !video.seeking) video.currentTime = 0;
      return;
    }
    const ahead_s = video.currentTime - target_s;
    const correction = correct(ahead_s, this.speed);
    if (!video.seeking) camera.ahead_ms = Math.round(ahead_s * 1000);
    if (correction.seek) {
      if (!video.seeking && now - camera.sought_at > SEEK_EVERY_MS) {
        camera.sought_at = now;
        video.currentTime = target_s + this.#lead_s * this.speed;
      }
    } else {
      const rate = camera === leader ? this.speed : correction.rate;
      if (video.playbackRate !== rate) video.playbackRate = rate;
    }
    if (video.paused && !video.ended) void video.play().catch(() => {});
  }

  /** Standing still, every camera shows the very moment. */
  #align(camera: Camera) {
    const video = camera.video;
    if (!video || !camera.on || video.readyState === 0) return;
    const target_s = this.target_s(camera);
    if (camera.place(target_s) !== 'in') {
      camera.ahead_ms = null;
      return;
    }
    const ahead_s = video.currentTime - target_s;
    camera.ahead_ms = Math.round(ahead_s * 1000);
    if (Math.abs(ahead_s) > 0.005 && !video.seeking) video.currentTime = target_s;
  }
}
