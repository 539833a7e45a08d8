import { accessible, expect, speak, test } from './fixture';
import * as data from './mock/data';

const CASE = '贵卫医罚〔2026〕12号';
const CASE_PATH = `/cases/${encodeURIComponent(CASE)}?unit=u-ny`;

test('signs in where one wanted to go, after a wrong password', async ({ page, daemon }) => {
  daemon.signedIn = false;
  await page.goto('/stations');
  await page.getByLabel('用户名').fill('chenxiao');
  await page.getByLabel('密码').fill('wrong');
  await page.getByRole('button', { name: '登录' }).click();
  await expect(page.getByRole('alert')).toContainText('用户名或密码不对');
  await page.getByLabel('密码').fill('right');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: '采集站', exact: true })).toBeVisible();
  await page.getByRole('button', { name: '退出登录' }).click();
  await expect(page.getByLabel('密码')).toBeVisible();
  expect(daemon.signedIn).toBe(false);
});

test('a session that ends keeps what was typed', async ({ page, daemon }) => {
  await page.goto(`/recordings/${data.VIDEO}`);
  await page.getByRole('button', { name: '编辑' }).click();
  await page.getByLabel('备注', { exact: true }).fill('写到一半');
  daemon.signedIn = false;
  await page.getByRole('button', { name: '保存' }).click();
  const dialog = page.getByRole('dialog', { name: '登录已过期' });
  await expect(dialog).toBeVisible();
  await accessible(page);
  await dialog.getByLabel('密码').fill('right');
  await dialog.getByRole('button', { name: '登录', exact: true }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByLabel('备注', { exact: true })).toHaveValue('写到一半');
  await page.getByRole('button', { name: '保存' }).click();
  await expect(page.getByText('写到一半')).toBeVisible();
  expect(daemon.recordings[0]?.notes).toBe('写到一半');
});

test('the address holds the filters, and back brings the list back', async ({ page, daemon }) => {
  await page.goto('/recordings');
  await page.getByLabel('文件名、备注').fill('水质');
  await page.getByRole('button', { name: '查询' }).click();
  await expect(page).toHaveURL(/\?q=%E6%B0%B4%E8%B4%A8$/);
  await expect(page.locator('tbody tr')).toHaveCount(1);
  await page.getByRole('combobox', { name: '状态', exact: true }).selectOption('sealed');
  await expect(page.getByText('没有符合条件的记录')).toBeVisible();
  await page.goBack();
  await expect(page.locator('tbody tr')).toHaveCount(1);
  await page.reload();
  await expect(page.getByLabel('文件名、备注')).toHaveValue('水质');
  await page.getByRole('button', { name: '清除' }).click();
  await expect(page.locator('tbody tr')).toHaveCount(25);
  await page.getByLabel('执法人员').fill('王建国 · 24010301');
  await expect(page).toHaveURL(/officer=o-1/);
  await expect.poll(() => daemon.asked.some((it) => it.includes('/v1/recordings?') && it.includes('officer=o-1') && it.includes('limit=100'))).toBe(true);
  await page.getByLabel('执法人员').fill('没有此人');
  await page.getByLabel('执法人员').blur();
  await expect(page.getByText('登记册中没有这一项')).toBeVisible();
});

test('pages go forward and back by cursor, and a row opens', async ({ page, daemon }) => {
  void daemon;
  await page.goto('/recordings');
  await page.getByRole('link', { name: '下一页' }).click();
  await expect(page).toHaveURL(/page=2&cursor=cursor-2/);
  await expect(page.locator('tbody tr')).toHaveCount(5);
  await page.getByRole('link', { name: '第一页' }).click();
  await expect(page.locator('tbody tr')).toHaveCount(25);
  await page.locator('tbody tr').first().locator('.when').click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('餐饮具消毒检查');
});

test('a row in progress moves, is sealed, and a new one is announced', async ({ page, daemon }) => {
  await page.goto('/recordings');
  const row = page.locator(`tr[data-recording="${data.ARRIVING}"]`);
  await expect(row.getByRole('progressbar')).toBeVisible();
  await expect.poll(() => daemon.streams).toBe(1);
  const size_bytes = daemon.recordings[1]?.size_bytes ?? 0;
  for (const [step, received_bytes] of [600_000_000, 700_000_000, 800_000_000].entries()) {
    daemon.push('progress', { recording: data.ARRIVING, received_bytes, size_bytes });
    await expect(row).toContainText(['600 MB', '700 MB', '800 MB'][step] ?? '');
  }
  let received_bytes = 800_000_000;
  await expect
    .poll(() => {
      daemon.push('progress', { recording: data.ARRIVING, received_bytes: (received_bytes += 5_000_000), size_bytes });
      return row.textContent();
    })
    .toContain('/s');
  daemon.recordings[1] = data.recording(2, { state: 'sealed', file_name: '游泳场所水质抽检.mp4' });
  daemon.push('custody', { leaf_index: 1, kind: 'recording.verified', recording: data.ARRIVING, case: null, station: null, unit: 'u-ny' });
  await expect(row).toContainText('已校验');
  await expect(row.getByRole('progressbar')).toHaveCount(0);
  const fresh = data.recording(99, { file_name: '刚到的.mp4' });
  daemon.recordings.unshift(fresh);
  daemon.push('custody', { leaf_index: 2, kind: 'recording.announced', recording: fresh.id, case: null, station: null, unit: 'u-ny' });
  await page.getByRole('button', { name: '有 1 条新记录' }).click({ timeout: 10_000 });
  await expect(page.locator('tbody tr').first()).toContainText('刚到的');
});

for (const worker of [true, false]) {
  test(`the event stream is lost, said so, and comes back ${worker ? 'with' : 'without'} a SharedWorker`, async ({ page, daemon }) => {
    if (!worker) await page.addInitScript(() => Reflect.deleteProperty(window, 'SharedWorker'));
    await page.goto('/stations');
    await expect.poll(() => daemon.streams).toBe(1);
    await page.context().setOffline(true);
    await expect(page.getByText('本机网络已断开')).toBeVisible();
    await page.context().setOffline(false);
    await expect(page.getByText('本机网络已断开')).toBeHidden();
    const before = daemon.asked.filter((it) => it.startsWith('GET /v1/stations')).length;
    daemon.cutStreams();
    await expect.poll(() => daemon.streams).toBe(1);
    await expect.poll(() => daemon.asked.filter((it) => it.startsWith('GET /v1/stations')).length).toBeGreaterThan(before);
  });
}

test('two pages share one stream', async ({ page, context, daemon }) => {
  await page.goto('/stations');
  const second = await context.newPage();
  await second.goto('/recordings');
  await expect(second.locator('tbody tr').first()).toBeVisible();
  await expect.poll(() => daemon.streams).toBe(1);
  expect(daemon.asked.filter((it) => it === 'GET /v1/events').length).toBe(1);
});

test('a bay turns to "may be taken" by itself', async ({ page, daemon }) => {
  await page.goto('/stations');
  const bay = page.locator('[data-station="南明所一楼采集站"] [data-bay="2"]');
  await expect(bay).toContainText('请勿取走');
  await expect.poll(() => daemon.streams).toBe(1);
  const there = daemon.stations[0]?.bays[1];
  if (there) Object.assign(there, { state: 'may_be_taken', files_done: 14, bytes_done: there.bytes_total });
  daemon.push('station', { station: 's-1' });
  await expect(bay).toContainText('可以取走');
  await expect(bay).not.toContainText('请勿取走');
});

test('plays only when asked, past 5 s, seeks, steps, and carries its watermark', async ({ page, daemon }) => {
  await page.goto(`/recordings/${data.VIDEO}`);
  const asked = () => daemon.asked.some((it) => it.includes('/hls/'));
  await expect(page.getByRole('button', { name: /^播放（/ })).toBeVisible();
  expect(asked()).toBe(false);
  await page.keyboard.press('k');
  const video = page.locator('video');
  const at = () => video.evaluate((it: HTMLVideoElement) => it.currentTime);
  await expect.poll(at, { timeout: 20_000 }).toBeGreaterThan(0.3);
  await expect(page.locator('.watermark')).toContainText('chenxiao · 南明区卫生监督所');
  await accessible(page);
  await page.getByLabel('播放速度').selectOption('4');
  await expect.poll(at, { timeout: 20_000 }).toBeGreaterThan(5);
  await page.getByRole('button', { name: '暂停' }).click();
  await page.getByLabel('播放位置').fill('2');
  await expect.poll(at).toBeCloseTo(2, 1);
  await expect(page.getByText('设备时间 09:01:14')).toBeVisible();
  await page.keyboard.press('ArrowRight');
  await expect.poll(at).toBeCloseTo(7, 1);
  await page.keyboard.press('.');
  await expect.poll(at).toBeGreaterThan(7.01);
  expect(await at()).toBeLessThan(7.12);
  await page.keyboard.press(',');
  await expect.poll(at).toBeLessThan(7.05);
  await page.keyboard.press('f');
  await expect.poll(() => page.evaluate(() => document.fullscreenElement?.className ?? '')).toContain('player');
  await expect(page.locator('.watermark')).toBeVisible();
  if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/player-full.png` });
  await page.keyboard.press('f');
  await expect.poll(() => page.evaluate(() => document.fullscreenElement === null)).toBe(true);
  if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/player.png` });
});

test('says why it does not play, and offers the original', async ({ page, daemon }) => {
  for (const [at, key, text] of [
    [4, 'why.impossible', '没有索引'],
    [5, 'why.quarantined', '已隔离'],
    [7, 'why.impossible', 'H.265'],
    [1, 'why.receiving', '索引在末尾'],
    [3, 'why.receiving', '还在接收中'],
    [9, 'why.document', '这是文档'],
  ] as const) {
    await page.goto(`/recordings/${daemon.recordings[at]?.id}`);
    const why = page.locator(`[data-why="${key}"]`);
    await expect(why).toContainText(text);
    await expect(why.getByRole('link', { name: '下载原件' })).toHaveCount(key === 'why.impossible' || key === 'why.document' ? 1 : 0);
  }
  daemon.refuseHls = { status: 409, body: { type: '/problems/not-playable', detail: 'index damaged', reason: 'index_damaged' } };
  await page.goto(`/recordings/${data.VIDEO}`);
  await page.getByRole('button', { name: /^播放（/ }).click();
  await expect(page.locator('[data-why="why.impossible"]')).toContainText('文件的索引已损坏');
  daemon.refuseHls = null;
  await page.locator('.blocked').getByRole('button', { name: '重试' }).click();
  await expect.poll(() => page.locator('video').evaluate((it: HTMLVideoElement) => it.currentTime), { timeout: 20_000 }).toBeGreaterThan(0.2);
});

test('goes on by itself after an outage', async ({ page, daemon }) => {
  await page.goto(`/recordings/${data.VIDEO}`);
  daemon.refuseHls = { status: 503, body: { type: '/problems/busy' } };
  await page.getByRole('button', { name: /^播放（/ }).click();
  await expect(page.getByText('连接中断，正在重试')).toBeVisible({ timeout: 15_000 });
  daemon.refuseHls = null;
  await expect.poll(() => page.locator('video').evaluate((it: HTMLVideoElement) => it.currentTime), { timeout: 20_000 }).toBeGreaterThan(0.5);
  await expect(page.getByText('连接中断，正在重试')).toBeHidden();
});

test('what is being prepared becomes playable by itself', async ({ page, daemon }) => {
  const recording = data.recording(1, { playback: { state: 'pending', reason: null, duration_ms: null, width: null, height: null } });
  daemon.recordings[0] = recording;
  await page.goto(`/recordings/${data.VIDEO}`);
  await expect(page.locator('[data-why="why.pending"]')).toBeVisible();
  recording.playback = { state: 'ready', reason: null, duration_ms: 12_000, width: 640, height: 360 };
  await expect(page.getByRole('button', { name: /^播放（/ })).toBeVisible({ timeout: 15_000 });
});

test('someone else’s change is shown before it is overwritten', async ({ page, daemon }) => {
  await page.goto(`/recordings/${data.VIDEO}`);
  await page.getByRole('button', { name: '编辑' }).click();
  await page.getByLabel('备注', { exact: true }).fill('我的备注');
  Object.assign(daemon.recordings[0] ?? {}, { notes: '别人的备注', version: 9 });
  await page.getByRole('button', { name: '保存' }).click();
  await expect(page.getByRole('alert')).toContainText('别人的备注');
  await accessible(page);
  await page.getByRole('button', { name: '用我的内容覆盖' }).click();
  await expect(page.getByText('我的备注')).toBeVisible();
  expect(daemon.changes.map((it) => it.ifMatch)).toEqual(['"3"', '"9"']);
  expect(daemon.recordings[0]?.tags).toEqual(['消毒', '餐饮']);
});

test('links, confirms and unlinks on the recording’s page', async ({ page, daemon }) => {
  await page.goto(`/recordings/${data.VIDEO}`);
  const section = page.getByRole('region', { name: '关联案件' });
  await section.getByRole('button', { name: '确认关联' }).click();
  await expect.poll(() => daemon.changes.length).toBe(1);
  expect(daemon.changes[0]?.what).toBe(`PUT /v1/cases/贵卫水罚〔2026〕3号/evidence/${data.VIDEO}`);
  await section.getByLabel('案件号').fill('没有的〔2026〕1号');
  await section.getByRole('button', { name: '关联', exact: true }).click();
  await expect(section.getByText('没有案件')).toBeVisible();
  await section.getByRole('button', { name: `解除关联 ${CASE}` }).click();
  await expect(page.getByRole('dialog')).toContainText(CASE);
  await accessible(page);
  await page.getByRole('dialog').getByRole('button', { name: '解除' }).click();
  await expect.poll(() => daemon.changes.at(-1)?.what).toBe(`DELETE /v1/cases/${CASE}/evidence/${data.VIDEO}`);
});

test('finds recordings for a case and links those chosen', async ({ page, daemon }) => {
  await page.goto(CASE_PATH);
  await expect(page.locator('tr[data-link="proposed"]')).toHaveCount(1);
  await page.getByRole('button', { name: /^确认关联/ }).click();
  await expect(page.locator('tr[data-link="proposed"]')).toHaveCount(0);
  const add = page.getByRole('region', { name: '添加记录' });
  await add.getByLabel('文件名、备注').fill('检查');
  await add.getByRole('button', { name: '查找' }).click();
  await expect(add.getByText('已关联').first()).toBeVisible();
  await accessible(page);
  await add.getByLabel('选择 美容院现场检查_第二段.mp4').check();
  await add.getByRole('button', { name: '关联所选 1 条' }).click();
  await expect(add.getByText('已关联 1 条。')).toBeVisible();
  await expect(page.getByRole('region', { name: '关联的音像记录' }).locator('tbody tr')).toHaveCount(3);
  expect(daemon.case.evidence.length).toBe(3);
});

test('a new case is created once, and one that is there is opened', async ({ page, daemon }) => {
  await page.goto('/cases');
  await page.getByRole('button', { name: '新建案件' }).click();
  await accessible(page);
  const form = page.locator('#new-case');
  await form.getByLabel('案件号').fill(CASE);
  await form.getByRole('button', { name: '新建' }).click();
  await expect(page).toHaveURL(/\/cases\/.+unit=u-ny/);
  expect(daemon.changes).toEqual([]);
});

test('an auditor is offered no changes', async ({ page, daemon }) => {
  daemon.role = 'auditor';
  await page.goto(`/recordings/${data.VIDEO}`);
  await expect(page.getByRole('heading', { name: '保管历史' })).toBeVisible();
  await expect(page.getByRole('button', { name: /编辑|解除关联|确认关联/ })).toHaveCount(0);
  await page.goto(CASE_PATH);
  await expect(page.locator('tbody tr').first()).toBeVisible();
  await expect(page.getByRole('heading', { name: '添加记录' })).toHaveCount(0);
});

test('retry fetches again, and the language changes at once and stays', async ({ page, daemon }) => {
  daemon.mode = 'failing';
  await page.goto('/cases');
  await expect(page.getByRole('alert')).toContainText('req-7f3a9c');
  daemon.mode = 'normal';
  await page.getByRole('button', { name: '重试' }).click();
  await expect(page.locator('tbody tr')).toHaveCount(3);
  await page.getByRole('button', { name: 'English' }).click();
  await expect(page.getByRole('heading', { name: 'Cases' })).toBeVisible();
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
});

test('changes the password', async ({ page, daemon }) => {
  await speak(page, 'en');
  await page.goto('/account');
  await page.getByLabel('Current password').fill('a');
  await page.getByLabel(/New password \(/).fill('b'.repeat(10));
  await page.getByLabel('New password again').fill('c');
  await expect(page.getByText('The two new passwords differ.')).toBeVisible();
  await page.getByLabel('New password again').fill('b'.repeat(10));
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('The password is changed.')).toBeVisible();
  expect(daemon.asked).toContain('POST /v1/session/password');
});
