/**
 * Values for the sample inputs of op records, drawn from a seed: the same sample gives the same values in every test
 * and in every self-test. They are f32 values (a device starts from the same numbers), whatever the array that holds
 * them.
 */

import { type CpuData, cpuArray, type DType, type Precision } from '../core/dtype.ts';
import type { CpuTensor, Sample, SampleInput, SampleValues } from '../core/op.ts';
import type { Aval } from '../core/tensor.ts';
import { Prng } from '../util/prng.ts';
import { type Shape, sizeOf } from '../util/shape.ts';

/** Shape and dtype of a sample input. */
export function avalOf({ shape, dtype = 'f32' }: SampleInput): Aval {
  return { shape, dtype };
}

/** The inputs of `sample` with values; `seed` picks another draw. */
export function drawSample(sample: Sample, seed = 0, precision: Precision = 'f64'): CpuTensor[] {
  return sample.inputs.map((input, k) => drawInput(input, [seed, k], precision));
}

/** One input with values. @param key seed and position: inputs of one call must not be equal. */
export function drawInput(input: SampleInput, key: readonly number[], precision: Precision = 'f64'): CpuTensor {
  const aval = avalOf(input);
  const data = cpuArray(aval.dtype, sizeOf(aval.shape), precision);
  fill(data, aval, input.values ?? defaultValues(aval.dtype), new Prng(...key));
  return { ...aval, data };
}

/** A random cotangent of `shape`: nothing near zero, so that no path of a gradient goes untested. */
export function drawCotangent(shape: Shape, seed: number): CpuTensor {
  return drawInput({ shape, values: 'nonzero' }, [seed, 0xc07a]);
}

/** True when all values of a sample are numbers: others have no derivatives. */
export function isFiniteSample(sample: Sample): boolean {
  return sample.inputs.every(({ values }) => !Array.isArray(values) || values.every(Number.isFinite));
}

function defaultValues(dtype: DType): SampleValues {
  if (dtype === 'f32') return 'normal';
  return { below: dtype === 'bool' ? 2 : 16 };
}

function fill(data: CpuData, { shape, dtype }: Aval, values: SampleValues, random: Prng): void {
  if (typeof values === 'object') {
    if (!('below' in values)) fillExplicit(data, shape, values);
    else for (let i = 0; i < data.length; i++) data[i] = random.int(values.below);
    return;
  }
  if (values === 'distinct') {
    const ladder = Float64Array.from({ length: data.length }, (_, i) => (i - Math.floor(data.length / 2)) * 0.1);
    random.shuffle(ladder).forEach((value, i) => {
      data[i] = dtype === 'f32' ? Math.fround(value) : Math.round(value * 10);
    });
    return;
  }
  for (let i = 0; i < data.length; i++) data[i] = Math.fround(draw(values, random));
}

function fillExplicit(data: CpuData, shape: Shape, values: readonly number[]): void {
  if (values.length !== data.length) {
    throw new Error(`a sample gives ${values.length} values for shape [${shape}], which takes ${data.length}`);
  }
  values.forEach((value, i) => {
    data[i] = Math.fround(value) === value || Number.isInteger(value) ? value : Math.fround(value);
  });
}

function draw(values: Exclude<SampleValues, object | 'distinct'>, random: Prng): number {
  switch (values) {
    case 'normal':
      return random.bell();
    case 'positive':
      return random.between(0.2, 2);
    case 'unit':
      return random.between(-0.95, 0.95);
    case 'probability':
      return random.between(0.05, 0.95);
    case 'equal':
      return 0.1;
    case 'nonzero': {
      const value = random.bell();
      return value + Math.sign(value || 1) * 0.1;
    }
    default:
      return values satisfies never;
  }
}
