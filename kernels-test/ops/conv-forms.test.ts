/**
 * Convolutions of other forms beyond Keras' figures (golden/nn/conv-layers.json): what they refuse, naming the layer, the
 * shapes and what would fit; and the transposed sizes that TensorFlow cannot make.
 */

import { describe, expect, test } from 'vitest';
import { Tensor } from '../../src/core/tensor.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { conv1d, conv2dTranspose, conv3d, groupedConv2d } from '../../src/ops/convolution/conv-forms.ts';
import { evaluate } from '../support/evaluate.ts';

const f32 = (...shape: number[]) => Tensor.placeholder('x', { shape, dtype: 'f32' });

describe('layers refuse', () => {
  const refusals: readonly (readonly [string, () => unknown, RegExp])[] = [
    [
      'groups that do not divide the filters',
      () => layers.conv2d({ filters: 5, kernelSize: 3, groups: 2 }),
      /^conv2d: groups 2 must divide filters 5; use filters such as 6$/,
    ],
    [
      'groups that do not divide the channels',
      () => layers.conv1d({ name: 'c', filters: 4, kernelSize: 3, groups: 2 }).build([8, 3]),
      /^conv1_?d "c": groups 2 must divide the 3 channels of examples \[8,3\]$/,
    ],
    [
      'strides and dilation',
      () => layers.depthwiseConv2d({ kernelSize: 3, strides: 2, dilationRate: 2 }),
      /^depthwiseConv2d: strides \[2,2\] and dilationRate \[2,2\] cannot both exceed 1; set one of them to 1$/,
    ],
    [
      'an empty output',
      () =>
        layers.conv3d({ name: 'v', filters: 1, kernelSize: [2, 3, 2], dilationRate: [1, 2, 1] }).build([4, 4, 4, 1]),
      /"v": the output would be empty: kernelSize 3 \(5 with dilationRate 2\) does not fit into axis 1 .* use at most 2 or padding "same"$/,
    ],
    [
      'images where sequences belong',
      () => layers.conv1d({ filters: 1, kernelSize: 3 }).build([4, 4, 1]),
      /^Conv1D: examples must be sequences \[steps, channels\], found \[4,4,1\]$/,
    ],
    [
      'a pool larger than the sequence',
      () => layers.maxPooling1d({ poolSize: 4 }).outputShape([3, 2]),
      /the output would be empty: poolSize 4 does not fit into axis 0 of examples \[3,2\]; use at most 3/,
    ],
    [
      'output padding of a stride',
      () => layers.conv2dTranspose({ filters: 1, kernelSize: 3, strides: 2, outputPadding: 2 }),
      /^conv2dTranspose: outputPadding must be below the stride, found outputPadding \[2,2\] with strides \[2,2\]$/,
    ],
    [
      'causal images',
      () => layers.conv2d({ filters: 1, kernelSize: 3, padding: 'causal' as 'same' }),
      /padding of conv2d/,
    ],
    [
      'a misspelt option',
      () => layers.separableConv2d({ filters: 1, kernelSize: 3, groups: 2 } as never),
      /unknown option "groups"/,
    ],
  ];
  test.each(refusals)('%s', (_title, make, message) => expect(make).toThrow(message));
});

describe('ops refuse', () => {
  const refusals: readonly (readonly [string, () => unknown, RegExp])[] = [
    [
      'groups',
      () => groupedConv2d(f32(1, 5, 5, 4), f32(3, 3, 2, 3), { groups: 2 }),
      /^groupedConv2d: groups must divide .* got 2 groups of 4 channels and 3 filters$/,
    ],
    [
      'a kernel for other groups',
      () => conv1d(f32(1, 5, 4), f32(3, 4, 2), { groups: 2 }),
      /takes 4 in each of 2 groups; a kernel that fits is \[1,3,2,2\]$/,
    ],
    [
      'volumes without channels',
      () => conv3d(f32(1, 4, 4, 4), f32(2, 2, 2, 1, 1)),
      /^conv3d: x needs 5 axes \[N,D,H,W,C\]/,
    ],
    [
      'an empty transposed image',
      () => conv2dTranspose(f32(1, 1, 1, 1), f32(2, 2, 1, 1), { padding: 'same', outputPadding: 0 }),
      /^conv2dTranspose: \[1,1,1,1\] would give \[1,0,0,1\]; use a larger outputPadding$/,
    ],
  ];
  test.each(refusals)('%s', (_title, make, message) => expect(make).toThrow(message));
});

test('an even kernel, same, without output padding: the middle of the whole transposed convolution', () => {
  const line = (...values: number[]) => Float32Array.from(values);
  const x = Tensor.host({ shape: [1, 1, 3, 1], dtype: 'f32' }, line(1, 10, 100));
  const kernel = Tensor.host({ shape: [1, 4, 1, 1], dtype: 'f32' }, line(1, 2, 3, 4));
  const y = conv2dTranspose(x, kernel, { strides: [1, 2], padding: 'same', outputPadding: [0, 0] });
  // The whole is 1 2 13 24 130 240 300 400.
  expect([...evaluate(y).data]).toEqual([13, 24, 130, 240]);
});
