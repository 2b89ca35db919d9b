/** How two traces are compared: a gradient that jumps at one point is accepted, a wrong one is not. */
import { expect, test } from 'vitest';
import { compareRuns } from '../../src/cli/compare/compare-runs.ts';
import type { TrainingTrace } from '../../src/cli/compare/trace-training.ts';

const value = (x: number) => [{ name: 'w', shape: [2], data: Float64Array.of(x, 1) }];
const places = [value(1), value(2), value(3)];
const trace = (at: number[], after: number[]): TrainingTrace => ({
  losses: [1],
  atStep1: at.map((x, k) => ({ weights: places[k], gradients: value(x) })),
  afterStep1: after.map((x, k) => ({ weights: places[k], gradients: value(x) })),
});
const exact = trace([0, 0, 0], [0, 0, 0]);

test.each([
  ['agree everywhere', trace([0, 0, 0], [0, 0, 0]), true, 0, 0],
  ['jump at one point', trace([0, 0, 0], [0.02, 0, 0.02]), true, 1, 0],
  ['are wrong at every point', trace([0, 0, 0], [0.02, 0.03, 0.04]), false, 0, 0.02],
  ['are not numbers', trace([0, 0, 0], [Number.NaN, Number.NaN, Number.NaN]), false, 0, Number.NaN],
])('gradients that %s', (_, device, ok, point, difference) => {
  const result = compareRuns(exact, device);
  expect(result).toMatchObject({ ok, gradientPoints: { atStep1: 0, afterStep1: point } });
  expect(result.gradients).toEqual([{ name: 'w', atStep1: 0, afterStep1: difference }]);
});
