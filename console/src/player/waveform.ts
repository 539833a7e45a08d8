/** How loud it was: so many peaks a second, 0 to 255. */
export interface Waveform {
  peaks_per_s: number;
  peaks: number[];
}

export function readWaveform(given: unknown): Waveform | null {
  const { peaks_per_s, peaks } = (given ?? {}) as Partial<Waveform>;
  if (typeof peaks_per_s !== 'number' || !(peaks_per_s > 0) || !Array.isArray(peaks) || peaks.length === 0) return null;
  return { peaks_per_s, peaks };
}

/** The loudest moment of each of `count` columns over the whole time line, 0 to 1; -1 where nothing is known yet. */
export function columns(wave: Waveform, total_s: number, count: number): Float32Array {
  const found = new Float32Array(Math.max(0, count)).fill(-1);
  const per_column = (total_s * wave.peaks_per_s) / count;
  if (!(per_column > 0)) return found;
  for (let column = 0; column < count; column++) {
    const from = Math.floor(column * per_column);
    const to = Math.max(from + 1, Math.floor((column + 1) * per_column));
    for (let at = from; at < to && at < wave.peaks.length; at++) {
      const peak = Math.min(1, Math.max(0, (wave.peaks[at] ?? 0) / 255));
      if (peak > (found[column] as number)) found[column] = peak;
    }
  }
  return found;
}
