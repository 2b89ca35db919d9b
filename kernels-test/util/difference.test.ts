/** The first difference of two plain values, as messages tell it: what one training was told and another is told. */

import { expect, test } from 'vitest';
import { firstDifference } from '../../src/util/difference.ts';

test.each([
  ['a value', { a: 1, b: { c: 2 } }, { a: 1, b: { c: 3 } }, { path: 'b.c', before: '2', after: '3' }],
  ['a key that is gone', { a: 1, b: 2 }, { a: 1 }, { path: 'b', before: '2', after: 'none' }],
  ['a key that is new', { a: 1 }, { a: 1, b: 2 }, { path: 'b', before: 'none', after: '2' }],
  ['an entry that is new', { a: [1] }, { a: [1, 2] }, { path: 'a[1]', before: 'none', after: '2' }],
  ['a list for a record', { a: [1] }, { a: { 0: 1 } }, { path: 'a', before: '[1]', after: '{"0":1}' }],
  ['no number', Number.NaN, null, { path: '', before: 'NaN', after: 'null' }],
])('%s', (_, before, after, expected) => {
  expect(firstDifference(before, after)).toEqual(expected);
});

test('equal values have none, whatever the order of their keys', () => {
  expect(firstDifference({ a: [1, { b: Number.NaN }], c: 'x' }, { c: 'x', a: [1, { b: Number.NaN }] })).toBeUndefined();
});
