import { Frames } from './frames';

export const SPEEDS: readonly number[] = [0.25, 0.5, 1, 1.5, 2, 4, 8];

type FrameCallback = (now: number, metadata: { mediaTime: number }) => void;
type WithFrames = HTMLVideoElement & { requestVideoFrameCallback?: (then: FrameCallback) => number };

/** A media element's state as the controls show it, and what the controls do to it. */
export class Playing {
  at_s = $state(0);
  duration_s = $state(0);
  paused = $state(true);
  ended = $state(false);
  waiting = $state(false);
  muted = $state(false);
  volume = $state(1);
  speed = $state(1);
  buffered = $state.raw<[number, number][]>([]);
  #video: WithFrames | null = null;
  #frames = new Frames();

  /** Returns what detaches it. */
  attach(video: HTMLVideoElement, known_duration_s: number | null): () => void {
    this.#video = video;
    this.duration_s = known_duration_s ?? 0;
    const look = () => {
      this.at_s = video.currentTime;
      if (Number.isFinite(video.duration) && video.duration > 0) this.duration_s = video.duration;
      this.paused = video.paused;
      this.ended = video.ended;
      this.muted = video.muted || video.volume === 0;
      this.volume = video.volume;
      this.speed = video.playbackRate;
      this.buffered = ranges(video.buffered);
    };
    const wait = () => (this.waiting = true);
    const go = () => (this.waiting = false);
    const LOOK = ['timeupdate', 'durationchange', 'play', 'pause', 'ended', 'seeking', 'seeked', 'volumechange', 'ratechange', 'progress'];
    const WAIT = ['waiting', 'seeking'];
    const GO = ['playing', 'canplay', 'seeked', 'pause', 'ended', 'error'];
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

  toggle() {
    const video = this.#video;
    if (!video) return;
    if (video.paused) void video.play().catch(() => {});
    else video.pause();
  }

  seek(to_s: number) {
    if (!this.#video) return;
    this.at_s = Math.min(Math.max(0, to_s), this.duration_s);
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
    if (this.#video) this.#video.playbackRate = speed;
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

  /** Every frame that is shown tells its exact time. */
  #watch() {
    const video = this.#video;
    video?.requestVideoFrameCallback?.((_, metadata) => {
      this.#frames.saw(metadata.mediaTime);
      this.#watch();
    });
  }
}

function ranges(of: TimeRanges): [number, number][] {
  const found: [number, number][] = [];
  for (let at = 0; at < of.length; at++) found.push([of.start(at), of.end(at)]);
  return found;
}
