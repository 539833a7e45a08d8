import type { Made } from '../api/types';

const NAMES: Record<string, string> = {
  hevc: 'H.265',
  h264: 'H.264',
  h263: 'H.263',
  mpeg4: 'MPEG-4',
  mpeg2video: 'MPEG-2',
  mpeg1video: 'MPEG-1',
  mjpeg: 'Motion JPEG',
  vp8: 'VP8',
  vp9: 'VP9',
  av1: 'AV1',
  pcm_mulaw: 'G.711',
  pcm_alaw: 'G.711',
  aac: 'AAC',
  mp1: 'MP1',
  mp2: 'MP2',
  mp3: 'MP3',
  ac3: 'AC-3',
  eac3: 'E-AC-3',
  opus: 'Opus',
  amr_nb: 'AMR-NB',
  amr_wb: 'AMR-WB',
};

/** A codec as people call it; what is not known is shown as it came. */
export function codecName(code: string): string {
  const known = NAMES[code.toLowerCase()];
  if (known) return known;
  if (/^adpcm_g72[26]/.test(code)) return code.startsWith('adpcm_g722') ? 'G.722' : 'G.726';
  if (code.startsWith('adpcm')) return 'ADPCM';
  if (code.startsWith('pcm')) return 'PCM';
  return code;
}

/** What the original holds of that which was transcoded: "H.265 / G.711". Null: everything is as it was recorded. */
export function originalCodecs(made: Made | null | undefined): string | null {
  const names = [made?.video, made?.audio].filter((code): code is string => Boolean(code)).map(codecName);
  return names.length > 0 ? names.join(' / ') : null;
}
