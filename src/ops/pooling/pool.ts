/**
 * The pooling family: maxPool2d and averagePool2d with their gradients, over NHWC images, with Keras' options. Off the
 * image there is nothing: padding counts neither for the maximum nor for the average.
 */

import type { Op } from '../../core/op.ts';
import { averagePool2d, averagePool2dGrad } from './pool-average.ts';
import { maxPool2d, maxPool2dGrad, maxPool2dPick } from './pool-max.ts';

export type { PoolOptions } from './pool-shapes.ts';
export { averagePool2d, averagePool2dGrad, maxPool2d, maxPool2dGrad, maxPool2dPick };

/** The records of this family, for `ops/index.ts`. */
export const poolOps: readonly Op[] = [maxPool2d, maxPool2dGrad, maxPool2dPick, averagePool2d, averagePool2dGrad];
