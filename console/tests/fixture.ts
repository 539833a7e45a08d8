import { rmSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect, test as base, type Page } from '@playwright/test';
import { MockDaemon } from './mock/daemon';
import { makeMedia } from './mock/media';

interface Fixtures {
  daemon: MockDaemon;
  /** What the page complained about: errors, and what its CSP forbade. */
  complaints: string[];
}

export const test = base.extend<Fixtures & { url: string }, { media: string }>({
  media: [
    async ({}, use) => {
      const dir = makeMedia();
      await use(dir);
      rmSync(dir, { recursive: true, force: true });
    },
    { scope: 'worker' },
  ],
  daemon: async ({ media }, use) => {
    const daemon = new MockDaemon();
    daemon.media = media;
    await use(daemon);
  },
  url: async ({ daemon }, use) => {
    const url = await daemon.start();
    await use(url);
    await daemon.stop();
  },
  baseURL: async ({ url }, use) => use(url),
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        const text = message.text();
        if (/Content Security Policy|Refused to/i.test(text)) complaints.push(text);
      });
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

export async function speak(page: Page, language: 'zh' | 'en') {
  await page.addInitScript((chosen) => localStorage.setItem('docket-language', chosen), language);
}

export async function accessible(page: Page) {
  const found = await new AxeBuilder({ page }).analyze();
  expect(found.violations.map((it) => `${it.id}: ${it.nodes.map((node) => `${node.target.join(' ')} ${node.failureSummary}`).join(' | ')}`)).toEqual([]);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide, 'the page must not scroll sideways').toBeLessThanOrEqual(0);
}
