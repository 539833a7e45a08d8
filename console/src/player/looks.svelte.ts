import { api } from '../api/client';
import { growingSheets, readStoryboard, type Thumb } from './storyboard';
import { readWaveform, type Waveform } from './waveform';

const AGAIN_MS = 15_000;
/** The first question has the daemon make them, so the next ones come sooner. */
const SOON_MS = 2_000;
/** Looks after the end of growing. */
const SETTLING = 4;
/** What is sealed gets its storyboard soon after, or never. */
const TRIES = 8;

/** Storyboard and waveform, where there are any; they come later than the picture and grow with it. */
export class Looks {
  thumbs = $state.raw<Thumb[]>([]);
  wave = $state.raw<Waveform | null>(null);

  constructor(private readonly recording: string) {}

  /** Looks now and from time to time; returns what ends it. */
  follow(growing: () => boolean, sound: boolean, picture: boolean): () => void {
    const abort = new AbortController();
    let left = TRIES;
    // What grew is whole only some time after its seal: so often it is still fetched then.
    let unsettled = 0;
    const look = async () => {
      const grew = growing();
      if (grew) unsettled = SETTLING;
      else if (unsettled > 0) unsettled -= 1;
      const more = grew || unsettled > 0;
      const storyboard = picture && (more || this.thumbs.length === 0);
      const waveform = sound && (more || this.wave === null);
      if (!storyboard && !waveform) return;
      left = grew ? TRIES : left - 1;
      if (left < 0) return;
      // Neither is needed to watch: without them there is just less to see.
      const [vtt, peaks] = await Promise.all([
        storyboard ? api.storyboard(this.recording, abort.signal).catch(() => null) : null,
        waveform ? api.waveform(this.recording, abort.signal).catch(() => null) : null,
      ]);
      const thumbs = vtt === null ? [] : readStoryboard(vtt);
      if (thumbs.length > 0) this.thumbs = more ? growingSheets(thumbs) : thumbs;
      this.wave = readWaveform(peaks) ?? this.wave;
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    let soon_ms = SOON_MS;
    const again = async () => {
      await look();
      if (abort.signal.aborted) return;
      const missing = (picture && this.thumbs.length === 0) || (sound && this.wave === null);
      timer = setTimeout(() => void again(), missing ? soon_ms : AGAIN_MS);
      soon_ms = Math.min(soon_ms * 2, AGAIN_MS);
    };
    void again();
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }
}
