import type { Query } from '../api/client';
import type { RecordingKind, RecordingState } from '../api/types';

/** What the list of recordings is narrowed to. Days are this browser's, as "2026-11-23". */
export interface Filters {
  q: string;
  from: string;
  until: string;
  unit: string;
  officer: string;
  recorder: string;
  case: string;
  tag: string;
  state: string;
  kind: string;
}

export const STATES: readonly RecordingState[] = ['receiving', 'sealing', 'sealed', 'incomplete', 'quarantined', 'deleted'];
export const KINDS: readonly RecordingKind[] = ['video', 'audio', 'photo', 'document', 'other', 'clip'];

const NAMES = ['q', 'from', 'until', 'unit', 'officer', 'recorder', 'case', 'tag', 'state', 'kind'] as const;
/** What stands behind "more filters". */
const MORE = ['recorder', 'case', 'tag', 'kind'] as const;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Reads an address; what it doesn't understand it drops. */
export function read(search: string): Filters {
  const given = new URLSearchParams(search);
  const filters = Object.fromEntries(NAMES.map((name) => [name, (given.get(name) ?? '').trim()])) as unknown as Filters;
  if (!DAY.test(filters.from)) filters.from = '';
  if (!DAY.test(filters.until)) filters.until = '';
  if (!STATES.includes(filters.state as RecordingState)) filters.state = '';
  if (!KINDS.includes(filters.kind as RecordingKind)) filters.kind = '';
  return filters;
}

/** The same filters always make the same address. */
export function write(filters: Filters, cursor: string | null = null, page = 1): string {
  const search = new URLSearchParams();
  for (const name of NAMES) if (filters[name]) search.set(name, filters[name]);
  if (cursor) {
    search.set('page', String(page));
    search.set('cursor', cursor);
  }
  const text = search.toString();
  return text ? `?${text}` : '';
}

export function any(filters: Filters): boolean {
  return NAMES.some((name) => filters[name] !== '');
}

export function countMore(filters: Filters): number {
  return MORE.filter((name) => filters[name] !== '').length;
}

export function toQuery(filters: Filters): Query {
  return { ...filters, from: dayStart(filters.from), until: dayStart(filters.until, 1) };
}

/** Midnight that begins the day here, `days` later, in UTC; "until" is the end of its day. */
export function dayStart(day: string, days = 0): string | null {
  if (!DAY.test(day)) return null;
  const [year, month, date] = day.split('-').map(Number) as [number, number, number];
  const at = new Date(year, month - 1, date + days);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

export function dayOf(at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** The last `days` days, today included. */
export function lastDays(today: Date, days: number): { from: string; until: string } {
  const from = new Date(today.getFullYear(), today.getMonth(), today.getDate() - (days - 1));
  return { from: dayOf(from), until: dayOf(today) };
}
