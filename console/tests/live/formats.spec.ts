import type { Page } from '@playwright/test';
import { at, expect, first, noteFirst, order, PATIENCE, picture, play, playlist, shot, signIn, test, video } from './stage';

const decoded = (page: Page) =>
  video(page).evaluate((it: HTMLVideoElement & { webkitAudioDecodedByteCount: number }) => ({
    pictures: it.videoWidth > 0 && it.getVideoPlaybackQuality().totalVideoFrames > 25,
    sound: it.webkitAudioDecodedByteCount > 0,
  }));

async function plays(page: Page) {
  await noteFirst(page);
  await play(page);
  await expect.poll(() => at(page), PATIENCE).toBeGreaterThan(1.5);
  await expect.poll(() => decoded(page), PATIENCE).toEqual({ pictures: true, sound: true });
  expect(await first(page)).toBeLessThan(0.1);
}

test.beforeEach(({ page }) => signIn(page));

for (const [name, original] of [['热成像.mp4', 'H.265'], ['大厅.mov', 'G.711']] as const) {
  test(`${original} is transcoded for viewing, and says so`, async ({ page }) => {
    const id = await order(`begin ${name} 100`);
    await page.goto(`/recordings/${id}`);
    await expect(page.getByTestId('made')).toContainText(`原件为 ${original}；`, PATIENCE);
    await plays(page);
    await page.keyboard.press('8');
    await expect.poll(() => at(page), PATIENCE).toBeGreaterThan(13);
    await expect.poll(() => picture(page), PATIENCE).toBeGreaterThan(12 * 25);
    await shot(page, `live-${original}`);
  });
}

test('H.265 plays while it arrives, transcoded, and goes on', async ({ page }) => {
  const id = await order('begin 热成像.mp4 0');
  await order('hint');
  await order('send 70');
  await page.goto(`/recordings/${id}`);
  await expect(page.getByTestId('growing')).toContainText('预览，以封存后为准', PATIENCE);
  await expect(page.getByTestId('made')).toContainText('原件为 H.265；');
  await plays(page);
  await shot(page, 'live-H.265-growing');
  await order('send 100');
  await expect(page.getByTestId('growing')).toBeHidden(PATIENCE);
  await page.keyboard.press('9');
  await expect.poll(() => video(page).evaluate((it: HTMLVideoElement) => it.ended), PATIENCE).toBe(true);
  expect(await playlist(page, id)).toContain('#EXT-X-ENDLIST');
});

test('a transport stream plays while it arrives, and goes on', async ({ page }) => {
  const id = await order('begin 采集.ts 60');
  await page.goto(`/recordings/${id}`);
  await expect(page.getByTestId('growing')).toContainText('可看至', PATIENCE);
  await plays(page);
  await order('send 100');
  await expect(page.getByTestId('growing')).toBeHidden(PATIENCE);
  await page.keyboard.press('9');
  await expect.poll(() => video(page).evaluate((it: HTMLVideoElement) => it.ended), PATIENCE).toBe(true);
});

test('MP4 in fragments plays while it arrives, and goes on', async ({ page }) => {
  const id = await order('begin 分段.mp4 40');
  await page.goto(`/recordings/${id}`);
  await expect(page.getByTestId('growing')).toContainText('可看至', PATIENCE);
  await expect(page.getByTestId('growing')).not.toContainText('预览');
  await plays(page);
  await order('send 100');
  await expect(page.getByTestId('growing')).toBeHidden(PATIENCE);
  await page.keyboard.press('9');
  await expect.poll(() => video(page).evaluate((it: HTMLVideoElement) => it.ended), PATIENCE).toBe(true);
  expect(await playlist(page, id)).toContain('#EXT-X-ENDLIST');
});

test('what must wait says what for, and plays by itself once it can', async ({ page }) => {
  const id = await order('begin 后厨.mp4 60');
  await page.goto(`/recordings/${id}`);
  await expect(page.locator('.blocked')).toContainText('文件的索引在末尾，上传方没有提前送来；全部收到后即可播放。', PATIENCE);
  await shot(page, 'live-index-at-end');
  await order('send 100');
  await expect(page.locator('.blocked')).toBeHidden(PATIENCE);
  await plays(page);
});
