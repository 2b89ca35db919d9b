/**
 * Duels: one op alone, the same in every engine. An engine gets the same inputs, runs the op again and again, and each
 * call ends when the device has finished it. Its result is reduced to a digest that processes can pass on; times of
 * engines whose digests differ are not to be shown.
 *
 * Inputs are on the device before the clock starts, results stay there while it runs. Free of Node.
 */

import { Prng } from '../../src/util/prng.ts';
import { type Shape, sizeOf } from '../../src/util/shape.ts';
import { type Series, seriesOf } from './statistics.ts';

export const DUEL_NAMES = ['matmul', 'conv2d', 'conv2dInputGrad', 'conv2dWeightGrad'] as const;

export type DuelName = (typeof DUEL_NAMES)[number];

export interface Duel {
  readonly name: DuelName;
  /** For people. */
  readonly title: string;
  /** matmul: [M,K] and [K,N]. conv2d: images and kernel; the gradients: dy and kernel, images and dy. NHWC and HWIO. */
  readonly inputs: readonly Shape[];
  readonly output: Shape;
  /** Operations of a direct evaluation, padding included. */
  readonly flops: number;
}

export interface DuelSizes {
  /** Rows and columns of both matrices. */
  readonly matrix: number;
  readonly batch: number;
  /** Height and width of the images. */
  readonly side: number;
  /** Into and out of the convolution. */
  readonly channels: number;
}

export const DUEL_SIZES: DuelSizes = { matrix: 1024, batch: 32, side: 32, channels: 64 };

/** Height and width of the kernel; strides are 1, padding keeps the size. */
const TAPS = 3;

/** The duel `name`. */
export function duelOf(name: DuelName, sizes: DuelSizes = DUEL_SIZES): Duel {
  const { matrix: n, batch, side, channels } = sizes;
  if (name === 'matmul') {
    const shape = [n, n];
    return { name, title: `matmul ${n}×${n}×${n}`, inputs: [shape, shape], output: shape, flops: 2 * n ** 3 };
  }
  const images = [batch, side, side, channels];
  const kernel = [TAPS, TAPS, channels, channels];
  const flops = 2 * sizeOf(images) * TAPS * TAPS * channels;
  const what = `${TAPS}×${TAPS} ${channels}→${channels} on ${side}×${side}, batch ${batch}, same padding`;
  switch (name) {
    case 'conv2d':
      return { name, title: `conv2d ${what}`, inputs: [images, kernel], output: images, flops };
    case 'conv2dInputGrad':
      return { name, title: `input gradient of conv2d ${what}`, inputs: [images, kernel], output: images, flops };
    case 'conv2dWeightGrad':
      return { name, title: `weight gradient of conv2d ${what}`, inputs: [images, images], output: kernel, flops };
    default:
      return name satisfies never;
  }
}

/** Values of the inputs, uniform in −1…1: a pure function of the shapes. */
export function duelInputs({ inputs }: Duel): Float32Array<ArrayBuffer>[] {
  return inputs.map((shape, k) => {
    const random = new Prng(1, k);
    return Float32Array.from({ length: sizeOf(shape) }, () => random.between(-1, 1));
  });
}

/** A result in few numbers. */
export interface ResultDigest {
  readonly elements: number;
  /** Root of the sum of squares. */
  readonly norm: number;
  /**
   * Sum of the elements, each with a sign drawn for its place: what is wrong or moved in more than a few places changes
   * it.
   */
  readonly signed: number;
  /** Elements at drawn places, the same for every result of that size. */
  readonly samples: readonly number[];
}

const SAMPLES = 256;

export function digestOf(values: Float32Array): ResultDigest {
  const random = new Prng(2);
  let squares = 0;
  let signed = 0;
  for (const value of values) {
    squares += value * value;
    signed += random.uint32() & 1 ? value : -value;
  }
  // Not at equal distances: those would all fall on one channel, or on one edge of the images.
  const samples = Array.from({ length: SAMPLES }, () => values[random.int(values.length)]);
  return { elements: values.length, norm: Math.sqrt(squares), signed, samples };
}

/** Largest relative difference that results may have. */
export const DUEL_PARITY = 1e-3;

/**
 * How far `found` is from `own`: the largest of the differences of norm and signed sum, over the norm, and of samples,
 * over the root mean square of the elements (an element near 0 has no relative error to speak of). NaN for another
 * number of elements, or where a value is not a number.
 */
export function digestDifference(found: ResultDigest, own: ResultDigest): number {
  if (found.elements !== own.elements) return Number.NaN;
  const unit = own.norm / Math.sqrt(own.elements);
  // Unlike a comparison, Math.max keeps a NaN.
  return Math.max(
    Math.abs(found.norm - own.norm) / own.norm,
    Math.abs(found.signed - own.signed) / own.norm,
    ...found.samples.map((value, k) => Math.abs(value - own.samples[k]) / unit),
  );
}

/** An engine that can run the ops of the duels. */
export interface Duellist {
  readonly name: string;
  readonly version: string;
  /** Puts the inputs on the device; builds nothing of the op. */
  prepare(duel: Duel, inputs: readonly Float32Array<ArrayBuffer>[]): Promise<OpCall>;
}

export interface OpCall {
  /** Runs the op once and waits until the device has finished; the first call compiles. */
  run(): Promise<void>;
  /** What the last run gave, in the layout of `Duel.output`. */
  result(): Promise<Float32Array>;
  dispose(): Promise<void> | void;
}

export interface DuelReport {
  readonly engine: string;
  readonly version: string;
  readonly duel: DuelName;
  /** Milliseconds of the first call, everything compiled. */
  readonly firstMs: number;
  /** Timed calls. */
  readonly call: Series;
  readonly result: ResultDigest;
}

const MAX_CALLS = 200;

/**
 * Measures `duellist` in `duel`: a first call, whose result is read, one more to warm up, then timed calls for
 * `budgetMs` milliseconds: at least one, however long it takes, and at most 200.
 */
export async function driveDuel(duellist: Duellist, duel: Duel, budgetMs: number): Promise<DuelReport> {
  const op = await duellist.prepare(duel, duelInputs(duel));
  const timed = async (): Promise<number> => {
    const begin = performance.now();
    await op.run();
    return performance.now() - begin;
  };
  const firstMs = await timed();
  const result = digestOf(await op.result());
  await op.run();
  const times: number[] = [];
  const end = performance.now() + budgetMs;
  do times.push(await timed());
  while (times.length < MAX_CALLS && performance.now() < end);
  await op.dispose();
  return { engine: duellist.name, version: duellist.version, duel: duel.name, firstMs, call: seriesOf(times), result };
}

export interface DuelComparison {
  readonly duel: Duel;
  readonly reports: readonly DuelReport[];
  /** Of each result from the first engine's. */
  readonly differences: readonly number[];
  readonly parity: boolean;
}

/** @param reports of the same duel, this package's own first. */
export function compareDuel(duel: Duel, reports: readonly DuelReport[]): DuelComparison {
  const differences = reports.map(({ result }) => digestDifference(result, reports[0].result));
  return { duel, reports, differences, parity: differences.every((difference) => difference <= DUEL_PARITY) };
}
