/**
 * shuffleIndices: a window of a seeded permutation, computed element by element. An epoch's order thus needs neither a
 * table nor a sort, and any batch of it can be made on its own.
 *
 * Invariant: for every key and n the whole window 0 … n-1 holds each index once; CPU and GPU give the same.
 * Sources: Luby, Rackoff, "How to construct pseudorandom permutations from pseudorandom functions" (1988); Black,
 * Rogaway, "Ciphers with arbitrary finite domains" (2002), cycle walking. The same in WGSL: shaders/permute.wgsl.
 */

import { defineOp, type Op, type SampleInput } from '../../core/op.ts';
import { describe, type Tensor } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { sizeOf } from '../../util/shape.ts';
import { KEY_REJECTS, KEY_SAMPLE, keyWords, requireKey } from '../random/random-key.ts';

export interface ShuffleOptions {
  /** Length of the window. */
  readonly count: number;
  /** The permutation is one of 0 … n-1. */
  readonly n: number;
}

type ShuffleIndices = (key: Tensor, offset: Tensor, options: ShuffleOptions) => Tensor;

const ROUNDS = 8;
const STEP = 0x9e3779b9;

const at = (offset: number): SampleInput => ({ shape: [], dtype: 'u32', values: [offset] });

/**
 * Elements offset … offset + count - 1 of the permutation of 0 … n-1 that `key` (u32[2]) picks, as u32[count]. `offset`
 * is a u32 scalar tensor, so that one program serves every batch of an epoch; offset + count ≤ n is up to the caller
 * (what is beyond the end repeats the last element).
 * @throws DownhillError `argument` unless 0 ≤ count ≤ n and 1 ≤ n < 2³¹; `dtype`, `shape` for a key or offset that is
 *   none.
 */
export const shuffleIndices: ShuffleIndices & Op<ShuffleOptions> = defineOp<ShuffleOptions, ShuffleIndices>(
  {
    name: 'shuffleIndices',
    doc:
      'Elements offset … offset + count - 1 of a pseudo-random permutation of 0 … n-1 → u32[count]; key u32[2] picks the ' +
      'permutation, offset is a u32 scalar tensor, what is beyond the end repeats the last element. An 8-round Feistel ' +
      'network with cycle walking (Black, Rogaway 2002): no table, no sort, the same bits on CPU and GPU.',
    infer([key, offset], { count, n }) {
      requireKey('shuffleIndices', key);
      if (offset.dtype !== 'u32' || offset.shape.length !== 0) {
        throw new DownhillError(
          offset.dtype === 'u32' ? 'shape' : 'dtype',
          `shuffleIndices: offset must be a scalar u32[], got ${describe(offset)}`,
        );
      }
      if (!Number.isInteger(n) || n < 1 || n >= 2 ** 31) {
        throw new DownhillError('argument', `shuffleIndices: n must be a whole number from 1 to 2³¹ - 1, got ${n}`);
      }
      if (!Number.isInteger(count) || count < 0 || count > n) {
        throw new DownhillError(
          'argument',
          `shuffleIndices: count must be a whole number from 0 to n = ${n}, got ${count}`,
        );
      }
      return { shape: [count], dtype: 'u32' };
    },

    cpu([key, offset], output, { n }) {
      const permuted = permutation(keyWords(key), n);
      const first = offset.data[0];
      for (let j = 0; j < output.data.length; j++) output.data[j] = permuted(Math.min((first + j) >>> 0, n - 1));
    },

    vjp: null,
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl({ i, attrs: { n }, load, count, use }) {
        use('permute');
        return `
          let n = ${count(n)};
          let start = min(${load(1, '0u')} + ${i}, n - 1u);
          return permute_index(start, n, ${count(halfBits(n))}, vec2<u32>(${load(0, '0u')}, ${load(0, '1u')}));`;
      },
    },
    samples: [
      { title: 'all of 7', inputs: [KEY_SAMPLE, at(0)], attrs: { count: 7, n: 7 } },
      { title: 'a power of four', inputs: [KEY_SAMPLE, at(0)], attrs: { count: 64, n: 64 } },
      { title: 'a window of many', inputs: [KEY_SAMPLE, at(59_500)], attrs: { count: 500, n: 60_000 } },
      { title: 'beyond the end', inputs: [KEY_SAMPLE, at(90)], attrs: { count: 20, n: 100 } },
      { title: 'one', inputs: [KEY_SAMPLE, at(0)], attrs: { count: 1, n: 1 } },
      { title: 'none', inputs: [KEY_SAMPLE, at(0)], attrs: { count: 0, n: 5 } },
      { title: 'the largest n', inputs: [KEY_SAMPLE, at(5)], attrs: { count: 33, n: 2 ** 31 - 1 } },
    ],
    rejects: [
      ...KEY_REJECTS.map((reject) => ({
        ...reject,
        inputs: [...reject.inputs, at(0)],
        attrs: { count: 2, n: 5 },
        message: new RegExp(`^shuffleIndices: ${reject.message.source}`),
      })),
      {
        title: 'an offset with an axis',
        inputs: [KEY_SAMPLE, { shape: [1], dtype: 'u32' }],
        attrs: { count: 2, n: 5 },
        message: /^shuffleIndices: offset must be a scalar u32\[\], got u32\[1\]/,
      },
      {
        title: 'an i32 offset',
        inputs: [KEY_SAMPLE, { shape: [], dtype: 'i32' }],
        attrs: { count: 2, n: 5 },
        message: /^shuffleIndices: offset must be a scalar u32\[\], got i32\[\]/,
      },
      {
        title: 'more than there are',
        inputs: [KEY_SAMPLE, at(0)],
        attrs: { count: 6, n: 5 },
        message: /^shuffleIndices: count must be a whole number from 0 to n = 5, got 6/,
      },
      {
        title: 'of nothing',
        inputs: [KEY_SAMPLE, at(0)],
        attrs: { count: 0, n: 0 },
        message: /^shuffleIndices: n must be a whole number from 1 to 2³¹ - 1, got 0/,
      },
    ],
    tolerance: { relative: 0, source: 'integer arithmetic' },
    bench: {
      flops: (_inputs, output) => sizeOf(output.shape),
      sample: { inputs: [KEY_SAMPLE, at(0)], attrs: { count: 60_000, n: 60_000 } },
    },
  },
  (apply) => (key, offset, options) => {
    const { count, n } = checkOptions('shuffleIndices', options, ['count', 'n'], ['count', 'n']);
    return apply([key, offset], { count, n });
  },
);

/** The records of this file. */
export const permuteOps: readonly Op[] = [shuffleIndices];

/** Bits of one half of the network: the least h ≥ 1 with 4^h ≥ n. */
function halfBits(n: number): number {
  return Math.max(1, Math.ceil((32 - Math.clz32(n - 1)) / 2));
}

/** The permutation of 0 … n-1 that `key` picks, as a function: where each index goes. */
export function permutation([k0, k1]: readonly [number, number], n: number): (start: number) => number {
  const half = halfBits(n);
  const mask = 2 ** half - 1;
  const a = mix((k0 + STEP) | 0);
  const b = mix(k1 ^ a);
  const roundKeys = Array.from({ length: ROUNDS }, (_, r) => (mix((a + Math.imul(r + 1, STEP)) | 0) + b) | 0);
  const scramble = (x: number): number => {
    let left = x >>> half;
    let right = x & mask;
    for (const roundKey of roundKeys) {
      const next = left ^ (mix(right ^ roundKey) & mask);
      left = right;
      right = next;
    }
    return ((left << half) | right) >>> 0;
  };
  return (start) => {
    let x = scramble(start);
    while (x >= n) x = scramble(x);
    return x;
  };
}

/** The finaliser of MurmurHash3. */
function mix(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
