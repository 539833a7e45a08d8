// Reads as much of fragmented MP4 (ISO/IEC 14496-12) as tells when each picture is shown. What it doesn't
// understand yields nothing: steps are then estimated.

/** The picture track of an initialisation segment. */
export interface PictureTrack {
  id: number;
  timescale: number;
  default_duration: number;
}

/** A picture: when it begins, and how long it says that it lasts (in the order of decoding), in seconds. */
export interface Frame {
  at_s: number;
  lasts_s: number;
}

type Visit = (type: string, from: number, to: number) => void;
const MOST_FRAMES = 20_000;

function boxes(view: DataView, from: number, to: number, visit: Visit) {
  for (let at = from; at + 8 <= to; ) {
    let size = view.getUint32(at);
    let head = 8;
    if (size === 1) {
      if (at + 16 > to || view.getUint32(at + 8) !== 0) return;
      size = view.getUint32(at + 12);
      head = 16;
    } else if (size === 0) size = to - at;
    if (size < head || at + size > to) return;
    visit(text(view, at + 4), at + head, at + size);
    at += size;
  }
}

const text = (view: DataView, at: number) =>
  String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));

function guarded<T>(bytes: Uint8Array, read: (view: DataView) => T | null): T | null {
  try {
    return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch {
    // A read past the end: damaged, so nothing is known.
    return null;
  }
}

/** The picture track, if there is one. */
export function pictureTrack(init: Uint8Array): PictureTrack | null {
  return guarded(init, (view) => {
    let found: PictureTrack | null = null;
    const defaults = new Map<number, number>();
    const track = { id: 0, timescale: 0, picture: false };
    const visit: Visit = (type, from, to) => {
      if (type === 'moov' || type === 'mdia' || type === 'mvex') boxes(view, from, to, visit);
      else if (type === 'trak') {
        Object.assign(track, { id: 0, timescale: 0, picture: false });
        boxes(view, from, to, visit);
        if (track.picture && track.timescale > 0 && !found) found = { id: track.id, timescale: track.timescale, default_duration: 0 };
      } else if (type === 'tkhd') track.id = view.getUint32(from + (view.getUint8(from) === 1 ? 20 : 12));
      else if (type === 'mdhd') track.timescale = view.getUint32(from + (view.getUint8(from) === 1 ? 20 : 12));
      else if (type === 'hdlr') track.picture = text(view, from + 8) === 'vide';
      else if (type === 'trex') defaults.set(view.getUint32(from + 4), view.getUint32(from + 12));
    };
    boxes(view, 0, view.byteLength, visit);
    const picture = found as PictureTrack | null;
    if (picture) picture.default_duration = defaults.get(picture.id) ?? 0;
    return picture;
  });
}

/** The pictures of a segment in the time of the track, as they follow each other on the screen. */
export function frameTimes(segment: Uint8Array, track: PictureTrack): Frame[] {
  const times = guarded(segment, (view) => {
    const found: Frame[] = [];
    let decode = 0;
    let duration = 0;
    let ours = false;
    const visit: Visit = (type, from, to) => {
      if (type === 'moof' || type === 'traf') boxes(view, from, to, visit);
      else if (type === 'tfhd') {
        const flags = view.getUint32(from) & 0xffffff;
        ours = view.getUint32(from + 4) === track.id;
        const at = from + 8 + (flags & 1 ? 8 : 0) + (flags & 2 ? 4 : 0);
        duration = flags & 8 ? view.getUint32(at) : track.default_duration;
      } else if (type === 'tfdt' && ours) {
        decode = view.getUint8(from) === 1 ? view.getUint32(from + 4) * 2 ** 32 + view.getUint32(from + 8) : view.getUint32(from + 4);
      } else if (type === 'trun' && ours) {
        decode = run(view, from, decode, duration, track.timescale, found);
      }
    };
    boxes(view, 0, view.byteLength, visit);
    return found.sort((a, b) => a.at_s - b.at_s);
  });
  return times ?? [];
}

/** Appends a run's presentation times; returns the decode time after it. */
function run(view: DataView, from: number, decode: number, duration: number, timescale: number, into: Frame[]): number {
  const flags = view.getUint32(from) & 0xffffff;
  const signed = view.getUint8(from) >= 1;
  const count = view.getUint32(from + 4);
  let at = from + 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);
  for (let n = 0; n < count && into.length < MOST_FRAMES; n++) {
    let lasts = duration;
    if (flags & 0x100) {
      lasts = view.getUint32(at);
      at += 4;
    }
    at += (flags & 0x200 ? 4 : 0) + (flags & 0x400 ? 4 : 0);
    let shift = 0;
    if (flags & 0x800) {
      shift = signed ? view.getInt32(at) : view.getUint32(at);
      at += 4;
    }
    into.push({ at_s: (decode + shift) / timescale, lasts_s: lasts / timescale });
    decode += lasts;
  }
  return decode;
}
