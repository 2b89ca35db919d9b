/**
 * What callbacks decide, against Keras' on the same values: when they stop, which rate they set, what they save, what they
 * write, when they are called. Figures: golden/nn/callbacks.json, from golden/make/make-callbacks.py.
 *
 * Most run by themselves, with a model that only remembers what it is told, so there is no device; hooks and backups run in
 * a real training of one dense layer.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { optimizers } from '../../src/nn/optimizers/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { Callback, TrainedModel } from '../../src/train/callbacks/callback.ts';
import { EarlyStopping } from '../../src/train/callbacks/early-stopping.ts';
import { callbacks } from '../../src/train/callbacks/index.node.ts';
import { learningRateScheduler } from '../../src/train/callbacks/learning-rate-scheduler.ts';
import { modelCheckpoint } from '../../src/train/callbacks/model-checkpoint.ts';
import { reduceLROnPlateau } from '../../src/train/callbacks/reduce-lr-on-plateau.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { drivenParams, fakeModel } from './fake-model.ts';

/** Runs a callback through the epochs of a golden case. @returns the epochs that ran and the rate after each. */
async function drive(callback: Callback, model: TrainedModel, values: readonly number[]) {
  const rates: number[] = [];
  await callback.onTrainBegin?.(drivenParams, model);
  for (const [epoch, value] of values.entries()) {
    await callback.onEpochBegin?.(epoch);
    await callback.onEpochEnd?.(epoch, { valLoss: value });
    rates.push(model.learningRate);
    if (model.stopTraining) break;
  }
  await callback.onTrainEnd?.({});
  return { epochs: rates.length, rates };
}

interface Golden {
  readonly name: string;
  readonly config: Readonly<Record<string, number & string & boolean>>;
  readonly values?: readonly number[];
  readonly start?: number;
  readonly rates?: readonly number[];
  readonly epochs?: number;
  readonly stoppedEpoch?: number | null;
  readonly bestEpoch?: number;
  readonly restoredEpoch?: number;
  readonly savedEpochs?: readonly number[];
  readonly steps?: number;
  readonly saved?: readonly string[];
  /** NaN and infinities as texts. */
  readonly losses?: readonly (number | string)[];
  readonly stoppedBatch?: number | null;
  readonly logs?: readonly Readonly<Record<string, number | string>>[];
  readonly text?: string;
  readonly calls?: readonly (readonly (string | number)[])[];
  readonly initialEpoch?: number;
  readonly cut?: number;
  readonly epoch?: readonly number[];
}
const { cases } = JSON.parse(readFileSync(new URL('../golden/nn/callbacks.json', import.meta.url), 'utf8')) as {
  cases: Golden[];
};
const named = (name: string) =>
  cases.filter((found) => found.name === name).map((found) => [JSON.stringify(found.config), found] as const);

test.each(named('earlyStopping'))('earlyStopping %s', async (_, { config, values, ...expected }) => {
  let epoch = -1;
  let restoredEpoch: number | undefined;
  const model: TrainedModel = {
    ...fakeModel(),
    getWeights: async () => [{ name: 'w', shape: [], data: Float32Array.of(epoch) }],
    restoreWeights: (weights) => {
      restoredEpoch = (weights as readonly { data: Float32Array }[])[0].data[0];
    },
  };
  const callback = new EarlyStopping(config);
  const counted: Callback = {
    onTrainBegin: (...args) => callback.onTrainBegin(...args),
    onEpochEnd: (number, logs) => {
      epoch = number;
      return callback.onEpochEnd(number, logs);
    },
    onTrainEnd: () => callback.onTrainEnd(),
  };
  const { epochs } = await drive(counted, model, values!);
  expect({
    name: 'earlyStopping',
    epochs,
    stoppedEpoch: callback.stoppedEpoch ?? null,
    bestEpoch: callback.bestEpoch,
    restoredEpoch,
  }).toEqual(expected);
});

test.each(named('reduceLROnPlateau'))('reduceLROnPlateau %s', async (_, { config, start, values, rates }) => {
  const callback = reduceLROnPlateau(config);
  const found = await drive(callback, { ...fakeModel(), learningRate: start! }, values!);
  found.rates.forEach((rate, k) => {
    expect(Math.abs(rate / rates![k] - 1)).toBeLessThan(1e-6);
  });
  expect(callback.rates).toEqual(found.rates);
  expect(found.epochs).toBe(rates!.length);
});

const byEpochs = named('modelCheckpoint').filter(([, { steps }]) => steps === undefined);
test.each(byEpochs)('modelCheckpoint %s', async (_, { config, values, savedEpochs }) => {
  const saved: string[] = [];
  const callback = modelCheckpoint({ ...config, path: '{epoch}', save: (_files, path) => saved.push(path) });
  const save = async () => ({ json: '', weights: new Uint8Array() });
  await drive(callback, { ...fakeModel(), save }, values!);
  expect(saved.map((path) => Number(path) - 1)).toEqual(savedEpochs);
  expect(callback.lastPath).toBe(saved.at(-1));
});

test.each(named('learningRateScheduler'))('learningRateScheduler %s', async (_, { config, start, rates }) => {
  const { holdEpochs, factor } = config;
  const callback = learningRateScheduler((epoch, rate) => (epoch < holdEpochs ? rate : rate * factor));
  const model = { ...fakeModel(), learningRate: start! };
  await drive(
    callback,
    model,
    rates!.map(() => 1),
  );
  callback.rates.forEach((rate, k) => {
    expect(Math.abs(rate / rates![k] - 1)).toBeLessThan(1e-6);
  });
  expect(callback.rates).toHaveLength(rates!.length);
});

const bySteps = named('modelCheckpoint').filter(([, { steps }]) => steps !== undefined);
test.each(bySteps)('modelCheckpoint %s', async (_, { config, steps, epochs, saved }) => {
  const found: string[] = [];
  const save = async () => ({ json: '', weights: new Uint8Array() });
  const callback = modelCheckpoint({ ...config, path: '{epoch}-{batch}', save: (_files, path) => found.push(path) });
  callback.onTrainBegin({ ...drivenParams, steps: steps! }, { ...fakeModel(), save });
  for (let epoch = 0; epoch < epochs!; epoch++) {
    callback.onEpochBegin(epoch);
    for (let batch = 0; batch < steps!; batch++) await callback.onBatchBegin(batch);
    await callback.onEpochEnd(epoch, { loss: 1 });
  }
  expect(found).toEqual(saved);
});

test.each(named('terminateOnNaN').map(([, found]) => [found.losses!, found] as const))(
  'terminateOnNaN at losses %j',
  (losses, { stoppedBatch }) => {
    const model = fakeModel();
    const callback = callbacks.terminateOnNaN();
    callback.onTrainBegin(drivenParams, model);
    for (const [batch, loss] of losses.entries()) callback.onBatchEnd(batch, { loss: Number(loss) });
    expect(callback.stoppedBatch ?? null).toBe(stoppedBatch);
    expect(model.stopTraining).toBe(stoppedBatch !== null);
  },
);

describe('in files and trainings', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'downhill-callback-goldens-'));
    setBackend(createCpuBackend({ precision: 'f64' }));
  });
  afterAll(() => {
    setBackend(undefined);
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(named('csvLogger'))('csvLogger %s', async (_, { config, logs, text }) => {
    const path = join(folder, `${config.separator === ',' ? 'comma' : 'semicolon'}.csv`);
    const metrics = ['loss', 'accuracy', 'valLoss', 'valAccuracy'];
    const rows = logs!.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, v]) => [ourName(name), Number(v)])),
    );
    for (const [append, from, to] of [
      [false, 0, 2],
      [true, 2, 4],
    ] as const) {
      const logger = callbacks.csvLogger(path, { ...config, append });
      await logger.onTrainBegin({ ...drivenParams, metrics });
      for (let epoch = from; epoch < to; epoch++) await logger.onEpochEnd(epoch, rows[epoch]);
    }
    // Keras sorts the columns and writes nan; each line's values by name are the same.
    const table = (csv: string) => {
      const [header, ...lines] = csv
        .trimEnd()
        .split('\n')
        .map((line) => line.split(config.separator));
      return lines.map((line) => Object.fromEntries(header.map((name, k) => [ourName(name), Number(line[k])])));
    };
    expect(table(readFileSync(path, 'utf8'))).toEqual(table(text!));
    expect(table(text!)).toHaveLength(4);
  });

  /** The training of the golden file: 5 examples, batches of 2, one dense layer from ones. */
  async function train(list: readonly Callback[], epochs: number, initialEpoch = 0) {
    using model = new Sequential([layers.dense({ units: 1, kernelInitializer: 'ones' })], { inputShape: [2] });
    model.compile({ optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: 'meanSquaredError' });
    const x = { data: Float32Array.from({ length: 10 }, (_, k) => k / 10), shape: [5, 2] };
    const y = { data: x.data.filter((_, k) => k % 2 === 0), shape: [5, 1] };
    return await model.fit(x, y, { batchSize: 2, epochs, initialEpoch, shuffle: false, verbose: 0, callbacks: list });
  }

  test('hooks are called as Keras calls them; only those of read-back values come late, and within their epoch', async () => {
    const [[, { calls, initialEpoch, epochs }]] = named('lambdaCallback');
    const found: (readonly (string | number)[])[] = [];
    const note =
      (name: string) =>
      (number?: unknown): void =>
        void found.push(typeof number === 'number' ? [name, number] : [name]);
    const names = ['onTrainBegin', 'onEpochBegin', 'onBatchBegin', 'onBatchEnd', 'onEpochEnd', 'onTrainEnd'];
    const hooks = callbacks.lambdaCallback(Object.fromEntries(names.map((name) => [name, note(name)])));
    await train([hooks], epochs!, initialEpoch);
    const late = ([name]: readonly (string | number)[]) => name === 'onBatchEnd';
    expect(found.filter((call) => !late(call))).toEqual(calls!.filter((call) => !late(call)));
    // The ends of an epoch's steps, in order, between its beginning and its end.
    const ends = (list: readonly (readonly (string | number)[])[]) =>
      list.flatMap((call, k) =>
        late(call) ? [[call[1], list.slice(k).find(([name]) => name === 'onEpochEnd')?.[1]]] : [],
      );
    expect(ends(found)).toEqual(ends(calls!));
  });

  test.each(named('backupAndRestore').map(([, found]) => [found.cut!, found] as const))(
    'backupAndRestore of a training cut off before epoch %i',
    async (cut, { epoch, losses }) => {
      const backups = join(folder, `backup-${cut}`);
      const cutOff: Callback = {
        onEpochBegin: (number) => {
          if (number === cut) throw new Error('cut');
        },
      };
      await expect(train([callbacks.backupAndRestore(backups), cutOff], 5)).rejects.toThrow('cut');
      const rest = await train([callbacks.backupAndRestore(backups)], 5);
      expect(rest.epoch).toEqual(epoch);
      rest.history.loss.forEach((loss, k) => {
        expect(Math.abs(loss / Number(losses![k]) - 1)).toBeLessThan(1e-5);
      });
    },
  );
});

test('the file has cases of each', () => {
  const counts = new Map<string, number>();
  for (const { name } of cases) counts.set(name, (counts.get(name) ?? 0) + 1);
  expect(Object.fromEntries(counts)).toEqual({
    ...{ earlyStopping: 48, reduceLROnPlateau: 48, modelCheckpoint: 9, learningRateScheduler: 1 },
    ...{ terminateOnNaN: 5, csvLogger: 2, lambdaCallback: 1, backupAndRestore: 3 },
  });
});

/** Keras' name of a value in ours: val_loss is valLoss. */
function ourName(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
