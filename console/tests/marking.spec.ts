import type { Page } from '@playwright/test';
import { accessible, expect, speak, test } from './fixture';
import * as data from './mock/data';

const SHOTS = process.env['SHOTS'];
const shot = async (page: Page, name: string) => {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png` });
};
const video = (page: Page) => page.locator('video');
const at = (page: Page) => video(page).evaluate((it: HTMLVideoElement) => it.currentTime);
const paused = (page: Page) => video(page).evaluate((it: HTMLVideoElement) => it.paused);
const markers = (page: Page) => page.getByRole('region', { name: '时间标记' });
const clips = (page: Page) => page.getByRole('region', { name: '片段', exact: true });

/** Opens the first recording, plays it, and stands still at tenths of its twelve seconds. */
async function standAt(page: Page, tenth: number) {
  await page.goto(`/recordings/${data.VIDEO}`);
  await page.getByRole('button', { name: /^(播放（|Play \()/ }).click();
  await expect.poll(() => at(page), { timeout: 20_000 }).toBeGreaterThan(0.2);
  await page.keyboard.press('k');
  await expect.poll(() => paused(page)).toBe(true);
  await go(page, tenth);
}
async function go(page: Page, tenth: number) {
  await page.keyboard.press(String(tenth));
  await expect(page.getByTestId('position')).toHaveText(`00:${String(Math.floor(tenth * 1.2)).padStart(2, '0')}.${((tenth * 12) % 10) * 100 || '000'}`);
}

test('markers stand in a list and on the line; a press goes there, a confirmed one withdraws', async ({ page, daemon }) => {
  await standAt(page, 1);
  await expect(markers(page).getByRole('listitem')).toHaveCount(2);
  const second = markers(page).getByRole('listitem').nth(1);
  await expect(second).toContainText('00:05–00:08');
  await expect(second).toContainText('09:01:17–09:01:20');
  await expect(second).toContainText('当事人陈述');
  await expect(second).toContainText('王建国');
  await expect(page.getByTestId('flag')).toHaveCount(2);
  await second.getByRole('button', { name: '00:05' }).first().focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => at(page)).toBeCloseTo(5, 1);
  expect(await paused(page)).toBe(true);
  await page.getByTestId('flag').first().click();
  await expect.poll(() => at(page)).toBeCloseTo(2, 1);
  // The pointer near a flag reads what it says.
  await page.getByTestId('flag').nth(1).hover();
  await expect(page.locator('.tip')).toContainText('当事人陈述');
  await shot(page, 'markers-zh');
  await accessible(page);
  await markers(page).getByText('已撤销 1 个').click();
  await expect(markers(page)).toContainText('陈晓 于 2026-11-24 10:30 撤销');

  await markers(page).getByRole('button', { name: /^撤销 00:02/ }).click();
  await expect(page.getByRole('dialog')).toContainText('消毒柜电源未接通');
  await page.getByRole('dialog').getByRole('button', { name: '取消' }).click();
  expect(daemon.changes).toEqual([]);
  await markers(page).getByRole('button', { name: /^撤销 00:02/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: '撤销' }).click();
  await expect(markers(page).getByText('已撤销 2 个')).toBeVisible();
  await expect(page.getByTestId('flag')).toHaveCount(1);
  expect(daemon.changes.map((it) => it.what)).toEqual([`DELETE /v1/recordings/${data.VIDEO}/markers/m-1`]);
});

test('B marks the moment while it plays on, and Escape leaves', async ({ page, daemon }) => {
  await standAt(page, 3);
  await page.keyboard.press('b');
  const field = page.getByLabel('标记内容');
  await expect(field).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(field).toBeHidden();
  // The keys are the player's again.
  await page.keyboard.press('k');
  await expect.poll(() => paused(page)).toBe(false);
  await page.keyboard.press('b');
  await expect(field).toBeFocused();
  const since_s = await at(page);
  await expect.poll(() => at(page)).toBeGreaterThan(since_s + 0.5);
  await page.keyboard.type('b 证件未公示 5k');
  await shot(page, 'marker-field-zh');
  await accessible(page);
  daemon.refuseMark = { status: 503, body: { type: '/problems/busy' } };
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('marker-field').getByRole('alert')).toContainText('服务器繁忙');
  await expect(field).toHaveValue('b 证件未公示 5k');
  await page.keyboard.press('Enter');
  await expect(field).toBeHidden();
  await expect(markers(page).getByText('b 证件未公示 5k')).toBeVisible();
  const placed = daemon.changes.map((it) => ({ what: it.what, ...(it.body as { at_ms: number; until_ms: null; text: string }) }));
  expect(placed.length).toBe(2);
  expect(placed[1]).toEqual(placed[0]);
  expect(placed[0]?.what).toBe(`POST /v1/recordings/${data.VIDEO}/markers`);
  expect(placed[0]?.at_ms).toBeGreaterThanOrEqual(3600);
  expect(placed[0]?.at_ms).toBeLessThanOrEqual(since_s * 1000 + 100);
  // Tried again it is the same wish to the daemon.
  expect(daemon.keys[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(daemon.keys[1]).toBe(daemon.keys[0]);
});

test('I and O choose a stretch, a clip is made of it, and its own page leads back', async ({ page, daemon }) => {
  await standAt(page, 3);
  await page.keyboard.press('i');
  await expect(page.getByTestId('stretch-from')).toHaveText('00:03.600');
  await expect(page.getByRole('button', { name: '制作片段…' })).toBeDisabled();
  await go(page, 7);
  await page.keyboard.press('o');
  await expect(page.getByTestId('stretch-until')).toHaveText('00:08.400');
  await expect(page.getByTestId('stretch')).toContainText('4.8秒');
  await expect(page.getByTestId('chosen')).toBeVisible();
  await shot(page, 'clip-stretch-zh');
  await accessible(page);
  // A marker of the whole stretch.
  await page.keyboard.press('b');
  await page.getByLabel('标记所选的整段 00:03–00:08').check();
  await page.getByLabel('标记内容').fill('整段');
  await page.keyboard.press('Enter');
  await expect(markers(page).getByText('整段')).toBeVisible();
  expect(daemon.changes[0]?.body).toEqual({ at_ms: 3600, until_ms: 8400, text: '整段' });

  await page.getByRole('button', { name: '制作片段…' }).click();
  const dialog = page.getByRole('dialog', { name: '制作片段' });
  await expect(dialog).toContainText('00:03.600');
  await expect(dialog).toContainText('设备时间 09:01:20.400');
  await expect(dialog).toContainText('原件保持原样');
  await expect(dialog.getByRole('button', { name: '制作' })).toBeDisabled();
  await dialog.getByLabel('制作原因').fill('作为证据提交');
  await shot(page, 'clip-dialog-zh');
  await accessible(page);
  daemon.refuseMark = { status: 422, body: { type: '/problems/invalid', detail: 'from_ms, until_ms: nothing of the recording is between them' } };
  await dialog.getByRole('button', { name: '制作' }).click();
  await expect(dialog.getByRole('alert')).toContainText('nothing of the recording');
  await shot(page, 'clip-dialog-failing-zh');
  await dialog.getByRole('button', { name: '制作' }).click();
  await expect(dialog.getByRole('status')).toContainText('正在制作');
  await accessible(page);
  await shot(page, 'clip-making-zh');
  const made = daemon.clips[0];
  if (!made) throw new Error('no clip was asked for');
  expect(made.derived_from).toMatchObject({ from_ms: 3600, until_ms: 8400, reason: '作为证据提交' });
  Object.assign(made, data.clip(81, {}, { from_ms: 3600, until_ms: 8400, reason: '作为证据提交' }), { id: made.id });
  daemon.push('custody', { leaf_index: 1, kind: 'recording.sealed', recording: made.id, case: null, station: null, unit: 'u-ny' });
  await expect(dialog.getByRole('status')).toContainText('已制作并封存');
  await accessible(page);
  await shot(page, 'clip-made-zh');
  await dialog.getByRole('link', { name: '打开片段' }).click();
  const source = page.getByRole('region', { name: '片段的来源' });
  await expect(source).toContainText('这是片段，不是原件');
  await expect(source).toContainText('00:03.600–00:08.400');
  await expect(source).toContainText(daemon.recordings[0]?.sha256 ?? '-');
  await expect(clips(page)).toHaveCount(0);
  await shot(page, 'clip-page-zh');
  await source.getByRole('link').click();
  await expect(page).toHaveURL(new RegExp(data.VIDEO));
  await expect(clips(page).getByRole('listitem')).toHaveCount(2);
});

test('without the right nothing is offered, and it says why', async ({ page, daemon }) => {
  daemon.role = 'auditor';
  await standAt(page, 3);
  await expect(markers(page)).toContainText('您的角色不能添加或撤销时间标记');
  await expect(clips(page)).toContainText('您的角色不能制作片段');
  for (const key of ['b', 'i', 'o']) await page.keyboard.press(key);
  await go(page, 5);
  await expect(page.getByTestId('marker-field')).toHaveCount(0);
  await expect(page.getByTestId('stretch')).toHaveCount(0);
  await expect(markers(page).getByRole('button', { name: /撤销/ })).toHaveCount(0);
  await expect(page.getByRole('button', { name: '标记当前时间' })).toHaveCount(0);
});

test('what still arrives can be marked, clips wait for its seal; in English', async ({ page, daemon }) => {
  daemon.arrived.set(data.GROWING, 3);
  await speak(page, 'en');
  await page.goto(`/recordings/${data.GROWING}`);
  await page.getByRole('button', { name: /^Play \(/ }).click();
  await expect.poll(() => at(page), { timeout: 20_000 }).toBeGreaterThan(0.2);
  await page.keyboard.press('k');
  await page.keyboard.press('i');
  await page.keyboard.press('3');
  await expect.poll(() => at(page)).toBeCloseTo(3.6, 1);
  await expect(page.getByTestId('position')).toHaveText('00:03.600');
  await page.keyboard.press('o');
  await expect(page.getByTestId('stretch')).toContainText('Clips can be made once it is sealed.');
  await expect(page.getByRole('button', { name: 'Make a clip…' })).toBeDisabled();
  await page.keyboard.press('b');
  await page.getByLabel('What to say of it').fill('still arriving');
  await shot(page, 'marking-growing-en');
  await accessible(page);
  await page.keyboard.press('Enter');
  await expect.poll(() => daemon.changes.length).toBe(1);
  expect(daemon.changes[0]?.body).toEqual({ at_ms: 3600, until_ms: null, text: 'still arriving' });
  await expect(page.getByTestId('marker-field')).toBeHidden();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard' })).toContainText('mark this moment');
});
