/** A stretch of a recording's own time. */
export interface Span {
  from_ms: number;
  until_ms: number;
}

/** A stretch that is being chosen: either end may still be missing. */
export interface Ends {
  from_ms: number | null;
  until_ms: number | null;
}

/** A begin behind the end that was chosen begins another stretch. */
export function withBegin(ends: Ends, from_ms: number): Ends {
  return { from_ms, until_ms: ends.until_ms !== null && ends.until_ms > from_ms ? ends.until_ms : null };
}

export function withEnd(ends: Ends, until_ms: number): Ends {
  return { from_ms: ends.from_ms !== null && ends.from_ms < until_ms ? ends.from_ms : null, until_ms };
}

/** Both ends: null while one is missing. */
export function stretchOf({ from_ms, until_ms }: Ends): Span | null {
  return from_ms !== null && until_ms !== null && until_ms > from_ms ? { from_ms, until_ms } : null;
}

/** The marker under the pointer: a point within `reach_ms`, else a stretch that holds the moment, the shortest first. */
export function markerAt<M extends { at_ms: number; until_ms: number | null }>(markers: readonly M[], at_ms: number, reach_ms: number): M | null {
  let found: M | null = null;
  let least = Infinity;
  for (const marker of markers) {
    const away_ms = Math.abs(marker.at_ms - at_ms);
    const holds = marker.until_ms !== null && marker.at_ms <= at_ms && at_ms <= marker.until_ms;
    // A begin is always nearer than any stretch around it.
    const score = away_ms <= reach_ms ? away_ms - 1e12 : holds ? (marker.until_ms as number) - marker.at_ms : Infinity;
    if (score < least) [found, least] = [marker, score];
  }
  return found;
}
