/** What the tuner decides without a device: whether two candidates compute the same, and tiles for smaller batches. */

import { describe, expect, test } from 'vitest';
import { isolateContractions } from '../../src/compile/isolate.ts';
import { defaultTile } from '../../src/compile/tiles.ts';
import { conv2dWeightGrad } from '../../src/ops/convolution/conv.ts';
import { differenceOf } from '../../src/tune/compare.ts';
import { likeEntries } from '../../src/tune/tune.ts';
import { input, SOFTWARE_TARGET, specOf } from '../support/graphs.ts';

describe('results of two candidates', () => {
  test('may differ by roundings of the largest of them, not by more', () => {
    for (const scale of [1e-6, 1, 1e6]) {
      const expected = Float32Array.of(scale, -0.5 * scale, 0);
      expect(differenceOf([Float32Array.of(scale, -0.5 * scale, 0.0005 * scale)], [expected])).toBeUndefined();
      expect(differenceOf([Float32Array.of(scale, -0.49 * scale, 0)], [expected])).toMatch(/^element 1 of result 0 is/);
    }
  });

  test('have NaN and infinities in the same places, which say nothing about the scale', () => {
    const expected = Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, 1);
    expect(differenceOf([expected.slice()], [expected])).toBeUndefined();
    expect(differenceOf([Float32Array.of(0, Number.POSITIVE_INFINITY, 1)], [expected])).toMatch(/element 0/);
    expect(differenceOf([Float32Array.of(Number.NaN, 3e38, 1)], [expected])).toMatch(/element 1/);
    expect(differenceOf([Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, 2)], [expected])).toMatch(/element 2/);
  });
});

test('a smaller batch takes the tiles of the full one, in no more chunks than it has segments', () => {
  const graph = (batch: number) => {
    const [x, dy] = [input('x', [batch, 6, 6, 3]), input('dy', [batch, 4, 4, 8])];
    return specOf('step', { outputs: [conv2dWeightGrad(x, dy, { kernelShape: [3, 3, 3, 8] })] });
  };
  const [full, small] = [graph(32), graph(1)];
  const [{ key, spec, rows }] = isolateContractions(full, SOFTWARE_TARGET);
  const [own] = isolateContractions(small, SOFTWARE_TARGET);
  // Four rows of an image, each a segment.
  expect(own.spec.segments).toBe(4);
  const tile = { ...defaultTile(spec, rows, SOFTWARE_TARGET), chunks: 16 };
  const entry = { tile, ms: 1, defaultMs: 2, label: 'conv2dWeightGrad' };
  expect(likeEntries({ [key]: entry }, full, small, SOFTWARE_TARGET)).toEqual({
    [own.key]: { ...entry, tile: { ...tile, chunks: 4 } },
  });
});
