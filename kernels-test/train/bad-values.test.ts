/** Values that cannot be trained on, weights of a wrong kind, calls in the middle of a training, uncalled factories. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { type LossLike, losses } from '../../src/nn/losses/index.ts';
import { optimizers } from '../../src/nn/optimizers/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { type Sequential, sequential } from '../../src/train/model/sequential.ts';
import type { WeightValue } from '../../src/train/weights/weight-store.ts';
import { expectRefusal } from '../data/refusal.ts';
import { toyData, toyModel } from './toy.ts';

beforeAll(() => setBackend(createCpuBackend()));
afterAll(() => setBackend(undefined));

const model = (loss: LossLike, units = 1): Sequential =>
  sequential([layers.dense({ units })], { inputShape: [2] }).compile({ optimizer: 'sgd', loss });
const fitting = (loss: LossLike, x: number[][], y: number[] | number[][]) => () =>
  model(loss, Array.isArray(y[0]) ? y[0].length : 1).fit(x, y, { verbose: 0 });

describe('data', () => {
  const x = [
    [1, 2],
    [3, 4],
  ];
  const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
  test.each([
    [
      fitting(
        'mse',
        [
          [1, 2],
          [nan, 4],
        ],
        [0, 1],
      ),
      /^x: found NaN in example 1; training takes finite numbers/,
    ],
    [
      fitting(
        'mse',
        [
          [1, infinity],
          [3, 4],
        ],
        [0, 1],
      ),
      /^x: found Infinity in example 0/,
    ],
    [fitting('mse', x, [0, nan]), /^y: found NaN in example 1; meanSquaredError takes finite numbers/],
    [fitting('mae', x, [-infinity, 0]), /^y: found -Infinity in example 0/],
    [
      fitting('binaryCrossentropy', x, [0, 2]),
      /^y: found 2 in example 1; binaryCrossentropy takes targets from 0 to 1/,
    ],
    [
      fitting('categoricalCrossentropy', x, [
        [0, 1],
        [-1, 1],
      ]),
      /^y: found -1 in example 1; categorical.* at least 0/,
    ],
  ])('%#', async (call, message) => {
    await expectRefusal(call, 'data', message);
  });

  test('the shape of examples comes before their count', async () => {
    await expectRefusal(fitting('mse', [[1, 2, 3]], [0, 1]), 'shape', /examples have shape \[3\]/);
  });
});

test('setWeights checks every entry before it writes one', async () => {
  using trained = toyModel();
  const weights = await trained.getWeights();
  const last = weights[weights.length - 1];
  const withLast = (entry: unknown) => () =>
    trained.setWeights([
      ...weights.slice(0, -1).map((weight) => ({ ...weight, data: weight.data.map(() => 7) })),
      entry as WeightValue,
    ]);
  await expectRefusal(withLast(null), 'argument', /entry 3 must be one of \{ name, shape, data \}.* found null/);
  await expectRefusal(withLast(undefined), 'argument', /entry 3 .* found undefined/);
  await expectRefusal(withLast(Float32Array.of(1, 2, 3)), 'argument', /entry 3 .* found Float32Array/);
  await expectRefusal(
    withLast({ ...last, data: undefined }),
    'argument',
    /data of "dense_1\/bias" must be a Float32Array/,
  );
  await expectRefusal(
    withLast({ ...last, data: ['1', 2, 3] }),
    'argument',
    /data of "dense_1\/bias" must be a Float32/,
  );
  await expectRefusal(() => trained.setWeights(null as never), 'argument', /expected an array of .* found null/);
  expect(await trained.getWeights()).toEqual(weights);
  trained.setWeights([...weights.slice(0, -1), { ...last, data: [1, 2, 3] as never }]);
  expect((await trained.getWeights()).at(-1)?.data).toEqual(Float32Array.of(1, 2, 3));
});

test('a model that is being trained cannot be compiled, disposed or given weights', async () => {
  using trained = toyModel();
  const weights = await trained.getWeights();
  const saved = await trained.save();
  let calls = 0;
  const onEpochEnd = async (): Promise<void> => {
    for (const call of [
      () => trained.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' }),
      () => trained.dispose(),
      () => trained.setWeights(weights),
      () => trained.loadWeights(saved.weights),
    ]) {
      await expectRefusal(
        call,
        'state',
        /^(compile|dispose|setWeights|loadWeights): model .* is being trained already/,
      );
      calls++;
    }
  };
  await trained.fit(toyData(), { verbose: 0, callbacks: [{ onEpochEnd }] });
  expect(calls).toBe(4);
  trained.setWeights(weights);
});

test('a function that should have been called', async () => {
  const compile = (optimizer: unknown, loss: unknown) => () =>
    toyModel().compile({ optimizer: optimizer as 'adam', loss: loss as 'mse' });
  await expectRefusal(
    compile('adam', losses.meanSquaredError),
    'argument',
    /unknown loss function meanSquaredError; call it: losses\.meanSquaredError\(\)\. Known: /,
  );
  await expectRefusal(compile(optimizers.adam, 'mse'), 'argument', /call it: optimizers\.adam\(\)\. Known: /);
  await expectRefusal(compile(undefined, 'mse'), 'argument', /unknown optimizer undefined\. Known: /);
});
