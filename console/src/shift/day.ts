import type { Recording } from '../api/types';
import type { Span } from '../wall/line';

/** Recordings begin on a day, or run into it over midnight: so much earlier they are looked for. */
export const BEFORE_MS = 12 * 3_600_000;
/** Shorter pauses are those of a recorder that begins its next file. */
export const GAP_MS = 5_000;

/** A recording on the wall clock of the device. */
export interface Placed extends Span {
  recording: Recording;
  /** It is not known yet how long it is. */
  open: boolean;
}

/** Recordings of a day in their order; without the device's time they have no place. */
export function placed(recordings: readonly Recording[], day: Span): Placed[] {
  const found: Placed[] = [];
  for (const recording of recordings) {
    if (recording.recorded_at === null || recording.state === 'deleted') continue;
    if (recording.kind !== 'video' && recording.kind !== 'audio') continue;
    const from_ms = Date.parse(recording.recorded_at);
    const { duration_ms, playable_ms } = recording.playback;
    const length_ms = duration_ms ?? playable_ms ?? null;
    const until_ms = from_ms + (length_ms ?? 0);
    if (until_ms < day.from_ms || from_ms >= day.until_ms) continue;
    found.push({ from_ms, until_ms, recording, open: length_ms === null });
  }
  return found.sort((a, b) => a.from_ms - b.from_ms);
}

/** Whoever recorded at a place, with what is theirs, in order; who began first stands first. */
export interface Person {
  key: string;
  /** Null: nobody knows. */
  name: string | null;
  list: Placed[];
}

export function people(list: readonly Placed[]): Person[] {
  const found = new Map<string, Person>();
  for (const it of list) {
    const { officer, officer_claimed, recorder, recorder_claimed } = it.recording;
    const name = officer?.name ?? officer_claimed ?? recorder?.serial ?? recorder_claimed ?? null;
    const key = officer?.id ?? recorder?.id ?? name ?? '';
    const person = found.get(key);
    if (person) person.list.push(it);
    else found.set(key, { key, name, list: [it] });
  }
  return [...found.values()];
}

/** What follows a recording when it ends: the next one that can be played. */
export function following(list: readonly Placed[], id: string): Placed | null {
  const at = list.findIndex((it) => it.recording.id === id);
  return list.slice(at + 1).find((it) => plays(it.recording)) ?? null;
}

export function plays(recording: Recording): boolean {
  return recording.playback.state === 'ready' || recording.playback.state === 'growing';
}

/** The day here, midnight to midnight; it may be 23 or 25 hours long elsewhere. */
export function daySpan(day: string): Span | null {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (!found) return null;
  const [year, month, date] = [Number(found[1]), Number(found[2]), Number(found[3])];
  const from = new Date(year, month - 1, date);
  if (Number.isNaN(from.getTime()) || from.getMonth() !== month - 1) return null;
  return { from_ms: from.getTime(), until_ms: new Date(year, month - 1, date + 1).getTime() };
}
