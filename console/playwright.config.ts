import { defineConfig } from '@playwright/test';

// DOCKET_URL points at a real daemon, and then only what is in tests/live runs.
const live = process.env['DOCKET_URL'];

export default defineConfig({
  testDir: 'tests',
  testMatch: live ? /live\/\w+\.spec\.ts$/ : /tests\/\w+\.spec\.ts$/,
  fullyParallel: true,
  // Before a real daemon one after another: scripts give orders to what they share.
  workers: live ? 1 : 2,
  timeout: 60_000,
  forbidOnly: true,
  reporter: [['list']],
  outputDir: 'test-results',
  use: {
    ...(live ? { baseURL: live } : {}),
    browserName: 'chromium',
    viewport: { width: 1440, height: 900 },
    timezoneId: 'Asia/Shanghai',
    locale: 'zh-CN',
    trace: 'off',
    launchOptions: {
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--autoplay-policy=no-user-gesture-required',
      ],
    },
  },
});
