/**
 * Initial values of weights. Each initialiser is plain data (name and config, so it saves as JSON) with a function
 * that fills an array on the host: nothing is compiled for it, and every backend starts from the same f32 bits.
 *
 * Names, defaults and formulas follow Keras 3 (`keras/src/initializers/random_initializers.py`): variance scaling by
 * the mean fan (Glorot and Bengio 2010), fan in (He et al. 2015) or LeCun; the "normal" kinds are normal variables
 * truncated at two standard deviations, widened so that the standard deviation after the cut is the one asked for.
 */

import { refuseSurplus, type Surplus, sole } from '../util/check-options.ts';
import { DownhillError } from '../util/errors.ts';
import { formatShape, type Shape, sizeOf } from '../util/shape.ts';
import { checkKnownOptions, oneOf, show, wholeNumber } from './check-options.ts';
import { HostRandom } from './host-random.ts';
import { orthonormalColumns } from './orthogonal-values.ts';
import { resolveNamed } from './resolve-named.ts';

export interface Initializer {
  readonly name: string;
  /** The options that make it again. */
  readonly config: Readonly<Record<string, number | string>>;
  /**
   * Values for a weight of `shape`, rounded to f32.
   * @param seed used unless the initialiser has its own. @param stream number of the weight in its model.
   */
  values(shape: Shape, seed: number, stream: number): Float32Array;
}

/** An initialiser or its name; with options, use the functions of `initializers`. */
export type InitializerLike = InitializerName | Initializer;

interface Seeded {
  /** Own seed, a whole number; left out, the model's seed is used. */
  readonly seed?: number;
}

/** Count of inputs, of outputs, or their mean. */
type FanMode = 'fanIn' | 'fanOut' | 'fanAvg';
type ScalingDistribution = 'uniform' | 'truncatedNormal' | 'untruncatedNormal';

type Draw = (random: HostRandom, shape: Shape) => () => number;

/** Standard deviation of a standard normal variable cut at ±2; Keras divides by it. */
const TRUNCATED_DEVIATION = 0.87962566103423978;

/** Every value 0. */
export const zeros = (options: object = {}, ...surplus: Surplus): Initializer =>
  sole('zeros', surplus, constantOf('zeros', options, 0));

/** Every value 1. */
export const ones = (options: object = {}, ...surplus: Surplus): Initializer =>
  sole('ones', surplus, constantOf('ones', options, 1));

/** Every value `value` (0). */
export function constant(options: { value?: number } = {}, ...surplus: Surplus): Initializer {
  refuseSurplus('constant', surplus);
  const { value } = numbers('constant', options, { value: 0 });
  return { name: 'constant', config: { value }, values: filled(value) };
}

/** Uniform in [`minval` (-0.05), `maxval` (0.05)). */
export function randomUniform(
  options: Seeded & { minval?: number; maxval?: number } = {},
  ...surplus: Surplus
): Initializer {
  refuseSurplus('randomUniform', surplus);
  const { minval, maxval, ...config } = numbers('randomUniform', options, { minval: -0.05, maxval: 0.05 });
  return random('randomUniform', { minval, maxval, ...config }, (r) => () => minval + (maxval - minval) * r.uniform());
}

/** Normal with `mean` (0) and `stddev` (0.05). */
export function randomNormal(
  options: Seeded & { mean?: number; stddev?: number } = {},
  ...surplus: Surplus
): Initializer {
  refuseSurplus('randomNormal', surplus);
  const { mean, stddev, ...config } = numbers('randomNormal', options, { mean: 0, stddev: 0.05 });
  return random('randomNormal', { mean, stddev, ...config }, (r) => () => mean + stddev * r.normal());
}

/** Normal with `mean` (0) and `stddev` (0.05), drawn again beyond two standard deviations. */
export function truncatedNormal(
  options: Seeded & { mean?: number; stddev?: number } = {},
  ...surplus: Surplus
): Initializer {
  refuseSurplus('truncatedNormal', surplus);
  const { mean, stddev, ...config } = numbers('truncatedNormal', options, { mean: 0, stddev: 0.05 });
  return random('truncatedNormal', { mean, stddev, ...config }, (r) => () => mean + stddev * r.truncatedNormal());
}

/** Uniform in ±√(6 / (fanIn + fanOut)): the default of kernels. */
export const glorotUniform = scaling('glorotUniform', 'uniform', 1, 'fanAvg');
/** Truncated normal of variance 2 / (fanIn + fanOut). */
export const glorotNormal = scaling('glorotNormal', 'truncatedNormal', 1, 'fanAvg');
/** Uniform in ±√(6 / fanIn): for relu. */
export const heUniform = scaling('heUniform', 'uniform', 2, 'fanIn');
/** Truncated normal of variance 2 / fanIn: for relu. */
export const heNormal = scaling('heNormal', 'truncatedNormal', 2, 'fanIn');
/** Uniform in ±√(3 / fanIn): for selu. */
export const lecunUniform = scaling('lecunUniform', 'uniform', 1, 'fanIn');
/** Truncated normal of variance 1 / fanIn: for selu. */
export const lecunNormal = scaling('lecunNormal', 'truncatedNormal', 1, 'fanIn');

export interface VarianceScalingOptions extends Seeded {
  /** 1 when left out; above 0. */
  readonly scale?: number;
  /** Which count the variance is divided by; `fanIn` when left out. */
  readonly mode?: FanMode;
  /** `truncatedNormal` (also named `normal`) when left out. */
  readonly distribution?: ScalingDistribution | 'normal';
}

/**
 * Variance scale / fan.
 * @throws DownhillError `argument` for an option that is not accepted.
 */
export function varianceScaling(options: VarianceScalingOptions = {}, ...surplus: Surplus): Initializer {
  refuseSurplus('varianceScaling', surplus);
  const owner = 'varianceScaling';
  checkKnownOptions(owner, options, ['scale', 'mode', 'distribution', 'seed']);
  const { scale } = numbers(owner, options.scale === undefined ? {} : { scale: options.scale }, { scale: 1 });
  if (scale <= 0) throw new DownhillError('argument', `${owner}: scale must be above 0, found ${scale}`);
  const mode = oneOf(owner, 'mode', options.mode ?? 'fanIn', ['fanIn', 'fanOut', 'fanAvg']);
  const kinds = ['uniform', 'truncatedNormal', 'untruncatedNormal', 'normal'] as const;
  const named = oneOf(owner, 'distribution', options.distribution ?? 'truncatedNormal', kinds);
  const distribution = named === 'normal' ? 'truncatedNormal' : named;
  const { seed } = numbers(owner, options.seed === undefined ? {} : { seed: options.seed }, {});
  const config = { scale, mode, distribution, ...(seed !== undefined && { seed }) };
  return random(owner, config, scaledDraw(distribution, scale, mode));
}

/**
 * The matrix of 1 on the diagonal and 0 elsewhere, times `gain` (1); for matrices only.
 * @throws DownhillError `argument` for an option, `shape` for a weight that is not a matrix.
 */
export function identity(options: { gain?: number } = {}, ...surplus: Surplus): Initializer {
  refuseSurplus('identity', surplus);
  checkKnownOptions('identity', options, ['gain']);
  const { gain } = numbers('identity', options, { gain: 1 });
  return {
    name: 'identity',
    config: { gain },
    values(shape) {
      if (shape.length !== 2) throw notFor('identity', shape, 'a matrix, such as the kernel of a dense layer');
      const [rows, columns] = shape;
      const values = new Float32Array(rows * columns);
      for (let k = 0; k < Math.min(rows, columns); k++) values[k * columns + k] = gain;
      return values;
    },
  };
}

/**
 * A random matrix with orthonormal columns (rows where it is wider than high), times `gain` (1); all axes but the last
 * count as rows. @throws DownhillError `argument` for an option, `shape` for a weight of less than two axes.
 */
export function orthogonal(options: Seeded & { gain?: number } = {}, ...surplus: Surplus): Initializer {
  refuseSurplus('orthogonal', surplus);
  const { gain, ...config } = numbers('orthogonal', options, { gain: 1 });
  return {
    name: 'orthogonal',
    config: { gain, ...config },
    values(shape, seed, stream) {
      if (shape.length < 2) throw notFor('orthogonal', shape, 'at least two axes');
      const columns = shape[shape.length - 1];
      const rows = sizeOf(shape.slice(0, -1));
      const tall = rows >= columns;
      const random = new HostRandom(config.seed ?? seed, stream);
      const unit = orthonormalColumns(random, Math.max(rows, columns), Math.min(rows, columns));
      const at = (row: number, column: number) => (tall ? unit[column][row] : unit[row][column]);
      return Float32Array.from({ length: rows * columns }, (_, k) => gain * at(Math.floor(k / columns), k % columns));
    },
  };
}

/** All initialisers by name. */
export const initializers = {
  zeros,
  ones,
  constant,
  randomUniform,
  randomNormal,
  truncatedNormal,
  glorotUniform,
  glorotNormal,
  heUniform,
  heNormal,
  lecunUniform,
  lecunNormal,
  varianceScaling,
  orthogonal,
  identity,
};

export type InitializerName = keyof typeof initializers;

/**
 * The initialiser that `value` names or is; also accepts the `{ name, config }` of a saved one.
 * @throws DownhillError `argument` for an unknown name, with the nearest one.
 */
export function resolveInitializer(owner: string, value: unknown): Initializer {
  return resolveNamed<Initializer>({ kind: 'initializer', method: 'values', builtIn: initializers }, owner, value);
}

/** How an initialiser is written in a layer's config: its name alone when it has no options. */
export function describeInitializer(initializer: Initializer): unknown {
  const { name, config } = initializer;
  return Object.keys(config).length === 0 ? name : { name, config };
}

/** Counts of inputs and outputs of one unit, as Keras computes them: kernel area × channels for a convolution. */
export function fans(shape: Shape): [fanIn: number, fanOut: number] {
  if (shape.length === 0) return [1, 1];
  if (shape.length === 1) return [shape[0], shape[0]];
  const receptive = sizeOf(shape.slice(0, -2));
  return [shape[shape.length - 2] * receptive, shape[shape.length - 1] * receptive];
}

function constantOf(name: string, options: object, value: number): Initializer {
  checkKnownOptions(name, options, []);
  return { name, config: {}, values: filled(value) };
}

function filled(value: number): Initializer['values'] {
  return (shape) => new Float32Array(sizeOf(shape)).fill(value);
}

function random(name: string, config: Record<string, number | string>, draw: Draw): Initializer {
  return {
    name,
    config,
    values(shape, seed, stream) {
      const next = draw(new HostRandom(typeof config.seed === 'number' ? config.seed : seed, stream), shape);
      return Float32Array.from({ length: sizeOf(shape) }, next);
    },
  };
}

/** Variance scaling: Var = scale / fan. */
function scaling(
  name: string,
  distribution: ScalingDistribution,
  scale: number,
  mode: FanMode,
): (options?: Seeded, ...surplus: Surplus) => Initializer {
  return (options = {}, ...surplus) =>
    sole(name, surplus, random(name, numbers(name, options, {}), scaledDraw(distribution, scale, mode)));
}

function scaledDraw(distribution: ScalingDistribution, scale: number, mode: FanMode): Draw {
  return (r, shape) => {
    const [fanIn, fanOut] = fans(shape);
    const fan = { fanIn, fanOut, fanAvg: (fanIn + fanOut) / 2 }[mode];
    const variance = scale / Math.max(1, fan);
    const limit = Math.sqrt(3 * variance);
    const deviation = Math.sqrt(variance);
    if (distribution === 'uniform') return () => limit * (2 * r.uniform() - 1);
    if (distribution === 'untruncatedNormal') return () => deviation * r.normal();
    return () => (deviation / TRUNCATED_DEVIATION) * r.truncatedNormal();
  };
}

function notFor(name: string, shape: Shape, wanted: string): DownhillError {
  return new DownhillError('shape', `initializer ${name}: needs ${wanted}, found shape ${formatShape(shape)}`);
}

/** The options with their defaults, each a finite number, and the seed only when it was given. */
function numbers<D extends Record<string, number>>(name: string, options: object, defaults: D): D & { seed?: number } {
  checkKnownOptions(name, options, [...Object.keys(defaults), 'seed']);
  const given = options as Readonly<Record<string, unknown>>;
  const config: Record<string, number> = {};
  for (const [key, fallback] of Object.entries(defaults)) {
    const value = given[key] ?? fallback;
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw new DownhillError('argument', `${name}: ${key} must be a finite number, found ${show(value)}`);
    }
    config[key] = value;
  }
  if (given.seed !== undefined) config.seed = wholeNumber(name, 'seed', given.seed, 0);
  return config as D & { seed?: number };
}
