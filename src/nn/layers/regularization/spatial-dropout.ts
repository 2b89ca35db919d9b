/**
 * What the layers that drop whole channels share: one draw for each channel of each example.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { mul } from '../../../ops/elementwise/binary.ts';
import { cast } from '../../../ops/elementwise/cast.ts';
import { randomBernoulli } from '../../../ops/random/random.ts';
import { DownhillError } from '../../../util/errors.ts';
import { formatShape } from '../../../util/shape.ts';
import type { CallContext } from '../../layer.ts';

/**
 * `x` [B, …, C] with channels set to 0 with probability `rate`, the others divided by 1 − rate.
 * @throws DownhillError `shape` unless x has `rank` axes.
 */
export function dropChannels(
  x: Tensor,
  examples: string,
  rank: number,
  owner: string,
  rate: number,
  { training, key, stream }: CallContext,
): Tensor {
  if (x.rank !== rank) {
    const found = formatShape(x.shape.slice(1));
    throw new DownhillError('shape', `${owner}: examples must be ${examples}, found shape ${found}`);
  }
  if (!training || key === undefined || rate === 0) return x;
  const shape = x.shape.map((size, axis) => (axis === 0 || axis === rank - 1 ? size : 1));
  const kept = cast(randomBernoulli(key, { shape, stream, probability: 1 - rate }), 'f32');
  return mul(x, mul(kept, 1 / (1 - rate)));
}
