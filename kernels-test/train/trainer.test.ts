/** Trainer: a training that is paused, looked into, stopped, cut off and taken up again ends where it would have ended. */

import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { create } from 'webgpu';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createWebGPUBackendFromAdapter, type WebGPUBackend } from '../../src/backend/webgpu.ts';
import { getBackend, setBackend } from '../../src/runtime/index.ts';
import { Trainer } from '../../src/train/loop/trainer.ts';
import type { TrainerEvent, TrainerOptions } from '../../src/train/loop/trainer-options.ts';
import type { Model } from '../../src/train/model/model.ts';
import { expectRefusal } from '../data/refusal.ts';
import { toyData, toyModel } from './toy.ts';

// Dawn dies with the process's last reference to its instance, so it stays in module scope.
const gpu = create([]);
const adapters = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(() => gpu.requestAdapter()));

async function openWebGPU(): Promise<WebGPUBackend> {
  return createWebGPUBackendFromAdapter(adapters.pop() as GPUAdapter);
}

const openCpu = async (): Promise<Backend> => createCpuBackend();
const data = toyData();
const model = () => toyModel({ rate: 0.2, seed: 3 });
const common = { model, data, batchSize: 4, epochs: 3, seed: 9 } as const;

const trainers: Trainer[] = [];
function trainer(options: Omit<TrainerOptions, keyof typeof common> & Partial<typeof common>): Trainer {
  const made = new Trainer({ ...common, ...options });
  trainers.push(made);
  return made;
}

afterEach(async () => {
  for (const made of trainers.splice(0)) await made.dispose();
});
afterAll(() => setBackend(undefined));

async function weightsOf(trained: Model | undefined): Promise<number[]> {
  return (await trained!.getWeights()).flatMap(({ data: values }) => Array.from(values));
}

/** Weights after an undisturbed training. */
async function undisturbed(openBackend: () => Promise<Backend>): Promise<number[]> {
  const made = trainer({ openBackend });
  await made.run();
  return weightsOf(made.model);
}

test('an epoch that goes on at initialStep takes the same steps as one that was never cut off', async () => {
  setBackend(createCpuBackend());
  using whole = model();
  const expected = await whole.fit(data, { epochs: 2, batchSize: 4, verbose: 0 });
  using first = model();
  const stop = { onBatchBegin: (batch: number) => void (first.stopTraining = batch === 4) };
  await first.fit(data, { epochs: 2, batchSize: 4, verbose: 0, callbacks: [stop] });
  using second = model();
  second.loadWeights((await first.save({ optimizer: true })).weights);
  const found = await second.fit(data, { epochs: 2, initialStep: 5, batchSize: 4, verbose: 0 });
  expect(found.lossHistory).toEqual(expected.lossHistory.slice(5));
  expect(await weightsOf(second)).toEqual(await weightsOf(whole));
});

test('initialStep and frameBudget are checked before the first step', async () => {
  setBackend(createCpuBackend());
  using one = model();
  const train = (options: object) => one.fit(data, { batchSize: 10, verbose: 0, ...options });
  await expectRefusal(() => train({ initialStep: 5 }), 'argument', /below the 5 steps of an epoch, found 5/);
  await expectRefusal(() => train({ initialStep: -1 }), 'argument', /initialStep/);
  await expectRefusal(() => train({ frameBudget: 0 }), 'argument', /frameBudget must be milliseconds above 0, found 0/);
});

describe('on WebGPU', () => {
  test('a lost device costs the steps since the last snapshot, and nothing else', async () => {
    const events: TrainerEvent[] = [];
    let opened: WebGPUBackend | undefined;
    let destroyed = false;
    const openBackend = async () => (opened = await openWebGPU());
    const cut = trainer({
      openBackend,
      snapshotInterval: 0,
      frameBudget: 8,
      onEvent: (event) => {
        events.push(event);
        if (event.type !== 'step' || event.index !== 17 || destroyed) return;
        destroyed = true;
        opened!.device.destroy();
      },
      // Longer than the reports take, so that the loss comes in the middle.
      callbacks: [{ onBatchEnd: () => new Promise((resolve) => setTimeout(resolve, 5)) }],
      epochs: 3,
    });
    const history = (await cut.run())!;
    const lost = events.filter((event) => event.type === 'lost');
    expect(lost).toHaveLength(1);
    expect(lost[0].message).toMatch(/was lost/);
    const begins = events.filter((event) => event.type === 'begin');
    expect(begins[1].from).toEqual(lost[0].from);
    expect(history.history.loss.length).toBeGreaterThan(0);
    expect(await weightsOf(cut.model)).toEqual(await undisturbed(openWebGPU));
  });

  test('a profile between two steps names every kernel and leaves the training as it was', async () => {
    const made = trainer({ openBackend: openWebGPU });
    const profile = made.peek((one) => one.profileOnBatch([[1, 0]], [1], { runs: 1 }));
    const history = (await made.run())!;
    const times = await profile;
    expect(times.length).toBeGreaterThan(0);
    expect(times.every(({ label, ns }) => label !== '' && ns >= 0)).toBe(true);
    expect(Math.abs(times.length - history.facts.dispatchesPerStep)).toBeLessThanOrEqual(4);
    expect(await weightsOf(made.model)).toEqual(await undisturbed(openWebGPU));
  });

  test('a device that is lost at once, again and again, ends the training with that error', async () => {
    const openBackend = async () => {
      const backend = await openWebGPU();
      backend.device.destroy();
      return backend;
    };
    const made = trainer({ openBackend });
    await expectRefusal(() => made.run(), 'device-lost', /lost/);
  });
});

test('paused, it takes no step, still answers, and goes on to the same weights', async () => {
  const steps: number[] = [];
  const made = trainer({
    openBackend: openCpu,
    onEvent: (event) => {
      if (event.type === 'step') steps.push(event.index);
      if (event.type === 'step' && event.index === 5) made.pause();
    },
  });
  const running = made.run();
  while (made.state !== 'paused') await new Promise((resolve) => setTimeout(resolve, 2));
  const held = steps.length;
  const [predicted, weights] = await Promise.all([
    made.peek(async (one) => (await one.predict([[1, 0]])).data()),
    made.peek(weightsOf),
  ]);
  expect(predicted.length).toBe(3);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(await made.peek(weightsOf)).toEqual(weights);
  expect(steps.length - held).toBeLessThanOrEqual(1);
  made.resume();
  await running;
  expect(steps).toEqual(Array.from({ length: 39 }, (_, k) => k));
  expect(await weightsOf(made.model)).toEqual(await undisturbed(openCpu));
});

test('stopped in the middle of an epoch, another trainer takes it up where it was', async () => {
  let sent = 0;
  const first = trainer({
    openBackend: openCpu,
    callbacks: [{ onBatchBegin: () => void (++sent === 18 && first.stop()) }],
  });
  await first.run();
  const snapshot = structuredClone(first.snapshot!);
  expect(snapshot).toMatchObject({ epoch: 1, step: 4 });
  const second = trainer({ openBackend: openCpu, resume: snapshot });
  await second.run();
  expect(second.snapshot).toMatchObject({ epoch: 3, step: 0 });
  expect(await weightsOf(second.model)).toEqual(await undisturbed(openCpu));
});

test('a learning rate that was changed holds after a resume', async () => {
  const first = trainer({
    openBackend: openCpu,
    onEvent: (event) => {
      if (event.type !== 'step' || event.index !== 3) return;
      void first.peek(async (one) => {
        one.learningRate = 0.05;
      });
      if (event.index === 3) first.stop();
    },
  });
  await first.run();
  const second = trainer({ openBackend: openCpu, resume: first.snapshot! });
  await second.run();
  expect(second.model!.learningRate).toBe(0.05);
});

test('the application’s current backend stays what it was', async () => {
  const current = createCpuBackend();
  setBackend(current);
  const opened: Backend[] = [];
  const made = trainer({
    openBackend: async () => {
      opened.push(await openCpu());
      return opened[0];
    },
  });
  const during: Backend[] = [];
  const peeked = made.peek(async (one) => {
    during.push(getBackend());
    await one.predict([[1, 0]]);
  });
  await made.run();
  await peeked;
  await made.model!.evaluate(data);
  expect(during).toEqual([current]);
  expect(current.counters.buffersCreated).toBe(0);
  expect(opened[0].counters.buffersCreated).toBeGreaterThan(0);
  await made.dispose();
  expect(getBackend()).toBe(current);
});

test('a task that fails is the asker’s own trouble', async () => {
  const made = trainer({ openBackend: openCpu });
  const failing = made.peek(() => Promise.reject(new Error('mine')));
  const seen = expect(failing).rejects.toThrow('mine');
  await made.run();
  await seen;
});

test('what is asked at the end is answered before the model goes', async () => {
  const made = trainer({ openBackend: openCpu });
  await made.run();
  const answers = [made.peek(weightsOf), made.peek(async (one) => (await one.predict([[1, 0]])).data())];
  await made.dispose();
  const [weights, predicted] = await Promise.all(answers);
  expect([weights.length, predicted.length]).toEqual([2 * 8 + 8 + 8 * 3 + 3, 3]);
});

test('what is not a snapshot, an unknown option and a second run are refused', async () => {
  const resume = { format: 'other' } as never;
  await expectRefusal(async () => trainer({ openBackend: openCpu, resume }), 'file', /downhill-snapshot/);
  const unknown = { openBackend: openCpu, batchsize: 3 } as never;
  await expectRefusal(async () => trainer(unknown), 'argument', /batchSize/);
  const made = trainer({ openBackend: openCpu });
  await made.run();
  await expectRefusal(() => made.run(), 'state', /called before/);
});
