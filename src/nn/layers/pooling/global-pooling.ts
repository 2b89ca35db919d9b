/**
 * GlobalMaxPooling1D/2D and GlobalAveragePooling1D/2D: one number a channel, over all steps or pixels. `keepDims`
 * leaves the axes with size 1 (Keras' keepdims). Equal maxima share the gradient evenly, as in TensorFlow's reduce_max.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { max, mean } from '../../../ops/reduction/reduce.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions, trueOrFalse } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { checkSpatial } from '../../windows.ts';

export interface GlobalPoolingOptions extends LayerOptions {
  /** Whether the pooled axes stay, with size 1; false when left out. */
  readonly keepDims?: boolean;
}

abstract class GlobalPooling extends Layer {
  private readonly options;

  constructor(
    owner: string,
    private readonly axes: 1 | 2,
    private readonly reduction: typeof max | typeof mean,
    options: GlobalPoolingOptions,
  ) {
    checkKnownOptions(owner, options, [...LAYER_OPTIONS, 'keepDims']);
    super(options);
    this.options = { keepDims: trueOrFalse(owner, 'keepDims', options.keepDims ?? false) };
  }

  override get config(): LayerConfig {
    return this.options;
  }

  override call(x: Tensor): Tensor {
    checkSpatial(this.label, x.shape.slice(1), this.axes);
    return this.reduction(x, { axes: this.axes === 1 ? [1] : [1, 2], keepDims: this.options.keepDims });
  }
}

/** x [B, L, C] → [B, C]: the largest value of each channel; no weights. */
export class GlobalMaxPooling1D extends GlobalPooling {
  override readonly className = 'GlobalMaxPooling1D';

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: GlobalPoolingOptions = {}) {
    super('globalMaxPooling1d', 1, max, options);
  }
}

/** x [B, H, W, C] → [B, C]: the largest value of each channel; no weights. */
export class GlobalMaxPooling2D extends GlobalPooling {
  override readonly className = 'GlobalMaxPooling2D';

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: GlobalPoolingOptions = {}) {
    super('globalMaxPooling2d', 2, max, options);
  }
}

/** x [B, L, C] → [B, C]: the mean of each channel; no weights. */
export class GlobalAveragePooling1D extends GlobalPooling {
  override readonly className = 'GlobalAveragePooling1D';

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: GlobalPoolingOptions = {}) {
    super('globalAveragePooling1d', 1, mean, options);
  }
}

/** x [B, H, W, C] → [B, C]: the mean of each channel; no weights. */
export class GlobalAveragePooling2D extends GlobalPooling {
  override readonly className = 'GlobalAveragePooling2D';

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: GlobalPoolingOptions = {}) {
    super('globalAveragePooling2d', 2, mean, options);
  }
}

/** The largest value of each channel of a sequence. */
export const globalMaxPooling1d = (options: GlobalPoolingOptions = {}, ...surplus: Surplus): GlobalMaxPooling1D =>
  sole('globalMaxPooling1d', surplus, new GlobalMaxPooling1D(options));

/** The largest value of each channel of an image. */
export const globalMaxPooling2d = (options: GlobalPoolingOptions = {}, ...surplus: Surplus): GlobalMaxPooling2D =>
  sole('globalMaxPooling2d', surplus, new GlobalMaxPooling2D(options));

/** The mean of each channel of a sequence. */
export const globalAveragePooling1d = (
  options: GlobalPoolingOptions = {},
  ...surplus: Surplus
): GlobalAveragePooling1D => sole('globalAveragePooling1d', surplus, new GlobalAveragePooling1D(options));

/** The mean of each channel of an image: `globalAveragePooling2d()` before the last dense layer. */
export const globalAveragePooling2d = (
  options: GlobalPoolingOptions = {},
  ...surplus: Surplus
): GlobalAveragePooling2D => sole('globalAveragePooling2d', surplus, new GlobalAveragePooling2D(options));

/** For the conformance tests. */
export const globalPoolingCases: readonly LayerCase[] = [
  {
    title: 'global max pooling 1d',
    make: () => globalMaxPooling1d(),
    inputShape: [7, 3],
    outputShape: [3],
    parameters: 0,
  },
  {
    title: 'global max pooling 2d, axes kept',
    make: () => globalMaxPooling2d({ keepDims: true }),
    inputShape: [3, 4, 2],
    outputShape: [1, 1, 2],
    parameters: 0,
  },
  {
    title: 'global average pooling 1d, axes kept',
    make: () => globalAveragePooling1d({ keepDims: true }),
    inputShape: [7, 3],
    outputShape: [1, 3],
    parameters: 0,
  },
  {
    title: 'global average pooling 2d',
    make: () => globalAveragePooling2d(),
    inputShape: [3, 4, 2],
    outputShape: [2],
    parameters: 0,
  },
];
