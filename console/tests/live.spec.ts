import { expect, test } from '@playwright/test';

// Against a real daemon that holds at least one playable recording:
// DOCKET_URL, DOCKET_USER, DOCKET_PASSWORD; DOCKET_FIND narrows by file name.
const user = process.env['DOCKET_USER'] ?? '';
const password = process.env['DOCKET_PASSWORD'] ?? '';
const find = process.env['DOCKET_FIND'] ?? '';

test('signs in, finds a recording, plays past 5 s, seeks', async ({ page }) => {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) complaints.push(message.text());
  });

  await page.goto('/');
  await page.getByLabel('用户名').fill(user);
  await page.getByLabel('密码').fill(password);
  await page.getByRole('button', { name: '登录' }).click();
  await expect(page.getByRole('heading', { name: '音像记录', level: 1 })).toBeVisible();

  if (find) {
    await page.getByLabel('文件名、备注').fill(find);
    await page.getByRole('button', { name: '查询' }).click();
    await expect(page).toHaveURL(/q=/);
  }
  const rows = page.locator('tr[data-state="sealed"]');
  await expect(rows.first()).toBeVisible({ timeout: 30_000 });
  await rows.first().getByRole('link').first().click();

  await page.getByRole('button', { name: /^播放（/ }).click({ timeout: 30_000 });
  const video = page.locator('video');
  const at = () => video.evaluate((it: HTMLVideoElement) => it.currentTime);
  const decoded = () => video.evaluate((it: HTMLVideoElement) => it.videoWidth * it.getVideoPlaybackQuality().totalVideoFrames);
  await expect.poll(at, { timeout: 40_000 }).toBeGreaterThan(5);
  expect(await decoded()).toBeGreaterThan(0);

  const length = await video.evaluate((it: HTMLVideoElement) => it.duration);
  const target = Math.floor(length / 2);
  await page.getByLabel('播放位置').fill(String(target));
  await expect.poll(() => video.evaluate((it: HTMLVideoElement) => !it.seeking && it.readyState >= 2), { timeout: 20_000 }).toBe(true);
  await expect.poll(at, { timeout: 20_000 }).toBeGreaterThan(target + 0.5);
  await expect(page.locator('.watermark')).toContainText(user);
  // Watching is custody, and shows on the same page.
  await expect(page.getByRole('region', { name: '保管历史' }).locator('li').first()).toBeVisible();
  expect(complaints).toEqual([]);
});
