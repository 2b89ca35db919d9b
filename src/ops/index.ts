/**
 * Every op: what users import, and the list that tests, docs and benches walk. A new op is exported here by its file;
 * a new file adds one line to each part.
 */

import { copy } from '../core/copy.ts';
import type { Op } from '../core/op.ts';
import { convOps } from './convolution/conv.ts';
import { depthwiseOps } from './convolution/depthwise.ts';
import { im2colOps } from './convolution/im2col.ts';
import { createOps } from './create.ts';
import { activationOps } from './elementwise/activations.ts';
import { binaryOps } from './elementwise/binary.ts';
import { castOps } from './elementwise/cast.ts';
import { compareOps } from './elementwise/compare.ts';
import { gatedOps } from './elementwise/gated.ts';
import { neg } from './elementwise/neg.ts';
import { pow } from './elementwise/pow.ts';
import { roundingOps } from './elementwise/rounding.ts';
import { selectOps } from './elementwise/select.ts';
import { unaryOps } from './elementwise/unary.ts';
import { affineOps } from './image/affine-transform.ts';
import { resizeOps } from './image/resize.ts';
import { concatOps } from './layout/concat.ts';
import { gatherOps } from './layout/gather.ts';
import { padMirrored } from './layout/pad-mirrored.ts';
import { shapeOps } from './layout/shape.ts';
import { pad, sliceOps } from './layout/slice.ts';
import { transposeOps } from './layout/transpose.ts';
import { unpackBytes } from './layout/unpack-bytes.ts';
import { matmulOps } from './matmul/matmul.ts';
import { poolOps } from './pooling/pool.ts';
import { randomOps } from './random/random.ts';
import { argReduceOps } from './reduction/arg-reduce.ts';
import { crossEntropyOps } from './reduction/cross-entropy.ts';
import { normalizeOps } from './reduction/normalize.ts';
import { reduceOps } from './reduction/reduce.ts';
import { reduceCompositeOps } from './reduction/reduce-composite.ts';
import { softmaxOps } from './reduction/softmax.ts';
import { broadcastTo, sum } from './reduction/sum.ts';

/** The records of all ops, families in a reader's order. */
export const allOps: readonly Op[] = [
  ...createOps,
  neg,
  ...unaryOps,
  ...activationOps,
  ...gatedOps,
  ...roundingOps,
  ...binaryOps,
  pow,
  ...compareOps,
  ...selectOps,
  ...castOps,
  sum,
  ...reduceOps,
  ...shapeOps,
  broadcastTo,
  copy,
  ...softmaxOps,
  ...sliceOps,
  ...reduceCompositeOps,
  ...normalizeOps,
  ...transposeOps,
  pad,
  padMirrored,
  ...gatherOps,
  unpackBytes,
  ...crossEntropyOps,
  ...concatOps,
  ...argReduceOps,
  ...matmulOps,
  ...convOps,
  ...depthwiseOps,
  ...im2colOps,
  ...poolOps,
  ...affineOps,
  ...resizeOps,
  ...randomOps,
];
