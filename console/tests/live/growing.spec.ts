import type { Page } from '@playwright/test';
import { at, expect, first, lasted, noteFirst, order, PATIENCE, picture, play, playlist, position_ms, shot, signIn, standsStill, test, video } from './stage';

const id = process.env['DOCKET_RECORDING'] ?? '';
/** As long as it is filmed, at 25 pictures a second. */
const SECONDS = 60;
const FRAME_MS = 40;

const arrived = (page: Page) => page.getByTestId('growing');

/** Each step leads to the very next picture, and the player tells its time. */
async function steps(page: Page, key: string, by: number, count: number) {
  let [was, was_ms] = [await picture(page), await position_ms(page)];
  expect(was_ms).not.toBeNull();
  for (let n = 0; n < count; n++) {
    await page.keyboard.press(key);
    const [next, next_ms]: [number, number] = [was + by, (was_ms ?? 0) + by * FRAME_MS];
    await expect.poll(() => position_ms(page), PATIENCE).toBe(next_ms);
    await expect.poll(() => picture(page), PATIENCE).toBe(next);
    [was, was_ms] = [next, next_ms];
  }
}

test('plays from 5 % on, through an outage of the daemon, to its end', async ({ page }) => {
  await signIn(page);
  await order('send 5');
  await page.goto(`/recordings/${id}`);
  await expect(arrived(page)).toContainText('预览，以封存后为准', PATIENCE);
  await expect(arrived(page)).toContainText(/（[45]%）/);
  await noteFirst(page);
  await play(page);
  await expect.poll(() => first(page), PATIENCE).not.toBeNull();
  expect(await first(page)).toBeLessThan(0.1);
  await expect(page.getByText('已看到目前上传的末尾')).toBeVisible(PATIENCE);
  const edge_s = await at(page);
  expect(edge_s).toBeLessThan(SECONDS * 0.05);
  expect(await playlist(page, id)).toContain('#EXT-X-PLAYLIST-TYPE:EVENT');
  await shot(page, 'live-edge');

  // Where nothing is yet nobody gets: one waits at the edge, and goes on from there.
  await page.keyboard.press('9');
  await expect(page.getByText('已看到目前上传的末尾')).toBeVisible(PATIENCE);
  expect(await at(page)).toBeLessThan(SECONDS * 0.05);
  await order('send 30');
  await expect.poll(() => at(page), PATIENCE).toBeGreaterThan(edge_s + 1);
  await expect(arrived(page)).toContainText(/可看至 00:1[678]/, PATIENCE);

  // What has arrived is sought like anything else.
  await page.keyboard.press('2');
  await expect.poll(() => at(page), PATIENCE).toBeGreaterThan(12.5);

  await order('daemon kill');
  const since_ms = Date.now();
  await expect(page.getByText('连接中断，正在重试')).toBeVisible(PATIENCE);
  await shot(page, 'live-outage');
  await lasted(since_ms, 15_000);
  const stood_s = await at(page);
  expect(stood_s).toBeLessThan(SECONDS * 0.3);
  await order('daemon up');
  await order('send 60');
  await expect.poll(() => at(page), PATIENCE).toBeGreaterThan(SECONDS * 0.3 + 1);
  await expect(page.getByText('连接中断，正在重试')).toBeHidden(PATIENCE);
  expect(await playlist(page, id)).not.toContain('#EXT-X-ENDLIST');

  // Single steps, while it still arrives.
  await page.keyboard.press('k');
  await standsStill(page);
  await expect.poll(() => position_ms(page), PATIENCE).not.toBeNull();
  await steps(page, '.', 1, 5);

  await order('send 100');
  await expect(arrived(page)).toBeHidden(PATIENCE);
  await expect(page.getByText('预览，以封存后为准')).toHaveCount(0);
  await expect.poll(() => playlist(page, id), PATIENCE).toContain('#EXT-X-ENDLIST');
  await shot(page, 'live-sealed-under-way');

  // To what came last, step by step, and on to the end.
  await page.keyboard.press('8');
  await expect.poll(() => at(page), PATIENCE).toBeCloseTo(SECONDS * 0.8, 1);
  await standsStill(page);
  await expect.poll(() => position_ms(page), PATIENCE).not.toBeNull();
  await expect.poll(async () => Math.abs((await picture(page)) - SECONDS * 0.8 * 25), PATIENCE).toBeLessThanOrEqual(1);
  await steps(page, '.', 1, 12);
  await steps(page, ',', -1, 7);
  await page.keyboard.press('9');
  await page.keyboard.press('k');
  await expect.poll(() => video(page).evaluate((it: HTMLVideoElement) => it.ended), PATIENCE).toBe(true);
  expect(Math.abs((await at(page)) - SECONDS)).toBeLessThan(0.2);
  expect(await picture(page)).toBe(SECONDS * 25 - 1);
});
