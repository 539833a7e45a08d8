import { expect, test } from 'vitest';
import { extent, gaps, lanes, share, ticks } from './line';

const at = (hour: number, minute = 0) => new Date(2026, 10, 23, hour, minute).getTime();
const span = (from_ms: number, until_ms: number) => ({ from_ms, until_ms });

test('ticks are round times of the clock, and not too many', () => {
  const found = ticks(span(at(8, 7), at(12, 50)), 6);
  expect(found.map((it) => new Date(it).getHours() * 60 + new Date(it).getMinutes())).toEqual([540, 600, 660, 720]);
  expect(ticks(span(at(8), at(8)), 5)).toEqual([]);
  expect(ticks(span(at(8), at(8) + 40 * 86_400_000), 5).length).toBeLessThanOrEqual(6);
  expect(ticks(span(at(8), at(8) + 12_000), 6).length).toBe(7);
});

test('what nobody filmed is a gap, a recorder’s next file is none', () => {
  const spans = [span(at(9), at(10)), span(at(10) + 2000, at(11)), span(at(9, 30), at(9, 40)), span(at(12), at(13))];
  expect(gaps(spans, 5000)).toEqual([span(at(11), at(12))]);
  expect(gaps([], 5000)).toEqual([]);
});

test('what overlaps lies in lanes', () => {
  const found = lanes([span(at(9, 30), at(11)), span(at(9), at(10)), span(at(10), at(10, 30))]);
  expect(found).toEqual([[span(at(9), at(10)), span(at(10), at(10, 30))], [span(at(9, 30), at(11))]]);
});

test('a place on the line', () => {
  const all = extent([span(at(9), at(10)), span(at(8), at(9))]);
  expect(all && share(at(9), all)).toBe('50.0000%');
  expect(all && share(at(20), all)).toBe('100.0000%');
  expect(share(5, span(5, 5))).toBe('0%');
  expect(extent([])).toBeNull();
});
