import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Stream, type LiveMessage } from './stream';

class Source {
  static all: Source[] = [];
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  listeners = new Map<string, (event: { data: string }) => void>();
  constructor() {
    Source.all.push(this);
  }
  addEventListener(name: string, then: (event: { data: string }) => void) {
    this.listeners.set(name, then);
  }
  close() {
    this.readyState = 2;
  }
}

let said: LiveMessage[];
let stream: Stream;
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', { CLOSED: 2 });
  Source.all = [];
  said = [];
  stream = new Stream((message) => said.push(message), () => new Source() as unknown as EventSource);
  stream.start();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
const last = () => Source.all[Source.all.length - 1] as Source;

test('a first connection misses nothing, a second asks for a fresh look', () => {
  last().onopen?.();
  expect(said).toEqual([{ type: 'state', state: 'open' }]);
  last().onerror?.();
  last().onopen?.();
  expect(said.slice(1)).toEqual([{ type: 'state', state: 'lost' }, { type: 'state', state: 'open' }, { type: 'resync' }]);
  expect(Source.all.length).toBe(1);
});

test('where EventSource gives up, a new one is made, ever more patiently', () => {
  for (const wait_ms of [1000, 2000, 4000]) {
    last().close();
    last().onerror?.();
    const before = Source.all.length;
    vi.advanceTimersByTime(wait_ms - 1);
    expect(Source.all.length).toBe(before);
    vi.advanceTimersByTime(1);
    expect(Source.all.length).toBe(before + 1);
  }
});

test('retry connects at once, and only one connection stays', () => {
  last().close();
  last().onerror?.();
  stream.retry();
  expect(Source.all.length).toBe(2);
  vi.advanceTimersByTime(60_000);
  expect(Source.all.length).toBe(2);
  last().onopen?.();
  stream.retry();
  expect(Source.all.length).toBe(2);
});

test('events are passed on, unreadable ones harm nobody', () => {
  last().listeners.get('progress')?.({ data: '{"recording":"r","received_bytes":1,"size_bytes":2}' });
  last().listeners.get('custody')?.({ data: '{' });
  expect(said).toEqual([{ type: 'progress', event: { recording: 'r', received_bytes: 1, size_bytes: 2 } }]);
});
