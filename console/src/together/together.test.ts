import { expect, test } from 'vitest';
import { readTogether, writeTogether } from './address';
import { correct, nextStart, placeOf } from './steps';

test('who is ahead is slowed, who is behind hurries, who is far off jumps, who is close is left alone', () => {
  expect(correct(0.005, 1)).toEqual({ seek: false, rate: 1 });
  expect(correct(0.05, 1)).toEqual({ seek: false, rate: 0.9 });
  expect(correct(-0.05, 2)).toEqual({ seek: false, rate: 2.1 });
  expect(correct(-0.29, 1)).toEqual({ seek: false, rate: 1.25 });
  expect(correct(0.4, 1)).toEqual({ seek: true });
  expect(correct(0.4, 8)).toEqual({ seek: false, rate: 7.2 });
});

test('any distance within reach is gone soon, and never grows', () => {
  for (const speed of [0.25, 1, 4]) {
    for (let ahead_s of [0.29, -0.29, 0.04, -0.04]) {
      for (let tick = 0; tick < 60; tick++) {
        const correction = correct(ahead_s, speed);
        if (correction.seek) throw new Error('no jump expected');
        const before = Math.abs(ahead_s);
        ahead_s += (correction.rate - speed) * 0.05;
        expect(Math.abs(ahead_s)).toBeLessThanOrEqual(before);
      }
      expect(Math.abs(ahead_s)).toBeLessThan(0.02);
    }
  }
});

test('where the clock stands for a camera', () => {
  expect(placeOf(-1, 10, false, 10)).toBe('before');
  expect(placeOf(5, 10, false, 10)).toBe('in');
  expect(placeOf(10, 10, false, 10)).toBe('after');
  expect(placeOf(5, 10, true, 5.2)).toBe('not_arrived');
  expect(placeOf(4, 10, true, 5.2)).toBe('in');
  expect(nextStart(5, [1, 9, 7])).toBe(7);
  expect(nextStart(9, [1, 9, 7])).toBeNull();
});

test('the address holds who stands together, and bears nonsense', () => {
  const together = { ids: ['a', 'b'], shifts_ms: [0, -1500], corrected: false };
  const address = writeTogether(together);
  expect(readTogether(address.slice(address.indexOf('?')))).toEqual(together);
  expect(writeTogether({ ids: ['a', 'b'], shifts_ms: [0, 0], corrected: true })).toBe('/together?r=a&r=b');
  expect(readTogether('?r=a&r=a&r=&r=b&r=c&r=d&r=e&shift=x&shift=0&shift=0&shift=1e12')).toEqual({ ids: ['a', 'b', 'c', 'd'], shifts_ms: [0, 0, 0, 0], corrected: true });
});
