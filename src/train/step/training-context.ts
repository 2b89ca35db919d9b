/**
 * TrainingContext: what training, evaluation and prediction share: the backend, the built model and the place of its
 * weights on the device.
 */

import type { Backend, BackendBuffer } from '../../backend/backend.ts';
import type { Optimizer } from '../../nn/optimizers/optimizer.ts';
import type { Feed } from '../data/feed.ts';
import type { ModelParts } from '../model/model-parts.ts';
import type { DeviceGroup, StoreUse, WeightStore } from '../weights/weight-store.ts';
import type { ModelRate } from './model-rate.ts';
import type { OutputLosses } from './output-losses.ts';

/** What a compiled model trains with. */
export interface Compiled {
  readonly losses: OutputLosses;
  readonly optimizer: Optimizer;
  /** The learning rate by the steps made so far: that of the model. */
  readonly rates: Pick<ModelRate, 'rateAfter'>;
}

export interface TrainingContext {
  readonly backend: Backend;
  readonly parts: ModelParts;
  readonly store: WeightStore;
}

/** The same with the weights' buffers, which stay where they are until `release` is called. */
export interface Context extends TrainingContext {
  readonly groups: readonly DeviceGroup[];
  release(): void;
}

/** The layers with their weights on `backend`. @throws as `WeightStore.open`. */
export async function trainingContext(
  backend: Backend,
  model: Omit<ModelParts, 'groups'>,
  store: WeightStore,
  use?: StoreUse,
): Promise<Context> {
  const { groups, release } = await store.open(backend, use);
  return { backend, parts: { ...model, groups }, store, groups, release };
}

/** Every buffer that a step can bind, by input name. */
export function stepBuffers(groups: readonly DeviceGroup[], feed?: Pick<Feed, 'buffers'>): Map<string, BackendBuffer> {
  const buffers = new Map(feed?.buffers);
  for (const { name, buffer, slots } of groups) {
    buffers.set(name, buffer);
    for (const [slot, slotBuffer] of slots) buffers.set(`${name}.${slot}`, slotBuffer);
  }
  return buffers;
}

/** Keeps the keys of a step's random numbers apart from those of the shuffles, which count epochs. */
const RANDOM_KEY = 0x5bd1e995;

/** The key of all that layers draw in update `iteration` (from 1). */
export function randomWords(seed: number, iteration: number): readonly [number, number] {
  return [(seed ^ RANDOM_KEY) >>> 0, iteration >>> 0];
}

/** The scalars of update `iteration` (from 1), but for those that choose the batch. */
export function stepScalars(
  { optimizer, rates }: Pick<Compiled, 'optimizer' | 'rates'>,
  iteration: number,
  seed: number,
  into: Map<string, readonly number[]> = new Map(),
): Map<string, readonly number[]> {
  into.set('random', randomWords(seed, iteration));
  const values = optimizer.scalarValues(iteration, rates.rateAfter(iteration - 1));
  optimizer.scalars.forEach((name, k) => {
    into.set(name, [values[k]]);
  });
  return into;
}
