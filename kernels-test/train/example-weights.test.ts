/** Weights of examples and classes on the host: what they become and what is refused. */

import { describe, expect, test } from 'vitest';
import {
  type ClassWeight,
  exampleWeights,
  type SampleWeight,
  weightTables,
} from '../../src/train/data/example-weights.ts';
import type { Table } from '../../src/train/data/table.ts';
import { expectRefusal } from '../data/refusal.ts';

const ids: Table = { name: 'y', rows: 4, shape: [], encoding: 'i32', data: Int32Array.of(0, 2, 1, 2) };
const hot: Table = {
  name: 'y',
  rows: 3,
  shape: [3],
  encoding: 'f32',
  data: Float32Array.of(0, 1, 0, 0.2, 0.1, 0.7, 1, 0, 0),
};

interface WeightOptions {
  readonly sampleWeight?: SampleWeight;
  readonly classWeight?: ClassWeight;
}

async function weightsOf({ sampleWeight: given, classWeight }: WeightOptions, y: Table, outputs: readonly string[]) {
  const sampleWeight = await weightTables(given, outputs);
  return exampleWeights({
    y,
    ...(sampleWeight !== undefined && { sampleWeight }),
    ...(classWeight !== undefined && { classWeight }),
  });
}

const weights = async (options: WeightOptions, y = ids) => (await weightsOf(options, y, ['out'])).shared?.data;

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
  [{ classWeight: { cat: 1 } as object }, 'argument', /key "cat" is not a class index; keys are class indices/],
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

test.each([
  ['two classes', [1, 0, 1], 2],
  ['none', [0, 0, 0], 3],
  ['two that are equally likely', [0.4, 0.4, 0.2], 2],
] as const)('class weights refuse a row of %s, whose first would be taken for its class', async (_, row, equals) => {
  await expectRefusal(
    () => weights({ classWeight: { 0: 1, 1: 1, 2: 1 } }, { ...hot, data: Float32Array.of(0, 1, 0, ...row, 1, 0, 0) }),
    'data',
    new RegExp(`example 1 of y has ${equals} equal largest values, .*for several classes give sampleWeight`),
  );
});

test('class weights of targets that are all equal, and of ties away from the largest value', async () => {
  const equal = { ...ids, data: Int32Array.of(1, 1, 1, 1) };
  expect(await weights({ classWeight: { 1: 3 } }, equal)).toEqual(Float32Array.of(3, 3, 3, 3));
  const soft = { ...hot, data: Float32Array.of(0.1, 0.1, 0.8, 0.6, 0.2, 0.2, 0.25, 0.5, 0.25) };
  expect(await weights({ classWeight: { 0: 1, 1: 3, 2: 0.5 } }, soft)).toEqual(Float32Array.of(0.5, 1, 3));
});

describe('several outputs', () => {
  const outputs = ['a', 'b'];
  const of = async (sampleWeight: unknown) => {
    const { shared, byOutput } = await weightsOf({ sampleWeight: sampleWeight as number[] }, ids, outputs);
    return [shared && [...shared.data], byOutput?.map((table) => table && [...table.data])];
  };
  const [ones, twos] = [
    [1, 1, 1, 1],
    [2, 2, 2, 2],
  ];

  test('take weights for all, for each in their order, or by name', async () => {
    expect(await of(ones)).toEqual([ones, undefined]);
    expect(await of({ data: Float32Array.from(twos), shape: [4] })).toEqual([twos, undefined]);
    expect(await of([ones, twos])).toEqual([undefined, [ones, twos]]);
    expect(await of([null, Float32Array.from(twos)])).toEqual([undefined, [undefined, twos]]);
    expect(await of({ b: twos })).toEqual([undefined, [undefined, twos]]);
  });

  test.each([
    [{ c: ones }, 'argument', /unknown output in sampleWeight: "c".* a, b/],
    [[ones], 'argument', /sampleWeight has 1 lists of weights; expected one for each output \(a, b\)/],
    [[ones, [1, 2]], 'data', /sampleWeight "b" has 2 weights but y has 4 targets/],
    [{ a: [1, -1, 1, 1] }, 'data', /sampleWeight "a" of example 1 is -1/],
  ] as const)('%j is refused', async (sampleWeight, code, message) => {
    await expectRefusal(() => of(sampleWeight), code, message);
  });
});
