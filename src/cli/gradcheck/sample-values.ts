/**
 * Values for the sample inputs of op records, at reference precision. Which kind of values an input has is part of its
 * record (core/op.ts); here they are drawn.
 *
 * Invariant: the values are a pure function of (seed, stream), so a failure can be run again.
 */

import { type CpuData, type DType, isFloat } from '../../core/dtype.ts';
import type { SampleInput, SampleValues } from '../../core/op.ts';
import { HostRandom } from '../../nn/host-random.ts';
import { sizeOf } from '../../util/shape.ts';

/** Distance between neighbours of the `distinct` ladder. */
const LADDER_STEP = 0.1;

/** The values of one input: Float64Array for f32, integers otherwise (a bool is 0 or 1). */
export function drawSample(input: SampleInput, seed: number, stream: number): CpuData {
  const { shape, dtype = 'f32', values = dtype === 'f32' ? 'normal' : { below: dtype === 'bool' ? 2 : 5 } } = input;
  const random = new HostRandom(seed, stream);
  const length = sizeOf(shape);
  const drawn = values === 'distinct' ? shuffledLadder(random, length) : Array.from({ length }, drawer(values, random));
  return hold(dtype, drawn);
}

/** Standard normal values in f64, for cotangents. */
export function drawNormal(length: number, seed: number, stream: number): Float64Array {
  const random = new HostRandom(seed, stream);
  return Float64Array.from({ length }, () => random.normal());
}

function drawer(values: Exclude<SampleValues, 'distinct'>, random: HostRandom): (_: unknown, k: number) => number {
  if (typeof values === 'object') {
    if ('below' in values) return () => Math.floor(random.uniform() * values.below);
    return (_, k) => values[k];
  }
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  switch (values) {
    case 'normal':
      return () => random.normal();
    case 'positive':
      return () => between(0.2, 2);
    case 'unit':
      return () => between(-0.95, 0.95);
    case 'probability':
      return () => between(0.05, 0.95);
    case 'equal':
      return () => 0.1;
    case 'nonzero':
      return () => {
        const value = random.normal();
        return value + (value < 0 ? -0.1 : 0.1);
      };
    default:
      return values satisfies never;
  }
}

/** 0.1 apart around zero, in random order (Fisher–Yates). */
function shuffledLadder(random: HostRandom, length: number): number[] {
  const ladder = Array.from({ length }, (_, k) => (k - length / 2 + 0.3) * LADDER_STEP);
  for (let k = length - 1; k > 0; k--) {
    const other = Math.floor(random.uniform() * (k + 1));
    [ladder[k], ladder[other]] = [ladder[other], ladder[k]];
  }
  return ladder;
}

function hold(dtype: DType, values: readonly number[]): CpuData {
  if (isFloat(dtype)) return Float64Array.from(values);
  return dtype === 'i32' ? Int32Array.from(values) : Uint32Array.from(values);
}
