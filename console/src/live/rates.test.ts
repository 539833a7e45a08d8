import { expect, test } from 'vitest';
import { advance, type Arrival } from './rates';

test('a steady flow shows its rate, and a burst moves it only in part', () => {
  let arrival: Arrival | undefined;
  for (let s = 0; s <= 10; s++) arrival = advance(arrival, s * 1000, s * 1000);
  expect(arrival?.rate).toBeCloseTo(1000);
  const after = advance(arrival, 20_000, 11_000);
  expect(after.rate).toBeGreaterThan(1000);
  expect(after.rate).toBeLessThan(4000);
});

test('events in quick succession are not divided by almost nothing', () => {
  const first = advance(undefined, 0, 0);
  expect(advance(first, 500, 10)).toBe(first);
});

test('fewer bytes than before begin anew', () => {
  const arrival = advance({ bytes: 100, at_ms: 0, rate: 5 }, 50, 1000);
  expect(arrival).toEqual({ bytes: 50, at_ms: 1000, rate: null });
});
