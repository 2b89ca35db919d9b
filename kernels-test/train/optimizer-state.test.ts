/** The optimizer's state in a weights file is taken over whole, or the file is refused: never dropped without a word. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { readSafetensors, type SafetensorsInput, writeSafetensors } from '../../src/train/weights/safetensors.ts';
import { expectRefusal } from '../data/refusal.ts';
import { toyData, toyModel } from './toy.ts';

beforeAll(() => setBackend(createCpuBackend()));
afterAll(() => setBackend(undefined));

const data = toyData(20);
const OPTIONS = { batchSize: 5, verbose: 0, shuffle: false } as const;

/** A trained model's file with another `iterations`; undefined for none. */
async function fileWith(iterations: string | undefined): Promise<Uint8Array> {
  using model = toyModel();
  await model.fit(data, OPTIONS);
  const { tensors } = readSafetensors((await model.save({ optimizer: true })).weights, 'w');
  const entries = [...tensors].map(([name, { shape, data: values }]) => [name, { shape, data: values }] as const);
  const metadata = new Map([
    ['format', 'downhill'],
    ...(iterations === undefined ? [] : [['iterations', iterations] as const]),
  ]);
  return writeSafetensors(entries as readonly (readonly [string, SafetensorsInput])[], metadata);
}

test.each([[undefined], ['-1'], ['2.5'], ['many'], [''], ['1e400'], ['99999999999999999999']])(
  'slots with %j updates are refused, and nothing is changed',
  async (iterations) => {
    const bytes = await fileWith(iterations);
    using model = toyModel({ seed: 9 });
    const before = await model.getWeights();
    await expectRefusal(
      () => model.loadWeights(bytes, 'w'),
      'file',
      /w: "iterations" of the metadata is/,
      /\(8 tensors\) needs/,
    );
    expect(await model.getWeights()).toEqual(before);
  },
);

test('slots after 0 updates are the slots that training goes on with', async () => {
  using zero = toyModel();
  zero.loadWeights(await fileWith('0'));
  using counted = toyModel();
  counted.loadWeights(await fileWith('4'));
  expect([zero.iterations, counted.iterations]).toEqual([0, 4]);
  const state = async (model: typeof zero) => {
    const { tensors } = readSafetensors((await model.save({ optimizer: true })).weights, 'w');
    return [...tensors]
      .filter(([name]) => name.startsWith('optimizer/'))
      .map(([name, { data: values }]) => [name, [...values]]);
  };
  const slots = await state(zero);
  expect(slots.flatMap(([, values]) => values as number[]).some((value) => value !== 0)).toBe(true);
  expect(slots).toEqual(await state(counted));
});

test('a model that was never trained saves and loads its state', async () => {
  using model = toyModel();
  const { weights } = await model.save({ optimizer: true });
  using again = toyModel({ seed: 5 });
  again.loadWeights(weights);
  expect(again.iterations).toBe(0);
  expect((await again.fit(data, OPTIONS)).digest).toBe((await model.fit(data, OPTIONS)).digest);
});
