/**
 * Losses and metrics against Keras 3 (golden/make/make-losses.py), on the CPU and on the GPU: values, means with and
 * without weights and their gradients; results of metrics over batches of unequal size, as the training loop adds them up.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { Tensor } from '../../src/core/tensor.ts';
import { type LossName, losses, lossValue } from '../../src/nn/losses/index.ts';
import type { TargetKind } from '../../src/nn/losses/loss.ts';
import {
  type ConfusionMatrixSpec,
  confusionMatrixOf,
  formatConfusionMatrix,
  type MetricName,
  metricResult,
  metrics,
  resolveMetric,
  traceMetric,
} from '../../src/nn/metrics/index.ts';
import { modelOutput } from '../../src/nn/output.ts';
import { evaluate, setBackend } from '../../src/runtime/index.ts';
import { RunningReport } from '../../src/train/step/report.ts';
import { gradients } from '../../src/transform/grad.ts';
import { flat, golden, type Nested, shapeOf, tensorOf } from './golden-values.ts';

interface LossCase {
  readonly name: LossName;
  readonly config: object;
  readonly y: Nested;
  readonly prediction: Nested;
  readonly perExample: number[];
  readonly mean: number;
  readonly gradient: Nested;
  readonly weights: number[];
  readonly weightedMean: number;
  readonly weightedGradient: Nested;
}

interface MetricCase {
  readonly name: Exclude<MetricName, 'acc'> & keyof typeof metrics;
  readonly config: object;
  readonly y: Nested[];
  readonly prediction: Nested[];
  /** After each batch. */
  readonly results: number[];
  readonly weightedResults: number[];
}

interface MetricFile {
  readonly sizes: number[];
  readonly weights: number[];
  readonly cases: MetricCase[];
}

const backends: readonly [string, () => Promise<Backend>][] = [
  ['cpu', async () => createCpuBackend()],
  ['webgpu', () => createNodeWebGPUBackend()],
];

function targetOf(nested: Nested, kind: TargetKind): Tensor {
  if (kind === 'values') return tensorOf(nested);
  return Tensor.host({ shape: shapeOf(nested), dtype: 'i32' }, Int32Array.from(flat(nested)));
}

/** Largest |found − expected| / max(1, |expected|). */
function error(found: ArrayLike<number>, expected: readonly number[]): number {
  expect(found.length).toBe(expected.length);
  const errors = expected.map((value, k) => Math.abs(found[k] - value) / Math.max(1, Math.abs(value)));
  // NaN must not hide behind Math.max's order.
  return errors.every((value) => value >= 0) ? Math.max(0, ...errors) : Number.NaN;
}

const file = golden<MetricFile>('metrics-more.json');

/** The loss that a metric's case stands beside: of its targets' kind, on logits where the metric is told so. */
function lossFor({ y, prediction, config }: MetricCase) {
  if (shapeOf(y).length < shapeOf(prediction).length) return losses.sparseCategoricalCrossentropy();
  return 'fromLogits' in config ? losses.binaryCrossentropy({ fromLogits: true }) : losses.meanSquaredError();
}

describe.each(backends)('losses and metrics on %s', (_kind, create) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  beforeEach(() => setBackend(backend));
  afterAll(async () => {
    setBackend(undefined);
    await backend.dispose();
  });

  test.each(golden<LossCase[]>('losses-more.json').map((c) => [c.name, c.config, c] as const))(
    'loss %s %j',
    async (name, config, expected) => {
      const loss = losses[name](config);
      const y = targetOf(expected.y, loss.targets);
      const x = tensorOf(expected.prediction);
      const output = modelOutput(x);
      const weights = tensorOf(expected.weights);
      const each = loss.perExample(y, output);
      const mean = lossValue(loss, y, output);
      const weighted = lossValue(loss, y, output, weights);
      const [gradient] = gradients(mean, [x]);
      const [weightedGradient] = gradients(weighted, [x]);
      await evaluate([each, mean, weighted, gradient, weightedGradient]);
      expect(error(await each.data(), expected.perExample)).toBeLessThan(1e-5);
      expect(error(await mean.data(), [expected.mean])).toBeLessThan(1e-5);
      expect(error(await weighted.data(), [expected.weightedMean])).toBeLessThan(1e-5);
      expect(error(await gradient.data(), flat(expected.gradient))).toBeLessThan(1e-4);
      expect(error(await weightedGradient.data(), flat(expected.weightedGradient))).toBeLessThan(1e-4);
    },
  );

  test.each(file.cases.map((c) => [c.name, c.config, c] as const))('metric %s %j', async (name, config, expected) => {
    const spec = metrics[name](config);
    const metric = resolveMetric(spec, lossFor(expected), shapeOf(expected.prediction).slice(1));
    // What JSON keeps makes the same metric again.
    expect(metrics[name](spec.config).config).toEqual(spec.config);

    let start = 0;
    const traced = file.sizes.map((size) => {
      const rows = [start, (start += size)] as const;
      const y = targetOf(expected.y.slice(...rows), metric.targets);
      const output = modelOutput(tensorOf(expected.prediction.slice(...rows)));
      const weights = tensorOf(file.weights.slice(...rows));
      return [traceMetric(metric, y, output), traceMetric(metric, y, output, weights)] as const;
    });
    for (const [k, results] of [expected.results, expected.weightedResults].entries()) {
      const width = traced[0][k].size;
      const entry = {
        name,
        sums: 'totals' in metric || width > 1,
        offset: 0,
        width,
        result: (totals: ArrayLike<number>) => metricResult(metric, totals),
      };
      const running = new RunningReport([entry]);
      for (const [batch, size] of file.sizes.entries()) {
        running.add(await traced[batch][k].data(), size);
        const found = running.logs()[name];
        expect(error([found], [results[batch]]), `${k === 0 ? 'plain' : 'weighted'}, batch ${batch}`).toBeLessThan(
          1e-5,
        );
      }
    }
  });

  test('the confusion matrix', async () => {
    const [expected] =
      golden<{ y: number[]; prediction: number[][]; matrix: number[][]; weightedMatrix: number[][] }[]>(
        'confusion-matrix.json',
      );
    const spec: ConfusionMatrixSpec = metrics.confusionMatrix();
    const metric = resolveMetric(spec, losses.sparseCategoricalCrossentropy(), [4]);
    const y = targetOf(expected.y, 'classes');
    const output = modelOutput(tensorOf(expected.prediction));
    const plain = await traceMetric(metric, y, output).data();
    const right = expected.matrix.reduce((sum, row, k) => sum + row[k], 0);
    expect(metricResult(metric, plain)).toBeCloseTo(right / expected.y.length, 6);
    expect(spec.matrix).toEqual(expected.matrix);
    metricResult(metric, await traceMetric(metric, y, output, tensorOf(file.weights)).data());
    expect(spec.matrix).toEqual(expected.weightedMatrix);
  });
});

test('the confusion matrix of two lists', () => {
  const [{ y, prediction, matrix, weightedMatrix }] =
    golden<{ y: number[]; prediction: number[][]; matrix: number[][]; weightedMatrix: number[][] }[]>(
      'confusion-matrix.json',
    );
  const answers = prediction.map((row) => row.indexOf(Math.max(...row)));
  expect(confusionMatrixOf(y, answers, { classes: 4 })).toEqual(matrix);
  expect(confusionMatrixOf(y, answers, { classes: 4, weights: file.weights })).toEqual(weightedMatrix);
  expect(
    formatConfusionMatrix(
      [
        [3, 0],
        [1, 10],
      ],
      ['no', 'yes'],
    ),
  ).toBe(['true \\ answer  no  yes', '           no   3    0', '          yes   1   10'].join('\n'));
  expect(() => confusionMatrixOf([0, 5], [0, 1], { classes: 3 })).toThrow(
    /yTrue\[1\] is 5; expected a class id from 0 to 2/,
  );
  expect(() => confusionMatrixOf([0, 5], [0])).toThrow(/yTrue has 2 entries, yPred has 1/);
});
