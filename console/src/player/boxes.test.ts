import { expect, test } from 'vitest';
import { frameTimes, pictureTrack } from './boxes';

const u32 = (n: number) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const word = (text: string) => [...text].map((it) => it.charCodeAt(0));
const box = (type: string, ...parts: number[][]): number[] => {
  const body = parts.flat();
  return [...u32(8 + body.length), ...word(type), ...body];
};
const tkhd = (id: number) => box('tkhd', u32(0), u32(0), u32(0), u32(id), u32(0));
const mdhd = (scale: number) => box('mdhd', u32(0), u32(0), u32(0), u32(scale), u32(0));
const hdlr = (kind: string) => box('hdlr', u32(0), u32(0), word(kind));
const trak = (id: number, scale: number, kind: string) => box('trak', tkhd(id), box('mdia', mdhd(scale), hdlr(kind)));
const trex = (id: number, lasts: number) => box('trex', u32(0), u32(id), u32(1), u32(lasts), u32(0), u32(0));
const init = new Uint8Array(box('moov', trak(1, 48_000, 'soun'), trak(2, 90_000, 'vide'), box('mvex', trex(1, 1024), trex(2, 3600))));
const tfhd = (id: number) => box('tfhd', u32(0x020000), u32(id));
const tfdt = (at: number) => box('tfdt', u32(0x01000000), u32(Math.floor(at / 2 ** 32)), u32(at >>> 0));
const traf = (id: number, at: number, run: number[]) => box('traf', tfhd(id), tfdt(at), run);

test('the picture track is found among the others', () => {
  expect(pictureTrack(init)).toEqual({ id: 2, timescale: 90_000, default_duration: 3600 });
  expect(pictureTrack(new Uint8Array(box('moov', trak(1, 48_000, 'soun'))))).toBeNull();
});

test('frames are timed by decode time, durations and shifts, also with B-frames and beyond 32 bits', () => {
  const track = { id: 2, timescale: 90_000, default_duration: 3600 };
  // duration, size, signed composition offset a sample: shown as I, B, P.
  const run = box('trun', u32(0x01000b01), u32(3), u32(0), ...[
    [3600, 9, 3600], [3600, 9, 7200], [5400, 9, -1800 >>> 0],
  ].map((it) => it.flatMap(u32)));
  const at = 2 ** 32 + 90_000;
  const segment = new Uint8Array([...box('styp', word('msdh')), ...box('moof', traf(1, 5, box('trun', u32(0), u32(9))), traf(2, at, run))]);
  const began_s = at / 90_000;
  const times = frameTimes(segment, track).map((it) => it.at_s - began_s);
  expect(times.map((it) => Math.round(it * 90_000))).toEqual([3600, 5400, 10_800]);
});

test('a run without durations takes the track’s', () => {
  const track = { id: 2, timescale: 90_000, default_duration: 3600 };
  const segment = new Uint8Array(box('moof', traf(2, 0, box('trun', u32(0), u32(3)))));
  expect(frameTimes(segment, track)).toEqual([0, 0.04, 0.08].map((at_s) => ({ at_s, lasts_s: 0.04 })));
});

test('what is cut, empty or boundless yields nothing and ends', () => {
  const track = { id: 2, timescale: 90_000, default_duration: 3600 };
  for (let cut = 0; cut < init.length; cut++) expect(() => pictureTrack(init.slice(0, cut))).not.toThrow();
  expect(frameTimes(new Uint8Array(0), track)).toEqual([]);
  expect(frameTimes(new Uint8Array(box('moof', traf(2, 0, box('trun', u32(0x100), u32(0xffffffff))))), track)).toEqual([]);
  expect(frameTimes(new Uint8Array(box('moof', traf(2, 0, box('trun', u32(0), u32(0xffffffff))))), track).length).toBe(20_000);
});
