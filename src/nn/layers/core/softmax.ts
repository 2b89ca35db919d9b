/**
 * Softmax as a layer, along one axis or over several at once. As a model's last layer its logits are found like those
 * of the activation `softmax`, when the axis is the last.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { sub } from '../../../ops/elementwise/binary.ts';
import { exp } from '../../../ops/elementwise/unary.ts';
import { logSumExp } from '../../../ops/reduction/reduce-composite.ts';
import { softmax as softmaxOp } from '../../../ops/reduction/softmax.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

import { channelAxis, wholeAxis } from '../affine.ts';

export interface SoftmaxOptions extends LayerOptions {
  /** The axis, or several, counted with the batch axis or from the end; -1 when left out. */
  readonly axis?: number | readonly number[];
}

/** x [B, …] → the same shape, positive, summing to 1 along the axes; no weights. */
export class Softmax extends Layer {
  override readonly className = 'Softmax';
  private readonly axis: number | readonly number[];

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: SoftmaxOptions = {}) {
    checkKnownOptions('softmax', options, [...LAYER_OPTIONS, 'axis']);
    super(options);
    const { axis = -1 } = options;
    this.axis = Array.isArray(axis) ? axis.map((one) => wholeAxis('softmax', one)) : wholeAxis('softmax', axis);
  }

  override get config(): LayerConfig {
    return { axis: this.axis };
  }

  override call(x: Tensor): Tensor {
    const axes = [this.axis].flat().map((axis) => channelAxis(this.label, axis, x.shape.slice(1)));
    return axes.length === 1 ? softmaxOp(x, { axis: axes[0] }) : exp(sub(x, logSumExp(x, { axes, keepDims: true })));
  }
}

/** Probabilities: `softmax()`. */
export const softmax = (options: SoftmaxOptions = {}, ...surplus: Surplus): Softmax =>
  sole('softmax', surplus, new Softmax(options));

/** For the conformance tests. */
export const softmaxCases: readonly LayerCase[] = [
  {
    title: 'softmax',
    make: () => softmax(),
    inputShape: [3, 4],
    outputShape: [3, 4],
    parameters: 0,
  },
  {
    title: 'softmax over two axes',
    make: () => softmax({ axis: [1, 2] }),
    inputShape: [3, 4],
    outputShape: [3, 4],
    parameters: 0,
  },
];
