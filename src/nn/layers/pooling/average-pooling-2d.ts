/**
 * AveragePooling2D: the mean of each window, channel by channel; in a `same` window, of the pixels that exist.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { averagePool2d as averagePool2dOp, type PoolOptions } from '../../../ops/pooling/pool.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import type { LayerCase } from '../../layer-case.ts';
import { Pooling2D, type Pooling2DOptions } from './pooling-2d.ts';

/** x [B, H, W, C] → [B, OH, OW, C]; no weights. */
export class AveragePooling2D extends Pooling2D {
  override readonly className = 'AveragePooling2D';

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: Pooling2DOptions = {}) {
    super('averagePooling2d', options);
  }

  protected override pool(x: Tensor, options: PoolOptions): Tensor {
    return averagePool2dOp(x, options);
  }
}

/** Mean over windows: `averagePooling2d({ poolSize: 2 })`. */
export const averagePooling2d = (options: Pooling2DOptions = {}, ...surplus: Surplus): AveragePooling2D =>
  sole('averagePooling2d', surplus, new AveragePooling2D(options));

export { AveragePooling2D as AveragePool2D, averagePooling2d as averagePool2d };

/** For the conformance tests. */
export const averagePooling2dCases: readonly LayerCase[] = [
  {
    title: 'average pooling',
    make: () => averagePooling2d(),
    inputShape: [6, 5, 2],
    outputShape: [3, 2, 2],
    parameters: 0,
  },
  {
    title: 'average pooling, same, overlapping',
    make: () => averagePooling2d({ poolSize: [3, 2], strides: 2, padding: 'same' }),
    inputShape: [6, 5, 2],
    outputShape: [3, 3, 2],
    parameters: 0,
  },
];
