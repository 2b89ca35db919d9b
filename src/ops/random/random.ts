/**
 * Random numbers that depend on nothing but (key, stream, position): every device gives the same bits.
 */

import type { Op } from '../../core/op.ts';
import { permuteOps } from '../layout/permute.ts';
import { randomBitsOps } from './random-bits.ts';
import { randomNormalOps } from './random-normal.ts';

export { type ShuffleOptions, shuffleIndices } from '../layout/permute.ts';
export {
  type RandomBernoulliOptions,
  type RandomBitsOptions,
  type RandomUniformOptions,
  randomBernoulli,
  randomBits,
  randomUniform,
} from './random-bits.ts';
export { type RandomNormalOptions, randomNormal } from './random-normal.ts';

/** The records of this family. */
export const randomOps: readonly Op[] = [...randomBitsOps, ...randomNormalOps, ...permuteOps];
