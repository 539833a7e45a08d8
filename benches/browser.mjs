// First frame and seeks in a real Chromium: hls.js on docketd beside <video> on a web server, in turns.
// node benches/browser.mjs '{"docketd":{"page","source"},"web":{"page","source"},"rounds","seeks","duration_s"}'
import { createRequire } from 'node:module';

const console_ = createRequire(new URL('../console/package.json', import.meta.url));
const { chromium } = console_('@playwright/test');
const asked = JSON.parse(process.argv[2]);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
});

/** From setting the source to the first frame on the screen, then from each seek to a frame from there; ms. */
async function watch(side, hls, targets) {
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  await page.goto(side.page);
  if (hls) await page.addScriptTag({ path: console_.resolve('hls.js/dist/hls.light.min.js') });
  const figures = await page.evaluate(
    async ({ source, hls, targets }) => {
      const video = document.createElement('video');
      video.muted = true;
      video.width = 640;
      document.body.replaceChildren(video);
      const frame = (near_s) =>
        new Promise((shown) => {
          const look = () =>
            video.requestVideoFrameCallback((_, { mediaTime }) => (Math.abs(mediaTime - near_s) < 0.5 ? shown() : look()));
          look();
        });
      const timed = async (near_s, begin) => {
        const began = performance.now();
        const there = frame(near_s);
        begin();
        await there;
        return performance.now() - began;
      };
      const first_ms = await timed(0, () => {
        if (hls) {
          // As the console sets it.
          const player = new Hls({ startPosition: 0, startFragPrefetch: true, enableWorker: false, maxBufferLength: 30, backBufferLength: 60 });
          player.attachMedia(video);
          player.loadSource(source);
        } else {
          video.preload = 'auto';
          video.src = source;
        }
        void video.play();
      });
      const seeks_ms = [];
      for (const at_s of targets) seeks_ms.push(await timed(at_s, () => (video.currentTime = at_s)));
      return { first_ms, seeks_ms };
    },
    { source: side.source, hls, targets },
  );
  await context.close();
  return figures;
}

const quantile = (values, q) => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];
// The same places for both, spread over the whole without a pattern that a buffer could meet.
const targets = Array.from({ length: asked.seeks }, (_, n) => ((n * 0.618034 + 0.31) % 1) * (asked.duration_s - 5));
const runs = { docketd: [], web: [] };
// The first page of a browser pays for its start.
await watch(asked.docketd, true, []);
await watch(asked.web, false, []);
for (let round = 0; round < asked.rounds; round++) {
  runs.docketd.push(await watch(asked.docketd, true, targets));
  runs.web.push(await watch(asked.web, false, targets));
}
await browser.close();
const told = (of) => ({
  first_ms: quantile(of.map((it) => it.first_ms), 0.5),
  seek_p50_ms: quantile(of.flatMap((it) => it.seeks_ms), 0.5),
  seek_p95_ms: quantile(of.flatMap((it) => it.seeks_ms), 0.95),
});
console.log(JSON.stringify({ docketd: told(runs.docketd), web: told(runs.web) }));
