/**
 * Losses of distributions and counts.
 * Source: keras/src/losses/losses.py (`kl_divergence`, `poisson`).
 */

import { add, div, mul, sub } from '../../ops/elementwise/binary.ts';
import { clip } from '../../ops/elementwise/select.ts';
import { log } from '../../ops/elementwise/unary.ts';
import { sum } from '../../ops/reduction/reduce.ts';
import { type Surplus, sole } from '../../util/check-options.ts';
import { EPSILON, elementwiseLoss, type Loss } from './loss.ts';

/** Σ y log(y / p) over the last axis, both kept in [1e-7, 1]. Kullback and Leibler (1951). */
export const klDivergence = (options: object = {}, ...surplus: Surplus): Loss =>
  sole(
    'klDivergence',
    surplus,
    elementwiseLoss(
      'klDivergence',
      options,
      (y, p) => {
        const target = clip(y, EPSILON, 1);
        return sum(mul(target, log(div(target, clip(p, EPSILON, 1)))), { axes: -1 });
      },
      { targetRange: { low: 0, expected: 'of at least 0, such as rows of probabilities' } },
    ),
  );

/** Mean of p − y log p, for counts y and expected counts p: the negative log likelihood but for a constant. */
export const poisson = (options: object = {}, ...surplus: Surplus): Loss =>
  sole(
    'poisson',
    surplus,
    elementwiseLoss('poisson', options, (y, p) => sub(p, mul(y, log(add(p, EPSILON)))), {
      targetRange: { low: 0, expected: 'of at least 0, such as counts' },
    }),
  );
