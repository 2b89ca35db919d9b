/**
 * Trainings that pull from a generator: to the bit what the same data in memory gives, epochs as in Keras, every error
 * with its batch, nothing hoarded and nothing left running.
 */

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { select } from '../../src/data/dataset.ts';
import { fromGenerator, type GeneratedBatch, type GeneratorOptions } from '../../src/data/stream.ts';
import { inputSymbol as input } from '../../src/nn/layers/core/input.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { Callback } from '../../src/train/callbacks/callback.ts';
import { ProgressBar } from '../../src/train/callbacks/progress-bar.ts';
import type { FitOptions } from '../../src/train/loop/training-options.ts';
import { model as functional } from '../../src/train/model/functional.ts';
import { expectRefusal } from '../data/refusal.ts';
import { toyData, toyModel } from './toy.ts';

const data = toyData(50);
const held = toyData(30, 2);
const OPTIONS = { name: 'points', xShape: [2], classNames: ['a', 'b', 'c'] };

/** The rows of `set` in batches of `size`, once or for ever. */
function* rows(set = data, size = 7, endless = false): Generator<GeneratedBatch> {
  do {
    for (let from = 0; from < set.size; from += size) {
      const part = select(
        set,
        Array.from({ length: Math.min(size, set.size - from) }, (_, k) => from + k),
      );
      yield { x: part.x, y: part.y };
    }
  } while (endless);
}
const stream = (more: Partial<GeneratorOptions> = {}, set = data) =>
  fromGenerator(() => rows(set), { ...OPTIONS, ...more });

/** Counts the batches of each epoch. */
function epochSizes() {
  const sizes: number[] = [];
  const callback: Callback = {
    onEpochBegin: () => void sizes.push(0),
    onBatchEnd: () => void sizes[sizes.length - 1]++,
  };
  return { sizes, callback };
}

let warnings: string[] = [];
beforeAll(() => {
  vi.spyOn(console, 'warn').mockImplementation((text: string) => void warnings.push(text));
});
afterEach(() => {
  warnings = [];
});
afterAll(() => void vi.restoreAllMocks());

describe.each([
  ['cpu', async () => createCpuBackend()],
  ['webgpu', () => createNodeWebGPUBackend()],
] as const)('on %s', (_name, open) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await open();
    setBackend(backend);
  });
  afterAll(async () => {
    setBackend(undefined);
    await backend.dispose();
  });

  test('a stream trains, validates, scores and predicts to the bit as the same data in memory', async () => {
    const options = { epochs: 3, batchSize: 16, verbose: 0, seed: 2, shuffle: false } as const;
    using a = toyModel({ rate: 0.3 });
    const whole = await a.fit(data, { ...options, validationData: held });
    using b = toyModel({ rate: 0.3 });
    const { shuffle: _, ...rest } = options;
    const streamed = await b.fit(stream(), { ...rest, validationData: stream({ name: 'held' }, held) });
    expect(streamed.digest).toBe(whole.digest);
    expect(streamed.history).toEqual(whole.history);
    expect(streamed.params).toEqual({ ...whole.params, steps: undefined, samples: undefined });
    expect(streamed.facts.submitsPerStep).toBe(whole.facts.submitsPerStep);
    expect(await b.evaluate(stream(), { batchSize: 16 })).toEqual(await a.evaluate(data, { batchSize: 16 }));
    const inMemory = await a.predict({ data: data.x, shape: [50, 2] }, { batchSize: 16 });
    const predicted = await b.predict(stream(), { batchSize: 16 });
    expect(predicted.shape).toEqual([50, 3]);
    expect(await predicted.data()).toEqual(await inMemory.data());
    expect(warnings).toEqual([]);
  });

  test('buffers and generators are gone when it ends', async () => {
    using model = toyModel();
    await model.fit(stream(), { verbose: 0, batchSize: 16, validationData: held });
    const before = backend.counters.liveBytes;
    let open = 0;
    const endless = fromGenerator(function* () {
      open++;
      try {
        yield* rows(data, 7, true);
      } finally {
        open--;
      }
    }, OPTIONS);
    const steps = { stepsPerEpoch: 4, validationSteps: 2, validationData: endless, epochs: 3, verbose: 0 } as const;
    await model.fit(endless, steps);
    await model.evaluate(endless, { steps: 3 });
    await model.predict(endless, { steps: 3 });
    const stopAt: Callback = {
      onBatchEnd: (k) => {
        if (k >= 20) model.stopTraining = true;
      },
    };
    await model.fit(endless, { verbose: 0, callbacks: [stopAt] });
    const fails: Callback = {
      onBatchBegin: (k) => {
        if (k === 3) throw new Error('enough');
      },
    };
    await expect(model.fit(endless, { ...steps, callbacks: [fails] })).rejects.toThrow('enough');
    expect(open).toBe(0);
    model.dispose();
    expect(backend.counters.liveBytes).toBeLessThan(before);
  });

  test('images stay bytes on their way', async () => {
    const x = Uint8Array.from({ length: 40 * 9 }, (_, k) => (37 * k) % 256);
    const y = Int32Array.from({ length: 40 }, (_, k) => k % 3);
    const set = { name: 'images', x, xShape: [9], y, yShape: [], size: 40 };
    using a = toyModel({ inputShape: [9] });
    const options = { epochs: 2, batchSize: 16, verbose: 0 } as const;
    const streamed = await a.fit(
      fromGenerator(() => rows(set, 6), { ...OPTIONS, xShape: [9] }),
      options,
    );
    using b = toyModel({ inputShape: [9] });
    const whole = await b.fit(set, { ...options, shuffle: false });
    expect(streamed.digest).toBe(whole.digest);
  });
});

describe('epochs', () => {
  beforeAll(() => setBackend(createCpuBackend()));
  afterAll(() => setBackend(undefined));

  // The counts of batches are those of Keras 3.15 with tf.data.Dataset.from_generator, which gives 5 of them.
  test.each<[string, FitOptions, number[], RegExp[]]>([
    ['are passes', { epochs: 2 }, [5, 5], []],
    ['flow over passes', { epochs: 3, stepsPerEpoch: 2 }, [2, 2, 1], [/ran out after 1 of 2 steps/]],
    ['end where the pass does', { epochs: 2, stepsPerEpoch: 7 }, [5, 5], [/5 of 7 steps/, /5 of 7 .*stepsPerEpoch/]],
    ['end in the second pass', { epochs: 3, stepsPerEpoch: 3 }, [3, 2, 3], [/"points" ran out after 2 of 3 steps/]],
  ])('%s', async (_title, options, expected, messages) => {
    const { sizes, callback } = epochSizes();
    using model = toyModel();
    const { history } = await model.fit(stream(), { ...options, batchSize: 10, verbose: 0, callbacks: [callback] });
    expect(sizes).toEqual(expected);
    expect(history.loss.every(Number.isFinite)).toBe(true);
    expect(warnings).toHaveLength(messages.length);
    messages.forEach((message, k) => {
      expect(warnings[k]).toMatch(message);
    });
  });

  test('that end just where a pass does begin the next one in peace, unlike in Keras', async () => {
    const { sizes, callback } = epochSizes();
    using model = toyModel();
    await model.fit(stream(), { stepsPerEpoch: 5, epochs: 3, batchSize: 10, verbose: 0, callbacks: [callback] });
    expect([sizes, warnings]).toEqual([[5, 5, 5], []]);
  });

  test('of an endless generator see one example after another, however long the validation is', async () => {
    const seen: number[] = [];
    const counting = fromGenerator(
      function* () {
        for (let k = 0; ; k++) {
          seen.push(k);
          yield { x: Float32Array.of(k, k, k, k), y: Int32Array.of(0, 1) };
        }
      },
      { ...OPTIONS, xShape: [2] },
    );
    using model = toyModel();
    const passes: number[] = [];
    const validation = fromGenerator(() => {
      passes.push(0);
      return rows(held, 10);
    }, OPTIONS);
    const { params } = await model.fit(counting, {
      ...{ epochs: 4, stepsPerEpoch: 3, batchSize: 2, verbose: 0 },
      ...{ validationData: validation, validationSteps: 1 },
    });
    expect(params).toMatchObject({ steps: 3, samples: undefined, batchSize: 2 });
    // Two batches are asked for ahead.
    expect(seen.length).toBeLessThanOrEqual(4 * 3 + 2);
    expect(seen).toEqual(seen.map((_, k) => k));
    expect(passes).toHaveLength(4);
  });

  test('of a known size have known steps, for callbacks and the progress bar', async () => {
    using model = toyModel();
    const { params } = await model.fit(stream({ size: 50 }), { batchSize: 16, verbose: 0 });
    expect(params).toMatchObject({ steps: 4, samples: 50, batchSize: 16 });
  });

  test('of an unknown size show the steps so far, and after the first one the whole', async () => {
    let text = '';
    let clock = 0;
    const bar = new ProgressBar({ isTTY: true, columns: 200, write: (part) => (text += part) }, () => (clock += 60));
    using model = toyModel();
    await model.fit(stream(), { epochs: 2, batchSize: 10, verbose: 0, callbacks: [bar] });
    expect(text).toMatch(/epoch 1\/2 \d · .* steps\/s · loss/);
    expect(text).toMatch(/epoch 1\/2 5\/5 ━{20} · 0:\d\d · .* loss .*\n/);
    expect(text).toMatch(/epoch 2\/2 \d\/5 .*ETA/);
    expect(text).not.toMatch(/NaN|undefined/);
  });

  test('batches are asked for while a step runs, and no more than two ahead', async () => {
    let asked = 0;
    const counted = fromGenerator(function* () {
      for (const batch of rows(data, 5)) {
        asked++;
        yield batch;
      }
    }, OPTIONS);
    const ahead: number[] = [];
    const watch: Callback = { onBatchBegin: (k) => void ahead.push(asked - k - 1) };
    using model = toyModel();
    await model.fit(counted, { batchSize: 5, verbose: 0, callbacks: [watch] });
    expect(ahead).toHaveLength(10);
    expect(Math.max(...ahead)).toBeLessThanOrEqual(2);
    expect(Math.min(...ahead.slice(0, 8))).toBeGreaterThanOrEqual(1);
  });

  test('evaluation and prediction end after their steps, or with a warning before', async () => {
    using model = toyModel();
    const first = select(
      data,
      Array.from({ length: 20 }, (_, k) => k),
    );
    const some = await model.evaluate(stream(), { batchSize: 10, steps: 2 });
    expect(some).toEqual(await model.evaluate(first, { batchSize: 10 }));
    expect((await model.predict(stream(), { batchSize: 10, steps: 2 })).shape).toEqual([20, 3]);
    expect(warnings).toEqual([]);
    expect(await model.evaluate(stream(), { batchSize: 10, steps: 9 })).toEqual(
      await model.evaluate(data, { batchSize: 10 }),
    );
    expect(warnings).toEqual([expect.stringMatching(/"points" ran out after 5 of 9 steps.* or lower steps/)]);
  });

  test('passes of changing lengths keep right means', async () => {
    let pass = 0;
    const growing = fromGenerator(() => rows(data, [5, 50, 13][pass++ % 3]), OPTIONS);
    const cut = fromGenerator(
      () =>
        rows(
          select(
            data,
            Array.from({ length: [4, 50, 21][pass++ % 3] }, (_, k) => k),
          ),
          50,
        ),
      OPTIONS,
    );
    for (const [set, sizes] of [
      [growing, [50, 50, 50]],
      [cut, [4, 50, 21]],
    ] as const) {
      pass = 0;
      using a = toyModel();
      const streamed = await a.fit(set, { epochs: 3, batchSize: 8, verbose: 0 });
      using b = toyModel();
      const losses: number[] = [];
      for (const [epoch, size] of sizes.entries()) {
        const part = select(
          data,
          Array.from({ length: size }, (_, k) => k),
        );
        const options = { epochs: epoch + 1, initialEpoch: epoch, batchSize: 8, shuffle: false, verbose: 0 } as const;
        losses.push((await b.fit(part, options)).history.loss[0]);
      }
      expect(streamed.history.loss).toEqual(losses);
    }
  });

  test('class weights hold for each batch', async () => {
    const classWeight = { 0: 1, 1: 3, 2: 0.5 };
    using a = toyModel();
    const whole = await a.fit(data, { classWeight, shuffle: false, verbose: 0 });
    using b = toyModel();
    expect((await b.fit(stream(), { classWeight, verbose: 0 })).digest).toBe(whole.digest);
    await expectRefusal(
      () => b.fit(stream(), { classWeight: { 0: 1, 1: 1 }, verbose: 0 }),
      'argument',
      /no weight for class 2; y of "points, batch 0" has classes 0, 1, 2/,
    );
  });
});

describe('what is wrong', () => {
  beforeAll(() => setBackend(createCpuBackend()));
  afterAll(() => setBackend(undefined));
  const x = (count = 4) => new Float32Array(2 * count);
  const y = (...ids: number[]) => Int32Array.from(ids);
  const good = { x: x(), y: y(0, 1, 2, 0) };
  const of = (...batches: unknown[]) => {
    const { classNames: _, ...plain } = OPTIONS;
    return fromGenerator(function* () {
      for (const batch of batches) {
        if (batch instanceof Error) throw batch;
        yield batch as GeneratedBatch;
      }
    }, plain);
  };

  test.each<[string, unknown[], RegExp, number]>([
    ['a label', [good, good, { x: x(), y: y(0, 1, 7, 0) }], /y of "points, batch 2": label 7 of example 2/, 2],
    ['the first batch', [{ x: x(), y: y(0, 0, 0, -1) }], /y of "points, batch 0": label -1/, 0],
    ['a value', [good, { x: x().fill(Number.NaN, 3), y: good.y }], /x of "points, batch 1": found NaN in example 1/, 1],
    ['a count', [good, { x: x(3), y: y(0, 1) }], /"points, batch 1": 3 examples but 2 targets/, 1],
    ['the generator', [good, new Error('disk gone')], /"points": the generator failed when batch 1 .*: disk gone/, 1],
  ])('%s is told with its batch, and the steps before it are taken', async (_title, batches, message, taken) => {
    using model = toyModel();
    await expectRefusal(() => model.fit(of(...batches), { batchSize: 4, verbose: 0 }), 'data', message);
    expect(model.iterations).toBe(taken);
    await expectRefusal(() => model.evaluate(of(...batches), { batchSize: 4 }), 'data', message);
    // Nothing is stuck.
    await model.fit(of(good), { batchSize: 4, verbose: 0 });
  });

  test('an error in the validation is told, too', async () => {
    using model = toyModel();
    const validationData = of(good, { x: x(), y: y(0, 1, 7, 0) });
    await expectRefusal(
      () => model.fit(of(good), { batchSize: 4, verbose: 0, validationData }),
      'data',
      /batch 1": label 7/,
    );
  });

  test('a pass of another kind of values is refused', async () => {
    let pass = 0;
    const changing = fromGenerator(
      function* () {
        yield pass++ === 0 ? good : { x: new Uint8Array(8), y: good.y };
      },
      { name: 'points', xShape: [2] },
    );
    using model = toyModel();
    await expectRefusal(
      () => model.fit(changing, { epochs: 2, verbose: 0 }),
      'data',
      /x of "points, batch 0": values are bytes; the first batch had f32/,
    );
  });

  test.each<[string, (run: (options: FitOptions) => Promise<unknown>) => Promise<unknown>, RegExp]>([
    ['no steps', (run) => run({ stepsPerEpoch: 0 }), /stepsPerEpoch must be a whole number of at least 1, found 0/],
    ['a split', (run) => run({ validationSplit: 0.2 }), /"points" is a stream, so nothing can be held out/],
    ['weights of examples', (run) => run({ sampleWeight: [1] }), /is a stream, so sampleWeight would not know/],
    ['a step to begin with', (run) => run({ initialStep: 1 }), /initialStep goes with data in memory: "points" is/],
    ['a shuffle', (run) => run({ shuffle: true }), /is a stream, so it comes in the order of its generator/],
    ['validationSteps without a stream', (run) => run({ validationSteps: 1, validationData: data }), /goes with a str/],
  ])('%s is refused', async (_title, call, message) => {
    using model = toyModel();
    const run = (options: FitOptions) => model.fit(stream(), { ...options, verbose: 0 });
    await expectRefusal(() => call(run), 'argument', message);
  });

  test('steps of data in memory are refused', async () => {
    using model = toyModel();
    const memory = { data: data.x, shape: [50, 2] };
    const message = /steps.* goes with a stream \(fromGenerator\)/;
    await expectRefusal(() => model.fit(data, { stepsPerEpoch: 2, verbose: 0 }), 'argument', message);
    await expectRefusal(() => model.evaluate(data, { steps: 2 }), 'argument', message);
    await expectRefusal(() => model.predict(memory, { steps: 2 }), 'argument', message);
    await expectRefusal(() => model.evaluate(stream(), { sampleWeight: [1] }), 'argument', /sampleWeight would not/);
  });

  test('a stream has one x and one y', async () => {
    const [a, b] = [input({ shape: [2], name: 'a' }), input({ shape: [2], name: 'b' })];
    using two = functional({ inputs: [a, b], outputs: layers.dense({ units: 1 })(layers.add()([a, b])) });
    two.compile({ optimizer: 'sgd', loss: 'mse' });
    await expectRefusal(() => two.fit(stream(), { verbose: 0 }), 'argument', /one x and one y; the model has 2 inputs/);
    await expectRefusal(() => two.predict(stream()), 'argument', /has one x; the model has 2 inputs/);
  });

  test('a model without a shape takes that of the stream', async () => {
    const { sequential } = await import('../../src/train/model/sequential.ts');
    using model = sequential([layers.dense({ units: 3, activation: 'softmax' })]);
    model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' });
    await model.fit(stream(), { verbose: 0 });
    expect(model.countParams()).toBe(9);
  });
});
