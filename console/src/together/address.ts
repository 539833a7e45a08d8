import { MOST } from './steps';

/** Which cameras stand together, and by how much each is shifted by hand. */
export interface Together {
  ids: string[];
  shifts_ms: number[];
  /** Whether the clocks' errors that the stations measured are allowed for. */
  corrected: boolean;
}

const LONGEST_MS = 86_400_000;

/** Reads an address; each recording once, and no more than fit. */
export function readTogether(search: string): Together {
  const given = new URLSearchParams(search);
  const ids: string[] = [];
  const shifts_ms: number[] = [];
  const shifts = given.getAll('shift');
  for (const [at, id] of given.getAll('r').entries()) {
    if (id === '' || ids.includes(id) || ids.length === MOST) continue;
    const shift_ms = Math.trunc(Number(shifts[at] ?? 0));
    ids.push(id);
    shifts_ms.push(Number.isFinite(shift_ms) && Math.abs(shift_ms) <= LONGEST_MS ? shift_ms : 0);
  }
  return { ids, shifts_ms, corrected: given.get('clocks') !== 'raw' };
}

export function writeTogether({ ids, shifts_ms, corrected }: Together): string {
  const search = new URLSearchParams();
  for (const id of ids) search.append('r', id);
  if (shifts_ms.some((it) => it !== 0)) for (const shift_ms of shifts_ms) search.append('shift', String(shift_ms));
  if (!corrected) search.set('clocks', 'raw');
  return `/together?${search.toString()}`;
}
