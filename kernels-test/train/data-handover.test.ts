/** Data is read when it is handed over: arrays that change afterwards, or are filled again, change no result. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { type ArrayDataset, arrayDataset } from '../../src/data/dataset.ts';
import { collect, fromGenerator } from '../../src/data/stream.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { NumericArray, ShapedData } from '../../src/train/data/table.ts';
import { Sequential } from '../../src/train/model/sequential.ts';

beforeAll(() => setBackend(createCpuBackend()));
afterAll(() => setBackend(undefined));

/** Gives its input times a weight that begins as 1; the loss of x against 0 is x². */
function scale(): Sequential {
  return new Sequential([layers.dense({ units: 1, useBias: false, kernelInitializer: 'ones' })], {
    inputShape: [1],
  }).compile({ optimizer: 'sgd', loss: 'mse' });
}

const ROWS = 6;
const KINDS = [Float32Array, Float64Array, Uint8Array, Uint8ClampedArray, Int8Array, Int16Array, Uint16Array] as const;

/** 1 … 6 under every form in which data is handed over, with a function that spoils it. */
const forms: readonly (readonly [string, () => { x: ShapedData | number[][] | ArrayDataset; spoil: () => void }])[] = [
  ...[...KINDS, Int32Array, Uint32Array].map((Kind) => {
    const make = () => {
      const data: NumericArray = Kind.from([1, 2, 3, 4, 5, 6]);
      return { x: { data, shape: [ROWS, 1] }, spoil: () => void data.fill(99) };
    };
    return [Kind.name, make] as const;
  }),
  [
    'nested arrays',
    () => {
      const x = [[1], [2], [3], [4], [5], [6]];
      return { x, spoil: () => x.forEach((row) => void (row[0] = 99)) };
    },
  ],
];

describe.each(forms)('%s', (_name, make) => {
  const y = () => ({ data: new Float32Array(ROWS), shape: [ROWS, 1] });
  const expected = [1, 4, 9, 16, 25, 36];

  test('changed after predict has returned its promise', async () => {
    using model = scale();
    const { x, spoil } = make();
    // Two calls: the second one waits for the first, and reads its data late.
    const first = model.predict(x as ShapedData, { batchSize: 2 });
    const second = model.predict(x as ShapedData, { batchSize: 2 });
    spoil();
    expect([...(await (await first).data())]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...(await (await second).data())]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('changed after fit has returned its promise, x, y, weights and validation data', async () => {
    const run = async (spoilt: boolean) => {
      using model = scale();
      const [{ x, spoil }, held] = [make(), make()];
      const [targets, weights] = [y(), Float32Array.of(1, 2, 3, 1, 2, 3)];
      const training = model.fit(x as ShapedData, targets, {
        ...{ batchSize: 1, epochs: 2, verbose: 0, shuffle: false, sampleWeight: weights },
        validationData: [held.x as ShapedData, targets, weights],
      });
      if (spoilt) for (const change of [spoil, held.spoil, () => targets.data.fill(9), () => weights.fill(9)]) change();
      const { lossHistory, history } = await training;
      return { losses: [...lossHistory], validation: history.valLoss };
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test('changed after evaluate, trainOnBatch, gradientsOnBatch and activationsOnBatch have', async () => {
    using model = scale();
    const call = async <T>(work: (x: ShapedData, targets: ShapedData) => Promise<T>): Promise<T> => {
      const { x, spoil } = make();
      const targets = y();
      const result = work(x as ShapedData, targets);
      spoil();
      targets.data.fill(9);
      return result;
    };
    const mean = expected.reduce((sum, value) => sum + value, 0) / ROWS;
    expect((await call((x, t) => model.evaluate(x, t))).loss).toBeCloseTo(mean, 4);
    expect((await call((x, t) => model.gradientsOnBatch(x, t))).logs.loss).toBeCloseTo(mean, 4);
    expect([...(await call((x) => model.activationsOnBatch(x)))[0].data]).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await call((x, t) => model.trainOnBatch(x, t))).loss).toBeCloseTo(mean, 4);
  });
});

test('a data set that changes after fit has returned its promise', async () => {
  using model = scale();
  const x = Float32Array.of(1, 2, 3);
  const set = arrayDataset({ name: 'changing', x, xShape: [1], y: new Float32Array(3), yShape: [1] });
  model.learningRate = 1e-12;
  const training = model.fit(set, { batchSize: 1, shuffle: false, verbose: 0 });
  x.fill(99);
  set.y.fill(99);
  expect([...(await training).lossHistory]).toEqual([1, 4, 9]);
});

/** Yields 1 … 6, always in the same array. */
const sources = {
  'a generator': function* () {
    const [x, y] = [new Float32Array(1), new Float32Array(1)];
    for (let k = 1; k <= ROWS; k++) {
      x[0] = k;
      yield { x, y };
    }
    x.fill(99);
  },
  'an async generator': async function* () {
    const [x, y] = [new Float32Array(1), new Float32Array(1)];
    for (let k = 1; k <= ROWS; k++) {
      await Promise.resolve();
      x[0] = k;
      yield { x, y };
    }
    x.fill(99);
  },
};

describe.each(Object.entries(sources))('%s that fills one array again and again', (_name, source) => {
  const stream = () => fromGenerator(source, { xShape: [1], yShape: [1] });

  test('trains, validates and predicts with what it yielded', async () => {
    using model = scale();
    model.learningRate = 1e-12;
    const { lossHistory, history } = await model.fit(stream(), {
      ...{ batchSize: 1, verbose: 0, validationData: stream() },
    });
    expect([...lossHistory]).toEqual([1, 4, 9, 16, 25, 36]);
    expect(history.valLoss[0]).toBeCloseTo(91 / 6, 4);
    expect([...(await (await model.predict(stream(), { batchSize: 1 })).data())]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('gives batches of every size and a set in memory', async () => {
    for (const size of [1, 2, 4, 6, 9]) {
      const rows: number[] = [];
      for await (const { x } of stream().batches(size)) rows.push(...x);
      expect(rows).toEqual([1, 2, 3, 4, 5, 6]);
    }
    expect([...(await collect(stream())).x]).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

test('a stream of somebody else’s making may fill its arrays again, too', async () => {
  const about = { name: 'own', xShape: [1], yShape: [1] };
  const stream = {
    ...about,
    async *batches() {
      const [x, y] = [new Float32Array(1), new Float32Array(1)];
      for (let k = 1; k <= ROWS; k++) {
        x[0] = k;
        yield { ...about, x, y, size: 1 };
      }
    },
  };
  using model = scale();
  model.learningRate = 1e-12;
  const { lossHistory } = await model.fit(stream, { batchSize: 1, verbose: 0 });
  expect([...lossHistory]).toEqual([1, 4, 9, 16, 25, 36]);
  expect([...(await (await model.predict(stream, { batchSize: 1 })).data())]).toEqual([1, 2, 3, 4, 5, 6]);
  expect([...(await collect(stream)).x]).toEqual([1, 2, 3, 4, 5, 6]);
});
