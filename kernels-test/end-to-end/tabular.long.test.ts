/**
 * Classic tables from CSV to score, as the issue asks: 5-fold mean accuracies on Iris and breast cancer, and a
 * perceptron against linear regression (least squares, solved exactly) on the same features of California housing.
 * Statistics of features come from the training rows of each fold. The figures are printed.
 */

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import {
  type ArrayDataset,
  type CsvTable,
  columnOf,
  fitTabular,
  kFoldIndices,
  layers,
  optimizers,
  readCsvFile,
  selectRows,
  sequential,
  setBackend,
  splitIndices,
  useBackend,
} from '../../src/node.ts';

const datasets = resolve(process.env.DOWNHILL_DATASETS ?? '../shared/datasets');

let gpu: Backend;
beforeAll(async () => {
  gpu = await useBackend('webgpu');
});
afterAll(async () => {
  setBackend(undefined);
  await gpu.dispose();
});

/** Mean accuracy over five stratified folds. */
async function crossValidated(table: CsvTable, target: string, epochs: number): Promise<number> {
  const scores: number[] = [];
  for (const fold of kFoldIndices(table.size, 5, 1, columnOf(table, target).values)) {
    const rows = selectRows(table, fold.train);
    const transform = fitTabular(rows, { target, task: 'classification' });
    const train = transform.apply(rows);
    const classes = transform.classNames!.length;
    using model = sequential(
      [layers.dense({ units: 16, activation: 'tanh' }), layers.dense({ units: classes, activation: 'softmax' })],
      {
        inputShape: train.xShape,
        seed: 1,
      },
    );
    model.compile({
      optimizer: optimizers.adam({ learningRate: 0.01 }),
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy'],
    });
    await model.fit(train, { epochs, batchSize: 32, seed: 1, verbose: 0 });
    const { accuracy } = await model.evaluate(transform.apply(selectRows(table, fold.test)));
    scores.push(accuracy);
  }
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/**
 * Weights of least squares with a bias, by the normal equations in f64; a tiny ridge for the one-hot columns, which add
 * up to 1.
 */
function leastSquares({ x, y, size, xShape }: ArrayDataset): (row: ArrayLike<number>) => number {
  const n = xShape[0] + 1;
  const a = Array.from({ length: n }, (_, i) => Float64Array.from({ length: n + 1 }, (_, j) => (i === j ? 1e-6 : 0)));
  const v = new Float64Array(n + 1).fill(1);
  for (let row = 0; row < size; row++) {
    for (let f = 0; f < n - 1; f++) v[f] = x[row * (n - 1) + f];
    v[n] = y[row];
    for (let i = 0; i < n; i++) for (let j = 0; j <= n; j++) a[i][j] += v[i] * v[j];
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const factor = k === i ? 0 : a[k][i] / a[i][i];
      for (let j = i; j <= n && factor !== 0; j++) a[k][j] -= factor * a[i][j];
    }
  }
  const weights = a.map((equation, i) => equation[n] / equation[i]);
  return (row) => weights.reduce((sum, weight, f) => sum + weight * (f === n - 1 ? 1 : row[f]), 0);
}

describe.runIf(existsSync(datasets) || process.env.CI)(`tables of ${datasets}`, () => {
  test('Iris: at least 95 % in the mean of five folds', async () => {
    const accuracy = await crossValidated(await readCsvFile(join(datasets, 'tabular/iris.csv')), 'species', 60);
    console.log(`Iris, five folds: accuracy ${(100 * accuracy).toFixed(2)} %`);
    expect(accuracy).toBeGreaterThanOrEqual(0.95);
  });

  test('breast cancer: at least 96 % in the mean of five folds', async () => {
    const accuracy = await crossValidated(await readCsvFile(join(datasets, 'tabular/breast_cancer.csv')), 'target', 30);
    console.log(`breast cancer, five folds: accuracy ${(100 * accuracy).toFixed(2)} %`);
    expect(accuracy).toBeGreaterThanOrEqual(0.96);
  });

  test('California housing: RMSE at least 15 % below that of linear regression', async () => {
    const table = await readCsvFile(join(datasets, 'housing/housing.csv'));
    const parts = splitIndices(table.size, { train: 0.8, test: 0.2 }, 1);
    const rows = selectRows(table, parts.train);
    const transform = fitTabular(rows, { target: 'median_house_value', missing: 'median', targetScale: 'standard' });
    const train = transform.apply(rows);
    const heldOut = transform.apply(selectRows(table, parts.test));
    const features = train.xShape[0];
    expect(features).toBe(13);
    const truth = transform.unscale(heldOut.y);
    const rmse = (predicted: ArrayLike<number>): number => {
      const dollars = transform.unscale(predicted);
      return Math.sqrt(truth.reduce((sum, value, k) => sum + (value - dollars[k]) ** 2, 0) / truth.length);
    };
    const linear = leastSquares(train);
    const linearRmse = rmse(
      Array.from({ length: heldOut.size }, (_, k) => linear(heldOut.x.subarray(k * features, (k + 1) * features))),
    );

    const hidden = () => layers.dense({ units: 64, activation: 'relu' });
    using model = sequential([hidden(), hidden(), layers.dense({ units: 1 })], { inputShape: [features], seed: 1 });
    model.compile({ optimizer: optimizers.adam({ learningRate: 0.003 }), loss: 'meanSquaredError' });
    await model.fit(train, { epochs: 12, batchSize: 128, seed: 1, verbose: 0 });
    const predicted = await model.predict({ data: heldOut.x, shape: [heldOut.size, features] });
    const modelRmse = rmse(await predicted.data());
    const gain = 1 - modelRmse / linearRmse;
    console.log(
      `California housing: RMSE ${Math.round(modelRmse)}, linear regression ` +
        `${Math.round(linearRmse)}: ${(100 * gain).toFixed(1)} % below`,
    );
    expect(gain).toBeGreaterThanOrEqual(0.15);
  });
});
