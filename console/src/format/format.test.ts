import { expect, test } from 'vitest';
import { bytes, duration, exactSpanText, percent, span, spanText, time } from './format';

test('sizes keep three digits and never show 1000 of a unit', () => {
  expect([0, 999, 1000, 9_994, 9_996, 99_950, 999_499, 999_500, 2_600_000_000].map(bytes)).toEqual([
    '0 B', '999 B', '1.00 KB', '9.99 KB', '10.0 KB', '100 KB', '999 KB', '1.00 MB', '2.60 GB',
  ]);
  expect(bytes(null)).toBe('—');
});

test('never 100 percent before the last byte', () => {
  expect(percent(999_999, 1_000_000)).toBe('99%');
  expect(percent(1_000_000, 1_000_000)).toBe('100%');
  expect(percent(0, 0)).toBe('0%');
});

test('durations', () => {
  expect([0, 999, 65_000, 3_665_000, null, Number.NaN].map(duration)).toEqual(['00:00', '00:00', '01:05', '1:01:05', '—', '—']);
});

test('spans take the largest fitting unit, in both languages', () => {
  expect(span(59_400)).toEqual({ count: 59, unit: 'second' });
  expect(span(90_000)).toEqual({ count: 2, unit: 'minute' });
  expect(span(-5)).toEqual({ count: 0, unit: 'second' });
  expect(spanText(180_000, 'zh')).toBe('3分钟');
  expect(spanText(60_000, 'en')).toBe('1 minute');
});

test('a clock’s error is not rounded', () => {
  expect(exactSpanText(192_000, 'zh')).toBe('3分钟12秒钟');
  expect(exactSpanText(3_601_000, 'en')).toBe('1 hour 1 second');
});

test('times sort by eye, and nonsense is no time', () => {
  expect(time('2026-11-23T01:02:03Z')).toMatch(/^2026-11-2[234] \d\d:\d\d:03$/);
  expect(time('nonsense')).toBe('—');
  expect(time(null)).toBe('—');
});
