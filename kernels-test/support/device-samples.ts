/**
 * Calls that only a device needs, beside the samples of the record: sizes at which kernels change their form (several
 * workgroups, reductions and contractions in chunks, tiles with a rest), and operands with NaN and infinities in them.
 */

import { isFloat } from '../../src/core/dtype.ts';
import type { CpuTensor, Op, Sample } from '../../src/core/op.ts';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../../src/ops/convolution/conv.ts';
import { pow } from '../../src/ops/elementwise/pow.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { Prng } from '../../src/util/prng.ts';
import { avalOf, drawSample, isFiniteSample } from './sample-values.ts';

/** Enough points that an invocation takes several, with a rest. */
const MANY = [3, 1700];

/** A row over 64 × 64 elements, long rows, many short ones, and columns: whole and chunked, with a rest. */
const REDUCTIONS: readonly (readonly [shape: readonly number[], axes: readonly number[]])[] = [
  [[4500, 2], [1]],
  [[5000], [0]],
  [[3, 1700], [1]],
  [[1300, 3], [0]],
  [[70, 5], [1]],
  [
    [9, 40, 7],
    [0, 2],
  ],
];

const PLAIN = { transposeA: false, transposeB: false };
const WINDOW = { strides: [1, 1], padding: 'same', dilation: [1, 1] };

const CONTRACTIONS = new Map<Op, readonly Sample[]>([
  [
    matmul,
    [
      { title: 'tiles with a rest', inputs: [{ shape: [70, 19] }, { shape: [19, 45] }], attrs: PLAIN },
      {
        title: 'tiles with a rest, transposed',
        inputs: [{ shape: [33, 66] }, { shape: [21, 33] }],
        attrs: { transposeA: true, transposeB: true },
      },
      { title: 'one column', inputs: [{ shape: [130, 70] }, { shape: [70, 1] }], attrs: PLAIN },
    ],
  ],
  [
    conv2d,
    [{ title: 'tiles with a rest', inputs: [{ shape: [3, 9, 8, 3] }, { shape: [5, 5, 3, 17] }], attrs: WINDOW }],
  ],
  [
    conv2dInputGrad,
    [
      {
        title: 'tiles with a rest',
        inputs: [{ shape: [3, 9, 8, 17] }, { shape: [3, 3, 5, 17] }],
        attrs: { ...WINDOW, inputShape: [3, 9, 8, 5] },
      },
    ],
  ],
  [
    conv2dWeightGrad,
    [
      {
        title: 'in chunks',
        inputs: [{ shape: [20, 9, 8, 3] }, { shape: [20, 9, 8, 5] }],
        attrs: { ...WINDOW, kernelShape: [3, 3, 3, 5] },
      },
    ],
  ],
]);

/** The samples of the record and those above that fit it. */
export function deviceSamples(op: Op): Sample[] {
  return [...op.samples, ...mapSamples(op), ...reductionSamples(op), ...(CONTRACTIONS.get(op) ?? [])];
}

function mapSamples(op: Op): Sample[] {
  const like = op.samples.find(
    ({ inputs }) => inputs.length > 0 && !inputs.some(({ values }) => Array.isArray(values)),
  );
  if (op.lower.kind !== 'map' || like === undefined) return [];
  const many = { ...like, title: 'many points', inputs: like.inputs.map((input) => ({ ...input, shape: MANY })) };
  return accepts(op, many) ? [many] : [];
}

function reductionSamples(op: Op): Sample[] {
  const [like] = op.samples;
  if (op.lower.kind !== 'reduce' || like === undefined) return [];
  const { values, dtype } = like.inputs[0];
  return REDUCTIONS.map(([shape, axes]) => {
    const named = 'axis' in like.attrs ? { axis: axes[0] } : { axes };
    const given = values === undefined ? {} : { values };
    const type = dtype === undefined ? {} : { dtype };
    return {
      title: `reduction [${shape}]`,
      inputs: [{ shape, ...type, ...given }],
      attrs: { ...like.attrs, ...named },
    };
  }).filter((sample) => accepts(op, sample));
}

function accepts(op: Op, { inputs, attrs }: Sample): boolean {
  try {
    op.infer(inputs.map(avalOf), attrs);
    return true;
  } catch {
    return false;
  }
}

const SPECIAL = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** WGSL's pow is exp2(b · log2 a), in which an infinity meets a zero; the record promises NaN alone. */
const NAN_ONLY: readonly Op[] = [pow];

export interface Draw {
  readonly sample: Sample;
  readonly values: readonly CpuTensor[];
  /** The operand with special values. */
  readonly position: number;
}

/** The samples of numbers with a NaN or an infinity in place of some, one operand at a time; the values drawn. */
export function specialDraws(op: Op): Draw[] {
  const kinds = NAN_ONLY.includes(op) ? SPECIAL.slice(0, 1) : SPECIAL;
  return deviceSamples(op)
    .filter(isFiniteSample)
    .flatMap((sample, s) =>
      sample.inputs.flatMap(({ dtype = 'f32' }, position) => {
        const values = drawSample(sample);
        const { data } = values[position];
        if (!isFloat(dtype) || data.length === 0) return [];
        const random = new Prng(s, position);
        for (let k = 0; k < Math.ceil(data.length / 40); k++) {
          data[random.int(data.length)] = kinds[(s + k) % kinds.length];
        }
        return [{ sample, values, position }];
      }),
    );
}
