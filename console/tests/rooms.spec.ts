import type { Page } from '@playwright/test';
import { accessible, expect, speak, test } from './fixture';
import * as data from './mock/data';

const SHOTS = process.env['SHOTS'];
const shot = async (page: Page, name: string) => {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
};
const start = (page: Page) => page.getByRole('button', { name: /^(播放（|Play \()/ }).click();

/** How far apart the cameras are on the common clock, measured in one moment. */
const apart_ms = (page: Page, starts_ms: number[]) =>
  page.evaluate((starts) => {
    const clocks = [...document.querySelectorAll('video')].map((it, n) => (starts[n] ?? 0) + it.currentTime * 1000);
    return Math.max(...clocks) - Math.min(...clocks);
  }, starts_ms);
const playing = (page: Page) => page.evaluate(() => [...document.querySelectorAll('video')].every((it) => !it.paused && !it.seeking && it.readyState >= 3));

test('chosen in the list, two cameras keep in step within 40 ms, also after a seek, and gaps are said', async ({ page, daemon }) => {
  const ninth = daemon.recordings[8];
  if (!ninth) throw new Error('no ninth');
  // Begins two seconds after the first: by the wall clock, not by the file.
  Object.assign(ninth, { recorded_at: '2026-11-23T01:01:14Z' });
  await page.goto('/recordings');
  for (const n of [0, 8]) await page.locator('tbody tr').nth(n).getByRole('checkbox').check();
  await expect(page.getByText('已选 2 / 4')).toBeVisible();
  await accessible(page);
  await shot(page, 'together-chosen');
  await page.getByRole('link', { name: '并排播放' }).click();
  await expect(page.locator('.tile')).toHaveCount(2);
  // Both recorders' clocks ran 3 min 12 s fast, and the station measured it.
  await expect(page.getByTestId('clock')).toContainText('08:58:00');
  expect(daemon.asked.some((it) => it.includes('/hls/'))).toBe(false);
  await start(page);
  await expect(page.locator('.tile').nth(1)).toHaveAttribute('data-place', 'before');
  await expect(page.locator('.tile').nth(1)).toContainText('尚未开始记录');
  await shot(page, 'together-gap');
  await expect(page.locator('.tile').nth(1)).toHaveAttribute('data-place', 'in', { timeout: 20_000 });
  const starts_ms = [0, 2000];
  const worst = async () => {
    let most = 0;
    for (let n = 0; n < 12; n++) {
      if (!(await playing(page))) return Number.POSITIVE_INFINITY;
      most = Math.max(most, await apart_ms(page, starts_ms));
    }
    return most;
  };
  await expect.poll(worst, { timeout: 20_000 }).toBeLessThan(40);
  await accessible(page);
  await shot(page, 'together-playing');
  await expect(page.locator('.tile .watermark')).toHaveCount(2);
  await page.keyboard.press('5');
  await expect.poll(worst, { timeout: 20_000 }).toBeLessThan(40);
  await page.getByLabel('播放速度').selectOption('0.5');
  await expect.poll(worst, { timeout: 20_000 }).toBeLessThan(40);
  await page.keyboard.press('k');
  await page.keyboard.press('.');
  await expect.poll(() => apart_ms(page, starts_ms)).toBeLessThan(6);
  // Shifted by hand, and kept in the address.
  await page.getByRole('button', { name: '机位 2 移动 1 秒' }).click();
  await expect(page).toHaveURL(/shift=0&shift=1000/);
  await expect.poll(() => apart_ms(page, [0, 3000])).toBeLessThan(6);
  const heard = () => page.evaluate(() => [...document.querySelectorAll('video')].map((it) => !it.muted));
  await expect.poll(heard).toEqual([true, false]);
  await page.getByRole('button', { name: '听' }).nth(1).click();
  await expect.poll(heard).toEqual([false, true]);
  await page.keyboard.press('f');
  await expect.poll(() => page.evaluate(() => document.fullscreenElement?.className ?? '')).toContain('together');
  await expect(page.locator('.tile .watermark').first()).toBeVisible();
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/together-full.png` });
});

test('a camera that still arrives holds nobody up, and falls in again when more is there', async ({ page, daemon }) => {
  const growing = daemon.recordings.find((it) => it.id === data.GROWING);
  if (!growing) throw new Error('no growing recording');
  Object.assign(growing, { recorded_at: '2026-11-23T01:01:12Z' });
  daemon.arrived.set(growing.id, 2);
  await page.goto(`/together?r=${data.VIDEO}&r=${growing.id}`);
  await start(page);
  const late = page.locator('.tile').nth(1);
  await expect(late).toHaveAttribute('data-place', 'not_arrived', { timeout: 20_000 });
  await expect(late).toContainText('此时的内容尚未上传');
  await accessible(page);
  await shot(page, 'together-growing');
  const first = () => page.locator('video').first().evaluate((it: HTMLVideoElement) => it.currentTime);
  const before = await first();
  await expect.poll(first, { timeout: 20_000 }).toBeGreaterThan(before + 0.3);
  growing.playback = { ...growing.playback, playable_ms: 12_000 };
  daemon.arrived.set(growing.id, 6);
  await page.keyboard.press('5');
  await expect(late).toHaveAttribute('data-place', 'in', { timeout: 20_000 });
  await page.getByLabel('播放速度').selectOption('0.25');
  await expect.poll(async () => ((await playing(page)) ? apart_ms(page, [0, 0]) : Number.POSITIVE_INFINITY), { timeout: 20_000 }).toBeLessThan(40);
});

test('four cameras fit, one that does not play says why, and none are too few', async ({ page, daemon }) => {
  await speak(page, 'en');
  const ids = [0, 8, 4, 14].map((n) => daemon.recordings[n]?.id ?? '');
  await page.goto(`/together?${ids.map((id) => `r=${id}`).join('&')}`);
  await expect(page.locator('.tile')).toHaveCount(4);
  await expect(page.locator('.tile').nth(2)).toContainText('The index (moov) is missing');
  await accessible(page);
  await shot(page, 'together-four-en');
  await page.goto('/together?r=only');
  await expect(page.getByText('Choose recordings first')).toBeVisible();
  await accessible(page);
});

test('from a case: its recordings side by side', async ({ page, daemon }) => {
  void daemon;
  await page.goto(`/cases/${encodeURIComponent('贵卫医罚〔2026〕12号')}?unit=u-ny`);
  await expect(page.getByRole('checkbox', { name: /并排播放/ })).toHaveCount(2);
  for (const box of await page.getByRole('checkbox', { name: /并排播放/ }).all()) await box.check();
  await page.getByRole('region', { name: '并排播放' }).getByRole('link').click();
  await expect(page).toHaveURL(new RegExp(`/together\\?r=${data.VIDEO}&r=${data.NINTH}`));
});

for (const language of ['zh', 'en'] as const) {
  test(`an officer's day on one line, gaps seen, played through ${language}`, async ({ page, daemon }) => {
    await speak(page, language);
    await page.goto('/shift?officer=o-1&day=2026-11-23');
    const line = page.getByRole('region', { name: language === 'zh' ? '时间线' : 'Time line', exact: true });
    await expect(line.locator('button.bar')).toHaveCount(4);
    await expect(line.locator('.gap')).toHaveCount(2);
    await expect(line).toContainText(language === 'zh' ? '缺 2 段' : '2 stretches missing');
    await accessible(page);
    await shot(page, `shift-${language}`);
    await line.locator('button.bar').first().click({ position: { x: 2, y: 8 } });
    const video = page.locator('video');
    await expect.poll(() => video.evaluate((it: HTMLVideoElement) => it.currentTime), { timeout: 20_000 }).toBeGreaterThan(0.2);
    await accessible(page);
    await shot(page, `shift-${language}-playing`);
    // Near the end of the first, so that the second follows by itself.
    await page.getByLabel(language === 'zh' ? '播放位置' : 'Position', { exact: true }).fill('11.5');
    await expect(page.locator('li.current')).toContainText('班次_62', { timeout: 20_000 });
    await expect.poll(() => video.evaluate((it: HTMLVideoElement) => it.currentTime), { timeout: 20_000 }).toBeGreaterThan(0.2);
    expect(daemon.asked.some((it) => it.includes('officer=o-1') && it.includes('from=2026-11-22T04') && it.includes('until=2026-11-23T16'))).toBe(true);
  });
}

for (const language of ['zh', 'en'] as const) {
  test(`a place's day: a row for each who recorded there, with what each lacks ${language}`, async ({ page, daemon }) => {
    await speak(page, language);
    await page.goto('/shift?unit=u-ny&day=2026-11-23');
    const line = page.getByRole('region', { name: language === 'zh' ? '时间线' : 'Time line', exact: true });
    const second = line.getByRole('group', { name: '李敏' });
    await expect(second.locator('button.bar')).toHaveCount(2);
    await expect(second.locator('.gap')).toHaveCount(1);
    await expect(line.getByRole('group', { name: '王建国' }).locator('button.bar')).toHaveCount(4);
    await accessible(page);
    await shot(page, `shift-place-${language}`);
    expect(daemon.asked.some((it) => it.includes('unit=u-ny') && !it.includes('officer=') && it.includes('from=2026-11-22T04'))).toBe(true);
    // An officer instead: the place goes.
    await page.getByLabel(language === 'zh' ? '执法人员' : 'Officer', { exact: true }).fill('王建国 · 24010301');
    await expect(page).toHaveURL(/shift\?officer=o-1&day=2026-11-23$/);
    await expect(line.locator('button.bar')).toHaveCount(4);
  });
}

test('what has not arrived is asked for, and a refusal is said', async ({ page, daemon }) => {
  await page.goto('/stations');
  await page.getByRole('link', { name: '入仓记录' }).first().click();
  await expect(page).toHaveURL(/station=s-1/);
  await page.getByRole('link', { name: 'DSJ-A7-0001' }).click();
  const row = page.locator('tr[data-path="DCIM/100MEDIA/DSJ_0003.MP4"]');
  await expect(row).toContainText('等待上传');
  daemon.refuseFirst = { status: 409, body: { type: '/problems/conflict', detail: 'the docking is over' } };
  await row.getByRole('button', { name: /现在就要/ }).click();
  await expect(row.getByRole('alert')).toContainText('the docking is over');
  await accessible(page);
  daemon.refuseFirst = null;
  await row.getByRole('button', { name: /现在就要/ }).click();
  await expect(row).toContainText('已请采集站优先上传');
  expect(daemon.changes.at(-1)).toMatchObject({ what: 'POST /v1/dockings/d-1/first', body: { path: 'DCIM/100MEDIA/DSJ_0003.MP4' } });
  await accessible(page);
  await shot(page, 'docking-asked');
  await page.goto('/dockings/d-3');
  await expect(page.locator('tr[data-arrived="false"]').first()).toContainText('没有到达');
  await expect(page.getByRole('button', { name: /现在就要/ })).toHaveCount(0);
});

test('an auditor is not offered to ask', async ({ page, daemon }) => {
  daemon.role = 'auditor';
  await page.goto('/dockings/d-1');
  await expect(page.locator('tbody tr').first()).toBeVisible();
  await expect(page.getByRole('button', { name: /现在就要/ })).toHaveCount(0);
});
