import { at, expect, PATIENCE, play, shot, signIn, test, user, video } from './stage';

const find = process.env['DOCKET_FIND'] ?? '';

test('signs in, finds a recording, plays past 5 s, seeks', async ({ page }) => {
  await signIn(page);
  if (find) {
    await page.getByLabel('文件名、备注').fill(find);
    await page.getByRole('button', { name: '查询' }).click();
    await expect(page).toHaveURL(/q=/);
  }
  const rows = page.locator('tr[data-state="sealed"]');
  await expect(rows.first()).toBeVisible(PATIENCE);
  await rows.first().getByRole('link').first().click();

  await play(page);
  const decoded = () => video(page).evaluate((it: HTMLVideoElement) => it.videoWidth * it.getVideoPlaybackQuality().totalVideoFrames);
  await expect.poll(() => at(page), PATIENCE).toBeGreaterThan(5);
  expect(await decoded()).toBeGreaterThan(0);

  const length = await video(page).evaluate((it: HTMLVideoElement) => it.duration);
  const target = Math.floor(length / 2);
  await page.getByLabel('播放位置').fill(String(target));
  await expect.poll(() => video(page).evaluate((it: HTMLVideoElement) => !it.seeking && it.readyState >= 2), PATIENCE).toBe(true);
  await expect.poll(() => at(page), PATIENCE).toBeGreaterThan(target + 0.5);
  await expect(page.locator('.watermark')).toContainText(user);
  // Watching is custody, and shows on the same page.
  await expect(page.getByRole('region', { name: '保管历史' }).locator('li').first()).toBeVisible(PATIENCE);
  await shot(page, 'live-sealed');
  // Who looks, and when, stands over the picture in full screen, too.
  await page.keyboard.press('f');
  await expect.poll(() => page.evaluate(() => document.fullscreenElement?.querySelector('.watermark')?.textContent ?? ''), PATIENCE).toContain(user);
  await expect(page.locator('.watermark span').first()).toBeVisible();
  await shot(page, 'live-full-screen');
});
