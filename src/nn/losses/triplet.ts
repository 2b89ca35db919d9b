/**
 * The triplet loss: embeddings of one class shall be closer to each other than to those of any other, by a margin. Each
 * example of the batch is an anchor once; of the batch it takes the farthest of its own class and the nearest of
 * another ("batch hard"): max(0, margin + d(a, p) − d(a, n)), with Euclidean distances.
 * Source: Hermans, Beyer, Leibe, "In defense of the triplet loss for person re-identification" (2017), equation 5;
 * after Schroff, Kalenichenko, Philbin, "FaceNet" (2015).
 */

import type { Tensor } from '../../core/tensor.ts';
import { softplus } from '../../ops/elementwise/activations.ts';
import { add, maximum, sub } from '../../ops/elementwise/binary.ts';
import { cast } from '../../ops/elementwise/cast.ts';
import { equal, greater, less, logicalAnd } from '../../ops/elementwise/compare.ts';
import { where } from '../../ops/elementwise/select.ts';
import { sqrt, square } from '../../ops/elementwise/unary.ts';
import { reshape } from '../../ops/layout/shape.ts';
import { max, min, sum } from '../../ops/reduction/reduce.ts';
import { refuseSurplus, type Surplus } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape } from '../../util/shape.ts';
import { checkKnownOptions, numberBetween, trueOrFalse } from '../check-options.ts';
import type { Loss } from './loss.ts';
import { changed } from './options.ts';

export interface TripletOptions {
  /** Distance by which another class shall be farther away; 1 when left out. */
  readonly margin?: number;
  /** True for log(1 + e^x) instead of max(0, margin + x): no margin, and never quite 0. */
  readonly soft?: boolean;
}

const DEFAULTS = { margin: 1, soft: false };
/** Keeps the slope of the square root finite where two embeddings are equal. */
const LEAST_SQUARE = 1e-12;
/** Farther than any embedding. */
const FAR = 1e30;

/**
 * The triplet loss over the hardest pairs of a batch: outputs are embeddings f32 [B, D], targets class ids [B], any
 * whole numbers from 0 on. Anchors of which the batch has no second example, or no other class, do not count.
 * @throws DownhillError `argument` for options, `shape` for outputs of another rank.
 */
export function tripletHard(options: TripletOptions = {}, ...surplus: Surplus): Loss {
  refuseSurplus('tripletHard', surplus);
  checkKnownOptions('tripletHard', options, Object.keys(DEFAULTS));
  const margin = numberBetween('tripletHard', 'margin', options.margin ?? DEFAULTS.margin, 0);
  const soft = trueOrFalse('tripletHard', 'soft', options.soft ?? DEFAULTS.soft);
  return {
    name: 'tripletHard',
    config: changed({ margin, soft }, DEFAULTS),
    targets: 'classes',
    anyClass: true,
    fromLogits: false,
    perExample: (y, { values }) => {
      if (values.rank !== 2) {
        const found = formatShape(values.shape);
        throw new DownhillError('shape', `tripletHard: takes embeddings [batch, size], found outputs ${found}`);
      }
      const distances = pairDistances(values);
      const same = sameClass(y);
      const farthest = max(where(same, distances, 0), { axes: 1 });
      const nearest = min(where(same, FAR, distances), { axes: 1 });
      const gap = sub(farthest, nearest);
      return where(counted(same), soft ? softplus(gap) : maximum(add(gap, margin), 0), 0);
    },
    share: (y) => cast(counted(sameClass(y)), 'f32'),
  };
}

/**
 * Euclidean distances of all pairs of rows, from their differences, which cancel less than the products: [B, D] →
 * [B, B].
 */
function pairDistances(x: Tensor): Tensor {
  const [B, D] = x.shape;
  const squares = sum(square(sub(reshape(x, [B, 1, D]), reshape(x, [1, B, D]))), { axes: 2 });
  return sqrt(maximum(squares, LEAST_SQUARE));
}

/** Whether two examples are of one class, each with itself too: i32 [B] → bool [B, B]. */
function sameClass(y: Tensor): Tensor {
  const [B] = y.shape;
  return equal(reshape(y, [B, 1]), reshape(y, [1, B]));
}

/** The anchors that have both a positive and a negative: bool [B, B] → bool [B]. */
function counted(same: Tensor): Tensor {
  const own = sum(cast(same, 'f32'), { axes: 1 });
  return logicalAnd(greater(own, 1.5), less(own, same.shape[0] - 0.5));
}
