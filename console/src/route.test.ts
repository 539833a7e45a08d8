import { expect, test } from 'vitest';
import { href, parse } from './route';

test('case numbers with brackets and slashes survive the address', () => {
  for (const number of ['贵卫医罚〔2026〕12号', '卫/罚/[2026] 7', '50%#?&', 'A.12']) {
    const url = new URL(href.case(number, 'u 1'), 'http://x');
    expect(parse(url.pathname, url.search)).toEqual({ name: 'case', number, unit: 'u 1' });
  }
});

test('known addresses, and everything else is unknown', () => {
  expect(parse('/', '')).toEqual({ name: 'recordings' });
  expect(parse('/stations/', '')).toEqual({ name: 'stations' });
  expect(parse('/recordings/01a', '')).toEqual({ name: 'recording', id: '01a' });
  for (const path of ['/v1/recordings', '/files/1', '/recordings/a/b', '/cases/%E0%A4%A', '/openapi.json']) {
    expect(parse(path, '').name).toBe('unknown');
  }
});
