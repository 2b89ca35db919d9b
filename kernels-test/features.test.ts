/**
 * Every layer, activation, loss, metric, optimizer, schedule, initialiser, regularizer and constraint has golden cases, or a
 * reason why not; and docs/features.md says what there is.
 */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { EXCUSED, evidenceOf, GROUPS, isFeaturePageFresh, readersOf, withoutGolden } from '../scripts/docs-features.ts';

test('what has no golden case is excused, and nothing else is', () => {
  expect([...withoutGolden()].sort()).toEqual(Object.keys(EXCUSED).sort());
});

test('excuses name tests that exist', () => {
  const paths = Object.values(EXCUSED).flatMap((reason) => reason.match(/kernels-test\/[\w./-]+/g) ?? []);
  expect(paths.length).toBeGreaterThan(4);
  expect(paths.filter((path) => !existsSync(fileURLToPath(new URL(`../${path}`, import.meta.url))))).toEqual([]);
});

test('a feature without cases is noticed, and so is a file that no test reads', () => {
  const [relu, unknown] = evidenceOf({ ...GROUPS.layers, names: ['ReLU', 'NoSuchLayer'] });
  expect(relu).toMatchObject({ cpu: true, gpu: true });
  expect(relu.gradients).toBeGreaterThan(0);
  expect(unknown).toEqual({ name: 'NoSuchLayer', cases: 0, gradients: 0, cpu: false, gpu: false, tests: [] });
  expect(readersOf('nothing.json', [{ path: 'a.test.ts', text: "golden('something.json')" }])).toEqual([]);
});

/** Those of `evidence` that are not excused, as `group/name`. */
function unexcused(group: string, evidence: readonly { readonly name: string }[]): string[] {
  return evidence.map(({ name }) => `${group}/${name}`).filter((name) => !Object.hasOwn(EXCUSED, name));
}

describe('what is computed on the device', () => {
  const withGradients = ['layers', 'activations', 'regularizers', 'losses', 'optimizers'];

  test.each([...withGradients, 'constraints', 'metrics'])('%s have golden cases on CPU and GPU', (group) => {
    const bare = evidenceOf(GROUPS[group]).filter(({ cpu, gpu }) => !(cpu && gpu));
    expect(unexcused(group, bare)).toEqual([]);
  });

  test.each(withGradients)('%s have golden gradients', (group) => {
    const bare = evidenceOf(GROUPS[group]).filter(({ gradients }) => gradients === 0);
    expect(unexcused(group, bare)).toEqual([]);
  });
});

test('docs/features.md is up to date (npm run docs:features)', () => {
  expect(isFeaturePageFresh()).toBe(true);
});
