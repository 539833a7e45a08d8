import type { Problem } from '../api/problem';
import type { Reason, Recording } from '../api/types';
import type { Key, Values } from '../i18n/i18n.svelte';

/** Why something can't be played now. `waits`: it may become playable without anyone doing anything. */
export interface Why {
  key: Key;
  values?: Values;
  /** The server's own words, where there are any to add. */
  said?: Reason;
  waits: boolean;
}

/** Reasons that say themselves what an arriving recording waits for. */
export const ARRIVING: ReadonlySet<string> = new Set(['too_little_yet', 'index_at_end', 'not_readable_yet', 'made_when_sealed', 'being_sealed', 'no_media_worker']);

/** What stands in the way of playing, from the facts alone; null: nothing known. */
export function obstacle(recording: Recording, canPlay: boolean): Why | null {
  if (recording.state === 'deleted') return { key: 'why.deleted', waits: false };
  if (recording.state === 'quarantined') return { key: 'why.quarantined', waits: false };
  if (recording.kind === 'document' || recording.kind === 'other') {
    if (recording.playback.state !== 'ready') return { key: `why.${recording.kind}`, waits: false };
  }
  if (recording.kind === 'photo') {
    return finished(recording) ? null : { key: recording.state === 'sealing' ? 'why.sealing' : 'why.receiving', waits: true };
  }
  const { state } = recording.playback;
  if (state === 'impossible') {
    const said = reason(recording);
    return said ? { key: 'why.impossible', said, waits: false } : { key: 'why.impossible', waits: false };
  }
  if (state === 'pending') {
    if (recording.state === 'receiving') return waiting('why.receiving', reason(recording));
    if (recording.state === 'sealing') return { key: 'why.sealing', waits: true };
    return waiting('why.pending', reason(recording));
  }
  return canPlay ? null : { key: 'why.browser', waits: false };
}

/** What stands in the way when the daemon refused the playlist; no problem: it was something the playlist led to. */
export function refusal(problem: Problem | null, status: number): Why {
  const said = problem?.reason ? { code: problem.reason } : null;
  if (problem?.kind === 'not-yet-playable') return waiting('why.pending', said);
  if (problem?.kind === 'not-playable') return { key: 'why.impossible', said: said ?? { code: problem.kind, text: problem.detail ?? problem.kind }, waits: false };
  if (problem?.status === 404) return { key: 'why.gone', waits: false };
  if (problem?.status === 403) return { key: 'why.forbidden', waits: false };
  const text = problem?.detail ?? (problem ? `${problem.status} ${problem.kind}` : String(status));
  return { key: 'why.failed', said: { code: problem?.kind ?? '', text }, waits: false };
}

function waiting(key: Key, said: Reason | null): Why {
  return said ? { key, said, waits: true } : { key, waits: true };
}

/** Nothing more arrives, and what arrived can be fetched. */
export function finished(recording: Recording): boolean {
  return recording.state === 'sealed' || recording.state === 'incomplete';
}

/** What the server says about playing it, also of what plays only in part. */
export function reason(recording: Recording): Reason | null {
  const given = recording.playback.reason;
  if (given === null || given === '') return null;
  return typeof given === 'string' ? { code: given, text: given } : given;
}
