/** No line of the sources is over 120 columns; files that still have such lines are listed, so that no other gets one. */

import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { longLines, longLinesOfTree } from '../scripts/lint/long-lines.ts';
import { STILL_LONG } from '../scripts/lint/long-lines-todo.ts';

test('no line is over 120 columns', () => {
  const found = longLinesOfTree(fileURLToPath(new URL('..', import.meta.url)));
  const listed = new Set(STILL_LONG);
  const fresh = found.filter(({ path }) => !listed.has(path));
  expect(fresh.map(({ path, line, columns }) => `${path}:${line} has ${columns} columns`)).toEqual([]);
});

test('a long line is found in code, comments and strings; columns are characters', () => {
  const word = 'abcde ';
  const columns = (text: string) => longLines('x.ts', text).map((line) => [line.line, line.columns]);
  expect(columns(`// ${word.repeat(19)}abc`)).toEqual([]);
  expect(columns(`\n// ${word.repeat(19)}abcd`)).toEqual([[2, 121]]);
  expect(columns(`const text = '${word.repeat(20)}';\nlet x = 1;\n/* ${word.repeat(30)}*/`)).toEqual([
    [1, 136],
    [3, 185],
  ]);
  expect(columns(`// ${'∂y·∂x '.repeat(19)}𝛁yz`)).toEqual([]);
});

test('a line that no break would shorten passes', () => {
  expect(longLines('x.ts', `// See https://example.org/${'a'.repeat(100)} for more.`)).toEqual([]);
  expect(longLines('x.ts', `const digest = '${'0'.repeat(120)}';`)).toEqual([]);
});
