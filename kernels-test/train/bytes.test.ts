/**
 * What bytes mean: value / 255 where an example has the shape of an image, plain numbers everywhere else, and
 * what the caller says where he says it; by one rule for x, y, statistics and the command line.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { withTargets } from '../../src/cli/match-model.ts';
import { arrayDataset } from '../../src/data/dataset.ts';
import { fromGenerator } from '../../src/data/stream.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { resolveLoss } from '../../src/nn/losses/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { ShapedData } from '../../src/train/data/table.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { sizeOf } from '../../src/util/shape.ts';
import { expectRefusal } from '../data/refusal.ts';

beforeAll(() => setBackend(createCpuBackend()));
afterAll(() => setBackend(undefined));

const f = Math.fround;
const BYTES = [0, 51, 102, 255];
/** Shapes of one example of four values, with what a byte of it is divided by. */
const SHAPES = [
  [[2, 2, 1], 255],
  [[1, 1, 4], 255],
  [[4], 1],
  [[2, 2], 1],
  [[1, 2, 2, 1], 1],
] as const;

/** Gives its input back. */
const identity = (inputShape: readonly number[]) =>
  new Sequential([layers.activation({ activation: 'linear' })], { inputShape }).compile({
    optimizer: 'sgd',
    loss: 'mse',
  });

describe.each([Uint8Array, Uint8ClampedArray])('%o', (Kind) => {
  test.each(SHAPES)('examples of shape %j are divided by %i', async (shape, by) => {
    using model = identity(shape);
    const x = { data: Kind.from(BYTES), shape: [1, ...shape] };
    const floats = { data: Float32Array.from(BYTES, (value) => value / by), shape: x.shape };
    // predict, evaluate of x alone, of y alone, and of an image as its own target.
    const close = (values: ArrayLike<number>) => Array.from(values, (value) => expect.closeTo(value, 6));
    expect([...(await (await model.predict(x)).data())]).toEqual(close(floats.data));
    expect((await model.evaluate(x, floats)).loss).toBeCloseTo(0, 10);
    expect((await model.evaluate(floats, x)).loss).toBeCloseTo(0, 10);
    expect((await model.evaluate(x, x)).loss).toBeCloseTo(0, 10);
    // fit, its validation data, single batches and a stream.
    const { history } = await model.fit(x, floats, { validationData: [floats, x], verbose: 0 });
    expect(history.loss[0] + history.valLoss[0]).toBeCloseTo(0, 10);
    expect((await model.gradientsOnBatch(x, floats)).logs.loss).toBeCloseTo(0, 10);
    expect([...(await model.activationsOnBatch(x))[0].data]).toEqual(close(floats.data));
    const stream = fromGenerator(() => [{ x: Uint8Array.from(BYTES), y: floats.data }], {
      xShape: shape,
      yShape: shape,
    });
    expect((await model.evaluate(stream)).loss).toBeCloseTo(0, 10);
    // Statistics.
    const mean = 102 / by;
    const { mean: found } = layers.normalization({ axis: null }).adapt(x).config as { mean: number };
    expect(found).toBeCloseTo(mean, 6);
  });

  test.each(SHAPES)('examples of shape %j mean what the caller says', async (shape) => {
    using model = identity(shape);
    for (const [scaleBytes, by] of [
      [true, 255],
      [false, 1],
    ] as const) {
      const x = { data: Kind.from(BYTES), shape: [1, ...shape], scaleBytes };
      const floats = Float32Array.from(BYTES, (value) => value / by);
      expect([...(await (await model.predict(x)).data())].map(f)).toEqual([...floats].map((v) => expect.closeTo(v, 6)));
      expect((await model.evaluate({ data: floats, shape: x.shape }, x)).loss).toBeCloseTo(0, 10);
      const { mean } = layers.normalization({ axis: null }).adapt(x).config as { mean: number };
      expect(mean).toBeCloseTo(102 / by, 6);
    }
  });
});

test('a data set says it by side', async () => {
  const x = Uint8Array.of(0, 1, 1, 0);
  const set = (scaleBytes?: { x?: boolean; y?: boolean }) =>
    arrayDataset({ name: 'mask', x, xShape: [2, 2, 1], y: x, yShape: [2, 2, 1], ...(scaleBytes && { scaleBytes }) });
  using model = identity([2, 2, 1]);
  const y = f(1 / 255);
  expect((await model.evaluate(set({ x: false, y: false }))).loss).toBe(0);
  expect((await model.evaluate(set({ x: false, y: true }))).loss).toBeCloseTo((1 - y) ** 2 / 2, 6);
  await expectRefusal(() => model.evaluate(set({ x: false })), 'data', /y of "mask": bytes of 0 and 1 alone/);
  await expectRefusal(
    () => model.evaluate(set()),
    'data',
    /x of "mask": bytes of 0 and 1 alone in the shape of images/,
  );
});

test('bytes of 0 and 1 in the shape of an image are refused, since 1 / 255 would train nothing', async () => {
  using model = identity([2, 2, 1]);
  const board = { data: Uint8Array.of(0, 1, 1, 0), shape: [1, 2, 2, 1] };
  await expectRefusal(() => model.predict(board), 'data', /x: bytes of 0 and 1 alone.*scaleBytes: false/);
  await expectRefusal(() => layers.normalization().adapt(board), 'data', /adapt: bytes of 0 and 1 alone/);
  const black = { data: new Uint8Array(4), shape: [1, 2, 2, 1] };
  expect([...(await (await model.predict(black)).data())]).toEqual([0, 0, 0, 0]);
  const wrong = { ...board, scaleBytes: 'no' } as unknown as ShapedData;
  await expectRefusal(() => model.predict(wrong), 'argument', /scaleBytes must be true or false, found "no"/);
});

test('eight planes of a board are not an image', async () => {
  using model = identity([1, 1, 8]);
  const board = { data: Uint8Array.of(0, 1, 1, 0, 1, 1, 0, 1), shape: [1, 1, 1, 8] };
  expect([...(await (await model.predict(board)).data())]).toEqual([...board.data]);
});

test('a multi-hot matrix of bytes learns what it learns as floats, to the bit', async () => {
  const [rows, words] = [40, 9];
  const x = Uint8Array.from({ length: rows * words }, (_, k) => ((k * k) % 7 < 3 ? 1 : 0));
  const y = Float32Array.from({ length: rows }, (_, row) => x[row * words]);
  const train = async (data: Uint8Array | Float32Array) => {
    using model = new Sequential([layers.dense({ units: 1, activation: 'sigmoid' })], { inputShape: [words] });
    model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy' });
    return await model.fit({ data, shape: [rows, words] }, { data: y, shape: [rows, 1] }, { epochs: 3, verbose: 0 });
  };
  expect((await train(x)).digest).toBe((await train(Float32Array.from(x))).digest);
});

test('the command line takes an image for its own target by the same rule', () => {
  for (const [shape, by] of SHAPES) {
    const x = Uint8Array.from(BYTES);
    const set = arrayDataset({ name: 'images', x, xShape: shape, y: Int32Array.of(0), classNames: ['a'] });
    expect(sizeOf(shape)).toBe(4);
    const { y, yShape } = withTargets(set, 'input', resolveLoss('meanSquaredError'), shape);
    expect([...y]).toEqual(BYTES.map((value) => f(value / by)));
    expect(yShape).toEqual(shape);
  }
});
