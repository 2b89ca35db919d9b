/**
 * Random bits, uniform numbers and coin tosses from Philox4x32-10: pure functions of (key, stream, position), hence the
 * same bits on CPU and GPU, in every run, under every fusion.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
 */

import type { IndexContext } from '../../core/lowering.ts';
import { defineOp, type Op, type Reject } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import type { Shape } from '../../util/shape.ts';
import { sizeOf } from '../../util/shape.ts';
import { forEachWord } from './philox.ts';
import {
  checkStreamOptions,
  KEY_REJECTS,
  KEY_SAMPLE,
  keyWords,
  requireFinite,
  requireStream,
  type StreamAttrs,
} from './random-key.ts';

export type RandomBitsOptions = StreamAttrs;

export interface RandomUniformOptions extends StreamAttrs {
  /** Lower end; 0 when left out. */
  readonly min?: number;
  /** Upper end; 1 when left out. */
  readonly max?: number;
}

export interface RandomBernoulliOptions extends StreamAttrs {
  /** Probability of true, in [0, 1]. */
  readonly probability: number;
}

type RandomUniformAttrs = Required<RandomUniformOptions>;

type RandomBits = (key: Tensor, options: RandomBitsOptions) => Tensor;
type RandomUniform = (key: Tensor, options: RandomUniformOptions) => Tensor;
type RandomBernoulli = (key: Tensor, options: RandomBernoulliOptions) => Tensor;

const BENCH_SHAPE: Shape = [1024, 1024];
/** Integer operations of a block of ten rounds, more or less; they are counted as if they were of floats. */
export const OPERATIONS_PER_WORD = 300;

/**
 * 32 random bits an element, as u32: element i is word i mod 4 of Philox4x32-10 at counter (⌊i/4⌋, stream, 0, 0).
 * @throws DownhillError `dtype` or `shape` for a key that is not u32[2], `argument` for a stream that is none.
 */
export const randomBits: RandomBits & Op<RandomBitsOptions> = defineOp<RandomBitsOptions, RandomBits>(
  {
    name: 'randomBits',
    doc:
      'u32 of any shape, all 32 bits random: element i is word i mod 4 of Philox4x32-10 (Salmon et al., SC 2011) at ' +
      'counter (⌊i/4⌋, stream, 0, 0) under key u32[2].',
    infer([key], attrs) {
      requireStream('randomBits', key, attrs);
      return { shape: attrs.shape, dtype: 'u32' };
    },
    cpu([key], output, { stream }) {
      forEachWord(keyWords(key), stream, output.data.length, (word, i) => {
        output.data[i] = word;
      });
    },
    vjp: null,
    lower: { kind: 'index', cost: 'materialize', wgsl: (context) => `return ${randomWord(context)};` },
    samples: [
      { inputs: [KEY_SAMPLE], attrs: { shape: [3, 7], stream: 0 } },
      { title: 'the last stream', inputs: [KEY_SAMPLE], attrs: { shape: [33], stream: 2 ** 32 - 1 } },
      {
        title: 'key of ones',
        inputs: [{ shape: [2], dtype: 'u32', values: [2 ** 32 - 1, 2 ** 32 - 1] }],
        attrs: { shape: [5], stream: 1 },
      },
      { title: 'scalar', inputs: [KEY_SAMPLE], attrs: { shape: [], stream: 3 } },
      { title: 'empty', inputs: [KEY_SAMPLE], attrs: { shape: [0, 4], stream: 3 } },
    ],
    rejects: streamRejects('randomBits', {}),
    tolerance: { relative: 0, source: 'integer arithmetic' },
    bench: {
      flops: (_inputs, output) => OPERATIONS_PER_WORD * sizeOf(output.shape),
      sample: { inputs: [KEY_SAMPLE], attrs: { shape: BENCH_SHAPE, stream: 0 } },
    },
  },
  (apply) => (key, options) => {
    const { shape, stream } = checkStreamOptions('randomBits', key, options, ['shape', 'stream']);
    return apply([key], { shape: [...shape], stream });
  },
);

/**
 * Uniform numbers as f32: u = 24 random bits · 2⁻²⁴ in [0, 1), then u · (max - min) + min, rounded after each operation
 * (so max itself can come out when the range is coarse; for [0, 1) it cannot).
 * @throws DownhillError as randomBits does, and `argument` unless min ≤ max are finite.
 */
export const randomUniform: RandomUniform & Op<RandomUniformAttrs> = defineOp<RandomUniformAttrs, RandomUniform>(
  {
    name: 'randomUniform',
    doc:
      'f32 of any shape, uniform in [min, max): u = 24 high bits of Philox4x32-10 · 2⁻²⁴, then u · (max - min) + min, ' +
      'rounded to f32 after each operation. Key u32[2]; the same bits on CPU and GPU.',
    infer([key], attrs) {
      requireStream('randomUniform', key, attrs);
      const { shape, min, max } = attrs;
      requireFinite('randomUniform', 'min', min);
      requireFinite('randomUniform', 'max', max);
      if (min > max) {
        throw new DownhillError('argument', `randomUniform: min must not exceed max, got min ${min}, max ${max}`);
      }
      requireFinite('randomUniform', 'max - min', max - min);
      return { shape, dtype: 'f32' };
    },
    cpu([key], output, { stream, min, max }) {
      forEachWord(keyWords(key), stream, output.data.length, (word, i) => {
        output.data[i] = affine((word >>> 8) / 2 ** 24, max - min, min);
      });
    },
    vjp: null,
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl: (context) => {
        const { min, max } = context.attrs;
        return `return ${affineWgsl(`philox_unit(${randomWord(context)})`, max - min, min, context)};`;
      },
    },
    samples: [
      { inputs: [KEY_SAMPLE], attrs: { shape: [3, 7], stream: 0, min: 0, max: 1 } },
      { inputs: [KEY_SAMPLE], attrs: { shape: [257], stream: 1, min: -0.05, max: 0.05 } },
      { title: 'ends of many digits', inputs: [KEY_SAMPLE], attrs: { shape: [500], stream: 2, min: 0.1, max: 3.7 } },
      { title: 'one value', inputs: [KEY_SAMPLE], attrs: { shape: [5], stream: 2, min: 3, max: 3 } },
    ],
    rejects: [
      ...streamRejects('randomUniform', { min: 0, max: 1 }),
      {
        title: 'ends the wrong way round',
        inputs: [KEY_SAMPLE],
        attrs: { shape: [2], stream: 0, min: 1, max: 0 },
        message: /^randomUniform: min must not exceed max, got min 1, max 0/,
      },
      {
        title: 'an infinite end',
        inputs: [KEY_SAMPLE],
        attrs: { shape: [2], stream: 0, min: 0, max: Number.POSITIVE_INFINITY },
        message: /^randomUniform: max must be a finite f32, got Infinity/,
      },
      {
        title: 'a range that overflows',
        inputs: [KEY_SAMPLE],
        attrs: { shape: [2], stream: 0, min: -3e38, max: 3e38 },
        message: /^randomUniform: max - min must be a finite f32/,
      },
    ],
    tolerance: { relative: 0, source: 'integers and IEEE operations that no compiler may fuse' },
    bench: {
      flops: (_inputs, output) => OPERATIONS_PER_WORD * sizeOf(output.shape),
      sample: { inputs: [KEY_SAMPLE], attrs: { shape: BENCH_SHAPE, stream: 0, min: 0, max: 1 } },
    },
  },
  (apply) => (key, options) => {
    const known = ['shape', 'stream', 'min', 'max'] as const;
    const { shape, stream, min = 0, max = 1 } = checkStreamOptions('randomUniform', key, options, known);
    return apply([key], { shape: [...shape], stream, min, max });
  },
);

/**
 * Coin tosses as bool: true with `probability` (rounded to a multiple of 2⁻³²; 0 never is, 1 always).
 * @throws DownhillError as randomBits does, and `argument` for a probability outside of [0, 1].
 */
export const randomBernoulli: RandomBernoulli & Op<RandomBernoulliOptions> = defineOp<
  RandomBernoulliOptions,
  RandomBernoulli
>(
  {
    name: 'randomBernoulli',
    doc:
      'bool of any shape, true with the given probability (rounded to a multiple of 2⁻³²): 32 bits of Philox4x32-10 ' +
      'below an integer threshold. Key u32[2]; the same bits on CPU and GPU.',
    infer([key], attrs) {
      requireStream('randomBernoulli', key, attrs);
      const { shape, probability } = attrs;
      if (!(probability >= 0 && probability <= 1)) {
        throw new DownhillError('argument', `randomBernoulli: probability must be in [0, 1], got ${probability}`);
      }
      return { shape, dtype: 'bool' };
    },
    cpu([key], output, { stream, probability }) {
      const { mask, threshold } = coin(probability);
      forEachWord(keyWords(key), stream, output.data.length, (word, i) => {
        output.data[i] = (word & mask) >>> 0 < threshold ? 1 : 0;
      });
    },
    vjp: null,
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl(context) {
        const { mask, threshold } = coin(context.attrs.probability);
        return `return (${randomWord(context)} & ${context.count(mask)}) < ${context.count(threshold)};`;
      },
    },
    samples: [
      { inputs: [KEY_SAMPLE], attrs: { shape: [16, 16], stream: 0, probability: 0.8 } },
      { title: 'never', inputs: [KEY_SAMPLE], attrs: { shape: [33], stream: 0, probability: 0 } },
      { title: 'always', inputs: [KEY_SAMPLE], attrs: { shape: [33], stream: 0, probability: 1 } },
      { title: 'hardly ever', inputs: [KEY_SAMPLE], attrs: { shape: [500], stream: 5, probability: 0.01 } },
    ],
    rejects: [
      ...streamRejects('randomBernoulli', { probability: 0.5 }),
      ...[1.5, -0.1, Number.NaN].map((probability) => ({
        title: `probability ${probability}`,
        inputs: [KEY_SAMPLE],
        attrs: { shape: [2], stream: 0, probability },
        message: /^randomBernoulli: probability must be in \[0, 1\], got (1\.5|-0\.1|NaN)/,
      })),
    ],
    tolerance: { relative: 0, source: 'integer arithmetic' },
    bench: {
      flops: (_inputs, output) => OPERATIONS_PER_WORD * sizeOf(output.shape),
      sample: { inputs: [KEY_SAMPLE], attrs: { shape: BENCH_SHAPE, stream: 0, probability: 0.5 } },
    },
  },
  (apply) => (key, options) => {
    const known = ['shape', 'stream', 'probability'] as const;
    const { shape, stream, probability } = checkStreamOptions('randomBernoulli', key, options, known);
    return apply([key], { shape: [...shape], stream, probability });
  },
);

/** The records of this file. */
export const randomBitsOps: readonly Op[] = [randomBits, randomUniform, randomBernoulli];

/** u32 expression: 32 random bits for the element of `context`. */
export function randomWord(context: IndexContext<StreamAttrs>): string {
  const { i, attrs, load, count, use } = context;
  use('philox');
  return `philox_word(${i}, ${count(attrs.stream)}, vec2<u32>(${load(0, '0u')}, ${load(0, '1u')}))`;
}

/** x · scale + shift in f32, each operation rounded by itself. */
export function affine(x: number, scale: number, shift: number): number {
  return Math.fround(Math.fround(x * Math.fround(scale)) + Math.fround(shift));
}

/** The same as an expression of shaders/philox.wgsl; `x` is an f32 expression. */
export function affineWgsl(x: string, scale: number, shift: number, context: IndexContext<StreamAttrs>): string {
  const { scalar, count } = context;
  return `philox_affine(${x}, ${scalar(scale)}, ${scalar(shift)}, ${count(0)})`;
}

/** What every op with a stream refuses. @param more the op's own attributes. */
export function streamRejects<A extends object>(name: string, more: A): Reject<StreamAttrs & A>[] {
  const attrs = { shape: [2], stream: 0, ...more };
  return [
    ...KEY_REJECTS.map((reject) => ({ ...reject, attrs, message: new RegExp(`^${name}: ${reject.message.source}`) })),
    ...[-1, 0.5, 2 ** 32].map((stream) => ({
      title: `stream ${stream}`,
      inputs: [KEY_SAMPLE],
      attrs: { ...attrs, stream },
      message: new RegExp(`^${name}: stream must be a whole number from 0 to 2³² - 1, got ${stream}`),
    })),
    {
      title: 'a shape that is none',
      inputs: [KEY_SAMPLE],
      attrs: { ...attrs, shape: [2, -1] },
      message: new RegExp(`^${name}: \\[2,-1\\] is not a shape`),
    },
  ];
}

/** True is a word that is below `threshold` under `mask`; with probability 1 the mask leaves nothing of any word. */
function coin(probability: number): { mask: number; threshold: number } {
  const threshold = Math.round(probability * 2 ** 32);
  return threshold === 2 ** 32 ? { mask: 0, threshold: 1 } : { mask: 2 ** 32 - 1, threshold };
}
