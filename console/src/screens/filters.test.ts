import { expect, test } from 'vitest';
import { any, countMore, dayStart, lastDays, read, toQuery, write } from './filters';

test('an address read and written is the same address', () => {
  const search = '?q=%E8%B4%B5%E5%B7%9E+a%26b&from=2026-11-01&until=2026-11-23&state=sealed&kind=video&case=%E8%B4%B5%E5%8D%AB%E3%80%942026%E3%80%9512%E5%8F%B7';
  const filters = read(search);
  expect(filters.q).toBe('贵州 a&b');
  expect(filters.case).toBe('贵卫〔2026〕12号');
  expect(read(write(filters))).toEqual(filters);
  expect(countMore(filters)).toBe(2);
});

test('what makes no sense is dropped, and no filter is no query', () => {
  const filters = read('?state=burnt&kind=x&from=yesterday&until=2026-1-1&other=1');
  expect(any(filters)).toBe(false);
  expect(write(filters)).toBe('');
});

test('a cursor stands beside the filters, never among them', () => {
  const address = write(read('?tag=a'), 'abc', 3);
  expect(address).toBe('?tag=a&page=3&cursor=abc');
  expect(write(read(address))).toBe('?tag=a');
});

test('until ends with its day', () => {
  const query = toQuery(read('?from=2026-11-23&until=2026-11-23'));
  const hours = (Date.parse(String(query['until'])) - Date.parse(String(query['from']))) / 3_600_000;
  expect(hours).toBe(24);
  expect(dayStart('2026-12-31', 1)).toBe(new Date(2027, 0, 1).toISOString());
});

test('the last seven days hold today and six more, over a month’s end', () => {
  expect(lastDays(new Date(2026, 2, 2, 15), 7)).toEqual({ from: '2026-02-24', until: '2026-03-02' });
});
