/** Where the recorder was, at a moment of the recording. */
export interface Fix {
  at_ms: number;
  latitude_deg: number;
  longitude_deg: number;
  altitude_m: number | null;
  speed_m_per_s: number | null;
}

/** Longer without a fix is a gap: what lies between is drawn as a guess. */
export const GAP_MS = 15_000;
/** A degree of latitude. */
const DEGREE_M = 111_320;
/** A recorder that lies on a table drifts by some metres: that must not fill the picture. */
const LEAST_M = 30;

const number = (given: unknown): number | null => (typeof given === 'number' && Number.isFinite(given) ? given : null);

/** Reads a track; points that make no sense are left out. */
export function readTrack(given: unknown): Fix[] {
  const { points } = (given ?? {}) as { points?: unknown };
  if (!Array.isArray(points)) return [];
  const fixes: Fix[] = [];
  for (const point of points as Record<string, unknown>[]) {
    const at_ms = number(point?.['at_ms']);
    const latitude_deg = number(point?.['latitude_deg']);
    const longitude_deg = number(point?.['longitude_deg']);
    if (at_ms === null || at_ms < 0 || latitude_deg === null || longitude_deg === null) continue;
    if (Math.abs(latitude_deg) > 90 || Math.abs(longitude_deg) > 180) continue;
    fixes.push({ at_ms, latitude_deg, longitude_deg, altitude_m: number(point['altitude_m']), speed_m_per_s: number(point['speed_m_per_s']) });
  }
  return fixes.sort((a, b) => a.at_ms - b.at_ms);
}

/** The last fix at or before a moment; -1 before the first. */
function before(fixes: readonly Fix[], at_ms: number): number {
  let low = 0;
  let high = fixes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((fixes[middle] as Fix).at_ms <= at_ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Where the recorder was then, between its neighbours; null where nothing near is known. */
export function fixAt(fixes: readonly Fix[], at_ms: number): Fix | null {
  const index = before(fixes, at_ms);
  const [a, b] = [fixes[index], fixes[index + 1]];
  if (!a) return b && b.at_ms - at_ms <= GAP_MS ? b : null;
  if (!b || b.at_ms - a.at_ms > GAP_MS) return at_ms - a.at_ms <= GAP_MS ? a : null;
  const share = b.at_ms > a.at_ms ? (at_ms - a.at_ms) / (b.at_ms - a.at_ms) : 0;
  // The shorter way, also across the date line.
  const east = ((b.longitude_deg - a.longitude_deg + 540) % 360) - 180;
  return {
    ...a,
    at_ms,
    latitude_deg: a.latitude_deg + (b.latitude_deg - a.latitude_deg) * share,
    longitude_deg: a.longitude_deg + east * share,
  };
}

/** A drawing of a track, north up, without any map below it. */
export interface Drawing {
  place(fix: Fix): { x: number; y: number };
  /** Solid where it was measured. */
  solid: string;
  /** Dashed over gaps. */
  guessed: string;
  points: { x: number; y: number; at_ms: number }[];
  scale: { length_m: number; width: number };
}

export function draw(fixes: readonly Fix[], width: number, height: number, padding: number): Drawing | null {
  const first = fixes[0];
  if (!first || width <= 2 * padding || height <= 2 * padding) return null;
  const shrink = Math.max(0.01, Math.cos((first.latitude_deg * Math.PI) / 180));
  const metres = (fix: Fix) => ({
    x: (((fix.longitude_deg - first.longitude_deg + 540) % 360) - 180) * shrink * DEGREE_M,
    y: (fix.latitude_deg - first.latitude_deg) * DEGREE_M,
  });
  let [west, east, south, north] = [0, 0, 0, 0];
  for (const fix of fixes) {
    const { x, y } = metres(fix);
    [west, east] = [Math.min(west, x), Math.max(east, x)];
    [south, north] = [Math.min(south, y), Math.max(north, y)];
  }
  const wide_m = Math.max(LEAST_M, east - west);
  const high_m = Math.max(LEAST_M, north - south);
  const per_m = Math.min((width - 2 * padding) / wide_m, (height - 2 * padding) / high_m);
  const place = (fix: Fix) => {
    const { x, y } = metres(fix);
    return { x: width / 2 + (x - (west + east) / 2) * per_m, y: height / 2 - (y - (south + north) / 2) * per_m };
  };
  let [solid, guessed] = ['', ''];
  const points: Drawing['points'] = [];
  let last: { x: number; y: number } | null = null;
  let was: Fix | null = null;
  for (const fix of fixes) {
    const at = place(fix);
    const text = `${at.x.toFixed(1)} ${at.y.toFixed(1)}`;
    if (!was || !last) solid = `M${text}`;
    else if (fix.at_ms - was.at_ms > GAP_MS) {
      guessed += `M${last.x.toFixed(1)} ${last.y.toFixed(1)}L${text}`;
      solid += `M${text}`;
    } else {
      was = fix;
      // What lies within half a pixel can't be seen: eighteen fixes a second would be a long path.
      if (Math.abs(at.x - last.x) + Math.abs(at.y - last.y) < 0.5) continue;
      solid += `L${text}`;
    }
    was = fix;
    last = at;
    points.push({ ...at, at_ms: fix.at_ms });
  }
  return { place, solid, guessed, points, scale: scaleBar(per_m, Math.min(120, width / 3)) };
}

/** A round length that fits: 1, 2 or 5 times a power of ten. */
function scaleBar(per_m: number, most: number): Drawing['scale'] {
  const most_m = most / per_m;
  const power = 10 ** Math.floor(Math.log10(most_m));
  const length_m = ([5, 2, 1].find((it) => it * power <= most_m) ?? 1) * power;
  return { length_m, width: length_m * per_m };
}

/** The moment at the place nearest to the pointer; of places equally near the one nearest in time. */
export function nearest(points: Drawing['points'], x: number, y: number, now_ms: number, reach: number): Drawing['points'][number] | null {
  let found: Drawing['points'][number] | null = null;
  let least = Infinity;
  for (const point of points) {
    const away = Math.hypot(point.x - x, point.y - y);
    if (away > reach) continue;
    // A line that comes by twice: within two pixels time decides.
    const score = Math.floor(away / 2) * 1e12 + Math.abs(point.at_ms - now_ms);
    if (score < least) [found, least] = [point, score];
  }
  return found;
}

/** "26.647120° N, 106.630210° E" with the words of the language. */
export function coordinates(fix: Fix, words: { north: string; south: string; east: string; west: string }): string {
  const one = (deg: number, plus: string, minus: string) => `${Math.abs(deg).toFixed(6)}° ${deg < 0 ? minus : plus}`;
  const east = ((fix.longitude_deg + 540) % 360) - 180;
  return `${one(fix.latitude_deg, words.north, words.south)}, ${one(east, words.east, words.west)}`;
}
