/**
 * downhill against Keras 3: the figures in golden/nn were computed by Keras (golden/make/make-nn.py). Losses, metrics
 * and layers one by one, then whole trainings, step by step.
 */

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { Tensor } from '../../src/core/tensor.ts';
import type { LayerConfig } from '../../src/nn/layer.ts';
import { makeLayer } from '../../src/nn/layers/index.ts';
import { type LossName, losses } from '../../src/nn/losses/index.ts';
import { resolveMetric, traceMetric } from '../../src/nn/metrics/index.ts';
import { type OptimizerName, optimizers } from '../../src/nn/optimizers/index.ts';
import { modelOutput } from '../../src/nn/output.ts';
import { mean } from '../../src/ops/reduce.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { Sequential } from '../../src/train/sequential.ts';
import { lenet5 } from '../../src/zoo/index.ts';

type Nested = number | readonly Nested[];

function golden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../golden/nn/${name}`, import.meta.url), 'utf8'));
}

function shapeOf(nested: Nested): number[] {
  return typeof nested === 'number' ? [] : [nested.length, ...shapeOf(nested[0])];
}

function flat(nested: Nested): number[] {
  return typeof nested === 'number' ? [nested] : nested.flatMap(flat);
}

function shaped(nested: Nested) {
  return { data: Float32Array.from(flat(nested)), shape: shapeOf(nested) };
}

function tensor(nested: Nested, dtype: 'f32' | 'i32' = 'f32'): Tensor {
  const values = flat(nested);
  return Tensor.host(
    { shape: shapeOf(nested), dtype },
    dtype === 'f32' ? Float32Array.from(values) : Int32Array.from(values),
  );
}

/** Largest |found − expected| / max(1, |expected|). */
function error(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  return Math.max(0, ...Array.from(expected, (value, k) => Math.abs(found[k] - value) / Math.max(1, Math.abs(value))));
}

beforeAll(() => setBackend(createCpuBackend({ precision: 'f64' })));

interface LossCase {
  readonly name: LossName;
  readonly config: object;
  readonly y: Nested;
  readonly prediction: Nested;
  readonly perExample: number[];
  readonly mean: number;
}

describe('losses', () => {
  test.each(golden<LossCase[]>('losses.json').map((c) => [c.name, c.config, c] as const))(
    '%s %j',
    async (name, config, { y, prediction, perExample, mean: expectedMean }) => {
      const loss = losses[name](config);
      const target = tensor(y, loss.targets === 'classes' ? 'i32' : 'f32');
      const found = loss.perExample(target, modelOutput(tensor(prediction)));
      // Keras clips in f32, where 1 − 1e-7 is 1 − 1.19e-7: at the clip its logarithms differ in the third digit.
      expect(error(await found.data(), perExample)).toBeLessThan(perExample.some((v) => v > 8) ? 2e-3 : 2e-6);
      expect(error(await mean(found).data(), [expectedMean])).toBeLessThan(2e-3);
    },
  );
});

describe('metrics', () => {
  interface MetricCase {
    readonly name: 'mse';
    readonly y: Nested;
    readonly prediction: Nested;
    readonly value: number;
  }
  test.each(golden<MetricCase[]>('metrics.json').map((c) => [c.name, c] as const))('%s', async (name, golden) => {
    const sparse = typeof (golden.y as Nested[])[0] === 'number';
    const loss = losses[sparse ? 'sparseCategoricalCrossentropy' : 'meanSquaredError']();
    const target = tensor(golden.y, sparse ? 'i32' : 'f32');
    const outputShape = shapeOf(golden.prediction).slice(1);
    const value = async (metric: string) => {
      const found = resolveMetric(metric, loss, outputShape);
      return await traceMetric(found, target, modelOutput(tensor(golden.prediction))).data();
    };
    expect(error(await value(name), [golden.value])).toBeLessThan(1e-6);
    if (/Accuracy/.test(name)) expect(error(await value('accuracy'), [golden.value])).toBeLessThan(1e-6);
  });
});

describe('layers', () => {
  interface GoldenLayer {
    readonly name: string;
    readonly config: LayerConfig;
    readonly x: Nested;
    readonly weights: Nested[];
    readonly output: Nested;
  }
  test.each(golden<GoldenLayer[]>('layers.json').map((c) => [c.name, c.config, c] as const))(
    '%s %j',
    async (name, config, { x, weights, output }) => {
      using model = new Sequential([makeLayer(name, config)], { inputShape: shapeOf(x).slice(1) });
      const names = (await model.getWeights()).map((weight) => weight.name);
      model.setWeights(weights.map((weight, k) => ({ name: names[k], ...shaped(weight) })));
      const found = await model.predict(shaped(x));
      expect(found.shape).toEqual(shapeOf(output));
      expect(error(await found.data(), flat(output))).toBeLessThan(2e-6);
    },
  );
});

describe('trainings', () => {
  interface Training {
    readonly title: string;
    readonly layers: { readonly className: string; readonly config: LayerConfig }[];
    readonly optimizer: { readonly name: OptimizerName; readonly config: object };
    readonly loss: LossName;
    readonly metrics: 'accuracy'[];
    readonly x: Nested;
    readonly y: Nested;
    readonly weights: Nested[];
    readonly batchSize: number;
    readonly epochs: number;
    readonly stepLosses: number[];
    readonly history: Record<string, number[]>;
    readonly evaluated: number[];
    readonly finalWeights: Nested[];
    readonly predictions: Nested;
  }
  test.each(golden<Training[]>('trainings.json').map((t) => [t.title, t] as const))('%s', async (_title, golden) => {
    const { batchSize, epochs, loss, metrics, optimizer } = golden;
    using model = new Sequential(
      golden.layers.map(({ className, config }) => makeLayer(className, config)),
      { inputShape: shapeOf(golden.x).slice(1) },
    );
    model.compile({ optimizer: optimizers[optimizer.name](optimizer.config), loss, metrics });
    const names = (await model.getWeights()).map(({ name }) => name);
    model.setWeights(golden.weights.map((weight, k) => ({ name: names[k], ...shaped(weight) })));

    const history = await model.fit(shaped(golden.x), shaped(golden.y), {
      batchSize,
      epochs,
      shuffle: false,
      verbose: 0,
    });
    expect(error(history.lossHistory, golden.stepLosses)).toBeLessThan(2e-5);
    expect(Object.keys(history.history).sort()).toEqual(Object.keys(golden.history).sort());
    for (const [name, values] of Object.entries(golden.history)) {
      expect(error(history.history[name], values), name).toBeLessThan(1e-5);
    }
    const evaluated = await model.evaluate(shaped(golden.x), shaped(golden.y), { batchSize });
    expect(error(Object.values(evaluated), golden.evaluated)).toBeLessThan(1e-5);
    const predictions = await model.predict(shaped(golden.x), { batchSize });
    expect(error(await predictions.data(), flat(golden.predictions))).toBeLessThan(1e-5);
    const weights = await model.getWeights();
    for (const [k, weight] of golden.finalWeights.entries()) {
      expect(error(weights[k].data, flat(weight)), names[k]).toBeLessThan(2e-5);
    }
  });
});

test("summary() prints Keras' table", () => {
  const text = readFileSync(new URL('../golden/nn/summary-lenet5.txt', import.meta.url), 'utf8');
  expect(`${lenet5().summary()}\n`).toBe(text);
});
