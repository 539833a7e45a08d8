import type { Page } from '@playwright/test';
import { accessible, expect, speak, test } from './fixture';
import type { MockDaemon } from './mock/daemon';
import * as data from './mock/data';

const SHOTS = process.env['SHOTS'];
const shot = async (page: Page, name: string) => {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png` });
};
const at = (page: Page) => page.locator('video').evaluate((it: HTMLVideoElement) => it.currentTime);
const press = (page: Page) => page.getByRole('button', { name: /^(播放（|Play \()/ }).click();
const growing = (daemon: MockDaemon) => {
  const found = daemon.recordings.find((it) => it.id === data.GROWING);
  if (!found) throw new Error('no growing recording');
  return found;
};

test('what still arrives starts at 0, says how far it reaches, and is sealed without a stop', async ({ page, daemon }) => {
  const recording = growing(daemon);
  daemon.arrived.set(recording.id, 2);
  recording.playback = { ...recording.playback, playable_ms: 4000 };
  await page.goto(`/recordings/${recording.id}`);
  const line = page.getByTestId('growing');
  await expect(line).toContainText('可看至 00:04（设备时间 09:00:16）');
  await expect(line).toContainText('已上传 620 MB');
  await expect(line).toContainText('预览，以封存后为准');
  await shot(page, 'growing-zh-idle');
  await page.locator('video').evaluate((it: HTMLVideoElement) => it.addEventListener('pause', () => ((it as unknown as { stops: number }).stops = 1)));
  const seen: number[] = [];
  await page.exposeFunction('saw', (time_s: number) => seen.push(time_s));
  await page.locator('video').evaluate((it: HTMLVideoElement) => it.addEventListener('timeupdate', () => (window as unknown as { saw: (time_s: number) => void }).saw(it.currentTime)));
  await press(page);
  await expect.poll(() => at(page), { timeout: 20_000 }).toBeGreaterThan(0.2);
  expect(seen[0]).toBeLessThan(1);
  await accessible(page);
  await expect(line).toContainText('已缓冲至 00:04');
  await expect(page.getByText('已看到目前上传的末尾')).toBeVisible({ timeout: 20_000 });
  expect(await at(page)).toBeLessThan(4.2);
  await shot(page, 'growing-zh-edge');
  // Nobody may seek to where nothing is.
  await page.keyboard.press('9');
  await expect.poll(() => at(page)).toBeLessThan(4.2);
  recording.playback = { ...recording.playback, stalled: true };
  await expect(line).toContainText('采集站离线或繁忙，等待续传', { timeout: 10_000 });
  await shot(page, 'growing-zh-stalled');
  daemon.arrived.set(recording.id, 4);
  recording.playback = { ...recording.playback, stalled: false, playable_ms: 8000 };
  await expect.poll(() => at(page), { timeout: 20_000 }).toBeGreaterThan(4.5);
  await expect(line).toContainText('可看至 00:08', { timeout: 10_000 });
  const before = daemon.asked.filter((it) => it.includes('/hls/0.m4s')).length;
  Object.assign(recording, { state: 'sealed', sealed_at: '2026-11-23T09:04:31Z', version: 4, playback: { ...recording.playback, state: 'ready', preview: false, playable_ms: null } });
  daemon.arrived.set(recording.id, 6);
  daemon.push('custody', { leaf_index: 1, kind: 'recording.sealed', recording: recording.id, case: null, station: null, unit: 'u-ny' });
  await expect(line).toBeHidden({ timeout: 20_000 });
  await expect.poll(() => at(page), { timeout: 20_000 }).toBeGreaterThan(11);
  await expect.poll(() => page.locator('video').evaluate((it: HTMLVideoElement) => it.ended), { timeout: 20_000 }).toBe(true);
  expect(daemon.asked.filter((it) => it.includes('/hls/0.m4s')).length).toBe(before);
  expect(seen.every((time_s, n) => n === 0 || time_s >= (seen[n - 1] ?? 0) - 0.5)).toBe(true);
});

test('an outage of 16 s ends by itself, in a recording that grows', async ({ page, daemon }) => {
  test.setTimeout(120_000);
  const recording = growing(daemon);
  daemon.arrived.set(recording.id, 2);
  await page.goto(`/recordings/${recording.id}`);
  await press(page);
  await expect.poll(() => at(page), { timeout: 20_000 }).toBeGreaterThan(1);
  daemon.arrived.set(recording.id, 5);
  const back = daemon.outage(16_000);
  await expect(page.getByText('连接中断，正在重试')).toBeVisible({ timeout: 15_000 });
  await shot(page, 'growing-zh-outage');
  await back;
  await expect.poll(() => at(page), { timeout: 30_000 }).toBeGreaterThan(6);
  await expect(page.getByText('连接中断，正在重试')).toBeHidden();
});

test('what is transcoded says so, and what the original is', async ({ page, daemon }) => {
  void daemon;
  await speak(page, 'en');
  await page.goto(`/recordings/${data.GROWING}`);
  await expect(page.getByTestId('made')).toContainText('Transcoded for viewing; the original is H.265 / G.711.');
  await expect(page.getByTestId('growing')).toContainText('Can be watched up to 00:06 (device time 09:00:18)');
  await accessible(page);
  await shot(page, 'growing-en-idle');
  await press(page);
  await expect.poll(() => at(page), { timeout: 20_000 }).toBeGreaterThan(0.2);
  await shot(page, 'growing-en-playing');
  await page.goto(`/recordings/${data.VIDEO}`);
  await expect(page.getByRole('link', { name: 'Download the original' })).toBeVisible();
  await expect(page.getByTestId('made')).toHaveCount(0);
});

test('the keyboard does everything, and steps are exact', async ({ page, daemon }) => {
  void daemon;
  await page.goto(`/recordings/${data.VIDEO}`);
  await press(page);
  await expect.poll(() => at(page), { timeout: 20_000 }).toBeGreaterThan(0.2);
  await page.keyboard.press(' ');
  await expect(page.getByRole('button', { name: '播放', exact: true })).toBeVisible();
  await page.keyboard.press('5');
  await expect.poll(() => at(page)).toBeCloseTo(6, 1);
  await page.keyboard.press('l');
  await expect.poll(() => at(page)).toBeGreaterThan(11.9);
  await page.keyboard.press('j');
  await expect.poll(() => at(page)).toBeCloseTo(2, 0);
  await page.keyboard.press('3');
  await expect.poll(() => at(page)).toBeCloseTo(3.6, 1);
  // 25 frames a second: 3.60, then exactly the neighbours, told to the millisecond.
  await expect(page.getByTestId('position')).toHaveText('00:03.600');
  await page.keyboard.press('.');
  await expect(page.getByTestId('position')).toHaveText('00:03.640');
  await expect(page.getByText('设备时间 09:01:15.640')).toBeVisible();
  await page.keyboard.press('.');
  await expect(page.getByTestId('position')).toHaveText('00:03.680');
  await page.keyboard.press(',');
  await page.keyboard.press(',');
  await page.keyboard.press(',');
  await expect(page.getByTestId('position')).toHaveText('00:03.560');
  for (let n = 0; n < 4; n++) await page.keyboard.press(']');
  await expect(page.getByLabel('播放速度')).toHaveValue('8');
  for (let n = 0; n < 7; n++) await page.keyboard.press('[');
  await expect(page.getByLabel('播放速度')).toHaveValue('0.25');
  await page.keyboard.press('m');
  await expect(page.getByRole('button', { name: '取消静音' })).toBeVisible();
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: '快捷键' });
  await expect(help).toContainText('±10 秒');
  await accessible(page);
  await shot(page, 'player-help');
  await page.keyboard.press('Escape');
  await expect(help).toBeHidden();
});

test('pictures and sound along the line where there are any, and nothing amiss where there are none', async ({ page, daemon }) => {
  await page.goto(`/recordings/${data.VIDEO}`);
  await press(page);
  await expect.poll(() => daemon.asked.some((it) => it.endsWith('/storyboard.vtt'))).toBe(true);
  await expect(page.getByTestId('waveform')).toHaveCount(0);
  daemon.looks = true;
  await page.reload();
  await press(page);
  await expect(page.getByTestId('waveform')).toBeVisible();
  const seek = page.getByLabel('播放位置');
  const box = await seek.boundingBox();
  if (!box) throw new Error('no seek bar');
  await page.mouse.move(box.x + box.width * 0.75, box.y + 8);
  const thumb = page.locator('.tip .thumb');
  await expect(thumb).toBeVisible();
  await expect(thumb).toHaveCSS('background-position', '-160px 0px');
  await expect(page.locator('.tip')).toContainText('00:09');
  await expect.poll(() => daemon.asked.some((it) => it.endsWith('/storyboard-0.jpg'))).toBe(true);
  await shot(page, 'player-storyboard');
});

test('claims what it showed, while playing and on leaving', async ({ page, daemon }) => {
  await page.goto(`/recordings/${data.VIDEO}`);
  await press(page);
  await expect.poll(() => at(page), { timeout: 20_000 }).toBeGreaterThan(1.5);
  await page.keyboard.press(' ');
  await page.keyboard.press('8');
  await expect.poll(() => at(page)).toBeCloseTo(9.6, 1);
  await expect(page.getByTestId('position')).toHaveText('00:09.600');
  await page.getByRole('link', { name: '案件', exact: true }).click();
  await expect.poll(() => daemon.claims.length).toBe(1);
  const [claim] = daemon.claims;
  expect(claim?.recording).toBe(data.VIDEO);
  expect(claim?.stretches.length).toBe(2);
  expect(claim?.stretches[0]?.from_ms).toBeLessThan(200);
  expect(claim?.stretches[0]?.until_ms).toBeGreaterThan(1300);
  expect(claim?.stretches[0]?.until_ms).toBeLessThan(5000);
  expect(claim?.stretches[1]?.from_ms).toBeGreaterThanOrEqual(9560);
});

test('a page that is closed claims what it showed', async ({ page, daemon }) => {
  await page.goto(`/recordings/${data.VIDEO}`);
  await press(page);
  await expect.poll(() => at(page), { timeout: 20_000 }).toBeGreaterThan(1);
  await page.goto('about:blank');
  await expect.poll(() => daemon.claims.length).toBeGreaterThan(0);
});
