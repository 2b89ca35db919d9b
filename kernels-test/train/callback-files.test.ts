/** Callbacks that write files: what is in them, that a training goes on to the bit, and what is refused. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { fromGenerator } from '../../src/data/stream.ts';
import { optimizers } from '../../src/nn/optimizers/index.ts';
import { cosineDecay } from '../../src/nn/schedules/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { Callback } from '../../src/train/callbacks/callback.ts';
import { callbacks } from '../../src/train/callbacks/index.node.ts';
import type { Sequential } from '../../src/train/model/sequential.ts';
import { loadModel } from '../../src/train/weights/files.node.ts';
import type { WeightValue } from '../../src/train/weights/weight-store.ts';
import { expectRefusal } from '../data/refusal.ts';
import { describeOnBackends } from '../support/on-backends.ts';
import { toyData, toyModel } from './toy.ts';

const data = toyData(50);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'downhill-callbacks-'));
  return () => rmSync(folder, { recursive: true, force: true });
});

/** A power cut in the middle of epoch `at`, after some of its steps. */
const cutIn = (at: number): Callback => {
  let epoch = 0;
  return {
    onEpochBegin: (number) => {
      epoch = number;
    },
    onBatchBegin: (batch) => {
      if (epoch === at && batch === 1) throw new Error('cut');
    },
  };
};

describeOnBackends('backupAndRestore', () => {
  const rates = { constant: 0.01, schedule: cosineDecay({ initialLearningRate: 0.01, decaySteps: 10 }) };
  test.each(['constant', 'schedule'] as const)(
    'a training that was cut off goes on to the bit (%s rate)',
    async (kind) => {
      const make = (): Sequential =>
        toyModel({ rate: 0.3 }).compile({
          optimizer: optimizers.adam({ learningRate: rates[kind] }),
          loss: 'sparseCategoricalCrossentropy',
        });
      const options = { epochs: 4, batchSize: 16, verbose: 0, seed: 3 } as const;
      // The rate changes on the way: it belongs to the state.
      const decay =
        kind === 'schedule' ? [] : [callbacks.learningRateScheduler((k, rate) => (k === 1 ? rate / 2 : rate))];
      using straight = make();
      const whole = await straight.fit(data, { ...options, callbacks: decay });

      const backups = join(folder, 'new', 'backup');
      using first = make();
      const cut = [callbacks.backupAndRestore(backups), cutIn(2), ...decay];
      await expect(first.fit(data, { ...options, callbacks: cut })).rejects.toThrow('cut');
      expect(readdirSync(backups).sort()).toEqual(['state.json', 'weights-2.safetensors']);

      // Another process: a fresh model.
      using second = make();
      const resume = callbacks.backupAndRestore(backups);
      const began: number[] = [];
      const watch: Callback = { onTrainBegin: ({ initialEpoch }) => void began.push(initialEpoch) };
      const rest = await second.fit(data, { ...options, callbacks: [watch, ...decay, resume] });
      expect([resume.resumedEpoch, began, rest.epoch]).toEqual([2, [2], [2, 3]]);
      expect(rest.params.initialEpoch).toBe(2);
      expect([...rest.lossHistory]).toEqual([...whole.lossHistory].slice(8));
      expect(await second.getWeights()).toEqual(await straight.getWeights());
      expect(second.learningRate).toBe(straight.learningRate);
      expect(readdirSync(backups)).toEqual([]);
    },
  );
});

describe('files', () => {
  beforeAll(() => setBackend(createCpuBackend()));
  afterAll(() => setBackend(undefined));
  const quiet = { verbose: 0, batchSize: 16 } as const;

  const restless = { useEma: true, emaOverwriteFrequency: 3, gradientAccumulationSteps: 3, clipNorm: 0.5 } as const;
  test.each([
    ['averages and accumulation', () => optimizers.adamW({ learningRate: 0.01, ...restless })],
    ['momentum', () => optimizers.rmsprop({ momentum: 0.5, centered: true })],
  ])('the state of an optimizer with %s goes on to the bit', async (_, optimizer) => {
    const make = () => toyModel().compile({ optimizer: optimizer(), loss: 'sparseCategoricalCrossentropy' });
    using straight = make();
    const whole = await straight.fit(data, { ...quiet, epochs: 4 });
    using first = make();
    const cut = [callbacks.backupAndRestore(folder), cutIn(2)];
    await expect(first.fit(data, { ...quiet, epochs: 4, callbacks: cut })).rejects.toThrow('cut');
    using second = make();
    const rest = await second.fit(data, { ...quiet, epochs: 4, callbacks: [callbacks.backupAndRestore(folder)] });
    expect([...rest.lossHistory]).toEqual([...whole.lossHistory].slice(8));
    expect(await second.getWeights()).toEqual(await straight.getWeights());
  });

  test('an epoch of a stream counts when the stream ends it, not when the training is interrupted', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const stream = fromGenerator(() => [{ x: data.x, y: data.y }], { xShape: [2] });
    using model = toyModel();
    // Four batches in a pass.
    for (const stepsPerEpoch of [undefined, 9]) {
      const steps = stepsPerEpoch === undefined ? {} : { stepsPerEpoch };
      const backup = callbacks.backupAndRestore(folder, { deleteCheckpoint: false });
      const options = { ...quiet, ...steps, epochs: 3, callbacks: [backup, cutIn(2)] };
      await expect(model.fit(stream, options)).rejects.toThrow('cut');
      expect(readdirSync(folder).sort()).toEqual(['state.json', 'weights-2.safetensors']);
      const interrupt: Callback = {
        onBatchBegin: () => {
          model.stopTraining = true;
        },
      };
      await model.fit(stream, { ...quiet, ...steps, epochs: 3, callbacks: [interrupt, backup] });
      expect(readdirSync(folder).sort()).toEqual(['state.json', 'weights-2.safetensors']);
      for (const file of readdirSync(folder)) rmSync(join(folder, file));
    }
    expect(warn).toHaveBeenCalledTimes(2);
    warn.mockRestore();
  });

  test('an epoch that was interrupted is kept with the steps that were made of it', async () => {
    using model = toyModel();
    const interrupt: Callback = {
      onEpochBegin: (epoch) => {
        if (epoch !== 1) return;
        interrupt.onBatchBegin = (batch) => {
          if (batch === 1) model.stopTraining = true;
        };
      },
    };
    await model.fit(data, { ...quiet, epochs: 3, callbacks: [callbacks.backupAndRestore(folder), interrupt] });
    expect(JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8'))).toMatchObject({
      ...{ format: 'downhill-backup', version: 2, model: 'sequential', epoch: 1, step: 2, ended: false },
      ...{ weights: { file: 'weights-1-2.safetensors' }, learningRate: 0.001 },
      setting: { epochs: 3, seed: 0, batchSize: 16, samples: 50, steps: 4, shuffle: true },
    });
    expect(readdirSync(folder).sort()).toEqual(['state.json', 'weights-1-2.safetensors']);
  });

  test('a training that had ended only tidies up', async () => {
    using model = toyModel();
    await model.fit(data, {
      ...quiet,
      epochs: 2,
      callbacks: [callbacks.backupAndRestore(folder, { deleteCheckpoint: false })],
    });
    const weights = await model.getWeights();
    using again = toyModel({ seed: 9 });
    const options = { ...quiet, epochs: 2, seed: 0, callbacks: [callbacks.backupAndRestore(folder)] };
    const history = await again.fit(data, options);
    expect([history.epoch, [...history.lossHistory]]).toEqual([[], []]);
    expect(await again.getWeights()).toEqual(weights);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a backup that is corrupt, of another model or other layers is refused; nothing is changed', async () => {
    using model = toyModel();
    const options = { deleteCheckpoint: false };
    await model.fit(data, { ...quiet, callbacks: [callbacks.backupAndRestore(folder, options)] });
    using other = toyModel({ name: 'other' });
    const before = await other.getWeights();
    const resume = (target: Sequential) =>
      target.fit(data, { ...quiet, epochs: 2, callbacks: [callbacks.backupAndRestore(folder)] });
    await expectRefusal(() => resume(other), 'file', /is of model "sequential", this one is "other"/);
    expect(await other.getWeights()).toEqual(before);
    writeFileSync(join(folder, 'weights-1.safetensors'), 'torn');
    await expectRefusal(() => resume(model), 'file', /weights-1\.safetensors/);
    writeFileSync(join(folder, 'state.json'), '{"format":"downhill-backup","epoch":1,"weights":"../x"}');
    await expectRefusal(() => resume(model), 'file', /state\.json is not a backup of a training/);
    await expectRefusal(() => callbacks.backupAndRestore(''), 'argument', /path of a file/);
  });

  test('checkpoints: a folder an epoch, with the numbers of the epoch in its name', async () => {
    using model = toyModel();
    const kept: WeightValue[][] = [];
    const checkpoint = callbacks.modelCheckpoint({ path: join(folder, 'e{epoch:03d}-{loss:.2f}') });
    const history = await model.fit(data, {
      ...{ ...quiet, epochs: 2 },
      callbacks: [checkpoint, { onEpochEnd: async () => void kept.push(await model.getWeights()) }],
    });
    const names = history.history.loss.map((loss, k) => `e00${k + 1}-${loss.toFixed(2)}`);
    expect(readdirSync(folder).sort()).toEqual(names);
    for (const [k, name] of names.entries()) {
      using loaded = await loadModel(join(folder, name));
      expect(await loaded.getWeights()).toEqual(kept[k]);
    }
    expect(checkpoint.lastPath).toBe(join(folder, names[1]));
    // With the optimizer: the copy trains on as the model does.
    using copy = await loadModel(checkpoint.lastPath!);
    const more = { ...quiet, initialEpoch: 2, epochs: 3 };
    expect((await copy.fit(data, more)).digest).toBe((await model.fit(data, more)).digest);
  });

  test('checkpoints every n steps hold the weights after just those steps', async () => {
    const make = () => toyModel({ rate: 0.3 });
    using model = make();
    const path = join(folder, '{epoch}-{batch}.safetensors');
    // Four steps an epoch: after steps 3, 6 = 1:2, 9 = 2:1 (3 epochs).
    await model.fit(data, {
      ...{ ...quiet, epochs: 3 },
      callbacks: [callbacks.modelCheckpoint({ path, saveFreq: 3, saveWeightsOnly: true })],
    });
    const names = ['1-3', '2-2', '3-1', '3-4'];
    expect(readdirSync(folder).sort()).toEqual(names.map((name) => `${name}.safetensors`));
    for (const [k, name] of names.entries()) {
      using twin = make();
      let steps = 0;
      const stop: Callback = {
        onBatchBegin: () => {
          if (++steps === 3 * (k + 1)) twin.stopTraining = true;
        },
      };
      await twin.fit(data, { ...quiet, epochs: 3, callbacks: [stop] });
      using loaded = make();
      loaded.loadWeights(readFileSync(join(folder, `${name}.safetensors`)));
      expect(await loaded.getWeights()).toEqual(await twin.getWeights());
    }
  });

  test('checkpoints refuse what they cannot do before the first step', async () => {
    using model = toyModel();
    const fitWith = (options: object) =>
      model.fit(data, { ...quiet, callbacks: [callbacks.modelCheckpoint({ path: join(folder, 'x'), ...options })] });
    await expectRefusal(() => fitWith({ path: '{epoc}' }), 'argument', /"epoc"; did you mean "epoch"/);
    await expectRefusal(() => fitWith({ path: '{valLoss}' }), 'argument', /Known: epoch, loss, accuracy/);
    await expectRefusal(() => fitWith({ path: '{loss:e}' }), 'argument', /format in "\{loss:e\}"/);
    await expectRefusal(() => fitWith({ path: '{loss}', saveFreq: 2 }), 'argument', /Known: epoch, batch/);
    await expectRefusal(() => fitWith({ saveFreq: 2, saveBestOnly: true }), 'argument', /expected 'epoch'/);
    await expectRefusal(() => fitWith({ saveFreq: 'batch' }), 'argument', /saveFreq/);
    await expectRefusal(() => fitWith({ saveWeightsOnly: true }), 'argument', /must end in \.safetensors/);
    await expectRefusal(() => fitWith({ saveBestonly: true }), 'argument', /did you mean/);
    expect(model.summary()).not.toContain('Optimizer params');
    expect(readdirSync(folder)).toEqual([]);
    // A file where a folder should be.
    writeFileSync(join(folder, 'x'), '');
    await expectRefusal(() => fitWith({}), 'file', /x.*a part of the path is a file/);
  });

  const driven = { epochs: 2, initialEpoch: 0, steps: 1, batchSize: 1, samples: 1 };

  test('the CSV log has a header, a line an epoch, and goes on', async () => {
    using model = toyModel();
    const path = join(folder, 'new', 'log.csv');
    const history = await model.fit(data, {
      ...quiet,
      epochs: 2,
      validationData: data,
      callbacks: [callbacks.csvLogger(path)],
    });
    const { loss, accuracy, valLoss, valAccuracy } = history.history;
    const line = (k: number) => `${[k, loss[k], accuracy[k], valLoss[k], valAccuracy[k]].join(',')}\n`;
    const text = `epoch,loss,accuracy,valLoss,valAccuracy\n${line(0)}${line(1)}`;
    expect(readFileSync(path, 'utf8')).toBe(text);
    const append = callbacks.csvLogger(path, { append: true });
    const next = await model.fit(data, {
      ...quiet,
      initialEpoch: 2,
      epochs: 3,
      validationData: data,
      callbacks: [append],
    });
    const last = ['loss', 'accuracy', 'valLoss', 'valAccuracy'].map((name) => next.history[name][0]);
    expect(readFileSync(path, 'utf8')).toBe(`${text}2,${last.join(',')}\n`);
    await expectRefusal(() => model.fit(data, { ...quiet, callbacks: [append] }), 'file', /has the columns .*append/);
  });

  test('CSV fields are quoted, lines that were torn are ended, folders refused', async () => {
    const path = join(folder, 'log.csv');
    const metrics = ['a;b', 'say "x"', 'plain'];
    const logger = callbacks.csvLogger(path, { separator: ';' });
    await logger.onTrainBegin({ ...driven, metrics });
    await logger.onEpochEnd(0, { 'a;b': 1.5, plain: Number.NaN });
    const text = 'epoch;"a;b";"say ""x""";plain\n0;1.5;NA;NaN\n';
    expect(readFileSync(path, 'utf8')).toBe(text);
    writeFileSync(path, `${text}1;2.`);
    const again = callbacks.csvLogger(path, { separator: ';', append: true });
    await again.onTrainBegin({ ...driven, metrics });
    await again.onEpochEnd(1, { 'a;b': 2, 'say "x"': 3, plain: 4 });
    expect(readFileSync(path, 'utf8')).toBe(`${text}1;2.\n1;2;3;4\n`);
    mkdirSync(join(folder, 'taken'));
    for (const callback of [callbacks.csvLogger(join(folder, 'taken')), callbacks.jsonlLogger(join(folder, 'taken'))]) {
      using model = toyModel();
      await expectRefusal(() => model.fit(data, { ...quiet, callbacks: [callback] }), 'file', /taken/);
    }
    await expectRefusal(() => callbacks.csvLogger(path, { separator: ', ' }), 'argument', /one character/);
    await expectRefusal(() => callbacks.csvLogger(3 as never), 'argument', /path of a file, found 3/);
  });

  test('the JSON log has an object a line, steps too when asked for', async () => {
    using model = toyModel();
    const path = join(folder, 'log.jsonl');
    const history = await model.fit(data, {
      ...quiet,
      epochs: 2,
      callbacks: [callbacks.jsonlLogger(path, { batches: true })],
    });
    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(10);
    expect(lines[1]).toEqual({ epoch: 0, batch: 1, loss: history.lossHistory[1], accuracy: expect.any(Number) });
    const { loss, accuracy } = history.history;
    expect(lines[9]).toEqual({ epoch: 1, learningRate: 0.001, loss: loss[1], accuracy: accuracy[1] });

    const logger = callbacks.jsonlLogger(path, { append: true });
    await logger.onTrainBegin({ ...driven, metrics: ['loss'] }, model);
    await logger.onEpochEnd(0, { loss: Number.NaN, valLoss: Number.NEGATIVE_INFINITY });
    const last = JSON.parse(readFileSync(path, 'utf8').trimEnd().split('\n')[10]);
    expect(last).toEqual({ epoch: 0, learningRate: 0.001, loss: 'NaN', valLoss: '-Infinity' });
    expect(existsSync(path)).toBe(true);
  });
});
