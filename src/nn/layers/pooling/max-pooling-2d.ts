/**
 * MaxPooling2D: the largest value of each window, channel by channel. Keras' alias MaxPool2D exists here too.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { maxPool2d as maxPool2dOp, type PoolOptions } from '../../../ops/pooling/pool.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import type { LayerCase } from '../../layer-case.ts';
import { Pooling2D, type Pooling2DOptions } from './pooling-2d.ts';

/** x [B, H, W, C] → [B, OH, OW, C]; no weights. */
export class MaxPooling2D extends Pooling2D {
  override readonly className = 'MaxPooling2D';

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: Pooling2DOptions = {}) {
    super('maxPooling2d', options);
  }

  protected override pool(x: Tensor, options: PoolOptions): Tensor {
    return maxPool2dOp(x, options);
  }
}

/** Maximum over windows: `maxPooling2d({ poolSize: 2 })`. */
export const maxPooling2d = (options: Pooling2DOptions = {}, ...surplus: Surplus): MaxPooling2D =>
  sole('maxPooling2d', surplus, new MaxPooling2D(options));

export { MaxPooling2D as MaxPool2D, maxPooling2d as maxPool2d };

/** For the conformance tests. */
export const maxPooling2dCases: readonly LayerCase[] = [
  { title: 'max pooling', make: () => maxPooling2d(), inputShape: [6, 5, 2], outputShape: [3, 2, 2], parameters: 0 },
  {
    title: 'max pooling, same, overlapping',
    make: () => maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
    inputShape: [6, 5, 2],
    outputShape: [3, 3, 2],
    parameters: 0,
  },
];
