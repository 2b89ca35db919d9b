/**
 * Data that comes batch by batch from a generator, never in memory as a whole. It is checked and re-batched to the size
 * that a training step takes; the next batch is requested while the last one is used.
 *
 * Invariants: what the generator yields is copied before more is requested, so it may fill the same arrays again. Rows
 * keep their order; every batch except the last has the requested size. Stopping early ends the generator too
 * (`return`), so that its `finally` runs.
 */
import { trueOrFalse, wholeNumber } from '../nn/check-options.ts';
import { checkOptions, refuseSurplus, type Surplus } from '../util/check-options.ts';
import { DownhillError } from '../util/errors.ts';
import { show } from '../util/show.ts';
import { type ArrayDataset, arrayDataset, type DataArray, type ScaledSides, volume } from './dataset.ts';
import { concatenate } from './rows.ts';

/** What a generator yields: any whole number of examples and as many targets, row-major. */
export interface GeneratedBatch {
  readonly x: DataArray;
  readonly y: DataArray;
}

export type BatchSource = () => AsyncIterable<GeneratedBatch> | Iterable<GeneratedBatch>;

export interface GeneratorOptions {
  /** Named in errors; `generator` unless given. */
  readonly name?: string;
  /** Shape of one example. */
  readonly xShape: readonly number[];
  /** Shape of one target; [], a class id, unless given. */
  readonly yShape?: readonly number[];
  /** Examples in one pass, where known: another number is an error at the end of the pass. */
  readonly size?: number;
  /** For class ids: the name of each class. */
  readonly classNames?: readonly string[];
  /** Of sides that are bytes: what each means. */
  readonly scaleBytes?: ScaledSides;
}

export interface StreamOptions {
  /** Leaves out a last batch that is not full; false unless given. */
  readonly dropRemainder?: boolean;
}

/** Examples that are generated again in every pass. */
export interface DatasetStream {
  readonly name: string;
  readonly xShape: readonly number[];
  readonly yShape: readonly number[];
  readonly size?: number;
  readonly classNames?: readonly string[];
  /**
   * One pass over the examples in batches of `batchSize`; calls the generator function again each time.
   * @throws DownhillError('shape') or ('data') for a generated batch that does not fit, naming its number; ('data') for
   *   a pass without examples or of another size than announced. What the generator throws comes through as it is.
   */
  batches(batchSize: number, options?: StreamOptions): AsyncGenerator<ArrayDataset, void>;
}

/**
 * A stream from a generator function (sync or async):
 * `fromGenerator(async function* () { yield { x, y }; }, { xShape: [2] })`.
 * @throws DownhillError('argument') for something else than a function, an unknown option or a missing xShape.
 */
export function fromGenerator(source: BatchSource, options: GeneratorOptions, ...surplus: Surplus): DatasetStream {
  refuseSurplus('fromGenerator', surplus);
  const known = ['name', 'xShape', 'yShape', 'size', 'classNames', 'scaleBytes'] as const;
  const {
    name = 'generator',
    xShape,
    yShape = [],
    size,
    classNames,
    scaleBytes,
  } = checkOptions('fromGenerator', options, known, ['xShape']);
  if (typeof source !== 'function') {
    // A generator object would be used up after one epoch.
    const found = show(source);
    throw new DownhillError('argument', `fromGenerator: expected a function that makes a generator, found ${found}`);
  }
  if (size !== undefined) wholeNumber('fromGenerator', 'size', size);
  if (scaleBytes !== undefined) {
    const sides = checkOptions('scaleBytes of fromGenerator', scaleBytes, ['x', 'y']);
    for (const [side, value] of Object.entries(sides)) trueOrFalse('fromGenerator', `scaleBytes.${side}`, value);
  }
  const about = {
    ...{ name, xShape, yShape },
    ...(classNames && { classNames }),
    ...(scaleBytes !== undefined && { scaleBytes }),
  };
  return {
    ...about,
    ...(size !== undefined && { size }),
    batches: (batchSize, streamOptions, ...surplus: readonly unknown[]) => {
      refuseSurplus(`batches of "${name}"`, surplus);
      return rebatch(about, source, size, batchSize, streamOptions);
    },
  };
}

/**
 * All examples of one pass in memory, for `fit` and everything else that takes a data set.
 * @param limit stops after this many examples.
 * @throws what `batches` throws; DownhillError('argument') unless `limit` is a whole number of at least 1.
 */
export async function collect(stream: DatasetStream, limit?: number, ...surplus: Surplus): Promise<ArrayDataset> {
  refuseSurplus('collect', surplus);
  if (limit !== undefined) wholeNumber('collect', 'limit', limit);
  const parts: ArrayDataset[] = [];
  let count = 0;
  for await (const batch of stream.batches(Math.min(limit ?? 1024, 1024))) {
    // A stream made elsewhere may fill the same arrays again.
    parts.push({ ...batch, x: batch.x.slice(), y: batch.y.slice() });
    count += batch.size;
    if (limit !== undefined && count >= limit) break;
  }
  const all = concatenate(parts, stream.name);
  if (limit === undefined || count <= limit) return all;
  const x = all.x.slice(0, limit * volume(all.xShape));
  return { ...all, x, y: all.y.slice(0, limit * volume(all.yShape)), size: limit };
}

type About = Pick<ArrayDataset, 'name' | 'xShape' | 'yShape' | 'classNames' | 'scaleBytes'>;

async function* rebatch(
  about: About,
  source: BatchSource,
  announced: number | undefined,
  batchSize: number,
  options: StreamOptions = {},
): AsyncGenerator<ArrayDataset, void> {
  const { dropRemainder = false } = checkOptions(`batches of "${about.name}"`, options, ['dropRemainder']);
  wholeNumber(`batches of "${about.name}"`, 'batchSize', batchSize);
  const iterator = iterate(about.name, source);
  let first: ArrayDataset | undefined;
  let waiting: ArrayDataset[] = [];
  let rows = 0;
  let total = 0;
  let next = ask(iterator);
  let ended = false;
  try {
    for (let k = 0; ; k++) {
      const { done, value } = await next;
      if (done) break;
      // Copy first: the generator may fill the same arrays again at the next request.
      const batch = checkBatch(about, value, k, first);
      next = ask(iterator);
      first ??= batch;
      total += batch.size;
      waiting.push(batch);
      rows += batch.size;
      if (rows < batchSize) continue;
      const all = waiting.length === 1 ? batch : concatenate(waiting);
      let from = 0;
      for (; from + batchSize <= all.size; from += batchSize) yield rowsOf(about, all, from, from + batchSize);
      rows = all.size - from;
      waiting = rows > 0 ? [rowsOf(about, all, from, all.size)] : [];
    }
    ended = true;
  } finally {
    if (!ended) {
      // The batch requested in advance is no longer needed, nor is an error that it may throw.
      await next.catch(() => undefined);
      await iterator.return?.();
    }
  }
  if (total === 0) throw new DownhillError('data', `data set "${about.name}": the generator gave no examples`);
  if (announced !== undefined && total !== announced) {
    const message = `data set "${about.name}": the generator gave ${total} examples; its size says ${announced}`;
    throw new DownhillError('data', message);
  }
  if (rows > 0 && !dropRemainder) {
    const rest = concatenate(waiting);
    yield rowsOf(about, rest, 0, rest.size);
  }
}

type BatchIterator = AsyncIterator<GeneratedBatch> | Iterator<GeneratedBatch>;

function iterate(name: string, source: BatchSource): BatchIterator {
  const made: unknown = source();
  if (typeof made === 'object' && made !== null) {
    if (Symbol.asyncIterator in made) return (made as AsyncIterable<GeneratedBatch>)[Symbol.asyncIterator]();
    if (Symbol.iterator in made) return (made as Iterable<GeneratedBatch>)[Symbol.iterator]();
  }
  const found = show(made);
  throw new DownhillError(
    'argument',
    `data set "${name}": expected the function to return a generator, found ${found}`,
  );
}

/** The next batch; its error is thrown where it is awaited. */
function ask(iterator: BatchIterator): Promise<IteratorResult<GeneratedBatch>> {
  const result = (async () => iterator.next())();
  result.catch(() => undefined);
  return result;
}

function checkBatch(about: About, value: unknown, k: number, first: ArrayDataset | undefined): ArrayDataset {
  const name = `${about.name}, batch ${k}`;
  const { x, y } = (value ?? {}) as Partial<GeneratedBatch>;
  for (const [side, array] of [
    ['x', x],
    ['y', y],
  ] as const) {
    const wanted = first?.[side].constructor.name;
    const fits = array instanceof Float32Array || array instanceof Uint8Array || array instanceof Int32Array;
    if (fits && (wanted === undefined || array.constructor.name === wanted)) continue;
    const expected = wanted ?? 'a Float32Array, Int32Array or Uint8Array';
    throw new DownhillError('data', `data set "${name}": ${side} is ${kindOf(array)}; expected ${expected}`);
  }
  return arrayDataset({ ...about, name, x: x!.slice(), y: y!.slice() });
}

function kindOf(array: unknown): string {
  return ArrayBuffer.isView(array) ? `a ${array.constructor.name}` : show(array);
}

function rowsOf(about: About, set: ArrayDataset, from: number, to: number): ArrayDataset {
  const x = set.x.subarray(from * volume(about.xShape), to * volume(about.xShape));
  const y = set.y.subarray(from * volume(about.yShape), to * volume(about.yShape));
  return { ...about, x, y, size: to - from };
}
