/**
 * Training as a user meets it, on the CPU and on the GPU: histories, reproducibility, order of the data, validation,
 * callbacks, facts about time, and nothing left behind on the device.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { DEFAULT_TARGET } from '../../src/compile/target.ts';
import { arrayDataset } from '../../src/data/dataset.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { sgd } from '../../src/nn/optimizers/sgd.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { Callback } from '../../src/train/callbacks/callback.ts';
import { epochOrder } from '../../src/train/data/feed.ts';
import { Sequential, sequential } from '../../src/train/model/sequential.ts';
import { toyData, toyModel } from './toy.ts';

const data = toyData();
const quiet = { verbose: 0 } as const;

const backends: readonly [string, () => Promise<Backend>][] = [
  ['cpu', async () => createCpuBackend()],
  ['webgpu', () => createNodeWebGPUBackend()],
];

describe.each(backends)('fit on %s', (kind, create) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  beforeEach(() => setBackend(backend));
  afterAll(async () => {
    setBackend(undefined);
    await backend.dispose();
  });

  test('learns, and tells how it went', async () => {
    using model = toyModel();
    model.learningRate = 0.02;
    const history = await model.fit(data, { ...quiet, epochs: 20, batchSize: 8, validationData: toyData(30, 2) });
    expect(history.epoch).toEqual(Array.from({ length: 20 }, (_, k) => k));
    expect(Object.keys(history.history)).toEqual(['loss', 'accuracy', 'valLoss', 'valAccuracy']);
    expect(history.last.accuracy).toBeGreaterThan(0.8);
    expect(history.last.valAccuracy).toBeGreaterThan(0.8);
    expect(history.lossHistory).toHaveLength(20 * 7);
    const { facts } = history;
    expect(facts.firstStepMs).toBeGreaterThan(0);
    expect(facts.stepMs).toHaveLength(20 * 7 - 1);
    expect(facts.stepMsMedian).toBeGreaterThan(0);
    expect(facts.samplesPerSecond).toBeGreaterThan(0);
    expect(facts.dispatchesPerStep).toBeGreaterThan(0);
    expect(facts.pipelines).toBeGreaterThan(0);
    expect(facts.planBytes).toBeGreaterThan(4 * 50 * 3);
    if (kind === 'webgpu') expect(facts.submitsPerStep).toBe(1);
  });

  test('the mean over an epoch weighs the smaller last batch by its examples', async () => {
    using model = toyModel();
    const history = await model.fit(data, { ...quiet, batchSize: 40, shuffle: false });
    const [first, last] = history.lossHistory;
    expect(history.history.loss[0]).toBeCloseTo((40 * first + 10 * last) / 50, 5);
  });

  test('the same seed takes the same steps to the bit, another seed others', async () => {
    const digest = async (seed: number, modelSeed = 0) => {
      using model = toyModel({ seed: modelSeed, rate: 0.3 });
      return (await model.fit(data, { ...quiet, epochs: 2, batchSize: 16, seed })).digest;
    };
    const first = await digest(1);
    expect(await digest(1)).toBe(first);
    expect(await digest(2)).not.toBe(first);
    expect(await digest(1, 1)).not.toBe(first);
  });

  /** The same backend with a smaller binding limit. */
  function limited(maxStorageBufferBindingSize: number): Backend {
    const limits = { ...backend.target, maxStorageBufferBindingSize };
    return new Proxy(backend, {
      get(target, key) {
        if (key === 'target') return limits;
        const value = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  test('a data set too large to bind is streamed, with the same result', async () => {
    const digest = async (rows: number) => {
      using model = toyModel();
      return (await model.fit(toyData(rows), { ...quiet, epochs: 2, batchSize: 16 })).digest;
    };
    const resident = await digest(100);
    setBackend(limited(600));
    expect(await digest(100)).toBe(resident);
  });

  test('weights too large for one group give the same training in several', async () => {
    const losses = async () => {
      using model = toyModel();
      return (await model.fit(data, { ...quiet, epochs: 2, batchSize: 16, shuffle: false })).lossHistory;
    };
    const one = await losses();
    setBackend(limited(600));
    const several = await losses();
    several.forEach((loss, k) => {
      expect(loss).toBeCloseTo(one[k], 5);
    });
  });

  test('dropout acts in training and not at inference', async () => {
    using model = sequential([layers.dropout({ rate: 0.5 })], { inputShape: [1000] });
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    const ones = { data: new Float32Array(1000).fill(1), shape: [1, 1000] };
    expect(await (await model.predict(ones)).data()).toEqual(ones.data);
    // Values become 0 or 2: each is off by one.
    expect((await model.evaluate(ones, ones)).loss).toBe(0);
    expect((await model.gradientsOnBatch(ones, ones)).logs.loss).toBeCloseTo(1, 5);
  });

  test('nothing stays on the device when fits and models end', async () => {
    const before = backend.counters.liveBuffers;
    const model = toyModel();
    await model.fit(data, { ...quiet, batchSize: 50 });
    const held = backend.counters.liveBuffers;
    for (let k = 1; k <= 8; k++) {
      await model.fit(data, { ...quiet, batchSize: 5 * k, validationSplit: 0.2 });
      await model.evaluate(data, { batchSize: 3 * k });
    }
    expect(backend.counters.liveBuffers).toBe(held);
    for (let k = 1; k <= 8; k++) await model.predict({ data: new Float32Array(2 * k), shape: [k, 2] });
    const kept = backend.counters.liveBuffers;
    for (let k = 9; k <= 16; k++) await model.predict({ data: new Float32Array(2 * k), shape: [k, 2] });
    expect(backend.counters.liveBuffers).toBe(kept);
    model.dispose();
    model.dispose();
    expect(backend.counters.liveBuffers).toBe(before);
  });

  test('a callback that fails ends the fit and leaves nothing behind', async () => {
    using model = toyModel();
    await model.fit(data, quiet);
    const held = backend.counters.liveBuffers;
    const failing: Callback = {
      onBatchEnd: () => {
        throw new Error('enough');
      },
    };
    await expect(model.fit(data, { ...quiet, batchSize: 4, callbacks: [failing] })).rejects.toThrow('enough');
    expect(backend.counters.liveBuffers).toBe(held);
    await model.fit(data, quiet);
  });

  test('a training that goes on from saved state is the training that was not interrupted', async () => {
    const options = { ...quiet, batchSize: 16, seed: 4 };
    using whole = toyModel({ rate: 0.2 });
    const uninterrupted = await whole.fit(data, { ...options, epochs: 3 });
    using first = toyModel({ rate: 0.2 });
    await first.fit(data, { ...options, epochs: 1 });
    using second = Sequential.load(await first.save({ optimizer: true }));
    const rest = await second.fit(data, { ...options, epochs: 3, initialEpoch: 1 });
    expect(rest.epoch).toEqual([1, 2]);
    expect([...rest.lossHistory]).toEqual([...uninterrupted.lossHistory.subarray(4)]);
  });
});

describe('order of the data', () => {
  beforeAll(() => setBackend(createCpuBackend()));
  afterAll(() => setBackend(undefined));

  test('each epoch is another permutation of all rows', () => {
    for (const rows of [1, 2, 7, 50, 1000]) {
      const [a, b] = [epochOrder([1, 0], rows), epochOrder([1, 1], rows)];
      const all = Array.from({ length: rows }, (_, k) => k);
      expect([...a].sort((p, q) => p - q)).toEqual(all);
      expect([...b].sort((p, q) => p - q)).toEqual(all);
      if (rows > 7) expect([...a]).not.toEqual([...b]);
    }
  });

  test('an epoch trains on every example once, in the order that the seed says', async () => {
    // A frozen linear model on one-hot rows: the loss of a batch of one names its example.
    const rows = 11;
    const x = Float32Array.from({ length: rows }, (_, k) => k);
    const set = arrayDataset({ name: 'ramp', x, xShape: [1], y: new Float32Array(rows), yShape: [1] });
    using model = sequential([layers.dense({ units: 1, kernelInitializer: 'ones' })], { inputShape: [1] });
    model.compile({
      optimizer: sgd({ learningRate: 0 }),
      loss: 'mae',
    });
    const history = await model.fit(set, { ...quiet, epochs: 2, batchSize: 1, seed: 9 });
    expect([...history.lossHistory]).toEqual([...epochOrder([9, 0], rows), ...epochOrder([9, 1], rows)]);
    const inOrder = await model.fit(set, { ...quiet, batchSize: 1, shuffle: false });
    expect([...inOrder.lossHistory]).toEqual([...x]);
    const split = await model.fit(set, { ...quiet, batchSize: 3, validationSplit: 0.25, shuffle: false });
    expect(split.history).toEqual({ loss: [3.5], valLoss: [9] });
  });
});

describe('callbacks in a training', () => {
  beforeAll(() => setBackend(createCpuBackend()));
  afterAll(() => setBackend(undefined));

  test('hooks come in order, and each step reports once', async () => {
    using model = toyModel();
    const calls: string[] = [];
    const batches: number[] = [];
    const callback: Callback = {
      onTrainBegin: (params) => {
        expect(params).toEqual({
          epochs: 2,
          initialEpoch: 0,
          steps: 4,
          batchSize: 16,
          samples: 50,
          metrics: ['loss', 'accuracy'],
          ...{ seed: 0, shuffle: true },
        });
        calls.push('train begin');
      },
      onEpochBegin: (epoch) => void calls.push(`epoch ${epoch} begin`),
      onBatchEnd: (batch, logs) => {
        expect(Object.keys(logs)).toEqual(['loss', 'accuracy']);
        batches.push(batch);
      },
      onEpochEnd: async (epoch) => {
        expect(batches.splice(0)).toEqual([0, 1, 2, 3]);
        calls.push(`epoch ${epoch} end`);
      },
      onTrainEnd: (logs) => {
        expect(logs.loss).toBeGreaterThan(0);
        calls.push('train end');
      },
    };
    await model.fit(data, { ...quiet, epochs: 2, batchSize: 16, callbacks: [callback] });
    expect(calls).toEqual(['train begin', 'epoch 0 begin', 'epoch 0 end', 'epoch 1 begin', 'epoch 1 end', 'train end']);
  });

  test('stopTraining ends after the current step, and the epoch is reported', async () => {
    using model = toyModel();
    const callback: Callback = { onBatchBegin: (batch) => void (model.stopTraining = batch === 1) };
    const history = await model.fit(data, { ...quiet, epochs: 5, batchSize: 16, callbacks: [callback] });
    expect(history.epoch).toEqual([0]);
    expect(history.lossHistory).toHaveLength(2);
  });

  test('a callback can change the learning rate from step to step', async () => {
    using model = toyModel();
    const before = await model.getWeights();
    const callback: Callback = { onTrainBegin: (_, trained) => void (trained.learningRate = 0) };
    await model.fit(data, { ...quiet, epochs: 2, batchSize: 16, callbacks: [callback] });
    expect(await model.getWeights()).toEqual(before);
  });

  test('the event loop gets its turn while a step computes', async () => {
    using model = toyModel();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await model.fit(toyData(2000), { ...quiet, epochs: 8, batchSize: 2 });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(1);
  });
});

describe('the model and its backend', () => {
  test('weights and optimizer move along when the backend changes', async () => {
    const history = async (change: boolean) => {
      setBackend(createCpuBackend());
      using model = toyModel();
      await model.trainOnBatch([[1, 0]], [0]);
      if (change) setBackend(createCpuBackend({ target: { ...DEFAULT_TARGET, maxStorageBufferBindingSize: 512 } }));
      await model.trainOnBatch([[1, 0]], [0]);
      return (await model.getWeights()).map(({ data }) => [...data]);
    };
    expect(await history(true)).toEqual(await history(false));
    setBackend(undefined);
  });

  test('two trainings of one model at once are refused, predictions meanwhile are not', async () => {
    setBackend(createCpuBackend());
    using model = toyModel();
    const training = model.fit(data, { ...quiet, epochs: 3 });
    await expect(model.fit(data, quiet)).rejects.toThrow(/is being trained already/);
    expect((await model.predict([[1, 2]])).shape).toEqual([1, 3]);
    await training;
    setBackend(undefined);
  });
});
