/**
 * The calls that every elementwise op gets for its tests: sizes 0 and 1 of an axis, odd sizes, more than one workgroup,
 * broadcasting, every dtype, NaN and infinities; and the calls that every elementwise op must refuse.
 */

import type { DType } from '../core/dtype.ts';
import type { Reject, Sample, SampleInput, SampleValues } from '../core/op.ts';
import type { Shape } from '../util/shape.ts';

/** Values an elementwise op must let through or answer rightly; -0 is left out: drivers may lose the sign. */
const EXTREMES = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1, -2];

/** Small numbers of either sign, where the dtype has signs. */
const WHOLE: Record<DType, readonly number[]> = {
  f32: [],
  i32: [-3, 2, 0, 7, -1],
  u32: [3, 2, 0, 7, 1],
  bool: [0, 1, 1, 0, 1],
};

/** Partners of WHOLE without 0. */
const WHOLE_NONZERO: Record<DType, readonly number[]> = {
  f32: [],
  i32: [2, -5, 1, -2, 3],
  u32: [2, 5, 1, 3, 2],
  bool: [1, 1, 0, 0, 1],
};

export function unarySamples<A>(
  attrs: A,
  accepts: readonly DType[],
  { values, extremes = true, samples = [] }: Extras<A> & { readonly values?: SampleValues },
): Sample<A>[] {
  const result: Sample<A>[] = [];
  if (accepts.includes('f32')) {
    for (const shape of [[], [1], [7], [3, 1, 5], [2, 3, 33], [0, 3]])
      result.push({ inputs: [input(shape, values)], attrs });
    if (extremes) result.push({ title: 'NaN and infinities', inputs: [explicit(EXTREMES)], attrs });
  }
  for (const dtype of accepts) {
    if (dtype !== 'f32') result.push({ title: dtype, inputs: [{ shape: [5], dtype, values: WHOLE[dtype] }], attrs });
  }
  return [...result, ...samples];
}

export function binarySamples<A extends object>(
  attrs: A,
  accepts: readonly DType[],
  {
    values = ['normal', 'normal'],
    extremes = true,
    samples = [],
  }: Extras<A> & { readonly values?: readonly [SampleValues, SampleValues] },
): Sample<A>[] {
  const result: Sample<A>[] = [];
  const pairs: readonly (readonly [Shape, Shape])[] = [
    [[], []],
    [[1], [1]],
    [
      [2, 3, 33],
      [2, 3, 33],
    ],
    [
      [4, 1, 5],
      [3, 1],
    ],
    [[7], []],
    [[1, 1], [5]],
    [
      [2, 3],
      [2, 1],
    ],
  ];
  if (accepts.includes('f32')) {
    for (const [a, b] of pairs) result.push({ inputs: [input(a, values[0]), input(b, values[1])], attrs });
    if (extremes) {
      result.push({
        title: 'NaN and infinities, each with each',
        inputs: [{ shape: [EXTREMES.length, 1], values: EXTREMES }, explicit(EXTREMES)],
        attrs,
      });
    }
  }
  for (const dtype of accepts) {
    if (dtype === 'f32') continue;
    const inputs = [WHOLE, WHOLE_NONZERO].map((list, k) => ({
      shape: k === 0 ? [5, 1] : [5],
      dtype,
      values: list[dtype],
    }));
    result.push({ title: dtype, inputs, attrs });
  }
  return [...result, ...samples];
}

export function unaryRejects<A>(name: string, attrs: A, accepts: readonly DType[]): Reject<A>[] {
  return refused(accepts).map((dtype) => ({
    title: `${dtype} operand`,
    inputs: [{ shape: [3], dtype, values: { below: 2 } }],
    attrs,
    message: new RegExp(`^${name}: x must be ${accepts.join(' or ')}, got ${dtype}\\[3\\]`),
  }));
}

export function binaryRejects<A>(name: string, attrs: A, accepts: readonly DType[]): Reject<A>[] {
  const dtype = accepts[0];
  const other = dtype === 'i32' ? 'u32' : 'i32';
  const whole = (type: DType, shape: Shape): SampleInput =>
    type === 'f32' ? { shape } : { shape, dtype: type, values: { below: 2 } };
  return [
    {
      title: 'shapes that do not broadcast',
      inputs: [whole(dtype, [2, 3]), whole(dtype, [4])],
      attrs,
      message: new RegExp(`^${name}: shapes \\[2,3\\] and \\[4\\] do not broadcast: axis 1 has 3 and 4`),
    },
    {
      title: 'operands of two dtypes',
      inputs: [whole(dtype, [2]), whole(other, [2])],
      attrs,
      message: new RegExp(`^${name}: operands are ${dtype}\\[2\\] and ${other}\\[2\\]; .* cast\\(`),
    },
    ...refused(accepts).map((type) => ({
      title: `${type} operands`,
      inputs: [whole(type, [3]), whole(type, [3])],
      attrs,
      message: new RegExp(`^${name}: operands must be ${accepts.join(' or ')}, got ${type}\\[3\\]`),
    })),
  ];
}

interface Extras<A> {
  readonly extremes?: boolean;
  readonly samples?: readonly Sample<A>[];
}

function input(shape: Shape, values: SampleValues | undefined): SampleInput {
  return values === undefined ? { shape } : { shape, values };
}

function explicit(values: readonly number[]): SampleInput {
  return { shape: [values.length], values };
}

/** A dtype that the op does not take, for its refusal. */
function refused(accepts: readonly DType[]): DType[] {
  const dtype = (['bool', 'i32', 'f32'] as const).find((candidate) => !accepts.includes(candidate));
  return dtype === undefined ? [] : [dtype];
}
