/**
 * randomNormal: normal numbers by inverting the distribution function with a table of quantiles. No logarithm and no
 * cosine, whose last bits differ between devices: the same bits on CPU and GPU.
 */

import { defineOp, type Op, type SampleInput } from '../../core/op.ts';
import { describe, type Tensor } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, sameShape, sizeOf } from '../../util/shape.ts';
import { NORMAL_TABLE_SHAPE, normalOfBits, normalTable, normalTableTensor } from './normal-table.ts';
import { forEachWord } from './philox.ts';
import { affine, affineWgsl, OPERATIONS_PER_WORD, randomWord, streamRejects } from './random-bits.ts';
import {
  checkStreamOptions,
  KEY_SAMPLE,
  keyWords,
  requireFinite,
  requireStream,
  type StreamAttrs,
} from './random-key.ts';

export interface RandomNormalOptions extends StreamAttrs {
  /** 0 when left out. */
  readonly mean?: number;
  /** Standard deviation; 1 when left out. */
  readonly stddev?: number;
}

type RandomNormalAttrs = Required<RandomNormalOptions>;
type RandomNormal = (key: Tensor, options: RandomNormalOptions) => Tensor;

const TABLE_SAMPLE: SampleInput = {
  shape: NORMAL_TABLE_SHAPE,
  dtype: 'u32',
  // Made when a test asks for it, not when the file is loaded.
  get values() {
    return [...normalTable()];
  },
};
const INPUTS = [KEY_SAMPLE, TABLE_SAMPLE];

/**
 * Normal numbers as f32: z · stddev + mean, rounded after each operation, where z is within 2e-5 of the true quantile
 * of 32 random bits; |z| reaches 6.34.
 * @throws DownhillError as randomBits does, and `argument` unless mean is finite and stddev finite and ≥ 0.
 */
export const randomNormal: RandomNormal & Op<RandomNormalAttrs> = defineOp<RandomNormalAttrs, RandomNormal>(
  {
    name: 'randomNormal',
    doc:
      'f32 of any shape, normal with mean and stddev: 32 bits of Philox4x32-10 through the inverse distribution function, ' +
      'which is a table of quantiles with linear interpolation in integers (within 2e-5 of the true quantile; |z| ≤ 6.34). ' +
      'Key u32[2]; the table is a second input that the call adds. The same bits on CPU and GPU.',
    infer([key, table], attrs) {
      requireStream('randomNormal', key, attrs);
      if (table.dtype !== 'u32' || !sameShape(table.shape, NORMAL_TABLE_SHAPE)) {
        throw new DownhillError(
          table.dtype === 'u32' ? 'shape' : 'dtype',
          `randomNormal: the table must be u32${formatShape(NORMAL_TABLE_SHAPE)}, got ${describe(table)}; ` +
            'call randomNormal(key, options), which adds it',
        );
      }
      const { shape, mean, stddev } = attrs;
      requireFinite('randomNormal', 'mean', mean);
      requireFinite('randomNormal', 'stddev', stddev);
      if (stddev < 0) throw new DownhillError('argument', `randomNormal: stddev must be ≥ 0, got ${stddev}`);
      return { shape, dtype: 'f32' };
    },

    cpu([key, table], output, { stream, mean, stddev }) {
      forEachWord(keyWords(key), stream, output.data.length, (word, i) => {
        output.data[i] = affine(normalOfBits(word, table.data), stddev, mean);
      });
    },

    vjp: null,
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl(context) {
        const { load, attrs } = context;
        const value = `philox_normal_value(word, ${load(1, 'cell.x')}, ${load(1, 'cell.x + 1u')}, cell.y)`;
        return `
          let word = ${randomWord(context)};
          let cell = philox_normal_cell(word & 0x7fffffffu);
          return ${affineWgsl(value, attrs.stddev, attrs.mean, context)};`;
      },
    },
    samples: [
      { inputs: INPUTS, attrs: { shape: [30, 20], stream: 0, mean: 0, stddev: 1 } },
      { inputs: INPUTS, attrs: { shape: [257], stream: 1, mean: 0, stddev: 0.05 } },
      { title: 'sums that cancel', inputs: INPUTS, attrs: { shape: [500], stream: 2, mean: 3.3, stddev: 2.7 } },
      { title: 'no deviation', inputs: INPUTS, attrs: { shape: [5], stream: 2, mean: -1.5, stddev: 0 } },
    ],
    rejects: [
      ...streamRejects('randomNormal', { mean: 0, stddev: 1 }).map((reject) => ({
        ...reject,
        inputs: [...reject.inputs, TABLE_SAMPLE],
      })),
      {
        title: 'a negative deviation',
        inputs: INPUTS,
        attrs: { shape: [2], stream: 0, mean: 0, stddev: -1 },
        message: /^randomNormal: stddev must be ≥ 0, got -1/,
      },
      {
        title: 'a mean that is NaN',
        inputs: INPUTS,
        attrs: { shape: [2], stream: 0, mean: Number.NaN, stddev: 1 },
        message: /^randomNormal: mean must be a finite f32, got NaN/,
      },
      {
        title: 'a table of another shape',
        inputs: [KEY_SAMPLE, { shape: [64], dtype: 'u32' }],
        attrs: { shape: [2], stream: 0, mean: 0, stddev: 1 },
        message: /^randomNormal: the table must be u32\[27,64\], got u32\[64\]; call randomNormal\(key, options\)/,
      },
    ],
    tolerance: { relative: 0, source: 'integers and IEEE operations that no compiler may fuse' },
    bench: {
      flops: (_inputs, output) => OPERATIONS_PER_WORD * sizeOf(output.shape),
      sample: { inputs: INPUTS, attrs: { shape: [1024, 1024], stream: 0, mean: 0, stddev: 1 } },
    },
  },
  (apply) => (key, options) => {
    const known = ['shape', 'stream', 'mean', 'stddev'] as const;
    const { shape, stream, mean = 0, stddev = 1 } = checkStreamOptions('randomNormal', key, options, known);
    return apply([key, normalTableTensor()], { shape: [...shape], stream, mean, stddev });
  },
);

/** The records of this file. */
export const randomNormalOps: readonly Op[] = [randomNormal];
