/**
 * downhill against Keras 3: the figures in golden/nn were computed by Keras (golden/make/make-nn.py). Losses, metrics
 * and layers one by one, then whole trainings, step by step; on the CPU backend in f64 and on WebGPU.
 */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import type { LayerConfig } from '../../src/nn/layer.ts';
import { makeLayer } from '../../src/nn/layers/index.ts';
import { type LossName, losses } from '../../src/nn/losses/index.ts';
import { metricResult, resolveMetric, traceMetric } from '../../src/nn/metrics/index.ts';
import { type OptimizerName, optimizers } from '../../src/nn/optimizers/index.ts';
import { modelOutput } from '../../src/nn/output.ts';
import { mean } from '../../src/ops/reduction/reduce.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { lenet5 } from '../../src/zoo/index.ts';
import { flat, golden, type Nested, shaped, shapeOf, tensorOf } from './golden-values.ts';

/** Largest |found − expected| / max(1, |expected|); NaN counts as infinite. */
function error(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  const errors = Array.from(expected, (value, k) => Math.abs(found[k] - value) / Math.max(1, Math.abs(value)));
  return errors.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(0, ...errors);
}

interface LossCase {
  readonly name: LossName;
  readonly config: object;
  readonly y: Nested;
  readonly prediction: Nested;
  readonly perExample: number[];
  readonly mean: number;
}

/** Keras computes in f32: even f64 is as far from it as that. On WebGPU the bounds are the issue's. */
const BACKENDS = [
  ['cpu', async () => createCpuBackend({ precision: 'f64' }), { forward: 2e-6, metric: 1e-6, path: 2e-5 }],
  ['webgpu', () => createNodeWebGPUBackend(), { forward: 1e-5, metric: 1e-5, path: 1e-4 }],
] as const;

describe.each(BACKENDS)('on %s', (_backend, open, bounds) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await open();
    setBackend(backend);
  });
  afterAll(async () => {
    setBackend(undefined);
    await backend.dispose();
  });

  describe('losses', () => {
    test.each(golden<LossCase[]>('losses.json').map((c) => [c.name, c.config, c] as const))(
      '%s %j',
      async (name, config, { y, prediction, perExample, mean: expectedMean }) => {
        const loss = losses[name](config);
        const target = tensorOf(y, loss.targets === 'classes' ? 'i32' : 'f32');
        const found = loss.perExample(target, modelOutput(tensorOf(prediction)));
        // Keras clips in f32, where 1 − 1e-7 is 1 − 1.19e-7: at the clip its logarithms differ in the third digit.
        expect(error(await found.data(), perExample)).toBeLessThan(
          perExample.some((v) => v > 8) ? 2e-3 : bounds.forward,
        );
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
      const target = tensorOf(golden.y, sparse ? 'i32' : 'f32');
      const outputShape = shapeOf(golden.prediction).slice(1);
      const value = async (metric: string) => {
        const found = resolveMetric(metric, loss, outputShape);
        return [metricResult(found, await traceMetric(found, target, modelOutput(tensorOf(golden.prediction))).data())];
      };
      expect(error(await value(name), [golden.value])).toBeLessThan(bounds.metric);
      if (/Accuracy/.test(name)) expect(error(await value('accuracy'), [golden.value])).toBeLessThan(bounds.metric);
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
        expect(error(await found.data(), flat(output))).toBeLessThan(bounds.forward);
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
      expect(error(history.lossHistory, golden.stepLosses)).toBeLessThan(bounds.path);
      expect(Object.keys(history.history).sort()).toEqual(Object.keys(golden.history).sort());
      for (const [name, values] of Object.entries(golden.history)) {
        expect(error(history.history[name], values), name).toBeLessThan(bounds.path / 2);
      }
      const evaluated = await model.evaluate(shaped(golden.x), shaped(golden.y), { batchSize });
      expect(error(Object.values(evaluated), golden.evaluated)).toBeLessThan(bounds.path / 2);
      const predictions = await model.predict(shaped(golden.x), { batchSize });
      expect(error(await predictions.data(), flat(golden.predictions))).toBeLessThan(bounds.path / 2);
      const weights = await model.getWeights();
      for (const [k, weight] of golden.finalWeights.entries()) {
        expect(error(weights[k].data, flat(weight)), names[k]).toBeLessThan(bounds.path);
      }
    });
  });
});

test("summary() prints Keras' table", () => {
  const text = readFileSync(new URL('../golden/nn/summary-lenet5.txt', import.meta.url), 'utf8');
  expect(`${lenet5().summary()}\n`).toBe(text);
});
