/**
 * A model with functions of the user in it can be saved whenever one without can: JSON has their names, and
 * `customObjects` brings them back.
 */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { Layer } from '../../src/nn/layer.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { losses } from '../../src/nn/losses/index.ts';
import { optimizers } from '../../src/nn/optimizers/index.ts';
import { mul, sub } from '../../src/ops/elementwise/binary.ts';
import { abs, square } from '../../src/ops/elementwise/unary.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { callbacks } from '../../src/train/callbacks/index.node.ts';
import { learningRateFinder } from '../../src/train/loop/learning-rate-finder.ts';
import { Trainer } from '../../src/train/loop/trainer.ts';
import { modelFromJSON } from '../../src/train/model/load-model.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { loadModel, saveModel } from '../../src/train/weights/files.node.ts';
import { expectRefusal } from '../data/refusal.ts';

const folder = mkdtempSync(join(tmpdir(), 'train-custom-'));
let warnings: string[] = [];
beforeAll(() => {
  setBackend(createCpuBackend());
  vi.spyOn(console, 'warn').mockImplementation((text: string) => void warnings.push(text));
});
afterEach(() => {
  warnings = [];
});
afterAll(() => {
  setBackend(undefined);
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const ownLoss = (y: Tensor, p: Tensor) => square(sub(p, y));
const ownMetric = (y: Tensor, p: Tensor) => abs(sub(p, y));
const double = (x: Tensor) => mul(x, 2);
const bent = (x: Tensor) => mul(x, abs(x));

/** Keeps its input, with one weight. */
class Gain extends Layer {
  override readonly className = 'Gain';
  override get config() {
    return {};
  }
  override call(x: Tensor): Tensor {
    return x;
  }
}

const customObjects = { ownLoss, ownMetric, double, bent, Gain };

const ownRate = { name: 'ownRate', config: {}, at: (step: number) => 0.1 / (1 + step) };

function custom(): Sequential {
  return new Sequential(
    [
      layers.lambda({ function: double }),
      new Gain(),
      layers.dense({ units: 3, activation: bent }),
      layers.activation({ activation: bent }),
      layers.dense({ units: 1 }),
    ],
    { inputShape: [2], seed: 4 },
  ).compile({ optimizer: 'adam', loss: ownLoss, metrics: [ownMetric, 'mae'] });
}

const x = Array.from({ length: 12 }, (_, k) => [k / 12, (k * k) / 144]);
const y = x.map(([a, b]) => [a - b]);
const OPTIONS = { batchSize: 4, verbose: 0, epochs: 2 } as const;

test('modelCheckpoint saves it, and loadModel with customObjects goes on to the bit', async () => {
  using model = custom();
  const path = join(folder, 'checkpoint-{epoch}');
  const whole = await model.fit(x, y, { ...OPTIONS, callbacks: [callbacks.modelCheckpoint({ path })] });
  using again = (await loadModel(join(folder, 'checkpoint-1'), { customObjects })) as Sequential;
  const rest = await again.fit(x, y, { ...OPTIONS, initialEpoch: 1 });
  expect(rest.lossHistory).toEqual(whole.lossHistory.slice(3));
  expect(Object.keys(rest.history)).toEqual(['loss', 'ownMetric', 'mae']);
  expect(again.toJSON()).toEqual(model.toJSON());
  expect(warnings).toEqual([]);
});

test('backupAndRestore, the finder and a Trainer do not stop at it', async () => {
  const backup = join(folder, 'backup');
  using model = custom();
  const keep = callbacks.backupAndRestore(backup, { deleteCheckpoint: false });
  await model.fit(x, y, { ...OPTIONS, callbacks: [keep] });
  expect(readdirSync(backup)).toContain('state.json');
  using resumed = custom();
  await resumed.fit(x, y, { ...OPTIONS, epochs: 3, callbacks: [keep] });
  expect(keep.resumedEpoch).toBe(2);

  const before = await model.getWeights();
  const { rates } = await learningRateFinder(model, x, y, { steps: 5, batchSize: 4 });
  expect(rates.length).toBeGreaterThan(0);
  expect(await model.getWeights()).toEqual(before);

  const data = {
    ...{ name: 'points', xShape: [2], yShape: [1], size: x.length },
    ...{ x: Float32Array.from(x.flat()), y: Float32Array.from(y.flat()) },
  };
  const trainer = new Trainer({ model: custom, data, openBackend: async () => createCpuBackend(), epochs: 1 });
  await trainer.run();
  expect(trainer.snapshot?.epoch).toBe(1);
  await trainer.dispose();
  setBackend(createCpuBackend());
});

describe('without customObjects', () => {
  const simple = () => new Sequential([layers.dense({ units: 1 })], { inputShape: [2] });

  test('a missing loss leaves the model without compile, with a note', async () => {
    using model = simple().compile({ optimizer: 'sgd', loss: ownLoss });
    const where = join(folder, 'no-loss');
    await saveModel(model, where);
    using again = await loadModel(where);
    expect(warnings).toEqual([
      expect.stringMatching(/no-loss.model\.json: loss "ownLoss" is not part of the file: the model is not compiled/),
    ]);
    expect(await (await again.predict(x)).data()).toEqual(await (await model.predict(x)).data());
    await expectRefusal(() => again.evaluate(x, y), 'state', /is not compiled/);
  });

  test('a missing metric is left out, with a note', async () => {
    using model = simple().compile({
      optimizer: 'sgd',
      loss: 'mse',
      metrics: [ownMetric, 'mae'],
      weightedMetrics: [ownMetric],
    });
    using again = modelFromJSON(model.toJSON());
    expect(warnings).toEqual([
      expect.stringMatching(/metric "ownMetric", metric "weightedOwnMetric" is not part .* left out/),
    ]);
    expect(Object.keys(await again.evaluate(x, y))).toEqual(['loss', 'mae']);
  });

  test.each([
    [
      'lambda',
      () => layers.lambda({ function: double }),
      /lambda "lambda": its function "double" is not part of the file/,
    ],
    ['activation', () => layers.activation({ activation: bent }), /its activation "bent" is not part/],
    ['layer', () => new Gain(), /layer "Gain"/],
  ] as const)('a missing %s is refused by its name', async (_name, make, message) => {
    const model = new Sequential([make()], { inputShape: [2] });
    await expectRefusal(() => modelFromJSON(model.toJSON()), 'argument', message);
    expect(modelFromJSON(model.toJSON(), 'm', { customObjects }).toJSON()).toEqual(model.toJSON());
  });
});

test('losses of several outputs, of class ids, made by hand; schedules of one’s own', async () => {
  const byHand = { ...losses.meanSquaredError(), name: 'byHand', config: {} };
  const given = { byHand, ids: losses.custom(ownLoss, { name: 'ids', targets: 'classes' }), ownRate };
  using model = new Sequential([layers.dense({ units: 1 })], { inputShape: [2] });
  model.compile({ optimizer: optimizers.sgd({ learningRate: ownRate }), loss: byHand });
  const json = model.toJSON();
  expect(json.compiled?.loss).toEqual({ custom: 'byHand' });
  using again = modelFromJSON(json, 'm', { customObjects: given });
  expect(again.toJSON()).toEqual(json);
  expect(again.followsSchedule).toBe(true);
  model.compile({ optimizer: 'sgd', loss: given.ids });
  expect(model.toJSON().compiled?.loss).toEqual({ custom: 'ids', targets: 'classes' });
  expect(modelFromJSON(model.toJSON(), 'm', { customObjects: { ids: ownLoss } }).toJSON()).toEqual(model.toJSON());
});

test('what JSON cannot hold at all is refused before the first step', async () => {
  class Endless extends Gain {
    override readonly className = 'Endless' as 'Gain';
    override get config(): Record<string, never> {
      const loop: Record<string, unknown> = {};
      loop.loop = loop;
      return loop as Record<string, never>;
    }
  }
  using model = new Sequential([new Endless(), layers.dense({ units: 1 })], { inputShape: [2] });
  model.compile({ optimizer: 'sgd', loss: 'mse' });
  const path = join(folder, 'never');
  await expect(model.fit(x, y, { ...OPTIONS, callbacks: [callbacks.modelCheckpoint({ path })] })).rejects.toThrow(
    /circular/i,
  );
  expect(model.iterations).toBe(0);
  expect(readdirSync(folder)).not.toContain('never');
});

test('customObjects must be a record', async () => {
  const json = new Sequential([layers.dense({ units: 1 })], { inputShape: [2] }).toJSON();
  await expectRefusal(
    () => modelFromJSON(json, 'm', { customObjects: [] as object as never }),
    'argument',
    /expected a record/,
  );
  await expectRefusal(
    () => modelFromJSON(json, 'm', { customObject: {} } as never),
    'argument',
    /did you mean "customObjects"/,
  );
});
