/**
 * Hooks that fail: whatever a callback throws, at once or by its promise, ends the training with that error, and nothing
 * is left on the device; what a callback cannot work with is refused before anything happened.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { optimizers } from '../../src/nn/optimizers/index.ts';
import { cosineDecay } from '../../src/nn/schedules/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { Callback } from '../../src/train/callbacks/callback.ts';
import { callbacks } from '../../src/train/callbacks/index.node.ts';
import { HOOKS } from '../../src/train/callbacks/lambda-callback.ts';
import { learningRateFinder } from '../../src/train/loop/learning-rate-finder.ts';
import { Trainer } from '../../src/train/loop/trainer.ts';
import type { TrainerOptions } from '../../src/train/loop/trainer-options.ts';
import { expectRefusal } from '../data/refusal.ts';
import { toyData, toyModel } from './toy.ts';

const data = toyData(20);
const OPTIONS = { batchSize: 5, epochs: 2, verbose: 0, validationData: data } as const;
let backend: Backend;
beforeEach(() => {
  backend = createCpuBackend();
  setBackend(backend);
});
afterEach(() => setBackend(undefined));

const failure = new Error('from the hook');
const rejections: unknown[] = [];
const hear = (error: unknown) => void rejections.push(error);
process.on('unhandledRejection', hear);
afterAll(() => {
  process.off('unhandledRejection', hear);
  expect(rejections).toEqual([]);
});

describe.each(HOOKS)('%s', (hook) => {
  test.each([
    [
      'throws',
      () => {
        throw failure;
      },
    ],
    ['rejects', () => Promise.reject(failure)],
    [
      'rejects later',
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        throw failure;
      },
    ],
  ] as const)('%s: fit ends with that error and frees what it made', async (_name, fail) => {
    using model = toyModel();
    await model.fit(data, { ...OPTIONS, epochs: 1 });
    const before = backend.counters.liveBytes;
    await expect(model.fit(data, { ...OPTIONS, callbacks: [{ [hook]: fail }] })).rejects.toBe(failure);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(backend.counters.liveBytes).toBe(before);
    // And the model is free for another training.
    await model.fit(data, { ...OPTIONS, callbacks: [] });
  });

  test('is waited for', async () => {
    using model = toyModel();
    let [begun, ended] = [0, 0];
    const slow = async () => {
      begun++;
      await new Promise((resolve) => setTimeout(resolve, 1));
      ended++;
    };
    await model.fit(data, { ...OPTIONS, epochs: 1, callbacks: [callbacks.lambdaCallback({ [hook]: slow })] });
    expect(begun).toBeGreaterThan(0);
    expect(ended).toBe(begun);
  });

  test('may return something that is not a promise', async () => {
    if (hook === 'onResume') return expect(hook).toBe('onResume');
    using model = toyModel();
    const seen: unknown[] = [];
    const push = (...given: unknown[]) => seen.push(given);
    await model.fit(data, { ...OPTIONS, epochs: 1, callbacks: [{ [hook]: push } as Callback] });
    expect(seen.length).toBeGreaterThan(0);
  });
});

describe('set-ups are checked before anything happens', () => {
  const folder = mkdtempSync(join(tmpdir(), 'train-hooks-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const log = join(folder, 'log.csv');
  const scheduled = () => {
    const model = toyModel();
    const learningRate = cosineDecay({ initialLearningRate: 0.1, decaySteps: 10 });
    return model.compile({ optimizer: optimizers.sgd({ learningRate }), loss: 'sparseCategoricalCrossentropy' });
  };
  const other = join(folder, 'other.csv');
  writeFileSync(other, 'epoch,nothing\n');

  test.each([
    ['reduceLROnPlateau', () => callbacks.reduceLROnPlateau(), 'state'],
    ['learningRateScheduler', () => callbacks.learningRateScheduler(() => 0.1), 'state'],
    ['earlyStopping', () => callbacks.earlyStopping({ monitor: 'valNothing' }), 'argument'],
    ['modelCheckpoint', () => callbacks.modelCheckpoint({ path: `${folder}/{nothing}` }), 'argument'],
    ['csvLogger', () => callbacks.csvLogger(other, { append: true }), 'file'],
    ['gradientStatistics', () => callbacks.gradientStatistics({ x: [[1]], y: [0] }), 'shape'],
    ['deadUnitMonitor', () => callbacks.deadUnitMonitor({ x: [[1, 2, 3]] }), 'shape'],
  ] as const)('%s', async (_name, make, code) => {
    using model = scheduled();
    writeFileSync(log, 'a line of before\n');
    const [onResume, onTrainBegin, onBatchBegin] = [vi.fn(), vi.fn(), vi.fn()];
    const first: Callback = { onResume, onTrainBegin, onBatchBegin };
    const given = [callbacks.csvLogger(log), first, make()];
    await expectRefusal(() => model.fit(data, { ...OPTIONS, callbacks: given }), code, /./);
    for (const hook of [onResume, onTrainBegin, onBatchBegin]) expect(hook).not.toHaveBeenCalled();
    expect(readFileSync(log, 'utf8')).toBe('a line of before\n');
    expect(model.iterations).toBe(0);
  });

  test('the finder beside a schedule', async () => {
    using model = scheduled();
    await expectRefusal(() => learningRateFinder(model, data), 'state', /learningRateFinder sets the learning rate/);
    expect(existsSync(join(folder, 'nothing'))).toBe(false);
  });
});

describe('Trainer', () => {
  const trainers: Trainer[] = [];
  const trainer = (options: Partial<TrainerOptions> = {}): Trainer => {
    const openBackend = async () => createCpuBackend();
    const made = new Trainer({ model: () => toyModel(), data, openBackend, batchSize: 5, epochs: 2, ...options });
    trainers.push(made);
    return made;
  };
  afterEach(async () => {
    for (const made of trainers.splice(0)) await made.dispose();
  });

  test('a peek inside a peek, inside another one, and two at once', async () => {
    const made = trainer();
    const running = made.run();
    const order: string[] = [];
    const outer = await made.peek(async (model) => {
      order.push('outer');
      const inner = await made.peek(async (same) => {
        order.push('inner');
        const deepest = await made.peek(async () => 'deepest');
        return `${same === model} ${deepest}`;
      });
      const both = await Promise.all([
        made.peek(async () => 1),
        made.peek((m) => m.getWeights().then((w) => w.length)),
      ]);
      const { step } = await made.takeSnapshot();
      return `${inner} ${both} ${step}`;
    });
    expect(outer).toMatch(/^true deepest 1,4 \d$/);
    expect(order).toEqual(['outer', 'inner']);
    expect((await running)?.epoch).toEqual([0, 1]);
    expect(await made.peek(async () => made.peek(async () => 'late'))).toBe('late');
  });

  test('an inner task that fails fails the outer one, and the training goes on', async () => {
    const made = trainer();
    const running = made.run();
    await expect(made.peek(() => made.peek(() => Promise.reject(failure)))).rejects.toBe(failure);
    expect((await running)?.epoch).toEqual([0, 1]);
  });

  test.each(HOOKS.filter((hook) => hook !== 'onResume'))('a peek that %s waits for', async (hook) => {
    const seen: number[] = [];
    const made: Trainer = trainer({
      validationData: data,
      callbacks: [{ [hook]: async () => void seen.push(await made.peek(async (model) => model.iterations)) }],
    });
    expect((await made.run())?.epoch).toEqual([0, 1]);
    expect(seen.length).toBeGreaterThan(0);
  });

  test.each(['begin', 'step', 'epoch', 'snapshot'] as const)(
    'an async onEvent that rejects at %s ends the run',
    async (type) => {
      const made = trainer({
        onEvent: async (event) => {
          if (event.type === type) throw failure;
        },
      });
      await expect(made.run()).rejects.toBe(failure);
    },
  );
});

test('an async warning that rejects ends fit', async () => {
  using model = toyModel();
  const dead = layers.dense({ units: 2, activation: 'relu', biasInitializer: 'ones' });
  expect(dead.className).toBe('Dense');
  const monitor = callbacks.deadUnitMonitor({ x: [[0, 0]], threshold: 1e-9, warn: () => Promise.reject(failure) });
  // All units of the first layer are zero for the origin: its biases begin as 0.
  model.learningRate = 0;
  await expect(model.fit(data, { ...OPTIONS, callbacks: [monitor] })).rejects.toBe(failure);
});
