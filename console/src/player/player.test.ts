import { expect, test } from 'vitest';
import type { Recording } from '../api/types';
import { Problem } from '../api/problem';
import { zh } from '../i18n/zh';
import { Frames } from './frames';
import { bufferedUntil } from './growth';
import { Shown } from './shown';
import { ARRIVING, obstacle, reason, refusal } from './why';

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
  expect(obstacle(of({ state: 'receiving' }, { state: 'growing', playable_ms: 500 }), true)).toBeNull();
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

test('what waits says what for', () => {
  expect(obstacle(of({ state: 'receiving' }, { state: 'pending', reason: 'index_at_end' }), true)).toEqual({ key: 'why.receiving', said: { code: 'index_at_end', text: 'index_at_end' }, waits: true });
  for (const code of ARRIVING) expect(`reason.${code}` in zh, code).toBe(true);
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

const timed = (...frames: [number, number][]) => frames.map(([at_s, lasts_s]) => ({ at_s, lasts_s }));

test('where the segments tell the frames, a step is exact, also at a varying rate', () => {
  const frames = new Frames();
  frames.learn(0, timed([0, 0.033], [0.033, 0.167], [0.2, 0.04], [0.24, 0.76]));
  frames.learn(1, timed([1, 0.1], [1.1, 0.1]));
  frames.saw(0.033);
  expect(frames.target(0.05, 1, 100)).toBeCloseTo(0.22, 5);
  expect(frames.target(0.05, -1, 100)).toBeCloseTo(0.0165, 5);
  frames.saw(0.24);
  expect(frames.target(0.24, 1, 100)).toBeCloseTo(1.05, 5);
  // Pressed twice before anything was shown: two frames back.
  frames.saw(0.24);
  expect(frames.target(frames.target(0.24, -1, 100), -1, 100)).toBeCloseTo(0.1165, 5);
  // What the list doesn't hold is not the list's business.
  frames.saw(0.5);
  expect(frames.target(0.5, 1, 100)).toBeCloseTo(0.56, 2);
});

test('a step goes where no earlier frame claims the time, and where the frame says it lasts', () => {
  const frames = new Frames();
  // Durations of the decoding order: the second says it is short, the fourth’s time is claimed by the third.
  frames.learn(0, timed([0, 0.045], [0.045, 0.009], [0.09, 0.045], [0.1, 0.045], [0.145, 0.045]));
  frames.saw(0);
  expect(frames.target(0, 1, 100)).toBeCloseTo(0.0495, 5);
  frames.saw(0.09);
  expect(frames.target(0.09, 1, 100)).toBeCloseTo(0.14, 5);
});

test('what was shown becomes stretches, a jump parts them, and nothing is claimed twice', () => {
  const shown = new Shown();
  for (let n = 0; n < 50; n++) shown.saw(n / 25, 0.04, 1);
  shown.saw(60, 0.04, 1);
  shown.saw(60.04, 0.04, 1);
  expect(shown.take()).toEqual([{ from_ms: 0, until_ms: 2000 }, { from_ms: 60_000, until_ms: 60_080 }]);
  expect(shown.take()).toEqual([]);
  shown.saw(60.08, 0.04, 1);
  expect(shown.take()).toEqual([{ from_ms: 60_080, until_ms: 60_120 }]);
});

test('fast playing is no jump, and what could not be delivered is claimed later, joined', () => {
  const shown = new Shown();
  for (let n = 0; n < 5; n++) shown.saw(n * 1.5, 0.04, 8);
  const first = shown.take();
  expect(first).toEqual([{ from_ms: 0, until_ms: 6040 }]);
  shown.saw(6.1, 0.04, 8);
  shown.back(first);
  expect(shown.take()).toEqual([{ from_ms: 0, until_ms: 6140 }]);
});

test('buffered is what follows without loading', () => {
  expect(bufferedUntil([[0, 4], [8, 12]], 3)).toBe(4);
  expect(bufferedUntil([[0, 4], [8, 12]], 5)).toBeNull();
  expect(bufferedUntil([[0.1, 4]], 0)).toBe(4);
});

test('a refusal says what it is', () => {
  const refused = (status: number, kind: string, detail: string | null = null, reason: string | null = null) => refusal(new Problem(status, kind, detail, null, reason), status);
  expect(refused(409, 'not-yet-playable')).toEqual({ key: 'why.pending', waits: true });
  expect(refused(404, 'not-found').key).toBe('why.gone');
  expect(refused(403, 'forbidden').key).toBe('why.forbidden');
  expect(refused(409, 'not-yet-playable', 'it is still arriving', 'index_at_end')).toEqual({ key: 'why.pending', said: { code: 'index_at_end' }, waits: true });
  expect(refused(409, 'not-playable', 'no index')).toEqual({ key: 'why.impossible', said: { code: 'not-playable', text: 'no index' }, waits: false });
  expect(refused(409, 'not-playable', 'index missing', 'index_missing').said).toEqual({ code: 'index_missing' });
  expect(refused(422, 'invalid', 'no').said).toEqual({ code: 'invalid', text: 'no' });
  expect(refusal(null, 404).said?.text).toBe('404');
});
