/** What the tables of sample calls of convolutions and im2col are made of. */

import type { Shape } from '../../util/shape.ts';
import { type Padding, type Pair, pair, type WindowAttrs } from './conv-geometry.ts';

/** Images and a kernel with the options of their convolution. */
export interface ConvCase {
  readonly title: string;
  readonly x: Shape;
  readonly kernel: Shape;
  readonly attrs: WindowAttrs;
}

export function options(strides: Pair = 1, padding: Padding = 'valid', dilation: Pair = 1): WindowAttrs {
  return { strides: pair(strides), padding, dilation: pair(dilation) };
}
