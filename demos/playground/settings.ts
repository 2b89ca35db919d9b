/**
 * The settings of the playground: their values and limits, which of them restart the network, and how the page's URL
 * stores them. The page and its worker share this file; the engine is not imported here.
 */

export const DATA_SETS = {
  spiral: 'Spiral',
  circles: 'Circles',
  xor: 'XOR',
  gaussians: 'Two Gaussians',
  moons: 'Two moons',
  plane: 'Regression: plane',
  gaussianField: 'Regression: Gaussian field',
} as const;
export const ACTIVATIONS = {
  silu: 'SiLU',
  tanh: 'tanh',
  relu: 'ReLU',
  leakyRelu: 'Leaky ReLU',
  elu: 'ELU',
  gelu: 'GELU',
  sigmoid: 'Sigmoid',
  linear: 'Linear',
} as const;
export const OPTIMIZERS = {
  adam: 'Adam',
  sgd: 'SGD',
  momentum: 'SGD with momentum',
  nesterov: 'Nesterov momentum',
  adagrad: 'Adagrad',
  adadelta: 'Adadelta',
  rmsprop: 'RMSprop',
  nadam: 'Nadam',
  lion: 'Lion',
} as const;
export const PENALTIES = { none: 'None', l1: 'L1', l2: 'L2' } as const;
/** The inputs that the network may be given, in the order of its first column. */
export const FEATURES = {
  x: 'x',
  y: 'y',
  xx: 'x²',
  yy: 'y²',
  xy: 'xy',
  sinX: 'sin x',
  sinY: 'sin y',
} as const;

export type FeatureName = keyof typeof FEATURES;

export interface Settings {
  readonly data: keyof typeof DATA_SETS;
  /** Per cent, 0 to 50. */
  readonly noise: number;
  /** Per cent of the points that are trained on, 10 to 90. */
  readonly trainShare: number;
  readonly batchSize: number;
  /** At least one, in the order of FEATURES. */
  readonly features: readonly FeatureName[];
  /** Neurons of each hidden layer. */
  readonly hidden: readonly number[];
  readonly activation: keyof typeof ACTIVATIONS;
  readonly optimizer: keyof typeof OPTIMIZERS;
  readonly learningRate: number;
  readonly penalty: keyof typeof PENALTIES;
  readonly penaltyRate: number;
  /** Of the points, the first weights and the order of the batches. */
  readonly seed: number;
}

export const DEFAULTS: Settings = {
  data: 'spiral',
  noise: 0,
  trainShare: 50,
  batchSize: 16,
  features: ['x', 'y'],
  hidden: [8, 8],
  activation: 'silu',
  optimizer: 'adam',
  learningRate: 0.03,
  penalty: 'none',
  penaltyRate: 0.003,
  seed: 1,
};

/** Points in a set, trained on or held out. */
export const POINTS = 500;
/** The plane is shown from −EXTENT to EXTENT on both axes. */
export const EXTENT = 6;
/** Cells along each side of a surface. */
export const CELLS = 64;
export const MAX_LAYERS = 4;
export const MAX_NEURONS = 8;

export interface Limits {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
}

export const LIMITS = {
  noise: { min: 0, max: 50, whole: true },
  trainShare: { min: 10, max: 90, whole: true },
  batchSize: { min: 1, max: POINTS, whole: true },
  learningRate: { min: 0, max: 10, whole: false },
  penaltyRate: { min: 0, max: 10, whole: false },
  seed: { min: 0, max: 2 ** 32 - 1, whole: true },
} as const satisfies Partial<Record<keyof Settings, Limits>>;

export const isRegression = ({ data }: Settings): boolean => data === 'plane' || data === 'gaussianField';

/** Points that are trained on; the others are held out. */
export const trainCount = ({ trainShare }: Settings): number => Math.round((POINTS * trainShare) / 100);

/** What makes the network start from fresh weights, and what it is called. */
const RESTARTS = {
  data: 'other data',
  features: 'other inputs',
  hidden: 'other layers',
  seed: 'another seed',
} as const satisfies Partial<Record<keyof Settings, string>>;

/** Why `next` needs fresh weights, or undefined when the network goes on with those it has. */
export function restartCause(now: Settings, next: Settings): string | undefined {
  const key = (Object.keys(RESTARTS) as (keyof typeof RESTARTS)[]).find(
    (one) => String(now[one]) !== String(next[one]),
  );
  return key && RESTARTS[key];
}

/** The settings as a fragment of the address: only what differs from the defaults. */
export function toHash(settings: Settings): string {
  const changed = Object.entries(settings).filter(
    ([key, value]) => String(DEFAULTS[key as keyof Settings]) !== String(value),
  );
  return new URLSearchParams(changed.map(([key, value]) => [key, String(value)])).toString();
}

/** The settings in a fragment; `refused` names invalid ones, for which the defaults are used. */
export function fromHash(hash: string): { settings: Settings; refused: string[] } {
  const refused: string[] = [];
  const found: Record<string, unknown> = {};
  for (const [key, text] of new URLSearchParams(hash.replace(/^#/, ''))) {
    const value = parsed(key, text);
    if (value === undefined) refused.push(`${key}=${text}`);
    else found[key] = value;
  }
  return { settings: { ...DEFAULTS, ...found }, refused };
}

function parsed(key: string, text: string): unknown {
  const choices = { data: DATA_SETS, activation: ACTIVATIONS, optimizer: OPTIMIZERS, penalty: PENALTIES }[key];
  if (choices !== undefined) return Object.hasOwn(choices, text) ? text : undefined;
  if (Object.hasOwn(LIMITS, key)) {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    return within(value, LIMITS[key as keyof typeof LIMITS]) ? value : undefined;
  }
  const words = text === '' ? [] : text.split(',');
  if (key === 'features') {
    const known = (Object.keys(FEATURES) as FeatureName[]).filter((name) => words.includes(name));
    return known.length > 0 && known.length === words.length ? known : undefined;
  }
  if (key === 'hidden') {
    const counts = words.map(Number);
    const fits = counts.every((count) => within(count, { min: 1, max: MAX_NEURONS, whole: true }));
    return fits && counts.length <= MAX_LAYERS ? counts : undefined;
  }
  return undefined;
}

function within(value: number, { min, max, whole }: Limits): boolean {
  return value >= min && value <= max && (!whole || Number.isInteger(value));
}
