/**
 * What models over the same layers owe each other beside the numbers (shared-weights.test.ts): memory, files,
 * callbacks, random starts, backends, and trainings at the same time.
 */

import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { create } from 'webgpu';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createWebGPUBackend } from '../../src/backend/webgpu.ts';
import type { Layer } from '../../src/nn/layer.ts';
import { inputSymbol as input } from '../../src/nn/layers/core/input.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { optimizers } from '../../src/nn/optimizers/index.ts';
import { exponentialDecay } from '../../src/nn/schedules/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { callbacks } from '../../src/train/callbacks/index.ts';
import { model } from '../../src/train/model/functional.ts';
import { loadModelFiles, modelFromJSON } from '../../src/train/model/load-model.ts';
import type { Model } from '../../src/train/model/model.ts';
import { sequential } from '../../src/train/model/sequential.ts';
import { expectRefusal } from '../data/refusal.ts';

// Dawn dies with the process's last reference to its instance, so it stays in module scope.
const gpu = create([]);
let backend: Backend;
const open = new Set<Model>();

beforeEach(() => {
  backend = createCpuBackend();
  setBackend(backend);
});
afterEach(() => {
  for (const one of open) one.dispose();
  open.clear();
});
afterAll(() => setBackend(undefined));

function own<T extends Model>(one: T): T {
  open.add(one);
  return one;
}

const X = [
  [1, 0.5, -1],
  [0, 2, 1],
  [-1, 1, 0.5],
  [0.3, -0.2, 1],
];
const CODES = X.map(([a, b]) => [a + b, a - b]);
const adam = () => optimizers.adam({ learningRate: 0.05 });

/** An autoencoder with its encoder and its decoder. */
function autoencoder() {
  const x = input({ shape: [3], name: 'x' });
  const code = layers.dense({ units: 2, activation: 'tanh', name: 'code' })(x);
  const z = input({ shape: [2], name: 'z' });
  const last = layers.dense({ units: 3, name: 'last' });
  const encoder = own(model({ inputs: x, outputs: code, name: 'encoder' }));
  const decoder = own(model({ inputs: z, outputs: last(z), name: 'decoder' }));
  const whole = own(model({ inputs: x, outputs: last(code), name: 'whole' }));
  whole.compile({ optimizer: adam(), loss: 'mse' });
  return { encoder, decoder, whole };
}

const values = async (one: Model) => (await one.getWeights()).flatMap(({ data }) => [...data]);
const outputs = async (one: Model, x = X) => [...(await (await one.predict(x)).data())];

describe('memory', () => {
  test('weights are on the device once, and stay until the last model that has them is disposed', async () => {
    const { encoder, decoder, whole } = autoencoder();
    await whole.trainOnBatch(X, X);
    const before = backend.counters.liveBytes;
    await encoder.predict(X);
    const programs = backend.counters.liveBytes;
    expect(programs - before).toBeLessThan(200); // batch and outputs, no weights
    const trained = await values(encoder);
    const out = await outputs(whole);
    whole.dispose();
    open.delete(whole);
    expect(await values(encoder)).toEqual(trained);
    expect(await outputs(decoder, chunk(await outputs(encoder), 2))).toEqual(out);
    for (const one of [encoder, decoder]) one.dispose();
    open.clear();
    expect(backend.counters.liveBuffers).toBe(0);
  });

  test('a stack of taken layers keeps them before it is built; a layer that outlives all models says so', async () => {
    const net = own(
      sequential([layers.dense({ units: 2, name: 'a' }), layers.dense({ units: 1 })], { inputShape: [3] }),
    );
    net.compile({ optimizer: adam(), loss: 'mse' });
    await net.trainOnBatch(X, [1, 2, 3, 4]);
    const trained = (await values(net)).slice(0, 8);
    const [first, second] = net.layers;
    const cut = own(sequential([first]));
    net.dispose();
    open.delete(net);
    await cut.predict(X);
    expect(await values(cut)).toEqual(trained);
    const late = own(sequential([first, second]));
    await expectRefusal(() => late.predict(X), 'state', /"dense\/kernel" was freed when the last model.*setWeights/s);
    late.setWeights([
      ...(await cut.getWeights()),
      { name: 'dense/kernel', shape: [2, 1], data: Float32Array.of(1, 1) },
      { name: 'dense/bias', shape: [1], data: Float32Array.of(0) },
    ]);
    const sums = chunk(await outputs(cut), 2).map(([a, b]) => a + b);
    (await outputs(late)).forEach((value, k) => void expect(value).toBeCloseTo(sums[k], 5));
  });

  test('a hundred models over the same layers leave nothing behind', async () => {
    const { whole } = autoencoder();
    await whole.trainOnBatch(X, X);
    const { liveBuffers } = backend.counters;
    for (let k = 0; k < 100; k++) {
      using cut = sequential(whole.layers.slice(0, -1));
      await cut.predict(X);
    }
    await whole.trainOnBatch(X, X);
    expect(backend.counters.liveBuffers).toBe(liveBuffers);
  });
});

describe('training', () => {
  test('models trained in turn build nothing anew, and each keeps its optimizer’s state', async () => {
    const { encoder, whole } = autoencoder();
    encoder.compile({ optimizer: optimizers.sgd({ learningRate: 0.1, momentum: 0.9 }), loss: 'mse' });
    for (let k = 0; k < 3; k++) {
      await whole.trainOnBatch(X, X);
      await encoder.trainOnBatch(X, CODES);
    }
    const { buffersCreated, bindGroupsCreated, dispatches } = backend.counters;
    await whole.trainOnBatch(X, X);
    await encoder.trainOnBatch(X, CODES);
    expect(backend.counters.buffersCreated).toBe(buffersCreated);
    expect(backend.counters.bindGroupsCreated).toBe(bindGroupsCreated);
    expect(backend.counters.dispatches).toBeGreaterThan(dispatches);
    expect([whole.iterations, encoder.iterations]).toEqual([4, 4]);
  });

  test('compiling one in the middle moves the weights, and nobody’s numbers', async () => {
    const run = async (interrupt: boolean) => {
      const { encoder, decoder, whole } = autoencoder();
      await whole.trainOnBatch(X, X);
      if (interrupt) {
        encoder.compile({ optimizer: 'sgd', loss: 'mse' });
        await encoder.evaluate(X, CODES);
        decoder.compile({ optimizer: 'adam', loss: 'mse' });
        await decoder.gradientsOnBatch(CODES, X);
      }
      for (let k = 0; k < 3; k++) await whole.trainOnBatch(X, X);
      return values(whole);
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test('another model looks in while one is trained; what would move its weights is refused', async () => {
    const { encoder, decoder, whole } = autoencoder();
    const seen: number[][] = [];
    let refused: Promise<unknown> | undefined;
    await whole.fit(X, X, {
      ...{ epochs: 2, batchSize: 2, verbose: 0 },
      callbacks: [
        {
          async onEpochEnd(epoch) {
            seen.push(await outputs(encoder));
            // A new head of its own is laid down beside.
            using headed = sequential([...encoder.layers.slice(1), layers.dense({ units: 1, name: 'head' })]);
            expect(await outputs(headed)).toHaveLength(4);
            if (epoch > 0) return;
            decoder.compile({ optimizer: 'sgd', loss: 'mse' });
            refused = expectRefusal(
              () => decoder.trainOnBatch(CODES, X),
              'state',
              /"decoder" shares .*"whole", which is/,
            );
            await refused;
            const elsewhere = createCpuBackend();
            setBackend(elsewhere);
            await expectRefusal(() => encoder.predict(X), 'state', /"code\/kernel".*"whole".*use one backend for both/);
            setBackend(backend);
            await elsewhere.dispose();
          },
        },
      ],
    });
    expect(refused).toBeDefined();
    expect(seen[0]).not.toEqual(seen[1]);
    expect(seen[1]).toEqual(await outputs(encoder));
    // After the training it goes.
    const before = await values(whole);
    await decoder.trainOnBatch(CODES, X);
    const after = await values(whole);
    expect(after.slice(0, 8)).toEqual(before.slice(0, 8));
    expect(after.slice(8)).not.toEqual(before.slice(8));
  });

  test('an optimizer and a schedule may serve two models: each counts its own steps', async () => {
    const rate = exponentialDecay({ initialLearningRate: 0.1, decaySteps: 1, decayRate: 0.5 });
    const optimizer = optimizers.adam({ learningRate: rate });
    const build = () => own(sequential([layers.dense({ units: 2 })], { inputShape: [3] }));
    const [first, second] = [build(), build()];
    for (const one of [first, second]) one.compile({ optimizer, loss: 'mse' });
    for (let k = 0; k < 3; k++) await first.trainOnBatch(X, CODES);
    await second.trainOnBatch(X, CODES);
    expect(first.learningRate).toBeCloseTo(0.1 * 0.5 ** 3, 12);
    expect(second.learningRate).toBeCloseTo(0.05, 12);
    expect([first.iterations, second.iterations]).toEqual([3, 1]);
  });

  test('frozen is what was frozen at compile, for normalisation too', async () => {
    const build = () => {
      const norm = layers.batchNormalization({ momentum: 0.5, name: 'n' });
      const net = own(sequential([layers.dense({ units: 2, name: 'd' }), norm], { inputShape: [3] }));
      return { net, norm };
    };
    const [plain, later] = [build(), build()];
    for (const { net } of [plain, later]) net.compile({ optimizer: adam(), loss: 'mse' });
    later.net.trainable = false;
    for (const { net } of [plain, later]) await net.fit(X, CODES, { epochs: 2, verbose: 0 });
    expect(await values(later.net)).toEqual(await values(plain.net));
    const before = await values(later.net);
    later.net.compile({ optimizer: adam(), loss: 'mse' });
    later.net.trainable = true;
    await later.net.fit(X, CODES, { epochs: 2, verbose: 0 });
    expect(await values(later.net)).toEqual(before);
  });

  test('restoreBestWeights, averages and setWeights of one model hold for the others', async () => {
    const { encoder, whole } = autoencoder();
    const stop = callbacks.earlyStopping({ monitor: 'loss', mode: 'max', patience: 9, restoreBestWeights: true });
    let first: number[] = [];
    const note = { onEpochEnd: async (epoch: number) => void (epoch === 0 && (first = await values(encoder))) };
    await whole.fit(X, X, { epochs: 4, verbose: 0, callbacks: [stop, note] });
    expect(await values(encoder)).toEqual(first);
    whole.compile({ optimizer: optimizers.sgd({ learningRate: 0.5, useEma: true, emaMomentum: 0.5 }), loss: 'mse' });
    await whole.fit(X, X, { epochs: 3, verbose: 0 });
    expect(await values(encoder)).toEqual((await values(whole)).slice(0, 8));
    whole.setWeights((await whole.getWeights()).map((w) => ({ ...w, data: w.data.map(() => 1) })));
    expect(new Set(await values(encoder))).toEqual(new Set([1]));
  });
});

describe('files', () => {
  test('either is saved and comes back with what both had learned', async () => {
    const { encoder, whole } = autoencoder();
    await whole.fit(X, X, { epochs: 3, verbose: 0 });
    const again = own(loadModelFiles(await encoder.save()));
    expect(await outputs(again)).toEqual(await outputs(encoder));
    const files = await whole.save({ optimizer: true });
    const twin = own(loadModelFiles(files));
    await whole.trainOnBatch(X, X);
    await twin.trainOnBatch(X, X);
    expect(await values(twin)).toEqual(await values(whole));
    // Loading one sets the other.
    whole.loadWeights(files.weights);
    expect(await outputs(encoder)).toEqual(await outputs(again));
  });

  test('a layer inside a nested model and beside it is one layer after loading too', async () => {
    const build = (dense: Layer) => {
      const inner = own(sequential([dense], { inputShape: [3], name: 'inner' }));
      const x = input({ shape: [3] });
      return own(model({ inputs: x, outputs: dense(inner(x)) }).compile({ optimizer: adam(), loss: 'mse' }));
    };
    const net = build(layers.dense({ units: 3, name: 'd' }));
    await net.trainOnBatch(X, X);
    const twin = own(loadModelFiles(await net.save({ optimizer: true })));
    expect(twin.countParams()).toBe(12);
    expect(twin.summary()).toBe(net.summary());
    expect(twin.toJSON()).toEqual(net.toJSON());
    for (const one of [net, twin]) await one.trainOnBatch(X, X);
    expect(await values(twin)).toEqual(await values(net));
    const json = JSON.stringify(net.toJSON());
    expect(() => modelFromJSON(json.replace('["inner/d"', '["inner/e"'))).toThrow(/"shared" names a layer "inner\/e"/);
  });
});

describe('building', () => {
  test('layers that are new do not start as copies of those that are there', async () => {
    const inner = own(sequential([layers.dense({ units: 3 })], { inputShape: [3], seed: 4 }));
    const x = input({ shape: [3] });
    const first = layers.dense({ units: 3, name: 'first' })(x);
    const outer = own(model({ inputs: x, outputs: inner(first), seed: 4 }));
    const [before, , after] = await outer.getWeights();
    expect([...before.data]).not.toEqual([...after.data]);
  });

  test('a layer keeps the shapes that it has', async () => {
    const dense = layers.dense({ units: 2, name: 'd' });
    own(sequential([dense], { inputShape: [3] })).build();
    const other = own(sequential([dense], { inputShape: [4], name: 'other' }));
    await expectRefusal(
      async () => void other.build(),
      'shape',
      /dense "d" is in another model.*it has kernel \[3,2\], bias \[2\]; here it would need kernel \[4,2\]/,
    );
  });

  test('a layer that only a nested model freezes is trained where it is used beside it', async () => {
    const dense = layers.dense({ units: 3, name: 'd' });
    const inner = own(sequential([dense], { inputShape: [3], name: 'inner' }));
    inner.trainable = false;
    dense.trainable = true;
    const x = input({ shape: [3] });
    const net = own(model({ inputs: x, outputs: dense(inner(x)) }).compile({ optimizer: adam(), loss: 'mse' }));
    const before = await values(inner);
    await net.trainOnBatch(X, X);
    expect(await values(inner)).not.toEqual(before);
  });
});

test('weights that are set while they move to another backend keep what was set', async () => {
  const one = own(sequential([layers.dense({ units: 1, useBias: false, name: 'd' })], { inputShape: [1] }));
  await one.predict([[1]]);
  const read = backend.read.bind(backend) as Backend['read'];
  let moved = 0;
  backend.read = async (...range) => {
    const found = await read(...range);
    // The old value has been read and is not yet there.
    if (moved++ === 0) one.setWeights([{ name: 'd/kernel', shape: [1, 1], data: Float32Array.of(5) }]);
    return found;
  };
  setBackend(createCpuBackend());
  expect(await outputs(one, [[1]] as never)).toEqual([5]);
  expect(moved).toBeGreaterThan(0);
  expect(await values(one)).toEqual([5]);
});

test('a model that joins two others while one of them is trained moves nothing', async () => {
  const trained = async (join: boolean) => {
    const [first, second, third] = ['first', 'second', 'third'].map((name) => layers.dense({ units: 3, name }));
    const a = own(sequential([first], { inputShape: [3], seed: 1 }));
    // The joint model trains half of it, which then wants a buffer of its own.
    const b = own(sequential([second, third], { inputShape: [3], seed: 2 }));
    await a.predict(X);
    b.compile({ optimizer: adam(), loss: 'mse' });
    let both: Model | undefined;
    const look = {
      async onBatchEnd() {
        if (!join) return;
        both ??= own(sequential([first, second], { inputShape: [3] }).compile({ optimizer: 'sgd', loss: 'mse' }));
        await both.predict(X);
      },
    };
    await b.fit(X, X, { epochs: 5, batchSize: 2, verbose: 0, callbacks: [look] });
    return values(b);
  };
  expect(await trained(true)).toEqual(await trained(false));
});

test('models that share move to another backend together', async () => {
  const { encoder, whole } = autoencoder();
  await whole.trainOnBatch(X, X);
  const adapter = await gpu.requestAdapter();
  const device = createWebGPUBackend({ device: await (adapter as GPUAdapter).requestDevice() });
  const expected = await outputs(encoder);
  setBackend(device);
  (await outputs(encoder)).forEach((value, k) => void expect(value).toBeCloseTo(expected[k], 5));
  await whole.trainOnBatch(X, X);
  expect(whole.iterations).toBe(2);
  setBackend(backend);
  const back = await values(encoder);
  await device.dispose();
  await expectRefusal(
    () => encoder.predict(X),
    'device-lost',
    /"code\/kernel" was lost with its device; load the last/,
  );
  encoder.setWeights([
    { name: 'code/kernel', shape: [3, 2], data: back.slice(0, 6) },
    { name: 'code/bias', shape: [2], data: back.slice(6) },
  ] as never);
  expect(await outputs(encoder)).toHaveLength(8);
  expect(await values(encoder)).toEqual(back);
  // The decoder's half is still to be had from a file.
  await expectRefusal(() => whole.predict(X), 'device-lost', /"last\/kernel" was lost with its device/);
});

function chunk(list: readonly number[], size: number): number[][] {
  return Array.from({ length: list.length / size }, (_, k) => list.slice(k * size, (k + 1) * size));
}
