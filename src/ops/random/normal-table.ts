/**
 * Quantiles of the standard normal distribution as a table, and how 32 random bits look a number up in it.
 *
 * The upper bit is the sign, the other 31 a magnitude m, which means the tail probability p = (m + ½) / 2³². The table
 * holds |z| with P(Z > |z|) = p in units of 2⁻²⁹, at nodes that are the denser the farther out: m itself below 64, then
 * 64 to an octave. Between nodes it is linear. All is integer arithmetic, so a number has the same bits on every
 * device.
 *
 * Invariant: the table is made with + - * / √ only, which IEEE 754 prescribes to the last bit: every engine has the
 * same. Accuracy: within 2e-5 of the true quantile (linear interpolation gives h² z″ / 8 ≈ 1.3e-5 at most).
 */

import { Tensor } from '../../core/tensor.ts';
import type { Shape } from '../../util/shape.ts';
import { multiplyHigh } from './philox.ts';

/** Nodes to an octave. */
const ROW = 64;
/**
 * Octaves of m from 2⁶ up to 2³⁰, two rows of the first 128 nodes, and the end node, m = 2³¹, alone in a row of zeros.
 */
const ROWS = 27;
const UNIT = 2 ** 29;

/** Shape of the table, u32. */
export const NORMAL_TABLE_SHAPE: Shape = [ROWS, ROW];

let cells: Uint32Array<ArrayBuffer> | undefined;
let constant: Tensor | undefined;

/** The table's cells; made at the first call, and never to be changed. */
export function normalTable(): Uint32Array<ArrayBuffer> {
  cells ??= makeTable();
  return cells;
}

/** The table as a constant of a graph, always the same tensor. */
export function normalTableTensor(): Tensor {
  if (constant === undefined) {
    constant = Tensor.host({ shape: NORMAL_TABLE_SHAPE, dtype: 'u32' }, normalTable());
    constant.label = 'normal quantiles';
  }
  return constant;
}

/** The standard normal number of 32 random bits. */
export function normalOfBits(bits: number, table: ArrayLike<number>): number {
  const magnitude = bits & 0x7fffffff;
  const octave = Math.max(31 - Math.clz32(magnitude | 1), 6) - 6;
  const cell = octave * ROW + (magnitude >>> octave);
  const fraction = octave === 0 ? 0 : (magnitude << (32 - octave)) >>> 0;
  const here = table[cell];
  const quantile = here - multiplyHigh(here - table[cell + 1], fraction);
  // 24 significant bits, a tie goes up.
  const ulp = 2 ** Math.max(0, 8 - Math.clz32(quantile));
  const value = (Math.floor(quantile / ulp + (ulp > 1 ? 0.5 : 0)) * ulp) / UNIT;
  return bits >>> 31 === 1 ? -value : value;
}

function makeTable(): Uint32Array<ArrayBuffer> {
  const table = new Uint32Array(ROWS * ROW);
  let z = 0;
  for (let cell = (ROWS - 1) * ROW - 1; cell >= 0; cell--) {
    const octave = Math.max(0, Math.floor(cell / ROW) - 1);
    const magnitude = (cell - octave * ROW) * 2 ** octave;
    z = quantileAbove(z, (magnitude + 0.5) / 2 ** 32);
    table[cell] = Math.round(z * UNIT);
  }
  return table;
}

/**
 * The z with P(Z > z) = p, for a start at or below it: Newton's method, which on this convex function only climbs, and
 * ends when rounding stops it.
 */
function quantileAbove(start: number, p: number): number {
  let z = start;
  for (;;) {
    const next = z + (upperTail(z) - p) / density(z);
    if (!(next > z + 1e-14)) return Math.max(z, next);
    z = next;
  }
}

/** P(Z > z): the series of Φ - ½ around 0, Laplace's continued fraction farther out. */
function upperTail(z: number): number {
  if (z < 3) {
    let term = z;
    let sum = z;
    for (let k = 3; term > 1e-18 * sum; k += 2) {
      term *= (z * z) / k;
      sum += term;
    }
    return 0.5 - density(z) * sum;
  }
  let tail = z;
  for (let k = 120; k > 0; k--) tail = z + k / tail;
  return density(z) / tail;
}

function density(z: number): number {
  return exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

/** e^x by Taylor's series of x / 1024, squared ten times: Math.exp may differ between engines. */
function exp(x: number): number {
  const small = x / 1024;
  let value = 1;
  for (let k = 10; k > 0; k--) value = 1 + (small / k) * value;
  for (let k = 0; k < 10; k++) value *= value;
  return value;
}
