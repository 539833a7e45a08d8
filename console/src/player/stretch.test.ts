import { expect, test } from 'vitest';
import { Once } from '../api/once';
import { markerAt, stretchOf, withBegin, withEnd, type Ends } from './stretch';

const NONE: Ends = { from_ms: null, until_ms: null };

test('a begin and an end make a stretch, in either order', () => {
  expect(stretchOf(NONE)).toBeNull();
  expect(stretchOf(withBegin(NONE, 1000))).toBeNull();
  expect(stretchOf(withEnd(withBegin(NONE, 1000), 2000))).toEqual({ from_ms: 1000, until_ms: 2000 });
  expect(stretchOf(withBegin(withEnd(NONE, 2000), 1000))).toEqual({ from_ms: 1000, until_ms: 2000 });
});

test('an end before the begin, or a begin behind the end, begins anew', () => {
  const chosen = withEnd(withBegin(NONE, 1000), 2000);
  expect(withBegin(chosen, 3000)).toEqual({ from_ms: 3000, until_ms: null });
  expect(withEnd(chosen, 500)).toEqual({ from_ms: null, until_ms: 500 });
  expect(withEnd(withBegin(NONE, 1000), 1000)).toEqual({ from_ms: null, until_ms: 1000 });
  expect(stretchOf(withBegin(chosen, 1500))).toEqual({ from_ms: 1500, until_ms: 2000 });
});

test('the marker under the pointer is a point nearby before a stretch around', () => {
  const markers = [
    { at_ms: 0, until_ms: 60_000, name: 'long' },
    { at_ms: 10_000, until_ms: 20_000, name: 'short' },
    { at_ms: 15_000, until_ms: null, name: 'point' },
  ];
  expect(markerAt(markers, 15_400, 500)?.name).toBe('point');
  expect(markerAt(markers, 12_000, 500)?.name).toBe('short');
  expect(markerAt(markers, 30_000, 500)?.name).toBe('long');
  expect(markerAt(markers, 70_000, 500)).toBeNull();
  expect(markerAt(markers, 200, 500)?.name).toBe('long');
});

test('a wish sent again is the same wish; a changed one, or one that was done, is another', () => {
  const once = new Once();
  const first = once.key({ at_ms: 1, text: 'a' });
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect(once.key({ at_ms: 1, text: 'a' })).toBe(first);
  const second = once.key({ at_ms: 1, text: 'b' });
  expect(second).not.toBe(first);
  once.done();
  expect(once.key({ at_ms: 1, text: 'b' })).not.toBe(second);
});
