/** TensorBoard's event files: the bytes of TensorFlow's own writer, and what a training leaves in them. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { optimizers } from '../../src/nn/optimizers/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { Callback } from '../../src/train/callbacks/callback.ts';
import { callbacks } from '../../src/train/callbacks/index.node.ts';
import { TensorBoard, type TensorBoardOptions } from '../../src/train/callbacks/tensorboard.node.ts';
import { histogramEvent, scalarEvent, versionEvent } from '../../src/train/tensorboard/events.ts';
import { expectRefusal } from '../data/refusal.ts';
import { type ReadEvent, readEvents } from './read-events.ts';
import { toyData, toyModel } from './toy.ts';

const golden = (name: string) => readFileSync(new URL(`../golden/${name}`, import.meta.url));

describe('events', () => {
  interface GoldenEvent {
    readonly tag: string;
    readonly step: number;
    readonly scalar?: number | string;
    readonly histogram?: readonly number[];
    readonly buckets?: number;
  }
  const { writer, times, events } = JSON.parse(golden('events.json').toString()) as {
    writer: string;
    times: number[];
    events: GoldenEvent[];
  };

  test("have the bytes of TensorFlow's own writer", () => {
    const records = events.map(({ tag, step, scalar, histogram, buckets }, k) => {
      const at = { wallTime: times[k + 1], step };
      if (histogram === undefined) return scalarEvent(at, tag, Number(scalar));
      return histogramEvent(at, tag, Float32Array.from(histogram), { buckets: buckets! });
    });
    const ours = Buffer.concat([versionEvent(times[0], writer), ...records]);
    expect(ours.toString('hex')).toBe(golden('events.tfevents').toString('hex'));
  });

  test('are told apart from spoilt ones by the reader of these tests', () => {
    const file = golden('events.tfevents');
    expect(readEvents(file)).toHaveLength(events.length + 1);
    for (const at of [3, 20, file.length - 1]) {
      const spoilt = Uint8Array.from(file);
      spoilt[at] ^= 1;
      expect(() => readEvents(spoilt), `byte ${at}`).toThrow();
    }
  });

  test('a histogram leaves out what is not a finite number', () => {
    const at = { wallTime: 1, step: 1 };
    const [some] = readEvents(histogramEvent(at, 'w', [Number.NaN, 0, 1, Number.POSITIVE_INFINITY], { buckets: 2 }));
    expect(some.values).toEqual([0, 0.5, 1, 0.5, 1, 1]);
    const [none] = readEvents(histogramEvent(at, 'w', [Number.NaN], { buckets: 2 }));
    expect(none.values).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe('a training', () => {
  let folder: string;
  beforeAll(() => setBackend(createCpuBackend()));
  afterAll(() => setBackend(undefined));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'downhill-tensorboard-'));
    return () => rmSync(folder, { recursive: true, force: true });
  });

  /** The events of the only file in `part` of the folder, after the version. */
  function eventsIn(part: string): ReadEvent[] {
    const files = readdirSync(join(folder, part));
    expect(files).toHaveLength(1);
    expect(files[0]).toMatch(/^events\.out\.tfevents\.\d{10}\.[^/]+\.\d+\.\d+\.v2$/);
    const [version, ...events] = readEvents(readFileSync(join(folder, part, files[0])));
    expect(version).toMatchObject({ version: 'brain.Event:2', step: 0 });
    for (const { wallTime } of events) expect(Math.abs(wallTime - Date.now() / 1000)).toBeLessThan(120);
    return events;
  }
  const series = (events: readonly ReadEvent[], tag: string) =>
    events.filter((event) => event.tag === tag).map(({ step, values }) => [step, values![0]]);
  const numbered = (values: readonly number[]) => values.map((value, k) => [k, Math.fround(value)]);

  const train = async (options?: TensorBoardOptions, more: readonly Callback[] = []) => {
    using model = toyModel();
    const history = await model.fit(toyData(50), {
      ...{ epochs: 3, batchSize: 16, validationSplit: 0.2, verbose: 0 },
      callbacks: [callbacks.tensorBoard(folder, options), ...more],
    });
    return { history, weights: await model.getWeights() };
  };

  test('leaves the values of each epoch in train and validation', async () => {
    const { history } = await train();
    const { loss, accuracy, valLoss, valAccuracy } = history.history;
    const [events, held] = [eventsIn('train'), eventsIn('validation')];
    expect(new Set(events.map(({ tag }) => tag))).toEqual(
      new Set(['epoch_loss', 'epoch_accuracy', 'epoch_learning_rate']),
    );
    expect(series(events, 'epoch_loss')).toEqual(numbered(loss));
    expect(series(events, 'epoch_accuracy')).toEqual(numbered(accuracy));
    expect(series(events, 'epoch_learning_rate')).toEqual(numbered([0.001, 0.001, 0.001]));
    expect(series(held, 'epoch_loss')).toEqual(numbered(valLoss));
    // 40 examples are three steps of 16.
    const iterations = [3, 6, 9].map((step, k) => [step, Math.fround(valAccuracy[k])]);
    expect(series(held, 'evaluation_accuracy_vs_iterations')).toEqual(iterations);
    expect(held).toHaveLength(12);
  });

  test('leaves running values of steps and histograms of weights when it is asked to', async () => {
    const running: number[] = [];
    const watch: Callback = { onBatchEnd: (_batch, _logs, { loss }) => void running.push(loss) };
    const { weights } = await train({ updateFreq: 'batch', histogramFreq: 2 }, [watch]);
    const events = eventsIn('train');
    expect(series(events, 'batch_loss')).toEqual(running.map((loss, k) => [k + 1, Math.fround(loss)]));
    const kernel = events.filter(({ tag }) => tag === 'dense/kernel/histogram');
    expect(kernel.map(({ step }) => step)).toEqual([0, 2]);
    const { plugin, dtype, shape, values } = kernel[1];
    expect([plugin, dtype, shape]).toEqual(['histograms', 2, [30, 3]]);
    const { data } = weights[0];
    expect(values![0]).toBe(Math.min(...data));
    expect(values![30 * 3 - 2]).toBe(Math.max(...data));
    const counts = values!.filter((_, k) => k % 3 === 2);
    expect(counts.reduce((a, b) => a + b)).toBe(data.length);
    expect(new Set(events.filter((event) => event.plugin === 'histograms').map(({ tag }) => tag)).size).toBe(4);
  });

  test('writes every so many steps, counted over epochs and over trainings that go on', async () => {
    await train({ updateFreq: 2 });
    expect(series(eventsIn('train'), 'batch_loss').map(([step]) => step)).toEqual([2, 4, 6, 8]);
    rmSync(folder, { recursive: true });
    using model = toyModel();
    const board = callbacks.tensorBoard(folder, { updateFreq: 2 });
    const rest = { initialEpoch: 1, epochs: 2, batchSize: 16, verbose: 0, callbacks: [board] } as const;
    await model.fit(toyData(40), rest);
    expect(series(eventsIn('train'), 'batch_loss').map(([step]) => step)).toEqual([4, 6]);
    expect(readdirSync(folder), 'nothing was validated').toEqual(['train']);
    await model.fit(toyData(40), rest);
    expect(readdirSync(join(folder, 'train')), 'a file a training').toHaveLength(2);
  });

  test('sends the values of steps to the disk while an epoch lasts', async () => {
    let time = Date.now();
    const board = new TensorBoard(folder, { updateFreq: 'batch' }, () => (time += 2000));
    const found: number[] = [];
    const watch: Callback = { onBatchEnd: () => void found.push(eventsIn('train').length) };
    using model = toyModel();
    await model.fit(toyData(40), { batchSize: 4, verbose: 0, callbacks: [board, watch] });
    expect(found.at(-1)).toBeGreaterThan(4);
  });

  test('of a model that diverges leaves NaN', async () => {
    using model = toyModel();
    model.compile({ optimizer: optimizers.sgd({ learningRate: 1e38 }), loss: 'sparseCategoricalCrossentropy' });
    await model.fit(toyData(40), { epochs: 2, verbose: 0, callbacks: [callbacks.tensorBoard(folder)] });
    expect(series(eventsIn('train'), 'epoch_loss')[1]).toEqual([1, Number.NaN]);
  });

  test('is not begun where files cannot be written', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    using model = toyModel();
    const fit = () => model.fit(toyData(), { verbose: 0, callbacks: [callbacks.tensorBoard(file)] });
    await expectRefusal(fit, 'file', /cannot write .*file\/train\/events\.out.*: a part of the path is a file/);
    expect(model.iterations).toBe(0);
  });
});

test.each([
  [() => callbacks.tensorBoard(''), /tensorBoard: expected the path of a folder, found ""/],
  [() => callbacks.tensorBoard('x', { updateFreq: 0 }), /updateFreq must be a whole number of at least 1, found 0/],
  [() => callbacks.tensorBoard('x', { updateFreq: 'step' as never }), /'epoch', 'batch' or a count .* found "step"/],
  [() => callbacks.tensorBoard('x', { histogramFreq: -1 }), /histogramFreq must be .* at least 0, found -1/],
  [() => callbacks.tensorBoard('x', { histogramFrequency: 1 } as never), /did you mean "histogramFreq"/],
])('%s', async (call, message) => {
  await expectRefusal(call, 'argument', message);
});
