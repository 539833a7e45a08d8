import { accessible, expect, speak, test } from './fixture';
import * as data from './mock/data';

const SHOTS = process.env['SHOTS'];

for (const language of ['zh', 'en'] as const) {
  test(`a track is drawn, follows what plays, and a press on it goes there ${language}`, async ({ page, daemon }) => {
    daemon.track = true;
    await speak(page, language);
    await page.goto(`/recordings/${data.VIDEO}`);
    const track = page.getByTestId('track');
    await expect(track).toBeVisible();
    await expect(page.getByTestId('track-place')).toHaveText(language === 'zh' ? '26.647100° 北, 106.632400° 东' : '26.647100° N, 106.632400° E');
    await page.getByRole('button', { name: /^(播放（|Play \()/ }).click();
    const at = () => page.locator('video').evaluate((it: HTMLVideoElement) => it.currentTime);
    await expect.poll(at, { timeout: 20_000 }).toBeGreaterThan(0.2);
    const here = page.getByTestId('track-here');
    const x = async () => Number(await here.getAttribute('cx'));
    const before = await x();
    await expect.poll(x).not.toBe(before);
    await page.keyboard.press('k');
    await page.keyboard.press('5');
    await expect(page.getByTestId('position')).toHaveText('00:06.000');
    await expect(page.getByTestId('track-speed')).toContainText('6.8');
    await accessible(page);
    if (SHOTS) await page.screenshot({ path: `${SHOTS}/track-${language}.png` });
    // The end of the line is a place like any other; where it hardly moved, the moment nearest to the present one.
    const last = track.locator('rect.last');
    await last.scrollIntoViewIfNeeded();
    const box = await last.boundingBox();
    if (!box) throw new Error('no end');
    await page.mouse.click(box.x + 4, box.y + 4);
    await expect.poll(at).toBeGreaterThan(11);
  });
}

test('without a track nothing is shown', async ({ page, daemon }) => {
  await page.goto(`/recordings/${data.VIDEO}`);
  await expect.poll(() => daemon.asked.some((it) => it.endsWith('/track.json'))).toBe(true);
  await expect(page.locator('.player')).toBeVisible();
  await expect(page.getByTestId('track')).toHaveCount(0);
});
