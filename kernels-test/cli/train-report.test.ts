/** The record of a training: which numbers are of the training examples, and which of those held out. */

import { expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { describeResult, trainResult } from '../../src/cli/train-report.ts';
import { History } from '../../src/train/loop/history.ts';

const logs = { loss: 0.5, accuracy: 0.75, mae: 2, onlyTrained: 7, valLoss: 0.25, valAccuracy: 0.875, valMae: 3 };

function resultOf(last: Readonly<Record<string, number>>) {
  const params = { epochs: 2, initialEpoch: 0, steps: 2, batchSize: 4, samples: 8, metrics: Object.keys(last) };
  const history = new History(params);
  history.addEpoch(0, Object.fromEntries(Object.keys(last).map((name) => [name, 100])));
  history.addEpoch(1, last);
  history.finish([1, 0.5, 0.25, 0.125], {
    ...{ firstStepMs: 1500, stepMs: Float64Array.of(2), stepMsMedian: 2, trainMs: 8, samplesPerSecond: 500 },
    ...{ dispatchesPerStep: 3, submitsPerStep: 1, pipelines: 2, planBytes: 2048, peakBytes: 4096 },
  });
  return trainResult('small', 'moons', createCpuBackend(), history, 10);
}

test('scores are of the examples that were held out, at the end', () => {
  expect(resultOf(logs)).toMatchObject({
    ...{ epochs: 2, steps: 4, trainLoss: 0.5, testLoss: 0.25, testAccuracy: 0.875, seconds: 10 },
    testMetrics: { mae: 3 },
  });
  const text = describeResult(resultOf(logs), 2048).join('\n');
  expect(text).toMatch(/test accuracy +87\.50 %, loss 0\.2500/);
  expect(text).toMatch(/test mae +3\.0000/);
  expect(text).toMatch(/training +4 steps in 10\.0 s, loss 0\.5000/);
});

test('what is not known is not a number', () => {
  const { testMetrics, testLoss, testAccuracy } = resultOf({ loss: 0.5, mae: 2 });
  expect({ testMetrics, testLoss, testAccuracy }).toEqual({
    ...{ testMetrics: undefined, testLoss: Number.NaN, testAccuracy: Number.NaN },
  });
});
