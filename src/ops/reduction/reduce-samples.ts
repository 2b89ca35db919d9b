/** Calls that tests, benches and documentation make of several reductions. */

import type { Sample } from '../../core/op.ts';
import type { ReduceAttrs } from './define-reduce.ts';

const all: ReduceAttrs = { axes: [0, 1], keepDims: false };
export const long: Sample<ReduceAttrs> = { title: 'long', inputs: [{ shape: [64, 64] }], attrs: all };
export const equalValues: Sample<ReduceAttrs> = {
  title: 'long and equal',
  inputs: [{ shape: [160_000], values: 'equal' }],
  attrs: { axes: [0], keepDims: false },
};
export const tall: Sample<ReduceAttrs> = {
  title: 'tall and narrow',
  inputs: [{ shape: [64, 33, 3] }],
  attrs: { axes: [0, 1], keepDims: false },
};
export const odd: Sample<ReduceAttrs> = {
  title: 'NaN and infinities',
  inputs: [{ shape: [3, 2], values: [1, Number.NaN, Number.POSITIVE_INFINITY, 2, Number.NEGATIVE_INFINITY, 0] }],
  attrs: { axes: [1], keepDims: false },
};
