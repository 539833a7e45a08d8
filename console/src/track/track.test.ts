import { expect, test } from 'vitest';
import { coordinates, draw, fixAt, nearest, readTrack, type Fix } from './track';

const fix = (at_ms: number, latitude_deg: number, longitude_deg: number): Fix => ({ at_ms, latitude_deg, longitude_deg, altitude_m: null, speed_m_per_s: null });

test('what makes no sense is left out, the rest is in order of time', () => {
  const points = [
    { at_ms: 2000, latitude_deg: 26.6, longitude_deg: 106.6, altitude_m: 1070, speed_m_per_s: 'fast' },
    { at_ms: 1000, latitude_deg: 26.5, longitude_deg: 106.5, speed_m_per_s: 1.5 },
    { at_ms: 3000, latitude_deg: 96, longitude_deg: 0 },
    { at_ms: -1, latitude_deg: 0, longitude_deg: 0 },
    { at_ms: 1, latitude_deg: null, longitude_deg: 0 },
    null,
  ];
  expect(readTrack({ source: 'gpmf', points })).toEqual([
    { at_ms: 1000, latitude_deg: 26.5, longitude_deg: 106.5, altitude_m: null, speed_m_per_s: 1.5 },
    { at_ms: 2000, latitude_deg: 26.6, longitude_deg: 106.6, altitude_m: 1070, speed_m_per_s: null },
  ]);
  for (const wrong of [null, 'x', {}, { points: 3 }]) expect(readTrack(wrong)).toEqual([]);
});

test('a position lies between its neighbours, and in a gap nowhere', () => {
  const fixes = [fix(0, 10, 20), fix(1000, 11, 22), fix(60_000, 12, 22)];
  expect(fixAt(fixes, 500)).toMatchObject({ latitude_deg: 10.5, longitude_deg: 21 });
  expect(fixAt(fixes, 10_000)?.latitude_deg).toBe(11);
  expect(fixAt(fixes, 30_000)).toBeNull();
  expect(fixAt(fixes, 60_000)?.latitude_deg).toBe(12);
  expect(fixAt(fixes, 90_000)).toBeNull();
  expect(fixAt([fix(20_000, 1, 1)], 0)).toBeNull();
  expect(fixAt([], 0)).toBeNull();
  expect(fixAt([fix(0, 0, 179.999), fix(1000, 0, -179.999)], 500)?.longitude_deg).toBeCloseTo(180, 6);
});

test('north is up, a metre is as long either way, and gaps are dashed', () => {
  // Near 60° N a degree of longitude is half as long.
  const drawing = draw([fix(0, 60, 10), fix(1000, 60.001, 10), fix(2000, 60.001, 10.002), fix(90_000, 60, 10.002)], 400, 240, 20);
  const [a, b, c] = drawing?.points ?? [];
  if (!drawing || !a || !b || !c) throw new Error('nothing drawn');
  expect(b.y).toBeLessThan(a.y);
  expect(c.x - b.x).toBeCloseTo(a.y - b.y, 0);
  expect(drawing.solid.match(/M/g)).toHaveLength(2);
  expect(drawing.guessed.match(/L/g)).toHaveLength(1);
  expect([1, 2, 5]).toContain(Number(String(drawing.scale.length_m)[0]));
  expect(drawing.scale.width).toBeLessThanOrEqual(120);
  for (const point of drawing.points) {
    expect(point.x).toBeGreaterThanOrEqual(19.9);
    expect(point.y).toBeLessThanOrEqual(220.1);
  }
  expect(draw([], 400, 240, 20)).toBeNull();
  expect(draw([fix(0, 1, 1)], 0, 240, 20)).toBeNull();
});

test('drift on a table is a dot, not a journey', () => {
  const drawing = draw([fix(0, 26, 106), fix(1000, 26.000001, 106), fix(2000, 26, 106.000001)], 400, 240, 20);
  expect(drawing?.points.every((it) => Math.hypot(it.x - 200, it.y - 120) < 3)).toBe(true);
});

test('a press on the line means its nearest place, where it crosses itself the nearest in time', () => {
  const points = [{ x: 10, y: 10, at_ms: 0 }, { x: 50, y: 10, at_ms: 1000 }, { x: 10.5, y: 10, at_ms: 9000 }];
  expect(nearest(points, 48, 12, 0, 20)?.at_ms).toBe(1000);
  expect(nearest(points, 10, 10, 8000, 20)?.at_ms).toBe(9000);
  expect(nearest(points, 10, 10, 100, 20)?.at_ms).toBe(0);
  expect(nearest(points, 200, 200, 0, 20)).toBeNull();
});

test('coordinates are told with their hemisphere', () => {
  const words = { north: 'N', south: 'S', east: 'E', west: 'W' };
  expect(coordinates(fix(0, 26.64712, 106.63021), words)).toBe('26.647120° N, 106.630210° E');
  expect(coordinates(fix(0, -1.5, -70), words)).toBe('1.500000° S, 70.000000° W');
});
