import type { Language } from '../i18n/language';

const SHAPES = {
  second: { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' },
  minute: { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
  clock: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

// Year first in both languages: columns of times must sort by eye. "sv-SE" is Intl's name for that.
const formats = new Map<string, Intl.DateTimeFormat>();
function formatted(shape: keyof typeof SHAPES, at: Date): string {
  let format = formats.get(shape);
  if (!format) formats.set(shape, (format = new Intl.DateTimeFormat('sv-SE', { ...SHAPES[shape], hourCycle: 'h23' })));
  return format.format(at);
}

export function time(at: string | number | null, shape: keyof typeof SHAPES = 'second'): string {
  if (at === null) return '—';
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? '—' : formatted(shape, date);
}

/** The zone of this browser, e.g. "UTC+8", because times are shown in it. */
export function zone(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  const hours = Math.trunc(Math.abs(minutes) / 60);
  const rest = Math.abs(minutes) % 60;
  return `UTC${minutes < 0 ? '−' : '+'}${hours}${rest ? `:${String(rest).padStart(2, '0')}` : ''}`;
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** Decimal units, three digits: what card and network makers print, so that numbers can be compared. */
export function bytes(count: number | null): string {
  if (count === null) return '—';
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

export function rate(bytes_per_s: number): string {
  return `${bytes(Math.max(0, bytes_per_s))}/s`;
}

export function whole(count: number, language: Language): string {
  return new Intl.NumberFormat(language === 'zh' ? 'zh-CN' : 'en').format(count);
}

export function percent(part: number, total: number): string {
  if (total <= 0) return '0%';
  // Never 100 before the end: people pull the plug at 100.
  return `${Math.min(part < total ? 99 : 100, Math.floor((part / total) * 100))}%`;
}

/** 65000 → "01:05"; from an hour on "1:01:05". */
export function duration(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return '—';
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** 65040 → "01:05.040": a frame's time is not rounded. */
export function exactDuration(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  return `${duration(whole)}.${String(whole % 1000).padStart(3, '0')}`;
}

/** The time of day to the millisecond. */
export function exactClock(at_ms: number): string {
  const whole = Math.round(at_ms);
  return `${time(whole, 'clock')}.${String(((whole % 1000) + 1000) % 1000).padStart(3, '0')}`;
}

export type Span = { count: number; unit: 'second' | 'minute' | 'hour' | 'day' };

/** The largest fitting unit, for "3 minutes ago" and "about 5 minutes left". */
export function span(ms: number): Span {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return { count: seconds, unit: 'second' };
  if (seconds < 3600) return { count: Math.round(seconds / 60), unit: 'minute' };
  if (seconds < 86_400) return { count: Math.round(seconds / 3600), unit: 'hour' };
  return { count: Math.round(seconds / 86_400), unit: 'day' };
}

/** Every unit down to the second, for what must not be rounded: a clock's error. */
export function exactSpanText(ms: number, language: Language): string {
  const seconds = Math.round(ms / 1000);
  const parts: [number, Span['unit']][] = [
    [Math.floor(seconds / 86_400), 'day'],
    [Math.floor(seconds / 3600) % 24, 'hour'],
    [Math.floor(seconds / 60) % 60, 'minute'],
    [seconds % 60, 'second'],
  ];
  const shown = parts.filter(([count]) => count > 0).map(([count, unit]) => unitText(count, unit, language));
  return shown.length > 0 ? shown.join(language === 'zh' ? '' : ' ') : unitText(0, 'second', language);
}

function unitText(count: number, unit: Span['unit'], language: Language): string {
  const locale = language === 'zh' ? 'zh-CN' : 'en';
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(count);
}

/** A length, to the tenth of a second while it is short. */
export function secondsText(ms: number, language: Language): string {
  if (ms >= 60_000) return exactSpanText(ms, language);
  const locale = language === 'zh' ? 'zh-CN' : 'en';
  return new Intl.NumberFormat(locale, { style: 'unit', unit: 'second', unitDisplay: 'long', maximumFractionDigits: 1 }).format(ms / 1000);
}

export function spanText(ms: number, language: Language): string {
  const { count, unit } = span(ms);
  return unitText(count, unit, language);
}
