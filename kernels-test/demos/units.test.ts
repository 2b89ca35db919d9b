/** Parts of the demo pages that need no browser: numbers on their way to a picture or a figure. */

import { describe, expect, test } from 'vitest';
import { judge, toBytes } from '../../demos/playground/data.ts';
import { fromHash } from '../../demos/playground/settings.ts';
import { formatValue } from '../../demos/shared/chart-legend.ts';
import { rateAdvice } from '../../demos/shared/rate-advice.ts';
import { smoothed } from '../../demos/shared/smoothing.ts';

describe('smoothing', () => {
  test('is the exponential mean without its bias', () => {
    // Weights 0.5^k of the values before, divided by their sum.
    expect(smoothed([0, 1, 2], [8, 4, 2], 0.5)).toEqual([8, (4 + 4) / 1.5, (2 + 2 + 2) / 1.75]);
  });

  test('of strength 0 is the values themselves', () => {
    expect(smoothed([0, 1, 2], [3, 1, 2], 0)).toEqual([3, 1, 2]);
  });

  test('goes by distance: a constant stays, and a point after two steps weighs as two', () => {
    for (const value of smoothed([0, 5, 6, 20], [7, 7, 7, 7], 0.9)) expect(value).toBeCloseTo(7, 12);
    const [, , dense] = smoothed([0, 1, 2], [1, 0, 0], 0.8);
    const [, sparse] = smoothed([0, 2], [1, 0], 0.8);
    expect(sparse).toBeCloseTo(dense!, 12);
  });

  test('leaves gaps and what is not finite out', () => {
    const values = [2, null, Number.NaN, Number.POSITIVE_INFINITY, 2];
    expect(smoothed([0, 1, 2, 3, 4], values, 0.9)).toEqual([2, null, null, null, 2]);
  });
});

describe('figures of a legend', () => {
  test.each([
    [0.12345, 4, '0.1235'],
    [0, 4, '0.0000'],
    [1.2e-29, 4, '1.20e−29'],
    [-0.5, 2, '−0.50'],
    [Number.NaN, 4, 'NaN'],
  ])('%s with %i decimals is %s', (value, digits, text) => {
    expect(formatValue(value, digits)).toBe(text);
  });
});

describe('surfaces of the playground', () => {
  const bytes = (values: number[], scaled: boolean) => {
    const into = new Uint8Array(values.length);
    toBytes(values, into, scaled);
    return [...into];
  };

  test('−1 is 1, 0 is 128, 1 is 255; beyond is the end', () => {
    expect(bytes([-1, 0, 1, 5, -9], false)).toEqual([1, 128, 255, 255, 1]);
    expect(bytes([-4, 0, 2], true)).toEqual([1, 128, 192]);
  });

  test('what is no number is 0, and changes no other', () => {
    const { NaN: none, POSITIVE_INFINITY: infinite } = Number;
    expect(bytes([none, infinite, -infinite, 1], true)).toEqual([0, 0, 0, 255]);
  });

  test('of outputs that are no number nothing is right', () => {
    const { settings } = fromHash('');
    const outputs = Float32Array.from([0.9, 0.1, 0.2, 0.8]);
    expect(judge(outputs, [1, 0, 1, 0], 0, 4, settings).accuracy).toBe(0.5);
    outputs[3] = Number.NaN;
    expect(judge(outputs, [1, 0, 1, 0], 0, 3, settings).accuracy).toBeCloseTo(2 / 3);
    expect(judge(outputs, [1, 0, 1, 0], 0, 4, settings)).toEqual({ loss: Number.NaN, accuracy: Number.NaN });
  });
});

describe('advice on learning rates', () => {
  test('comes above what an optimizer is used with, never below', () => {
    expect(rateAdvice('adam', 0.1)).toBe('');
    expect(rateAdvice('adam', 100)).toMatch(/^100 is far above .* adam .*up to 0\.1/);
    expect(rateAdvice('adadelta', 100)).toBe('');
    expect(rateAdvice('sgd', Number.NaN)).toBe('');
  });
});
