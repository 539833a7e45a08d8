/** A stretch of wall-clock time. */
export interface Span {
  from_ms: number;
  until_ms: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEPS = [1, 2, 5, 10, 15, 30].map((it) => it * SECOND).concat([1, 2, 5, 10, 15, 30].map((it) => it * MINUTE), [1, 2, 3, 6, 12].map((it) => it * HOUR));

/** Round times of this browser's clock, at most so many. */
export function ticks({ from_ms, until_ms }: Span, most: number): number[] {
  const length = until_ms - from_ms;
  if (!(length > 0) || most < 1) return [];
  const step = STEPS.find((it) => length / it <= most) ?? Math.ceil(length / most / (24 * HOUR)) * 24 * HOUR;
  const midnight = new Date(from_ms).setHours(0, 0, 0, 0);
  const found: number[] = [];
  for (let at = midnight + Math.ceil((from_ms - midnight) / step) * step; at <= until_ms; at += step) found.push(at);
  return found;
}

/** What no span covers between the first and the last; shorter ones are no gaps. */
export function gaps(spans: readonly Span[], least_ms: number): Span[] {
  const found: Span[] = [];
  let until_ms: number | null = null;
  for (const span of [...spans].sort((a, b) => a.from_ms - b.from_ms)) {
    if (until_ms !== null && span.from_ms - until_ms >= least_ms) found.push({ from_ms: until_ms, until_ms: span.from_ms });
    until_ms = Math.max(until_ms ?? span.until_ms, span.until_ms);
  }
  return found;
}

/** Spans that overlap lie in different lanes; each lane in order of time. */
export function lanes<T extends Span>(spans: readonly T[]): T[][] {
  const found: T[][] = [];
  for (const span of [...spans].sort((a, b) => a.from_ms - b.from_ms || a.until_ms - b.until_ms)) {
    const free = found.find((lane) => (lane[lane.length - 1] as T).until_ms <= span.from_ms);
    if (free) free.push(span);
    else found.push([span]);
  }
  return found;
}

/** From the first to the last; null without any. */
export function extent(spans: readonly Span[]): Span | null {
  if (spans.length === 0) return null;
  return { from_ms: Math.min(...spans.map((it) => it.from_ms)), until_ms: Math.max(...spans.map((it) => it.until_ms)) };
}

/** Where a moment lies, as a CSS percentage. */
export function share(at_ms: number, { from_ms, until_ms }: Span): string {
  if (!(until_ms > from_ms)) return '0%';
  return `${(Math.min(1, Math.max(0, (at_ms - from_ms) / (until_ms - from_ms))) * 100).toFixed(4)}%`;
}
