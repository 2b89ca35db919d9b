/**
 * Reads golden values: files of one JSON case a line under kernels-test/golden/ops, written by the scripts beside them
 * in golden/make with another library as the oracle.
 */

import { readFileSync } from 'node:fs';

export function goldenCases<T>(name: string): readonly T[] {
  const text = readFileSync(new URL(`../golden/ops/${name}.jsonl`, import.meta.url), 'utf8');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]));
}
