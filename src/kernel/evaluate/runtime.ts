/** What evaluated kernels call: element access that checks, integer division as WGSL has it, vectors, bits. */

import { builtin, builtinNames } from '../builtins.ts';

type Element = number | boolean;
type Vector = Element[];

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/**
 * `index` when it is one of `length` elements. WebGPU would read another element; a kernel that relies on it is wrong.
 */
export function within(index: number, length: number): number {
  if (index >= 0 && index < length) return index;
  throw new RangeError(`index ${index} of ${length} elements`);
}

export const runtime = {
  within,
  functions: Object.fromEntries(builtinNames.map((name) => [name, builtin(name)?.of])),
  divideSigned: (a: number, b: number): number => (b === 0 || (a === -0x80000000 && b === -1) ? a : (a / b) | 0),
  divideUnsigned: (a: number, b: number): number => (b === 0 ? a : Math.floor(a / b)),
  restSigned: (a: number, b: number): number => (b === 0 || b === -1 ? 0 : (a % b) | 0),
  restUnsigned: (a: number, b: number): number => (b === 0 ? 0 : a % b),
  toSigned: (x: number): number => (Number.isNaN(x) ? 0 : Math.max(-0x80000000, Math.min(0x7fffffff, Math.trunc(x)))),
  toUnsigned: (x: number): number => (Number.isNaN(x) ? 0 : Math.max(0, Math.min(0xffffffff, Math.trunc(x)))),
  bitsOf(x: number): number {
    float[0] = x;
    return bits[0];
  },
  floatOf(word: number): number {
    bits[0] = word;
    return float[0];
  },
  /** `f` of each component; scalars count for every one. */
  lift(f: (...elements: Element[]) => Element, ...args: (Element | Vector)[]): Vector {
    const size = args.find((arg) => typeof arg === 'object')?.length as number;
    return Array.from({ length: size }, (_, k) => f(...args.map((arg) => (typeof arg === 'object' ? arg[k] : arg))));
  },
  dot: (a: number[], b: number[]): number => a.reduce((sum, x, k) => sum + x * b[k], 0),
} as const;

export type Runtime = typeof runtime;
