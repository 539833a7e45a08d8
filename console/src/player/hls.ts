// Loaded only when someone presses play.
import type { HlsConfig } from 'hls.js';
import Hls from 'hls.js/light';

/** Endless and patient: a supervisor's picture must come back by itself after an outage. */
const PATIENT = {
  default: {
    maxTimeToFirstByteMs: 20_000,
    maxLoadTimeMs: 60_000,
    timeoutRetry: { maxNumRetry: 100_000, retryDelayMs: 1_000, maxRetryDelayMs: 8_000 },
    errorRetry: { maxNumRetry: 100_000, retryDelayMs: 1_000, maxRetryDelayMs: 8_000 },
  },
};

const CONFIG: Partial<HlsConfig> = {
  // A growing playlist would otherwise start at its end.
  startPosition: 0,
  // Segments are fMP4 already, so there is nothing for a worker to convert.
  enableWorker: false,
  maxBufferLength: 30,
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
}

interface Listeners {
  /** True while loading fails and is being tried again. */
  retrying(on: boolean): void;
  trouble(trouble: Trouble): void;
}

export function attach(video: HTMLVideoElement, playlist: string, listeners: Listeners): Attached {
  if (!Hls.isSupported()) {
    // Safari and others play HLS themselves.
    video.src = playlist;
    return { destroy: () => video.removeAttribute('src'), resume: () => video.load() };
  }
  const hls = new Hls(CONFIG);
  hls.on(Hls.Events.FRAG_LOADED, () => listeners.retrying(false));
  hls.on(Hls.Events.LEVEL_LOADED, () => listeners.retrying(false));
  let recovered = false;
  let delay_ms = 1_000;
  let timer: ReturnType<typeof setTimeout> | undefined;
  hls.on(Hls.Events.ERROR, (_, data) => {
    const status = data.response?.code ?? 0;
    // What the daemon refuses it will refuse again; only outages and overload are worth trying anew.
    const refused = status >= 400 && status < 500 && status !== 408 && status !== 429;
    const manifest = data.details === Hls.ErrorDetails.MANIFEST_LOAD_ERROR || data.details === Hls.ErrorDetails.MANIFEST_LOAD_TIMEOUT;
    if (manifest && !refused) {
      listeners.retrying(true);
      timer = setTimeout(() => hls.loadSource(playlist), delay_ms);
      delay_ms = Math.min(delay_ms * 2, 8_000);
    } else if (data.type === Hls.ErrorTypes.NETWORK_ERROR && (refused || data.fatal)) {
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
  hls.loadSource(playlist);
  hls.attachMedia(video);
  const destroy = () => {
    clearTimeout(timer);
    hls.destroy();
  };
  return { destroy, resume: () => hls.startLoad() };
}
