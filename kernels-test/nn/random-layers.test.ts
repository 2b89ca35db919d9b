/**
 * Layers that draw random numbers, in training, against Keras 3 (golden/make/make-random.py), on the CPU backend and on WebGPU.
 *
 * The streams are not Keras', so there are two questions. Given the draw, which is read off our output or gradient, are
 * both what Keras makes of it: 1e-5 for outputs, 1e-4 for gradients. And are the draws alike: means, variances and shares
 * of many, within five standard errors of a difference of two samples (one false alarm in 1.7 million).
 *
 * Where downhill differs on purpose: RandomFlip of both axes throws two coins, Keras one; RandomCrop draws a place for each
 * image, Keras one for a batch; RandomContrast reads its factor as Keras' documentation has it ([1 − f, 1 + f], lower before
 * upper), whose code sorts the two and takes [1, 1 + f] for one. Gradients of resampling are those of Keras' output, which
 * TensorFlow's own only come near to.
 */

import { expect, test } from 'vitest';
import { Tensor } from '../../src/core/tensor.ts';
import type { CallContext, LayerConfig } from '../../src/nn/layer.ts';
import { makeLayer } from '../../src/nn/layers/index.ts';
import { mul } from '../../src/ops/elementwise/binary.ts';
import { sum } from '../../src/ops/reduction/reduce.ts';
import { evaluate } from '../../src/runtime/index.ts';
import { gradients } from '../../src/transform/grad.ts';
import { Prng } from '../../src/util/prng.ts';
import { sizeOf } from '../../src/util/shape.ts';
import { describeOnBackends } from '../support/on-backends.ts';
import { flat, golden, type Nested, shaped, shapeOf } from './golden-values.ts';

interface Common {
  readonly name: string;
  readonly config: LayerConfig;
}

/** Slope and offset. */
type Line = readonly [slope: number, offset: number];

interface Dropping extends Common {
  readonly kind: 'formula';
  readonly shape: number[];
  readonly kept: Line;
  readonly dropped: Line;
  /** Of kept and dropped elements, for a cotangent of one. */
  readonly gradient: readonly [kept: number, dropped: number];
  /** Whether a channel is kept or dropped as a whole. */
  readonly channels: boolean;
}

interface Noise extends Common {
  readonly kind: 'formula';
  readonly shape: number[];
  readonly noise: 'addend' | 'factor';
}

interface Moments extends Common {
  readonly kind: 'moments';
  readonly draws: number;
}
interface ElementMoments extends Moments {
  readonly shape: number[];
  readonly mean: number;
  readonly variance: number;
  /** Share of elements with a gradient. */
  readonly kept: number;
  /** Share of elements farther from the mean than the standard deviation. */
  readonly tail: number;
}
interface JetMoments extends Moments {
  readonly jets: readonly [means: number[], variances: number[]];
}

interface Fixed extends Common {
  readonly kind: 'fixed';
  readonly x: Nested;
  readonly dy: Nested;
  readonly output: Nested;
  readonly dx: Nested;
}

interface Outcomes extends Common {
  readonly kind: 'outcomes';
  /** One image. */
  readonly x: Nested;
  readonly dy: Nested;
  readonly outcomes: readonly { readonly output: Nested; readonly dx: Nested }[];
}

interface Affine extends Common {
  readonly kind: 'affine';
  /** One image. */
  readonly x: Nested;
  readonly dy: Nested;
  /** At factor 0, and what a factor of 1 adds. */
  readonly output: readonly [Nested, Nested];
  readonly gradient: readonly [Nested, Nested];
  readonly range: readonly [number, number];
}

type Case = Dropping | Noise | ElementMoments | JetMoments | Fixed | Outcomes | Affine;

const cases = golden<Case[]>('random.json');
const ofKind = <T extends Case>(kind: T['kind'], has: keyof T) =>
  cases.filter((found): found is T => found.kind === kind && has in found).map((c) => [c.name, c.config, c] as const);

/** Bounds relative to the largest value. */
const FORWARD = 1e-5;
const GRADIENT = 1e-4;
const SIGMAS = 5;

describeOnBackends('random layers', () => {
  test.each(ofKind<Dropping>('formula', 'kept'))('%s %j: kept and dropped elements', async (_n, _c, expected) => {
    const { shape, kept, dropped, gradient, channels } = expected;
    const [x, dy] = [between(shape, 1), between(shape, 2)];
    const { output, dx } = await train(expected, x, shape, dy);
    const fates = Array.from(dx, (value) => value !== 0);
    expect(new Set(fates).size).toBe(2);
    const wanted = fates.map((fate, k) => (fate ? kept : dropped)[0] * x[k] + (fate ? kept : dropped)[1]);
    expectNear(output, wanted, FORWARD);
    expectNear(
      dx,
      fates.map((fate, k) => gradient[fate ? 0 : 1] * dy[k]),
      GRADIENT,
    );
    // An example's channel: its elements are a channel's width apart.
    const [size, width] = [sizeOf(shape.slice(1)), shape.at(-1)!];
    const alike = fates.every((fate, k) => fate === fates[Math.floor(k / size) * size + (k % width)]);
    expect(alike).toBe(channels);
  });

  test.each(ofKind<Noise>('formula', 'noise'))('%s %j: the noise', async (_n, _c, expected) => {
    const { shape, noise } = expected;
    const [x, dy] = [between(shape, 1), between(shape, 2)];
    const { output, dx } = await train(expected, x, shape, dy);
    const drawn = output.map((y, k) => (noise === 'addend' ? y - x[k] : y / x[k]));
    expectNear(
      dx,
      dy.map((d, k) => (noise === 'addend' ? d : d * drawn[k])),
      GRADIENT,
    );
    const doubled = await train(
      expected,
      x.map((v) => 2 * v),
      shape,
      dy,
    );
    const again = drawn.map((n, k) => (noise === 'addend' ? 2 * x[k] + n : 2 * x[k] * n));
    expectNear(doubled.output, again, FORWARD);
  });

  test.each(ofKind<ElementMoments>('moments', 'mean'))('%s %j: moments', async (_n, _c, expected) => {
    const { shape, draws, mean, variance, kept, tail } = expected;
    const { output, dx } = await train(expected, new Float32Array(sizeOf(shape)).fill(1), shape);
    const found = momentsOf(output);
    const share = (is: (k: number) => boolean) => output.filter((_, k) => is(k)).length / output.length;
    expect(Math.abs(found.mean - mean)).toBeLessThan(meanBound(variance, draws));
    expect(Math.abs(found.variance - variance)).toBeLessThan(varianceBound(found, draws));
    expect(Math.abs(share((k) => dx[k] !== 0) - kept)).toBeLessThan(meanBound(kept * (1 - kept), draws));
    const far = share((k) => Math.abs(output[k] - found.mean) > Math.sqrt(found.variance));
    expect(Math.abs(far - tail)).toBeLessThan(meanBound(tail * (1 - tail), draws));
  });

  test.each(ofKind<Fixed>('fixed', 'dx'))('%s %j: a range of one value', async (_n, _c, expected) => {
    const { x, dy, output, dx } = expected;
    const found = await train(expected, shaped(x).data, shapeOf(x), shaped(dy).data);
    expectNear(found.output, flat(output), FORWARD);
    expectNear(found.dx, flat(dx), GRADIENT);
  });

  test.each(ofKind<Outcomes>('outcomes', 'outcomes'))('%s %j: each of its results', async (_n, _c, expected) => {
    const met = new Set<number>();
    for (const { output, dx } of await trainCopies(expected, 64)) {
      const index = expected.outcomes.findIndex((outcome) => near(output, flat(outcome.output), FORWARD));
      expect(index).toBeGreaterThanOrEqual(0);
      met.add(index);
      expectNear(dx, flat(expected.outcomes[index].dx), GRADIENT);
    }
    expect(met.size).toBe(expected.outcomes.length);
  });

  test.each(ofKind<Affine>('affine', 'range'))('%s %j: a factor', async (_n, _c, expected) => {
    const [y0, y1] = expected.output.map(flat);
    const [dx0, dx1] = expected.gradient.map(flat);
    const square = y1.reduce((total, b) => total + b * b, 0);
    const factors = new Set<number>();
    for (const { output, dx } of await trainCopies(expected, 16)) {
      const factor = y1.reduce((total, b, k) => total + b * (output[k] - y0[k]), 0) / square;
      factors.add(factor);
      expect(factor).toBeGreaterThanOrEqual(expected.range[0] - 1e-6);
      expect(factor).toBeLessThanOrEqual(expected.range[1] + 1e-6);
      expectNear(
        output,
        y0.map((a, k) => a + factor * y1[k]),
        FORWARD,
      );
      expectNear(
        dx,
        dx0.map((a, k) => a + factor * dx1[k]),
        GRADIENT,
      );
    }
    expect(factors.size).toBe(16);
  });

  test.each(ofKind<JetMoments>('moments', 'jets'))('%s %j: moments', async (_n, _c, expected) => {
    const { draws, jets } = expected;
    const images = Array.from({ length: draws }, () => RAMPS).flat();
    const shape = [draws, SIDE, SIDE, 2];
    const { output, outputShape } = await train(expected, Float32Array.from(images), shape);
    jetsOf(output, outputShape).forEach((values, k) => {
      const found = momentsOf(values);
      const [mean, variance] = [jets[0][k], jets[1][k]];
      expect(Math.abs(found.mean - mean), `mean ${k}`).toBeLessThan(meanBound(variance, draws));
      expect(Math.abs(found.variance - variance), `variance ${k}`).toBeLessThan(varianceBound(found, draws));
    });
  });
});

test('every layer that draws is there, with a formula or results, and with moments', () => {
  const names = (kinds: readonly string[]) =>
    new Set(cases.filter(({ kind }) => kinds.includes(kind)).map((c) => c.name));
  const drawing = [
    'Dropout',
    'AlphaDropout',
    'SpatialDropout1D',
    'SpatialDropout2D',
    'GaussianNoise',
    'GaussianDropout',
  ];
  const moving = ['Rotation', 'Translation', 'Zoom', 'Contrast', 'Brightness', 'Flip', 'Crop'].map((n) => `Random${n}`);
  const all = new Set([...drawing, ...moving]);
  expect(names(['formula', 'fixed', 'outcomes', 'affine'])).toEqual(all);
  expect(names(['moments'])).toEqual(all);
});

interface Trained {
  readonly output: readonly number[];
  readonly outputShape: readonly number[];
  readonly dx: readonly number[];
}

/** The layer of a case in training on `x`, and the gradient for the cotangent `dy` (ones when left out). */
async function train(
  { name, config }: Common,
  x: ArrayLike<number>,
  shape: readonly number[],
  dy?: ArrayLike<number>,
): Promise<Trained> {
  const f32 = (values: ArrayLike<number>, of: readonly number[]) =>
    Tensor.host({ shape: [...of], dtype: 'f32' }, Float32Array.from(values));
  const context: CallContext = {
    training: true,
    key: Tensor.host({ shape: [2], dtype: 'u32' }, Uint32Array.from([7, 3])),
    stream: 0,
    assign: () => {},
    addLoss: () => {},
  };
  const input = f32(x, shape);
  const [output] = makeLayer(name, config).apply([input], [], context);
  const loss = sum(dy === undefined ? output : mul(output, f32(dy, output.shape)));
  const [dx] = gradients(loss, [input]);
  await evaluate([output, dx]);
  return { output: [...(await output.data())], outputShape: output.shape, dx: [...(await dx.data())] };
}

/** `count` copies of a case's one image as a batch: what each became. */
async function trainCopies(expected: Outcomes | Affine, count: number): Promise<readonly Trained[]> {
  const copies = (nested: Nested) => Array.from({ length: count }, () => flat(nested)).flat();
  const { x, dy } = expected;
  const { output, outputShape, dx } = await train(expected, copies(x), [count, ...shapeOf(x)], copies(dy));
  const part = (values: readonly number[], k: number) =>
    values.slice((k * values.length) / count, ((k + 1) * values.length) / count);
  return Array.from({ length: count }, (_, k) => ({ output: part(output, k), outputShape, dx: part(dx, k) }));
}

/** Numbers in [0.5, 2). */
function between(shape: readonly number[], seed: number): number[] {
  const random = new Prng(seed);
  return Array.from({ length: sizeOf(shape) }, () => Math.fround(random.between(0.5, 2)));
}

const SIDE = 9;
const HALF = Math.floor(SIDE / 2);
/** An image of two ramps, values rising to the right and downwards, 0 at the centre. */
const RAMPS = Array.from({ length: SIDE * SIDE }, (_, k) => [(k % SIDE) - HALF, Math.floor(k / SIDE) - HALF]).flat();

/** Of images of two ramps: values at the centre and differences to the right and down; six lists. They tell a linear map. */
function jetsOf(values: readonly number[], [batch, height, width]: readonly number[]): number[][] {
  const c = Math.floor(height / 2);
  const at = (b: number, y: number, x: number, channel: number) => values[((b * height + y) * width + x) * 2 + channel];
  const list = (of: (b: number) => number) => Array.from({ length: batch }, (_, b) => of(b));
  return [
    ...[0, 1].map((n) => list((b) => at(b, c, c, n))),
    ...[0, 1].map((n) => list((b) => at(b, c, c + 1, n) - at(b, c, c, n))),
    ...[0, 1].map((n) => list((b) => at(b, c + 1, c, n) - at(b, c, c, n))),
  ];
}

interface FoundMoments {
  readonly mean: number;
  readonly variance: number;
  /** Fourth central moment. */
  readonly fourth: number;
}

function momentsOf(values: readonly number[]): FoundMoments {
  const average = (of: (value: number) => number) => values.reduce((total, v) => total + of(v), 0) / values.length;
  const mean = average((v) => v);
  return { mean, variance: average((v) => (v - mean) ** 2), fourth: average((v) => (v - mean) ** 4) };
}

/** Of the difference of two means of `draws` independent numbers. */
const meanBound = (variance: number, draws: number): number => SIGMAS * Math.sqrt((2 * variance) / draws) + 2e-6;

/** Of the difference of two variances; the last term counts where the variance's own variance vanishes, as for a fair coin. */
function varianceBound({ variance, fourth }: FoundMoments, draws: number): number {
  const own = Math.max(0, fourth - variance ** 2);
  return SIGMAS * Math.sqrt((2 * own) / draws) + (SIGMAS ** 2 * variance) / draws + 2e-6;
}

/** Largest difference, relative to the largest expected value. */
function relative(found: ArrayLike<number>, expected: readonly number[]): number {
  const errors = expected.map((value, k) => Math.abs(found[k] - value));
  return errors.some(Number.isNaN)
    ? Number.POSITIVE_INFINITY
    : Math.max(...errors) / Math.max(...expected.map(Math.abs));
}

const near = (found: ArrayLike<number>, expected: readonly number[], bound: number): boolean =>
  found.length === expected.length && relative(found, expected) < bound;

function expectNear(found: ArrayLike<number>, expected: readonly number[], bound: number): void {
  expect(found.length).toBe(expected.length);
  expect(relative(found, expected)).toBeLessThan(bound);
}
