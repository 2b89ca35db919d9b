/**
 * Splitting examples by seed: train, dev and test, or k folds for cross-validation; on request stratified, so that
 * every part holds the classes in the same proportion.
 *
 * Invariant: which example goes where is a pure function of (size, fractions, seed) and, when stratified, the labels;
 * no example is in two parts. Stratifying orders the examples so that every stretch has the classes in proportion: the
 * r-th of the n examples of its class gets the position (r + ½) / n.
 */
import { checkOptions, refuseSurplus, type Surplus } from '../util/check-options.ts';
import { DownhillError } from '../util/errors.ts';
import { Prng } from '../util/prng.ts';
import { show } from '../util/show.ts';
import { type ArrayDataset, select, type TrainTest } from './dataset.ts';

/** The parts, in the order in which they take their examples. */
const PARTS = ['train', 'dev', 'test'] as const;

export type PartName = (typeof PARTS)[number];

/** Fraction of the examples for each part, above 0 and in total at most 1; examples left over are in no part. */
export type SplitFractions = { readonly [P in PartName]?: number };

export interface SplitOptions extends SplitFractions {
  /** Whole number; 0 unless given. */
  readonly seed?: number;
  /** Every part gets the classes in the proportion of the whole; false unless given. Takes class ids as targets. */
  readonly stratify?: boolean;
}

/** A value for each requested part. */
export type PartsOf<O extends SplitFractions, T> = { readonly [P in PartName & keyof O]: T };

/**
 * Shuffles by seed and splits the examples: `split(set, { train: 0.8, dev: 0.1, test: 0.1, seed: 1 })`. Sizes are the
 * fractions of the size, rounded at each border; no part is empty. All parts are copies, named `set/train` …
 * The short form `split(set, testFraction, seed)` gives train and test.
 * @throws DownhillError('argument') for fractions that are not above 0 or exceed 1 in all, an unknown option, a seed
 *   that is not a whole number; DownhillError('data') for fewer examples than parts, or stratified targets that are not
 *   class ids.
 */
export function split(set: ArrayDataset, testFraction: number, seed: number): TrainTest;
export function split<const O extends SplitOptions>(set: ArrayDataset, options: O): PartsOf<O, ArrayDataset>;
export function split(set: ArrayDataset, how: number | SplitOptions, ...rest: readonly unknown[]): object {
  const short = typeof how === 'number';
  refuseSurplus('split', rest, short ? 1 : 0);
  if (short) return splitInTwo(set, how, rest[0] as number);
  const owner = `split of "${set.name}"`;
  const options = checkOptions(owner, how, [...PARTS, 'seed', 'stratify']);
  const labels = options.stratify ? classIdsOf(set, owner) : undefined;
  const parts = splitIndices(set.size, options, options.seed, labels, owner);
  return Object.fromEntries(
    Object.entries(parts).map(([part, indices]) => [part, select(set, indices as Uint32Array, `${set.name}/${part}`)]),
  );
}

/**
 * The indices of the examples in each part, by the rules of `split`; for tables and anything else that has rows.
 * @param labels one per row, any values that compare equal within a class; parts are stratified by them when given.
 */
export function splitIndices<const O extends SplitFractions>(
  size: number,
  fractions: O,
  seed = 0,
  labels?: ArrayLike<unknown>,
  owner = 'split',
  ...surplus: Surplus
): PartsOf<O, Uint32Array> {
  refuseSurplus('splitIndices', surplus);
  const wanted = PARTS.filter((part) => fractions[part] !== undefined);
  if (wanted.length === 0) {
    throw new DownhillError('argument', `${owner}: expected fractions such as { train: 0.8, test: 0.2 }, found none`);
  }
  let total = 0;
  for (const part of wanted) {
    const fraction: unknown = fractions[part];
    if (!(typeof fraction === 'number' && fraction > 0 && fraction <= 1)) {
      throw new DownhillError('argument', `${owner}: ${part} must be above 0 and at most 1, found ${show(fraction)}`);
    }
    total += fraction;
  }
  // Sums such as 0.7 + 0.2 + 0.1 may end a rounding above 1.
  if (total > 1 + 1e-9) {
    const found = wanted.map((part) => `${part} ${fractions[part]}`).join(' + ');
    throw new DownhillError('argument', `${owner}: ${found} is ${total}; expected at most 1 in all`);
  }
  if (size < wanted.length) {
    const problem = `${size} examples for ${wanted.length} parts`;
    throw new DownhillError('data', `${owner}: ${problem}; expected at least ${wanted.length} examples`);
  }
  const order = seededOrder(size, seed, labels);
  const parts: Partial<Record<PartName, Uint32Array>> = {};
  let sum = 0;
  let from = 0;
  wanted.forEach((part, k) => {
    sum += fractions[part]!;
    const after = wanted.length - 1 - k;
    const to = Math.min(size - after, Math.max(from + 1, Math.round(size * Math.min(1, sum))));
    parts[part] = reshuffled(order.slice(from, to), seed, k, labels);
    from = to;
  });
  return parts as PartsOf<O, Uint32Array>;
}

/**
 * `k` folds for cross-validation: fold f holds out about size / k examples as test and trains on the others; every
 * example is held out exactly once.
 * @throws DownhillError('argument') when `k` is not a whole number from 2 to the number of examples.
 */
export function kFold(
  set: ArrayDataset,
  k: number,
  seed = 0,
  options: { readonly stratify?: boolean } = {},
  ...surplus: Surplus
): TrainTest[] {
  refuseSurplus('kFold', surplus);
  const owner = `kFold of "${set.name}"`;
  const { stratify = false } = checkOptions(owner, options, ['stratify']);
  const folds = kFoldIndices(set.size, k, seed, stratify ? classIdsOf(set, owner) : undefined, owner);
  return folds.map(({ train, test }, fold) => ({
    train: select(set, train, `${set.name}/fold-${fold}/train`),
    test: select(set, test, `${set.name}/fold-${fold}/test`),
  }));
}

/** The indices of `kFold`; `labels` as in `splitIndices`. */
export function kFoldIndices(
  size: number,
  k: number,
  seed = 0,
  labels?: ArrayLike<unknown>,
  owner = 'kFold',
  ...surplus: Surplus
): { readonly train: Uint32Array; readonly test: Uint32Array }[] {
  refuseSurplus('kFoldIndices', surplus);
  if (!(Number.isInteger(k) && k >= 2 && k <= size)) {
    throw new DownhillError(
      'argument',
      `${owner}: k must be a whole number from 2 to ${size} examples, found ${show(k)}`,
    );
  }
  const order = seededOrder(size, seed, labels);
  return Array.from({ length: k }, (_, fold) => {
    const from = Math.round((fold * size) / k);
    const to = Math.round(((fold + 1) * size) / k);
    const train = Uint32Array.from([...order.subarray(0, from), ...order.subarray(to)]);
    return {
      train: reshuffled(train, seed, 2 * fold, labels),
      test: reshuffled(order.slice(from, to), seed, 2 * fold + 1, labels),
    };
  });
}

function splitInTwo(set: ArrayDataset, testFraction: number, seed: number): TrainTest {
  if (!(testFraction > 0 && testFraction < 1)) {
    const message = `split of "${set.name}": expected a test fraction between 0 and 1, found ${testFraction}`;
    throw new DownhillError('argument', message);
  }
  if (set.size < 2) throw new DownhillError('data', `split of "${set.name}": expected at least 2 examples, found 1`);
  const order = seededOrder(set.size, seed);
  const testSize = Math.min(set.size - 1, Math.max(1, Math.round(set.size * testFraction)));
  const test = select(set, order.subarray(0, testSize), `${set.name}/test`);
  const train = select(set, order.subarray(testSize), `${set.name}/train`);
  return { train, test };
}

function seededOrder(size: number, seed: number, labels?: ArrayLike<unknown>): Uint32Array {
  const order = new Prng(seed).shuffle(Uint32Array.from({ length: size }, (_, i) => i));
  if (labels === undefined) return order;
  const counts = new Map<unknown, number>();
  const ranks = order.map((index) => {
    const rank = counts.get(labels[index]) ?? 0;
    counts.set(labels[index], rank + 1);
    return rank;
  });
  const places = Float64Array.from(order, (index, k) => (ranks[k] + 0.5) / counts.get(labels[index])!);
  const sorted = Array.from(order.keys()).sort((a, b) => places[a] - places[b] || a - b);
  return Uint32Array.from(sorted, (k) => order[k]);
}

/** A stretch of a stratified order alternates its classes; a training that is not shuffled would see that. */
function reshuffled(part: Uint32Array, seed: number, stream: number, labels?: ArrayLike<unknown>): Uint32Array {
  return labels === undefined ? part : new Prng(seed, 1 + stream).shuffle(part);
}

function classIdsOf(set: ArrayDataset, owner: string): ArrayLike<number> {
  const wrong = set.yShape.length > 0 ? -2 : set.y.findIndex((id) => !Number.isInteger(id));
  if (wrong === -1) return set.y;
  const found = wrong === -2 ? `targets of shape [${set.yShape}]` : `target ${set.y[wrong]} of example ${wrong}`;
  throw new DownhillError('data', `${owner}: stratify takes class ids as targets, found ${found}`);
}
