// Loaded only when someone presses play.
import type { HlsConfig, LoaderResponse, RetryConfig } from 'hls.js';
import Hls from 'hls.js/light';
import { frameTimes, pictureTrack, type Frame, type PictureTrack } from './boxes';

/** What the daemon refuses it will refuse again; only outages and overload are worth trying anew. */
const refused = (status: number) => status >= 400 && status < 500 && status !== 408 && status !== 429;

const RETRY: RetryConfig = {
  maxNumRetry: 100_000,
  retryDelayMs: 1_000,
  maxRetryDelayMs: 4_000,
  // By itself hls.js gives up when no connection can be made at all, as while the daemon starts anew.
  shouldRetry: (_config, _count, timeout, response: LoaderResponse | undefined) => timeout || !refused(response?.code ?? 0),
};

/** Endless and patient: a supervisor's picture must come back by itself after an outage. */
const PATIENT = { default: { maxTimeToFirstByteMs: 20_000, maxLoadTimeMs: 60_000, timeoutRetry: RETRY, errorRetry: RETRY } };

const AHEAD_S = 30;
const CONFIG: Partial<HlsConfig> = {
  // A growing playlist would otherwise start at its end.
  startPosition: 0,
  // The first segment comes while the media source opens, which takes the browser longer than the segment.
  startFragPrefetch: true,
  // Segments are fMP4 already, so there is nothing for a worker to convert.
  enableWorker: false,
  maxBufferLength: AHEAD_S,
  backBufferLength: 60,
  // Tried again below, where it can be told: hls.js would do it silently.
  manifestLoadPolicy: { default: { ...PATIENT.default, timeoutRetry: null, errorRetry: null } },
  playlistLoadPolicy: PATIENT,
  fragLoadPolicy: PATIENT,
};

export type Trouble =
  /** The daemon refused: ask it why. */
  | { kind: 'refused'; status: number }
  /** The browser can't decode it. */
  | { kind: 'codec'; detail: string }
  | { kind: 'other'; detail: string };

export interface Attached {
  destroy(): void;
  /** Goes on after a refusal that is over, e.g. a new sign-in. */
  resume(): void;
  /** Eight times as fast empties the buffer eight times as fast. */
  speed(speed: number): void;
}

export interface Listeners {
  /** True while loading fails and is being tried again. */
  retrying(on: boolean): void;
  trouble(trouble: Trouble): void;
  /** What the playlist says: whether more will come, and how far it reaches. */
  extent(growing: boolean, until_s: number): void;
  /** The pictures of a segment, in the time of the media element. */
  frames(segment: number, frames: Frame[]): void;
}

export function attach(video: HTMLVideoElement, playlist: string, listeners: Listeners): Attached {
  if (!Hls.isSupported()) {
    // Safari and others play HLS themselves.
    video.src = playlist;
    return { destroy: () => video.removeAttribute('src'), resume: () => video.load(), speed: () => {} };
  }
  const hls = new Hls(CONFIG);
  const progress = () => listeners.retrying(false);
  hls.on(Hls.Events.FRAG_LOADED, progress);
  hls.on(Hls.Events.LEVEL_LOADED, progress);
  hls.on(Hls.Events.LEVEL_UPDATED, (_, { details }) => listeners.extent(details.live, details.edge));
  readFrames(hls, listeners);
  const stop = recover(hls, playlist, listeners);
  hls.attachMedia(video);
  hls.loadSource(playlist);
  return {
    destroy: () => {
      stop();
      hls.destroy();
    },
    resume: () => hls.startLoad(),
    speed: (speed) => (hls.config.maxBufferLength = AHEAD_S * Math.min(4, Math.max(1, speed))),
  };
}

/** Returns what ends its own tries. */
function recover(hls: Hls, playlist: string, listeners: Listeners): () => void {
  let recovered = false;
  let delay_ms = 1_000;
  let timer: ReturnType<typeof setTimeout> | undefined;
  hls.on(Hls.Events.ERROR, (_, data) => {
    const status = data.response?.code ?? 0;
    const manifest = data.details === Hls.ErrorDetails.MANIFEST_LOAD_ERROR || data.details === Hls.ErrorDetails.MANIFEST_LOAD_TIMEOUT;
    if (manifest && !refused(status)) {
      listeners.retrying(true);
      timer = setTimeout(() => hls.loadSource(playlist), delay_ms);
      delay_ms = Math.min(delay_ms * 2, 8_000);
    } else if (data.type === Hls.ErrorTypes.NETWORK_ERROR && (refused(status) || data.fatal)) {
      hls.stopLoad();
      listeners.trouble({ kind: 'refused', status });
    } else if (data.type === Hls.ErrorTypes.NETWORK_ERROR) {
      listeners.retrying(true);
    } else if (
      data.details === Hls.ErrorDetails.BUFFER_ADD_CODEC_ERROR ||
      data.details === Hls.ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR ||
      data.details === Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR
    ) {
      listeners.trouble({ kind: 'codec', detail: data.mimeType ?? data.error?.message ?? data.details });
    } else if (data.fatal && data.type === Hls.ErrorTypes.MEDIA_ERROR && !recovered) {
      recovered = true;
      hls.recoverMediaError();
    } else if (data.fatal) {
      listeners.trouble({ kind: data.type === Hls.ErrorTypes.MEDIA_ERROR ? 'codec' : 'other', detail: data.details });
    }
  });
  return () => clearTimeout(timer);
}

/** The segments tell exactly when each frame begins: single steps need no guess. */
function readFrames(hls: Hls, listeners: Listeners) {
  const tracks = new WeakMap<Uint8Array, { track: PictureTrack | null }>();
  const read = new Map<number, Frame[]>();
  let shift_s = 0;
  const tell = (segment: number, frames: Frame[]) => listeners.frames(segment, frames.map((it) => ({ ...it, at_s: it.at_s + shift_s })));
  hls.on(Hls.Events.INIT_PTS_FOUND, (_, data) => {
    shift_s = data.timescale > 0 ? -data.initPTS / data.timescale : 0;
    for (const [segment, frames] of read) tell(segment, frames);
    read.clear();
  });
  hls.on(Hls.Events.FRAG_LOADED, (_, { frag, payload }) => {
    const init = frag.initSegment?.data;
    if (frag.type !== 'main' || typeof frag.sn !== 'number' || !init) return;
    let known = tracks.get(init);
    if (!known) tracks.set(init, (known = { track: pictureTrack(init) }));
    if (!known.track) return;
    const frames = frameTimes(new Uint8Array(payload), known.track);
    if (frames.length === 0) return;
    // Until the shift is known they are kept, to be told once more.
    if (read.size < 16) read.set(frag.sn, frames);
    tell(frag.sn, frames);
  });
}
