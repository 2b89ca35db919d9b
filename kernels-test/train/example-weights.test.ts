/** Weights of examples and classes on the host: what they become and what is refused. */

import { expect, test } from 'vitest';
import { type ExampleWeightOptions, exampleWeights } from '../../src/train/example-weights.ts';
import type { Table } from '../../src/train/table.ts';
import { expectRefusal } from '../data/refusal.ts';

const ids: Table = { name: 'y', rows: 4, shape: [], encoding: 'i32', data: Int32Array.of(0, 2, 1, 2) };
const hot: Table = {
  name: 'y',
  rows: 3,
  shape: [3],
  encoding: 'f32',
  data: Float32Array.of(0, 1, 0, 0.2, 0.1, 0.7, 1, 0, 0),
};

type WeightOptions = Omit<ExampleWeightOptions, 'y'>;

const weights = async (options: WeightOptions, y = ids) => (await exampleWeights({ ...options, y }))?.data;

test('weights of examples are kept, weights of classes are looked up', async () => {
  expect(await weights({})).toBeUndefined();
  expect(await weights({ sampleWeight: [1, 0, 0.5, 2] })).toEqual(Float32Array.of(1, 0, 0.5, 2));
  expect(await weights({ sampleWeight: [[1], [2], [3], [4]] })).toEqual(Float32Array.of(1, 2, 3, 4));
  expect(await weights({ classWeight: { 0: 1, 1: 3, 2: 0.5 } })).toEqual(Float32Array.of(1, 0.5, 3, 0.5));
  expect(await weights({ classWeight: { 0: 1, 1: 3, 2: 0.5 } }, hot)).toEqual(Float32Array.of(3, 0.5, 1));
});

test.each([
  [{ sampleWeight: [1, 2] }, 'data', /sampleWeight has 2 weights but y has 4 targets/],
  [{ sampleWeight: [1, 2, -1, 1] }, 'data', /sampleWeight of example 2 is -1; weights are finite and at least 0/],
  [{ sampleWeight: [1, 2, Number.NaN, 1] }, 'data', /example 2 is NaN/],
  [
    {
      sampleWeight: [
        [1, 1],
        [1, 1],
        [1, 1],
        [1, 1],
      ],
    },
    'shape',
    /one number an example, found shape \[4,2\]/,
  ],
  [{ sampleWeight: [1, 1, 1, 1], classWeight: { 0: 1 } }, 'argument', /exclude each other/],
  [{ classWeight: { 0: 1, 2: 1 } }, 'argument', /no weight for class 1; y has classes 0, 1, 2/],
  [
    { classWeight: { 0: 1, 1: 1, 2: 1, 3: 1, 4: 1 } },
    'argument',
    /weights for classes 3, 4, of which there is no example; y has/,
  ],
  [{ classWeight: { 0: 1, 1: -2, 2: 1 } }, 'data', /classWeight of class 1 is -2/],
  [{ classWeight: { cat: 1 } as object }, 'argument', /class ids as keys, found "cat"/],
  [{ classWeight: [1, 2] as object }, 'argument', /such as \{ 0: 1, 1: 5 \}/],
] as const)('%j is refused', async (options, code, message) => {
  await expectRefusal(() => weights(options as WeightOptions), code, message);
});

test('class weights need one class an example', async () => {
  await expectRefusal(
    () => weights({ classWeight: { 0: 1 } }, { ...hot, rows: 1, shape: [3, 3], data: new Float32Array(9) }),
    'shape',
    /one class an example; y has targets of shape \[3,3\]/,
  );
});
