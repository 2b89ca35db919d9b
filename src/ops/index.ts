/**
 * Every op: what users import, and the list that tests, docs and benches walk. A new op is exported here by its file;
 * a new file adds one line to each part.
 */

import type { Op } from '../core/op.ts';
import { activationOps } from './activations.ts';
import { affineOps } from './affine-transform.ts';
import { argReduceOps } from './arg-reduce.ts';
import { binaryOps } from './binary.ts';
import { broadcastTo } from './broadcast-to.ts';
import { castOps } from './cast.ts';
import { compareOps } from './compare.ts';
import { concatOps } from './concat.ts';
import { convOps } from './conv.ts';
import { copy } from './copy.ts';
import { createOps } from './create.ts';
import { crossEntropyOps } from './cross-entropy.ts';
import { depthwiseOps } from './depthwise.ts';
import { gatedOps } from './gated.ts';
import { gatherOps } from './gather.ts';
import { im2colOps } from './im2col.ts';
import { matmulOps } from './matmul.ts';
import { normalizeOps } from './normalize.ts';
import { padOps } from './pad.ts';
import { padMirrored } from './pad-mirrored.ts';
import { poolOps } from './pool.ts';
import { randomOps } from './random.ts';
import { reduceOps } from './reduce.ts';
import { reduceCompositeOps } from './reduce-composite.ts';
import { resizeOps } from './resize.ts';
import { roundingOps } from './rounding.ts';
import { selectOps } from './select.ts';
import { shapeOps } from './shape.ts';
import { sliceOps } from './slice.ts';
import { softmaxOps } from './softmax.ts';
import { transposeOps } from './transpose.ts';
import { unaryOps } from './unary.ts';
import { unpackBytes } from './unpack-bytes.ts';

/** The records of all ops, families in a reader's order. */
export const allOps: readonly Op[] = [
  ...createOps,
  ...unaryOps,
  ...activationOps,
  ...gatedOps,
  ...roundingOps,
  ...binaryOps,
  ...compareOps,
  ...selectOps,
  ...castOps,
  ...reduceOps,
  ...shapeOps,
  broadcastTo,
  copy,
  ...softmaxOps,
  ...sliceOps,
  ...reduceCompositeOps,
  ...normalizeOps,
  ...transposeOps,
  ...padOps,
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
