/**
 * tensor(): numbers of the host as a Tensor. The values are copied and checked once, here, so that what reaches a
 * device is what the dtype says.
 */

import type { DType, TypedArray } from '../core/dtype.ts';
import { DTYPES } from '../core/dtype.ts';
import { Tensor } from '../core/tensor.ts';
import { checkOptions, refuseSurplus, type Surplus } from '../util/check-options.ts';
import { DownhillError, unknownName } from '../util/errors.ts';
import { checkShape, formatShape, type Shape, sizeOf } from '../util/shape.ts';
import { show } from '../util/show.ts';

/** A number, or numbers in arrays of arrays of one shape. */
export type TensorValues = number | boolean | readonly TensorValues[];

export interface TensorOptions {
  /** Row-major shape of a typed array or a flat list; one axis when left out. Nested arrays have their own. */
  readonly shape?: Shape;
  /** Left out: that of a typed array, bool for booleans, f32 for numbers. */
  readonly dtype?: DType;
}

/**
 * A tensor of `values`: a number, nested arrays, or a typed array with `shape`.
 * @throws DownhillError `shape` for ragged arrays or values that do not fill the shape, `argument` for what is not a
 *   number or does not fit the dtype, `dtype` for an unknown one.
 */
export function tensor(
  values: TensorValues | TypedArray | Float64Array,
  options: TensorOptions = {},
  ...surplus: Surplus
): Tensor {
  refuseSurplus('tensor', surplus);
  const { shape: wanted, dtype: asked } = checkOptions('tensor', options, ['shape', 'dtype']);
  if (asked !== undefined && !DTYPES.includes(asked)) throw unknownName('dtype of tensor:', asked, DTYPES);
  if (wanted !== undefined) checkShape('tensor', wanted);
  const typed = ArrayBuffer.isView(values);
  const flat: (number | boolean)[] = [];
  const found = typed ? [values.length] : shapeOf(values);
  if (!typed) flatten(values, found, 0, flat);
  const shape = wanted ?? found;
  if (wanted !== undefined && found.length > 1 && String(found) !== String(wanted)) {
    throw new DownhillError(
      'shape',
      `tensor: arrays of shape ${formatShape(found)} with shape ${formatShape(wanted)}; ` +
        'leave the shape out, or give a flat list',
    );
  }
  const dtype = asked ?? (typed ? dtypeOf(values) : typeof flat[0] === 'boolean' ? 'bool' : 'f32');
  const source = typed ? values : flat;
  if (source.length !== sizeOf(shape)) {
    throw new DownhillError(
      'shape',
      `tensor: ${source.length} values do not fill shape ${formatShape(shape)}, which takes ${sizeOf(shape)}`,
    );
  }
  return Tensor.host({ shape: [...shape], dtype }, hold(dtype, source));
}

/** The shape that the first entries say; `flatten` checks the others. */
function shapeOf(values: TensorValues): number[] {
  const shape: number[] = [];
  for (let level: TensorValues | undefined = values; Array.isArray(level); level = level[0]) shape.push(level.length);
  return shape;
}

/** @param at where `values` are, e.g. `[1][0]`. */
function flatten(values: TensorValues, shape: Shape, axis: number, into: (number | boolean)[], at = ''): void {
  const place = at === '' ? '' : ` at ${at}`;
  if (axis === shape.length) {
    if (typeof values !== 'number' && typeof values !== 'boolean') {
      const found = Array.isArray(values) ? 'an array' : show(values);
      throw new DownhillError(
        Array.isArray(values) ? 'shape' : 'argument',
        `tensor: expected a number${place}, found ${found}`,
      );
    }
    into.push(values);
    return;
  }
  if (!Array.isArray(values) || values.length !== shape[axis]) {
    const found = Array.isArray(values) ? `${values.length} entries` : show(values);
    throw new DownhillError(
      'shape',
      `tensor: expected ${shape[axis]} entries on axis ${axis} as in the first, found ${found}${place}`,
    );
  }
  // By index: `forEach` and its like pass over the holes of an array.
  for (let k = 0; k < values.length; k++) {
    const value = values[k];
    // Most entries by far; their place needs no text.
    if (typeof value === 'number' && axis + 1 === shape.length) into.push(value);
    else flatten(value, shape, axis + 1, into, `${at}[${k}]`);
  }
}

function dtypeOf(values: ArrayBufferView): DType {
  if (values instanceof Float32Array || values instanceof Float64Array) return 'f32';
  if (values instanceof Int32Array) return 'i32';
  if (values instanceof Uint32Array) return 'u32';
  if (values instanceof Uint8Array) return 'bool';
  throw new DownhillError(
    'dtype',
    `tensor: ${values.constructor.name} has no dtype here; ` +
      'give Float32Array, Int32Array, Uint32Array or Uint8Array (bool)',
  );
}

/** A copy of `values` as `dtype` has them: what the caller does with its array afterwards changes nothing. */
function hold(dtype: DType, values: ArrayLike<number | boolean>): TypedArray {
  switch (dtype) {
    case 'f32':
      return filled(new Float32Array(values.length), values);
    case 'i32':
      return whole(new Int32Array(values.length), values, -(2 ** 31), 2 ** 31 - 1, dtype);
    case 'u32':
      return whole(new Uint32Array(values.length), values, 0, 2 ** 32 - 1, dtype);
    case 'bool':
      return whole(new Uint8Array(values.length), values, 0, 1, dtype);
    default:
      return dtype satisfies never;
  }
}

function filled<T extends TypedArray>(target: T, values: ArrayLike<number | boolean>): T {
  if (ArrayBuffer.isView(values)) target.set(values as unknown as ArrayLike<number>);
  else for (let k = 0; k < values.length; k++) target[k] = Number(values[k]);
  return target;
}

function whole<T extends TypedArray>(
  target: T,
  values: ArrayLike<number | boolean>,
  least: number,
  most: number,
  dtype: DType,
): T {
  for (let k = 0; k < values.length; k++) {
    const number = Number(values[k]);
    if (Number.isInteger(number) && number >= least && number <= most) continue;
    throw new DownhillError(
      'argument',
      `tensor: value ${number} at ${k} is no ${dtype}: whole numbers from ${least} to ${most}`,
    );
  }
  return filled(target, values);
}
