// Holds the built console to its budgets (gzip) and to what Chrome 90 knows.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, 'utf8'));
const size = (file) => readFileSync(`${dist}${file}.gz`).length;

/** Everything that the browser fetches for an entry: its own file and what it imports statically. */
function closure(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) closure(next, seen);
  return seen;
}
const sum = (keys, of) => [...new Set([...keys].flatMap(of))].reduce((total, file) => total + size(file), 0);
const js = (key) => [manifest[key].file];
const css = (key) => manifest[key].css ?? [];

const first = closure('index.html');
// What opening a recording and pressing play fetches beyond that.
const player = new Set();
for (const key of ['src/screens/RecordingPage.svelte', 'src/player/hls.ts']) closure(key, player);
for (const key of first) player.delete(key);

const rows = [
  ['first JavaScript', sum(first, js), 70 * 1024],
  ['player route, loaded on demand', sum(player, js), 160 * 1024],
  ['all CSS', sum(Object.keys(manifest), css), 20 * 1024],
];
let failed = false;
for (const [name, bytes, most] of rows) {
  const over = bytes > most;
  failed ||= over;
  console.log(`${over ? 'OVER' : 'ok  '} ${name}: ${(bytes / 1024).toFixed(1)} of ${most / 1024} KB gzip`);
}

// Chrome 90 has none of these; TypeScript's lib catches our own code, this catches what packages bring.
const tooNew = [/\bObject\.hasOwn\(/, /\bstructuredClone\(/, /\.findLast(Index)?\(/, /\bPromise\.withResolvers\b/, /\bAbortSignal\.(any|timeout)\(/, /\.toSorted\(/, /\bstatic\s*\{/, /\bcrypto\.subtle\b/];
const cssTooNew = [/:has\(/, /@layer\b/, /oklch\(/, /color-mix\(/, /@container\b/, /\bdvh\b/, /&:/];
for (const { file, css: sheets = [] } of Object.values(manifest)) {
  if (file.endsWith('.js')) report(file, tooNew);
  for (const sheet of sheets) report(sheet, cssTooNew);
}
function report(file, patterns) {
  const text = readFileSync(`${dist}${file}`, 'utf8');
  for (const pattern of patterns) {
    const at = text.search(pattern);
    if (at < 0) continue;
    failed = true;
    console.log(`NEW  ${file}: ${pattern} … ${text.slice(Math.max(0, at - 40), at + 60)}`);
  }
}
process.exit(failed ? 1 : 0);
