import { expect, test } from 'vitest';
import { codecName, originalCodecs } from './made';
import { growingSheets, readStoryboard, thumbAt } from './storyboard';
import { columns, readWaveform } from './waveform';

const VTT = `WEBVTT

00:00.000 --> 00:10.000
storyboard-0.jpg#xywh=0,0,160,90

00:00:10.000 --> 00:00:20.000 align:start
storyboard-0.jpg#xywh=160,0,160,90

00:20.000 --> 00:30.000
https://elsewhere/storyboard-0.jpg#xywh=0,0,1,1

00:30.000 --> 00:20.000
storyboard-0.jpg#xywh=0,0,160,90

01:00:00.000 --> 01:00:10.500
storyboard-12.jpg#xywh=320,90,160,90
`;

test('a storyboard is read, and only sheets beside it count', () => {
  for (const text of [VTT, VTT.replace(/\n/g, '\r\n')]) {
    const thumbs = readStoryboard(text);
    expect(thumbs.map((it) => [it.from_s, it.until_s, it.sheet, it.x, it.y])).toEqual([
      [0, 10, 'storyboard-0.jpg', 0, 0],
      [10, 20, 'storyboard-0.jpg', 160, 0],
      [3600, 3610.5, 'storyboard-12.jpg', 320, 90],
    ]);
    expect(thumbAt(thumbs, 0)?.x).toBe(0);
    expect(thumbAt(thumbs, 19.9)?.x).toBe(160);
    expect(thumbAt(thumbs, 1000)).toBeNull();
    expect(thumbAt(thumbs, 3605)?.sheet).toBe('storyboard-12.jpg');
  }
  expect(thumbAt(readStoryboard('<html>'), 5)).toBeNull();
});

test('a column is as loud as its loudest moment, and empty where nothing is known', () => {
  const wave = readWaveform({ peaks_per_s: 10, peaks: [0, 255, 0, 0, 51, 300] });
  // 12 peaks' worth of time, 6 peaks known: columns of 3.
  expect(wave && [...columns(wave, 1.2, 4)]).toEqual([1, 1, -1, -1]);
  expect(readWaveform({ peaks_per_s: 0, peaks: [1] })).toBeNull();
  expect(readWaveform(null)).toBeNull();
  expect(wave && columns(wave, 0, 3)[0]).toBe(-1);
});

test('codecs are named as people call them', () => {
  expect(originalCodecs({ video: 'hevc', audio: 'pcm_mulaw' })).toBe('H.265 / G.711');
  expect(originalCodecs({ video: null, audio: 'adpcm_ima_wav' })).toBe('ADPCM');
  expect(originalCodecs({ video: 'mpeg4', audio: null })).toBe('MPEG-4');
  expect([codecName('adpcm_g722'), codecName('adpcm_g726le'), codecName('pcm_s16le'), codecName('wmv3')]).toEqual(['G.722', 'G.726', 'PCM', 'wmv3']);
  expect(originalCodecs(null)).toBeNull();
  expect(originalCodecs({ video: null, audio: null })).toBeNull();
});

test('a sheet that grew has another address', () => {
  const thumbs = readStoryboard(VTT);
  expect(growingSheets(thumbs).map((it) => it.sheet)).toEqual([
    'storyboard-0.jpg?pictures=2',
    'storyboard-0.jpg?pictures=2',
    'storyboard-12.jpg?pictures=1',
  ]);
  expect(growingSheets(thumbs.slice(0, 1))[0]?.sheet).toBe('storyboard-0.jpg?pictures=1');
});
