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
  const second = advance(first, 500, 10);
  expect([second.bytes, second.rate]).toEqual([500, null]);
  expect(advance(second, 1000, 1000).rate).toBeCloseTo(1000);
});

test('fewer bytes than before begin anew', () => {
  const arrival = advance(advance(undefined, 100, 0), 50, 1000);
  expect(arrival).toEqual({ bytes: 50, at_ms: 1000, rate: null, since: { bytes: 50, at_ms: 1000 } });
});
