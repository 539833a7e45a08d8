import { accessible, expect, speak, test } from './fixture';
import * as data from './mock/data';

// Every screen in both languages and every state: it stands, it fits, axe finds nothing.
const SCREENS: [name: string, path: string, ready: string][] = [
  ['recordings', '/recordings', 'tbody tr'],
  ['recording', `/recordings/${data.VIDEO}`, '.player'],
  ['clip', `/recordings/${data.CLIP}`, '.player'],
  ['cases', '/cases', 'tbody tr'],
  ['case', `/cases/${encodeURIComponent('贵卫医罚〔2026〕12号')}?unit=u-ny`, 'tbody tr'],
  ['stations', '/stations', '.bays li'],
  ['shift', '/shift?officer=o-1&day=2026-11-23', '.line .bar'],
  ['together', `/together?r=${data.VIDEO}&r=${data.NINTH}`, '.tile'],
  ['dockings', '/dockings', 'tbody tr'],
  ['docking', '/dockings/d-1', 'tbody tr'],
  ['account', '/account', 'form'],
];
const SHOTS = process.env['SHOTS'];

for (const language of ['zh', 'en'] as const) {
  for (const [name, path, ready] of SCREENS) {
    for (const mode of ['normal', 'empty', 'failing', 'hanging'] as const) {
      if (name === 'account' && mode !== 'normal') continue;
      test(`${name} ${language} ${mode}`, async ({ page, daemon }) => {
        daemon.mode = mode;
        await speak(page, language);
        await page.goto(path);
        if (mode === 'failing') {
          await expect(page.getByRole('alert').first()).toContainText('req-7f3a9c');
          await expect(page.getByRole('button', { name: language === 'zh' ? '重试' : 'Try again' }).first()).toBeVisible();
        } else if (mode === 'hanging') await expect(page.locator('.waiting').first()).toHaveCSS('opacity', '1');
        else if (mode === 'empty' && name !== 'recording' && name !== 'clip' && name !== 'together') await expect(page.locator('.empty').first()).toBeVisible();
        else await expect(page.locator(ready).first()).toBeVisible();
        await page.waitForLoadState('load');
        await accessible(page);
        if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}-${language}-${mode}.png`, fullPage: true });
      });
    }
  }
  for (const [size, viewport] of [['1366', { width: 1366, height: 768 }], ['narrow', { width: 390, height: 780 }]] as const) {
    for (const [name, path, ready] of SCREENS) {
      test(`${name} ${language} ${size}`, async ({ page, daemon }) => {
        void daemon;
        await page.setViewportSize(viewport);
        await speak(page, language);
        await page.goto(path);
        await expect(page.locator(ready).first()).toBeVisible();
        await accessible(page);
        if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}-${language}-${size}.png`, fullPage: size === 'narrow' });
      });
    }
  }
  test(`dark ${language}`, async ({ page, daemon }) => {
    void daemon;
    await page.emulateMedia({ colorScheme: 'dark' });
    await speak(page, language);
    for (const [name, path, ready] of SCREENS) {
      await page.goto(path);
      await expect(page.locator(ready).first()).toBeVisible();
      await accessible(page);
      if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}-${language}-dark.png`, fullPage: true });
    }
  });
  test(`every recording's page ${language}`, async ({ page, daemon }) => {
    await speak(page, language);
    for (const recording of daemon.recordings.slice(0, 12)) {
      await page.goto(`/recordings/${recording.id}`);
      await expect(page.locator('.player')).toBeVisible();
      await accessible(page);
      if (SHOTS) await page.screenshot({ path: `${SHOTS}/recording-${language}-${recording.id.slice(-2)}-${recording.state}.png` });
    }
  });
  test(`sign in ${language}`, async ({ page, daemon }) => {
    daemon.signedIn = false;
    await speak(page, language);
    await page.goto('/');
    await expect(page.locator('input[type=password]')).toBeVisible();
    await accessible(page);
    if (SHOTS) await page.screenshot({ path: `${SHOTS}/signin-${language}.png` });
  });
}
