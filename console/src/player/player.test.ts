import { expect, test } from 'vitest';
import type { Recording } from '../api/types';
import { Frames } from './frames';
import { obstacle, reason } from './why';

const base = {
  state: 'sealed',
  kind: 'video',
  playback: { state: 'ready', reason: null, duration_ms: 1000, width: 1, height: 1 },
} as unknown as Recording;
const of = (change: Partial<Recording>, playback: Partial<Recording['playback']> = {}) =>
  ({ ...base, ...change, playback: { ...base.playback, ...playback } }) as Recording;

test('what is ready plays, also while it still arrives', () => {
  expect(obstacle(of({}), true)).toBeNull();
  expect(obstacle(of({ state: 'receiving' }), true)).toBeNull();
});

test('every obstacle has its own reason', () => {
  const key = (recording: Recording, canPlay = true) => obstacle(recording, canPlay)?.key;
  expect(key(of({ state: 'receiving' }, { state: 'pending' }))).toBe('why.receiving');
  expect(key(of({ state: 'sealing' }, { state: 'pending' }))).toBe('why.sealing');
  expect(key(of({}, { state: 'pending' }))).toBe('why.pending');
  expect(key(of({ state: 'quarantined' }, { state: 'ready' }))).toBe('why.quarantined');
  expect(key(of({ state: 'deleted' }))).toBe('why.deleted');
  expect(key(of({ kind: 'document' }, { state: 'impossible' }))).toBe('why.document');
  expect(key(of({}), false)).toBe('why.browser');
});

test('the server’s reason comes as a code or as a sentence', () => {
  expect(reason(of({}, { state: 'impossible', reason: { code: 'index_missing' } }))).toEqual({ code: 'index_missing' });
  expect(reason(of({}, { state: 'impossible', reason: 'no idea' }))).toEqual({ code: 'no idea', text: 'no idea' });
  expect(reason(of({}))).toBeNull();
});

test('a photograph waits for its end, and needs no playlist', () => {
  expect(obstacle(of({ kind: 'photo', state: 'receiving' }, { state: 'pending' }), true)?.waits).toBe(true);
  expect(obstacle(of({ kind: 'photo' }, { state: 'impossible' }), false)).toBeNull();
});

test('a step goes into the middle of the neighbouring frame, at the rate that was seen', () => {
  const frames = new Frames();
  for (let n = 0; n < 90; n++) frames.saw(n / 30);
  expect(frames.step_s).toBeCloseTo(1 / 30, 3);
  const at = 89 / 30;
  expect(frames.target(at, 1, 100)).toBeCloseTo(90.5 / 30, 2);
  expect(frames.target(at, -1, 100)).toBeCloseTo(88.5 / 30, 2);
});

test('a step stays within the recording, and a seek is no frame distance', () => {
  const frames = new Frames();
  frames.saw(0);
  frames.saw(50);
  expect(frames.step_s).toBe(1 / 25);
  expect(frames.target(0, -1, 100)).toBe(0);
  expect(frames.target(100, 1, 100)).toBe(100);
});
