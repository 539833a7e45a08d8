import { expect, test } from 'vitest';
import type { Recording } from '../api/types';
import { daySpan, following, people, placed } from './day';

const day = daySpan('2026-11-23') as { from_ms: number; until_ms: number };
const recording = (id: string, recorded: Date | null, duration_ms: number | null, change: Partial<Recording> = {}) =>
  ({ id, kind: 'video', state: 'sealed', recorded_at: recorded?.toISOString() ?? null, playback: { state: 'ready', duration_ms }, ...change }) as unknown as Recording;

test('a day holds what begins on it and what runs into it, in order', () => {
  const found = placed(
    [
      recording('late', new Date(2026, 10, 23, 23, 50), 1_800_000),
      recording('over midnight', new Date(2026, 10, 22, 23, 50), 1_200_000),
      recording('yesterday', new Date(2026, 10, 22, 20), 1000),
      recording('tomorrow', new Date(2026, 10, 24), 1000),
      recording('undated', null, 1000),
      recording('deleted', new Date(2026, 10, 23, 9), 1000, { state: 'deleted' }),
      recording('photo', new Date(2026, 10, 23, 9), null, { kind: 'photo' }),
      recording('unmeasured', new Date(2026, 10, 23, 10), null),
    ],
    day,
  );
  expect(found.map((it) => [it.recording.id, it.open])).toEqual([['over midnight', false], ['unmeasured', true], ['late', false]]);
});

test('after one comes the next that plays', () => {
  const list = placed([
    recording('a', new Date(2026, 10, 23, 9), 1000),
    recording('b', new Date(2026, 10, 23, 10), 1000, { playback: { state: 'impossible', duration_ms: 1000 } as Recording['playback'] }),
    recording('c', new Date(2026, 10, 23, 11), 1000),
  ], day);
  expect(following(list, 'a')?.recording.id).toBe('c');
  expect(following(list, 'c')).toBeNull();
});

test('a place has a row for each who recorded there', () => {
  const at = (id: string, minute: number, change: Partial<Recording>) => recording(id, new Date(2026, 10, 23, 9, minute), 1000, change);
  const wang = { id: 'o-1', name: '王建国' };
  const found = people(placed([at('c', 3, { officer: wang }), at('a', 1, { officer: wang }), at('b', 2, { officer_claimed: '未登记' }), at('d', 4, {})], day));
  expect(found.map((it) => [it.name, it.list.map((one) => one.recording.id).join(' ')])).toEqual([['王建国', 'a c'], ['未登记', 'b'], [null, 'd']]);
});

test('only days are days', () => {
  expect(day.until_ms - day.from_ms).toBe(86_400_000);
  for (const text of ['', '2026-13-01', '2026-02-30', 'today']) expect(daySpan(text)).toBeNull();
});
