/**
 * Every layer, activation, loss, metric, optimizer, schedule, initialiser, regularizer, constraint, callback and model has
 * golden cases, or a reason why not; so has every row of the product's list; and docs/features.md says what there is.
 */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { EXCUSED, evidenceOf, GROUPS, isFeaturePageFresh, readersOf, withoutGolden } from '../scripts/docs-features.ts';
import { FEATURE_ROWS } from '../scripts/feature-rows.ts';

test('what has no golden case is excused, and nothing else is', () => {
  expect([...withoutGolden()].sort()).toEqual(Object.keys(EXCUSED).sort());
});

const rows = Object.values(FEATURE_ROWS).flat();
const fileOf = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

test('reasons name tests that exist', () => {
  const reasons = [
    ...Object.values(EXCUSED),
    ...rows.flatMap(({ answer }) => ('reason' in answer ? [answer.reason] : [])),
  ];
  const paths = reasons.flatMap((reason) => reason.match(/kernels-test\/[\w./-]+\.ts/g) ?? []);
  expect(paths.length).toBeGreaterThan(10);
  expect(paths.filter((path) => !existsSync(fileOf(path)))).toEqual([]);
});

describe("the product's list", () => {
  test.each(rows.map(({ feature, answer }) => [feature, answer] as const))('%s', (_feature, answer) => {
    if ('entries' in answer) {
      for (const entry of answer.entries) {
        const [group, name] = entry.split('/');
        expect(GROUPS[group].names, entry).toContain(name);
        const [{ cases }] = evidenceOf({ ...GROUPS[group], names: [name] });
        expect(cases > 0 || Object.hasOwn(EXCUSED, entry), entry).toBe(true);
      }
    } else if ('file' in answer) {
      expect(existsSync(fileOf(`kernels-test/golden/nn/${answer.file}`))).toBe(true);
      const text = readFileSync(fileOf(answer.test), 'utf8');
      expect(readersOf(answer.file, [{ path: answer.test, text }])).toHaveLength(1);
    } else expect(answer.reason).not.toBe('');
  });

  test('names nothing twice', () => {
    const named = rows.flatMap(({ answer }) => ('entries' in answer ? answer.entries : []));
    expect(named.length).toBeGreaterThan(100);
    expect(new Set(named).size).toBe(named.length);
  });

  test('names every model of the zoo', () => {
    const named = rows.flatMap(({ answer }) => ('entries' in answer ? answer.entries : []));
    const models = named.filter((entry) => entry.startsWith('models/'));
    expect(models.sort()).toEqual(GROUPS.models.names.map((name) => `models/${name}`).sort());
  });
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

  test.each([...withGradients, 'constraints', 'metrics', 'models'])('%s have golden cases on CPU and GPU', (group) => {
    const bare = evidenceOf(GROUPS[group]).filter(({ cpu, gpu }) => !(cpu && gpu));
    expect(unexcused(group, bare)).toEqual([]);
  });

  test.each([...withGradients, 'models'])('%s have golden gradients', (group) => {
    const bare = evidenceOf(GROUPS[group]).filter(({ gradients }) => gradients === 0);
    expect(unexcused(group, bare)).toEqual([]);
  });
});

test('docs/features.md is up to date (npm run docs:features)', () => {
  expect(isFeaturePageFresh()).toBe(true);
});
