/**
 * Flatten: every axis of an example in one, row-major. The same memory under another shape: it costs nothing.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { reshape } from '../../../ops/layout/shape.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { sizeOf } from '../../../util/shape.ts';
import { checkKnownOptions } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

/** x [B, …] → [B, product of the rest]; no weights. */
export class Flatten extends Layer {
  override readonly className = 'Flatten';

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: LayerOptions = {}) {
    checkKnownOptions('flatten', options, LAYER_OPTIONS);
    super(options);
  }

  override get config(): LayerConfig {
    return {};
  }

  override call(x: Tensor): Tensor {
    return reshape(x, [x.shape[0], sizeOf(x.shape.slice(1))]);
  }
}

/** One axis an example: `flatten()`. */
export const flatten = (options: LayerOptions = {}, ...surplus: Surplus): Flatten =>
  sole('flatten', surplus, new Flatten(options));

/** For the conformance tests. */
export const flattenCases: readonly LayerCase[] = [
  { title: 'flatten', make: () => flatten(), inputShape: [2, 3, 4], outputShape: [24], parameters: 0 },
  { title: 'flatten of a vector', make: () => flatten(), inputShape: [5], outputShape: [5], parameters: 0 },
];
