import type { Frame } from './boxes';
import { Frames } from './frames';

export const SPEEDS: readonly number[] = [0.25, 0.5, 1, 1.5, 2, 4, 8];

type FrameCallback = (now: number, metadata: { mediaTime: number }) => void;
type WithFrames = HTMLVideoElement & { requestVideoFrameCallback?: (then: FrameCallback) => number };

const LOOK = ['timeupdate', 'durationchange', 'play', 'pause', 'ended', 'seeking', 'seeked', 'volumechange', 'ratechange', 'progress'];
const WAIT = ['waiting', 'seeking'];
const GO = ['playing', 'canplay', 'seeked', 'pause', 'ended', 'error'];

/** A media element's state as the controls show it, and what the controls do to it. */
export class Playing {
  at_s = $state(0);
  /** The exact time of the frame that stands still; null while it moves. */
  exact_s = $state<number | null>(null);
  /** The whole time line, also what has not arrived yet. */
  duration_s = $state(0);
  /** More will come. */
  growing = $state(false);
  /** Up to here one can watch now. */
  playable_s = $state(0);
  paused = $state(true);
  ended = $state(false);
  waiting = $state(false);
  muted = $state(false);
  volume = $state(1);
  speed = $state(1);
  buffered = $state.raw<[number, number][]>([]);
  /** Told what appears on the screen (or is heard), and for how long. */
  onshown: (at_s: number, lasts_s: number, speed: number) => void = () => {};
  #video: WithFrames | null = null;
  #frames = new Frames();
  #known_s = 0;
  #attached = false;

  /** Returns what detaches it. */
  attach(video: HTMLVideoElement): () => void {
    this.#video = video;
    const look = () => this.#look(video);
    const wait = () => (this.waiting = true);
    const go = () => (this.waiting = false);
    for (const name of LOOK) video.addEventListener(name, look);
    for (const name of WAIT) video.addEventListener(name, wait);
    for (const name of GO) video.addEventListener(name, go);
    this.#watch();
    return () => {
      for (const name of LOOK) video.removeEventListener(name, look);
      for (const name of WAIT) video.removeEventListener(name, wait);
      for (const name of GO) video.removeEventListener(name, go);
      this.#video = null;
    };
  }

  /** What the facts say before the playlist does, and beyond it: how long it will be. */
  know(duration_s: number | null, growing: boolean, playable_s: number | null) {
    this.#known_s = duration_s ?? 0;
    if (!this.#attached) {
      this.growing = growing;
      this.playable_s = playable_s ?? (growing ? 0 : this.#known_s);
    }
    this.#measure();
  }

  /** What the playlist says; from then on the facts only add how long it will be. */
  extent(growing: boolean, until_s: number) {
    this.#attached = true;
    this.growing = growing;
    this.playable_s = until_s;
    this.#measure();
  }

  /** The present moment: exact where the frame on the screen is known. */
  now_ms(): number {
    return Math.round((this.exact_s ?? this.#video?.currentTime ?? this.at_s) * 1000);
  }

  learn(segment: number, frames: Frame[]) {
    this.#frames.learn(segment, frames);
  }

  toggle() {
    const video = this.#video;
    if (!video) return;
    if (video.paused) void video.play().catch(() => {});
    else video.pause();
  }

  seek(to_s: number) {
    if (!this.#video) return;
    // What has not arrived can't be shown: one waits at its edge.
    const last_s = this.growing ? Math.max(0, this.playable_s - 0.1) : this.duration_s;
    this.at_s = Math.min(Math.max(0, to_s), last_s);
    this.#video.currentTime = this.at_s;
  }

  skip(by_s: number) {
    this.seek((this.#video?.currentTime ?? 0) + by_s);
  }

  frame(direction: 1 | -1) {
    const video = this.#video;
    if (!video) return;
    video.pause();
    this.seek(this.#frames.target(video.currentTime, direction, this.duration_s));
  }

  setSpeed(speed: number) {
    if (!this.#video) return;
    this.#video.playbackRate = speed;
    // Its event comes later, and a second key may come before it.
    this.speed = speed;
  }

  faster(direction: 1 | -1) {
    const at = SPEEDS.indexOf(this.speed);
    const next = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, (at < 0 ? SPEEDS.indexOf(1) : at) + direction))];
    if (next !== undefined) this.setSpeed(next);
  }

  setVolume(volume: number) {
    if (!this.#video) return;
    this.#video.volume = Math.min(1, Math.max(0, volume));
    this.#video.muted = false;
  }

  louder(by: number) {
    if (this.#video) this.setVolume(Math.round((this.#video.volume + by) * 20) / 20);
  }

  mute() {
    const video = this.#video;
    if (!video) return;
    if (video.volume === 0) this.setVolume(0.5);
    else video.muted = !video.muted;
  }

  #look(video: WithFrames) {
    this.at_s = video.currentTime;
    this.#measure();
    this.paused = video.paused;
    this.ended = video.ended;
    this.muted = video.muted || video.volume === 0;
    this.volume = video.volume;
    this.speed = video.playbackRate;
    this.buffered = ranges(video.buffered);
    if (!video.paused) this.exact_s = null;
    else if (!video.seeking) this.exact_s = this.#frames.shown_s;
    // Sound has no frames to be counted.
    if (!video.paused && !video.seeking && (video.videoWidth === 0 || !video.requestVideoFrameCallback)) {
      this.onshown(video.currentTime, 0, Math.max(1, video.playbackRate));
    }
  }

  #measure() {
    const media_s = this.#video?.duration ?? Number.NaN;
    const played_s = Number.isFinite(media_s) && media_s > 0 ? media_s : 0;
    if (this.growing) this.duration_s = Math.max(this.#known_s, this.playable_s, played_s);
    else this.duration_s = played_s || this.#known_s;
    if (!this.growing) this.playable_s = this.duration_s;
  }

  /** Every frame that is shown tells its exact time. */
  #watch() {
    const video = this.#video;
    video?.requestVideoFrameCallback?.((_, { mediaTime }) => {
      this.#frames.saw(mediaTime);
      if (video.paused) this.exact_s = mediaTime;
      this.onshown(mediaTime, this.#frames.step_s, video.playbackRate);
      this.#watch();
    });
  }
}

function ranges(of: TimeRanges): [number, number][] {
  const found: [number, number][] = [];
  for (let at = 0; at < of.length; at++) found.push([of.start(at), of.end(at)]);
  return found;
}
