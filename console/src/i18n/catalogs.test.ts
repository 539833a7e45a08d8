import { expect, test } from 'vitest';
import { en } from './en';
import { fill } from './fill';
import { zh } from './zh';

const names = (text: string) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((it) => it[1]))].sort();

test('both languages put the same values in', () => {
  for (const key of Object.keys(zh) as (keyof typeof zh)[]) {
    expect(names(en[key]), key).toEqual(names(zh[key]));
    expect(en[key].trim(), key).not.toBe('');
    expect(/[\u4e00-\u9fff]/.test(en[key]), key).toBe(false);
  }
});

test('one and many', () => {
  expect(fill('{n} bay|{n} bays', { n: 1 })).toBe('1 bay');
  expect(fill('{n} bay|{n} bays', { n: 0 })).toBe('0 bays');
  expect(fill('{a} {b}', { a: 'x' })).toBe('x {b}');
});
