import { afterEach, expect, test, vi } from 'vitest';
import type { Unit } from '../api/types';
import { Problem } from '../api/problem';
import { Later } from './later';
import { splitTags } from './tags';
import { unitTree } from './units';

afterEach(() => vi.useRealTimers());

test('tags are parted by Chinese and Western commas and blanks, each once', () => {
  expect(splitTags(' 重点, #消毒，消毒、a b;a ')).toEqual(['重点', '消毒', 'a', 'b']);
  expect(splitTags(' ,， ')).toEqual([]);
});

test('a burst leads to one act, also one that never ends', () => {
  vi.useFakeTimers();
  let acts = 0;
  const later = new Later(100, () => (acts += 1));
  for (let at = 0; at < 250; at += 10) {
    later.soon();
    vi.advanceTimersByTime(10);
  }
  expect(acts).toBe(2);
});

test('units stand under their parents, orphans at the top, circles end', () => {
  const unit = (id: string, parent_id: string | null) => ({ id, name: id, code: id, parent_id }) as Unit;
  const labels = (units: Unit[]) => unitTree(units).map((it) => it.label);
  expect(labels([unit('b', 'a'), unit('a', 'unseen'), unit('c', 'b'), unit('d', null)])).toEqual(['a', '　b', '　　c', 'd']);
  expect(labels([unit('x', 'x')])).toEqual([]);
});

test('a problem is read from the body, or from nothing but the status', async () => {
  const headers = { 'x-request-id': 'req-1' };
  const full = await Problem.from(new Response('{"type":"/problems/digest-mismatch","detail":"d"}', { status: 422, headers }));
  expect([full.status, full.kind, full.detail, full.traceId]).toEqual([422, 'digest-mismatch', 'd', 'req-1']);
  const bare = await Problem.from(new Response('<html>', { status: 502 }));
  expect([bare.kind, bare.detail, bare.traceId]).toEqual(['status-502', null, null]);
});
