/**
 * What a steady LeNet step asks of WebGPU, counted on the device's own objects: one submit, one pass, at most 18
 * dispatches, and not one new object, whatever the learning rate does. And 200 fits leave the device as they found it.
 */

import { afterAll, beforeAll, expect } from 'vitest';
import { create } from 'webgpu';
import { createWebGPUBackend, type WebGPUBackend } from '../../src/backend/webgpu.ts';
import { arrayDataset } from '../../src/data/dataset.ts';
import { fromGenerator } from '../../src/data/stream.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { optimizers } from '../../src/nn/optimizers/index.ts';
import { cosineDecayRestarts, warmup } from '../../src/nn/schedules/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { Callback } from '../../src/train/callbacks/callback.ts';
import { callbacks } from '../../src/train/callbacks/index.ts';
import { learningRateFinder } from '../../src/train/loop/learning-rate-finder.ts';
import type { Model } from '../../src/train/model/model.ts';
import { sequential } from '../../src/train/model/sequential.ts';
import { Prng } from '../../src/util/prng.ts';
import { sizeOf } from '../../src/util/shape.ts';
import { lenet5, resNet20 } from '../../src/zoo/index.ts';
import { type CallCounts, type InstrumentedDevice, instrument } from '../support/count-calls.ts';
import { longTest, shortTest as test } from '../support/part.ts';
import { toyData, toyModel } from './toy.ts';

const RESNET20_DISPATCHES = 175;

// Dawn dies with the process's last reference to its instance, so it stays in module scope.
const gpu = create([]);
let device: GPUDevice;
let calls: InstrumentedDevice;
let backend: WebGPUBackend;

beforeAll(async () => {
  const adapter = await gpu.requestAdapter();
  device = await (adapter as GPUAdapter).requestDevice();
  calls = instrument(device);
  backend = createWebGPUBackend({ device: calls.device });
  setBackend(backend);
});
afterAll(async () => {
  setBackend(undefined);
  await backend.dispose();
  device.destroy();
});

/** Fits `model` on noise and counts the calls between the beginnings of its last `last` steps, read-backs included. */
async function steadySteps(model: Model, batchSize: number, last: number) {
  const random = new Prng(3);
  const shape = model.inputShapes![0];
  const size = batchSize * (last + 2);
  const x = Uint8Array.from({ length: size * sizeOf(shape) }, () => random.int(256));
  const y = Int32Array.from({ length: size }, () => random.int(10));
  const steps: Partial<CallCounts>[] = [];
  let before: CallCounts | undefined;
  const counter: Callback = {
    onBatchBegin: () => {
      const now = { ...calls.counts };
      if (before !== undefined) steps.push(difference(before, now));
      before = now;
    },
  };
  const data = arrayDataset({ name: 'noise', x, xShape: shape, y });
  const { facts } = await model.fit(data, { batchSize, epochs: 2, verbose: 0, callbacks: [counter] });
  // The first epoch builds the staging buffer of the read-backs.
  return { facts, steady: steps.slice(-last) };
}

function expectNothingNew(steady: readonly Partial<CallCounts>[], dispatches: number, writes = 1): void {
  for (const step of steady) {
    const reads = step.mapAsync ?? 0;
    expect(step.submit).toBe(1 + reads);
    expect(step.createCommandEncoder).toBe(1 + reads);
    expect(step.beginComputePass).toBe(1);
    expect(step.dispatchWorkgroups).toBe(dispatches);
    expect(step.writeBuffer).toBe(writes);
    for (const [name, count] of Object.entries(step)) {
      if (name.startsWith('create') && name !== 'createCommandEncoder') expect(`${name} ${count}`).toBe(`${name} 0`);
    }
  }
}

test('a steady LeNet step (batch 64, Adam): 1 submit, 1 pass, ≤ 18 dispatches, nothing created', async () => {
  using model = lenet5();
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const { facts, steady } = await steadySteps(model, 64, 12);
  expectNothingNew(steady, facts.dispatchesPerStep);
  expect(facts.dispatchesPerStep).toBeLessThanOrEqual(18);
  expect(facts.submitsPerStep).toBe(1);
});

test('a steady step of a stream: 1 submit, two more writes for its batch, nothing created', async () => {
  using model = toyModel();
  const data = toyData(60);
  const stream = fromGenerator(
    function* () {
      for (;;) yield { x: data.x, y: data.y };
    },
    { xShape: [2] },
  );
  const steps: Partial<CallCounts>[] = [];
  let before: CallCounts | undefined;
  const counter: Callback = {
    onBatchBegin: () => {
      // Asked once the batch was written, so a step's writes are its successor's.
      if (before !== undefined) steps.push(difference(before, calls.counts));
      before = { ...calls.counts };
    },
  };
  const options = { stepsPerEpoch: 30, epochs: 2, batchSize: 15, verbose: 0, callbacks: [counter] } as const;
  const { facts } = await model.fit(stream, options);
  expectNothingNew(steps.slice(-25), facts.dispatchesPerStep, 3);
  expect(facts.submitsPerStep).toBe(1);
});

test('a steady ResNet-20 step on 32×32 images: 1 submit, nothing created', async () => {
  using model = resNet20();
  const momentum = optimizers.sgd({ learningRate: 0.1, momentum: 0.9 });
  model.compile({ optimizer: momentum, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const { facts, steady } = await steadySteps(model, 2, 3);
  expectNothingNew(steady, facts.dispatchesPerStep);
  expect(facts.submitsPerStep).toBe(1);
  // Listed and explained in docs/models.md.
  expect(facts.dispatchesPerStep).toBeLessThanOrEqual(RESNET20_DISPATCHES);
});

test('every switch of the update at once stays in the one step: schedule, decay, clipping, averages, accumulation', async () => {
  using model = sequential(
    [
      layers.flatten(),
      layers.dense({ units: 8, activation: 'relu', kernelRegularizer: 'l2', kernelConstraint: 'maxNorm' }),
      layers.batchNormalization(),
      layers.dropout({ rate: 0.5 }),
      layers.dense({ units: 10, activation: 'softmax', activityRegularizer: 'l1' }),
    ],
    { inputShape: [4, 4, 1] },
  );
  const optimizer = optimizers.adam({
    learningRate: warmup(cosineDecayRestarts({ initialLearningRate: 0.01, firstDecaySteps: 4 }), 3),
    weightDecay: 0.01,
    globalClipNorm: 1,
    useEma: true,
    emaOverwriteFrequency: 2,
    gradientAccumulationSteps: 2,
    amsgrad: true,
  });
  const learningRateMultipliers = { dense: 0.1 };
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'], learningRateMultipliers });
  const { facts, steady } = await steadySteps(model, 4, 8);
  expectNothingNew(steady, facts.dispatchesPerStep);
  expect(facts.submitsPerStep).toBe(1);
});

test('Muon’s matrix products stay in the one step', async () => {
  using model = lenet5();
  const learningRate = cosineDecayRestarts({ initialLearningRate: 0.01, firstDecaySteps: 4 });
  const optimizer = optimizers.muon({ learningRate, clipNorm: 1, useEma: true, excludeLayers: ['^dense_2/'] });
  const learningRateMultipliers = { dense: 0.5 };
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', learningRateMultipliers });
  const { facts, steady } = await steadySteps(model, 4, 5);
  expectNothingNew(steady, facts.dispatchesPerStep);
  expect(facts.submitsPerStep).toBe(1);
});

test('a learning rate that changes with every epoch compiles nothing and costs no submit, no object', async () => {
  using model = toyModel();
  const { learningRateScheduler, reduceLROnPlateau } = callbacks;
  const epochs: Partial<CallCounts>[] = [];
  const steps: Partial<CallCounts>[] = [];
  let epochBegin: CallCounts | undefined;
  let stepBegin: CallCounts | undefined;
  const counter: Callback = {
    onEpochBegin: () => {
      epochBegin = { ...calls.counts };
      stepBegin = undefined;
    },
    onBatchBegin: () => {
      if (stepBegin !== undefined) steps.push(difference(stepBegin, calls.counts));
      stepBegin = { ...calls.counts };
    },
    onEpochEnd: () => void epochs.push(difference(epochBegin!, calls.counts)),
  };
  const scheduler = learningRateScheduler((epoch, rate) => (epoch < 6 ? rate * 0.9 : rate));
  // Nothing improves by 100, so every epoch lowers the rate.
  const plateau = reduceLROnPlateau({ monitor: 'loss', minDelta: 100, patience: 1, factor: 0.5 });
  const { facts } = await model.fit(toyData(60), {
    ...{ epochs: 8, batchSize: 10, verbose: 0 },
    callbacks: [scheduler, plateau, counter],
  });
  expect(new Set(scheduler.rates).size).toBe(8);
  expect(plateau.rates.at(-1)).toBeCloseTo(0.001 * 0.9 ** 6 * 0.5 ** 7, 12);
  expect(facts.submitsPerStep).toBe(1);
  for (const counts of epochs.slice(1)) {
    expect(counts.submit).toBe(6 + (counts.mapAsync ?? 0));
    expect(counts.dispatchWorkgroups).toBe(6 * facts.dispatchesPerStep);
    expect(created(counts)).toEqual([]);
  }
  expect(steps.length).toBe(40);
  for (const counts of steps.slice(5)) {
    expect(counts.submit).toBe(1 + (counts.mapAsync ?? 0));
    expect(created(counts)).toEqual([]);
  }
});

test('the learning rate finder builds one program for all its steps', async () => {
  using model = toyModel();
  await model.fit(toyData(60), { batchSize: 20, verbose: 0 });
  const built = calls.counts.createShaderModule;
  const live = calls.liveBuffers();
  const before = { ...calls.counts };
  const { rates } = await learningRateFinder(model, toyData(60), {
    ...{ steps: 30, batchSize: 20, minRate: 1e-6, maxRate: 1e-3 },
  });
  expect(rates).toHaveLength(30);
  expect(calls.counts.createShaderModule).toBe(built);
  const counts = difference(before, calls.counts);
  expect(counts.beginComputePass).toBe(30);
  expect(calls.liveBuffers()).toBe(live);
});

longTest('200 fits of changing batch sizes leave the count of live GPU buffers where it began', async () => {
  const data = toyData(60);
  using model = toyModel();
  await model.fit(data, { verbose: 0 });
  const begin = calls.liveBuffers();
  for (let k = 0; k < 200; k++) await model.fit(data, { batchSize: 1 + ((7 * k) % 60) + 30, verbose: 0 });
  expect(calls.liveBuffers()).toBe(begin);
  model.dispose();
  expect(calls.liveBuffers()).toBeLessThan(begin);
});

/** Names of the objects that were created, but for the encoders of submits. */
function created(counts: Partial<CallCounts>): string[] {
  return Object.keys(counts).filter((name) => name.startsWith('create') && name !== 'createCommandEncoder');
}

function difference(before: CallCounts, now: CallCounts): Partial<CallCounts> {
  const names = Object.keys(now) as (keyof CallCounts)[];
  const grown = names.filter((name) => now[name] !== before[name]);
  return Object.fromEntries(grown.map((name) => [name, now[name] - before[name]]));
}
