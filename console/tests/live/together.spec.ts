import type { Page } from '@playwright/test';
import { expect, PATIENCE, picture, play, shot, signIn, standsStill, test, user } from './stage';

const ids = (process.env['DOCKET_RECORDINGS'] ?? '').split(' ');
/** The second begins two seconds after the first. */
const STARTS_MS = [0, 2000];
const SAMPLES = 100;

/** How far apart the cameras are on the common clock: the middle of many looks, taken by the page while both play. */
const apart_ms = (page: Page) =>
  page.evaluate(
    ([starts, samples]) =>
      new Promise<number>((done) => {
        const videos = [...document.querySelectorAll('video')];
        const seen: number[] = [];
        let looks = 0;
        const look = () => {
          looks += 1;
          if (videos.every((it) => !it.paused && !it.seeking && it.readyState >= 3)) {
            const clocks = videos.map((it, n) => (starts[n] ?? 0) + it.currentTime * 1000);
            seen.push(Math.max(...clocks) - Math.min(...clocks));
          }
          if (looks < samples) requestAnimationFrame(look);
          else done(seen.length < samples / 2 ? Number.MAX_SAFE_INTEGER : (seen.sort((a, b) => a - b)[seen.length >> 1] ?? 0));
        };
        look();
      }),
    [STARTS_MS, SAMPLES] as const,
  );

test('a second camera, still arriving, keeps in step within 40 ms', async ({ page }) => {
  await signIn(page);
  await page.goto(`/together?${ids.map((id) => `r=${id}`).join('&')}`);
  await expect(page.locator('.tile')).toHaveCount(2, PATIENCE);
  await play(page);
  const second = page.locator('.tile').nth(1);
  await expect(second).toHaveAttribute('data-place', 'in', PATIENCE);
  await expect.poll(() => apart_ms(page), PATIENCE).toBeLessThan(40);
  await expect(page.locator('.tile .watermark').nth(1)).toContainText(user);
  await shot(page, 'live-together');
  // After a jump as well.
  await page.keyboard.press('3');
  await expect.poll(() => apart_ms(page), PATIENCE).toBeLessThan(40);
  // And what is seen, standing still, is one moment to the picture: the same film, two seconds later.
  await page.keyboard.press('k');
  await standsStill(page);
  await expect.poll(async () => Math.abs((await picture(page, 0)) - (await picture(page, 1)) - 50), PATIENCE).toBeLessThanOrEqual(1);
});
