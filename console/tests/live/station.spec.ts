import { at, expect, first, lasted, noteFirst, order, PATIENCE, play, shot, signIn, test, video } from './stage';

const STALLED = '采集站离线或繁忙，等待续传';

test('plays while a station sends it, through an outage of the station', async ({ page }) => {
  await signIn(page);
  await order('dock slow');
  const row = page.locator('tr[data-state="receiving"]');
  await page.reload();
  await expect(async () => {
    if ((await row.count()) === 0) await page.reload();
    await expect(row).toBeVisible({ timeout: 3_000 });
  }).toPass(PATIENCE);
  await row.getByRole('link').first().click();
  const line = page.getByTestId('growing');
  await expect(line).toContainText('可看至', PATIENCE);
  await noteFirst(page);
  await play(page);
  await expect.poll(() => first(page), PATIENCE).not.toBeNull();
  expect(await first(page)).toBeLessThan(0.1);

  await order('dock kill');
  const since_ms = Date.now();
  await expect(line).toContainText(STALLED, PATIENCE);
  // Over the picture, too, once there is nothing left to show.
  await expect(page.locator('.player .busy')).toContainText(STALLED, PATIENCE);
  await lasted(since_ms, 15_000);
  const stood_s = await at(page);
  await shot(page, 'live-stalled');
  await order('dock fast');
  await expect.poll(() => at(page), PATIENCE).toBeGreaterThan(stood_s + 1);
  await expect(page.locator('.player .busy')).toHaveCount(0, PATIENCE);
  await expect(line).toBeHidden(PATIENCE);
  await page.keyboard.press('9');
  await expect.poll(() => video(page).evaluate((it: HTMLVideoElement) => it.ended), PATIENCE).toBe(true);
});
