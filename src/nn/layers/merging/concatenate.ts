/**
 * Concatenate: several inputs one after another along an axis. Source: Keras 3, Concatenate.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { concat } from '../../../ops/layout/concat.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { DownhillError } from '../../../util/errors.ts';
import { formatShape, normalizeAxes } from '../../../util/shape.ts';
import { checkKnownOptions, show } from '../../check-options.ts';
import { LAYER_OPTIONS, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { MergeLayer } from '../../merge-layer.ts';

export interface ConcatenateOptions extends LayerOptions {
  /** The axis that grows, counted with the batch axis as axis 0; -1 when left out. */
  readonly axis?: number;
}

/** xs [B, …], alike but for one axis → [B, …] with the sum of its sizes there; no weights. */
export class Concatenate extends MergeLayer {
  override readonly className = 'Concatenate';
  private readonly axis: number;

  /** @throws DownhillError `argument` for an axis that is not a whole number, or the batch axis. */
  constructor(options: ConcatenateOptions = {}) {
    checkKnownOptions('concatenate', options, ['axis', ...LAYER_OPTIONS]);
    super(options);
    const { axis = -1 } = options;
    if (!Number.isSafeInteger(axis) || axis === 0) {
      const rule = 'a whole number other than 0, the batch axis';
      throw new DownhillError('argument', `concatenate: axis must be ${rule}, found ${show(axis)}`);
    }
    this.axis = axis;
  }

  override get config(): LayerConfig {
    return { axis: this.axis };
  }

  /** @throws DownhillError `shape` naming the first input that does not continue the first one. */
  override merge(inputs: readonly Tensor[]): Tensor {
    const [first] = inputs;
    const [axis] = normalizeAxes(this.label, this.axis, first.shape);
    if (axis === 0) throw new DownhillError('argument', `${this.label}: axis ${this.axis} is the batch axis`);
    inputs.forEach(({ shape }, k) => {
      const fits = shape.length === first.rank && shape.every((size, d) => d === axis || size === first.shape[d]);
      if (fits) return;
      const [a, b] = [formatShape(first.shape.slice(1)), formatShape(shape.slice(1))];
      const reason = `all sizes but that of axis ${this.axis} must be equal`;
      throw new DownhillError('shape', `${this.label}: input 1 ${a} and input ${k + 1} ${b} do not fit: ${reason}`);
    });
    return concat(inputs, { axis });
  }
}

/** Symbols side by side: `concatenate()([a, b])`. */
export const concatenate = (options: ConcatenateOptions = {}, ...surplus: Surplus): Concatenate =>
  sole('concatenate', surplus, new Concatenate(options));

/** For the conformance tests. */
export const concatenateCases: readonly LayerCase[] = [
  {
    title: 'concatenate',
    make: () => concatenate(),
    inputShapes: [
      [2, 3],
      [2, 1],
      [2, 2],
    ],
    outputShape: [2, 6],
    parameters: 0,
  },
  {
    title: 'concatenate of rows',
    make: () => concatenate({ axis: 1 }),
    inputShapes: [
      [2, 3],
      [1, 3],
    ],
    outputShape: [3, 3],
    parameters: 0,
  },
];
