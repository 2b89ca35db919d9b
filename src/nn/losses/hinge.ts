/**
 * Margin losses. Targets of the binary ones are −1 or 1; a batch of nothing but 0 and 1 is read as −1 and 1, as in
 * Keras.
 * Source: keras/src/losses/losses.py (`convert_binary_labels_to_hinge`).
 */

import type { Tensor } from '../../core/tensor.ts';
import { add, maximum, mul, sub } from '../../ops/elementwise/binary.ts';
import { cast } from '../../ops/elementwise/cast.ts';
import { equal, logicalOr } from '../../ops/elementwise/compare.ts';
import { where } from '../../ops/elementwise/select.ts';
import { square } from '../../ops/elementwise/unary.ts';
import { max, min, sum } from '../../ops/reduction/reduce.ts';
import { type Surplus, sole } from '../../util/check-options.ts';
import { elementwiseLoss, type Loss, type TargetRange } from './loss.ts';

/** Either way of saying no and yes. */
const SIDES: TargetRange = { low: -1, high: 1, expected: '−1 and 1, or 0 and 1' };

/** Mean of max(1 − y · prediction, 0). */
export const hinge = (options: object = {}, ...surplus: Surplus): Loss =>
  sole(
    'hinge',
    surplus,
    elementwiseLoss('hinge', options, (y, prediction) => margin(y, prediction), { margins: true, targetRange: SIDES }),
  );

/** Mean of max(1 − y · prediction, 0)². */
export const squaredHinge = (options: object = {}, ...surplus: Surplus): Loss =>
  sole(
    'squaredHinge',
    surplus,
    elementwiseLoss('squaredHinge', options, (y, prediction) => square(margin(y, prediction)), {
      margins: true,
      targetRange: SIDES,
    }),
  );

/** max(best wrong score − score of the true class + 1, 0), for targets that are one-hot rows. */
export const categoricalHinge = (options: object = {}, ...surplus: Surplus): Loss =>
  sole(
    'categoricalHinge',
    surplus,
    elementwiseLoss('categoricalHinge', options, (y, prediction) => {
      const right = sum(mul(y, prediction), { axes: -1 });
      const wrong = max(mul(sub(1, y), prediction), { axes: -1 });
      return maximum(add(sub(wrong, right), 1), 0);
    }),
  );

function margin(y: Tensor, prediction: Tensor): Tensor {
  const isBit = logicalOr(equal(y, 0), equal(y, 1));
  const allBits = equal(min(cast(isBit, 'f32')), 1);
  const sides = where(allBits, sub(mul(y, 2), 1), y);
  return maximum(sub(1, mul(sides, prediction)), 0);
}
