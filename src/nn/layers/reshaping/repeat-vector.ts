/**
 * RepeatVector: each example, a vector, n times over, as the rows of a matrix.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { reshape } from '../../../ops/layout/shape.ts';
import { broadcastTo } from '../../../ops/reduction/sum.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { DownhillError } from '../../../util/errors.ts';
import { formatShape } from '../../../util/shape.ts';
import { checkKnownOptions, wholeNumber } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

export interface RepeatVectorOptions extends LayerOptions {
  /** How often. */
  readonly n: number;
}

/** x [B, F] → [B, n, F]; no weights. */
export class RepeatVector extends Layer {
  override readonly className = 'RepeatVector';
  private readonly n: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: RepeatVectorOptions) {
    checkKnownOptions('repeatVector', options, [...LAYER_OPTIONS, 'n']);
    super(options);
    this.n = wholeNumber('repeatVector', 'n', options.n);
  }

  override get config(): LayerConfig {
    return { n: this.n };
  }

  override call(x: Tensor): Tensor {
    if (x.rank !== 2) {
      const found = formatShape(x.shape.slice(1));
      throw new DownhillError(
        'shape',
        `${this.label}: examples must be vectors, found shape ${found}; flatten() them first`,
      );
    }
    const [batch, features] = x.shape;
    return broadcastTo(reshape(x, [batch, 1, features]), [batch, this.n, features]);
  }
}

/** A vector as n equal rows: `repeatVector({ n: 3 })`. */
export const repeatVector = (options: RepeatVectorOptions, ...surplus: Surplus): RepeatVector =>
  sole('repeatVector', surplus, new RepeatVector(options));

/** For the conformance tests. */
export const repeatVectorCases: readonly LayerCase[] = [
  {
    title: 'repeat vector',
    make: () => repeatVector({ n: 3 }),
    inputShape: [4],
    outputShape: [3, 4],
    parameters: 0,
  },
];
