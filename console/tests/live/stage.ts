// A page before a real daemon: DOCKET_URL, DOCKET_USER and DOCKET_PASSWORD; DOCKET_ORDERS is the port where
// tests/system/browser takes orders, so that a script says when something arrives, ends or comes back.
import { createConnection } from 'node:net';
import { expect, test as base, type Page } from '@playwright/test';

export const user = process.env['DOCKET_USER'] ?? '';
const password = process.env['DOCKET_PASSWORD'] ?? '';
const SHOTS = process.env['SHOTS'];

/** So long anything may take on a busy machine: nothing here measures speed. */
export const PATIENCE = { timeout: 90_000 };

export const test = base.extend<{ complaints: string[] }>({
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (/Content Security Policy/i.test(message.text())) complaints.push(message.text());
      });
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});
test.setTimeout(360_000);

export { expect };

/** Lets the other side do something; its answer. */
export function order(words: string): Promise<string> {
  return new Promise((done, failed) => {
    let answer = '';
    const line = createConnection(Number(process.env['DOCKET_ORDERS']), '127.0.0.1', () => line.write(`${words}\n`));
    line.setEncoding('utf8');
    line.on('data', (text: string) => (answer += text));
    line.on('end', () => done(answer.trim()));
    line.on('error', failed);
  });
}

export async function signIn(page: Page) {
  await page.goto('/');
  await page.getByLabel('用户名').fill(user);
  await page.getByLabel('密码').fill(password);
  await page.getByRole('button', { name: '登录' }).click();
  await expect(page.getByRole('heading', { name: '音像记录', level: 1, exact: true })).toBeVisible(PATIENCE);
}

export const play = (page: Page) => page.getByRole('button', { name: /^播放（/ }).click(PATIENCE);
export const video = (page: Page, n = 0) => page.locator('video').nth(n);
export const at = (page: Page, n = 0) => video(page, n).evaluate((it: HTMLVideoElement) => it.currentTime);
export const standsStill = (page: Page) =>
  expect.poll(() => video(page).evaluate((it: HTMLVideoElement) => it.paused && !it.seeking && it.readyState >= 2), PATIENCE).toBe(true);

/** Keeps when the first picture was that appeared. */
export async function noteFirst(page: Page) {
  await video(page).evaluate((it: HTMLVideoElement) =>
    it.requestVideoFrameCallback((_, { mediaTime }) => ((window as unknown as { first_s: number }).first_s = mediaTime)),
  );
}
export const first = (page: Page) => page.evaluate(() => (window as unknown as { first_s?: number }).first_s ?? null);

/** The number of the picture on the screen: 16 fields below it, lowest bit first. */
export const picture = (page: Page, n = 0) =>
  video(page, n).evaluate((it: HTMLVideoElement) => {
    const canvas = document.createElement('canvas');
    canvas.width = it.videoWidth;
    canvas.height = it.videoHeight;
    const drawing = canvas.getContext('2d');
    if (!drawing || canvas.width === 0) return -1;
    drawing.drawImage(it, 0, 0);
    let number = 0;
    for (let bit = 0; bit < 16; bit++) {
      const [red = 0] = drawing.getImageData(bit * 20 + 10, canvas.height - 10, 1, 1).data;
      if (red > 127) number += 2 ** bit;
    }
    return number;
  });

/** The position as the player tells it, in milliseconds; null while it is not exact. */
export async function position_ms(page: Page): Promise<number | null> {
  const text = (await page.getByTestId('position').textContent()) ?? '';
  const found = /^(\d+):(\d+)\.(\d{3})$/.exec(text);
  return found ? (Number(found[1]) * 60 + Number(found[2])) * 1000 + Number(found[3]) : null;
}

/** What players outside would be told now. */
export const playlist = (page: Page, id: string) =>
  page.evaluate((path) => fetch(path).then((it) => it.text()), `/v1/recordings/${id}/hls/index.m3u8`);

/** An outage lasts so long, from its beginning on. */
export const lasted = (since_ms: number, for_ms: number) => expect.poll(() => Date.now() - since_ms, PATIENCE).toBeGreaterThan(for_ms);

export const shot = async (page: Page, name: string) => {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png` });
};
