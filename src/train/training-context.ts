/**
 * TrainingContext: what training, evaluation and prediction share: the backend, the built model and where its weights
 * lie on the device. Programs for batches of one feed are made here.
 */

import type { Backend, BackendBuffer } from '../backend/backend.ts';
import type { GraphSpec } from '../core/graph.ts';
import type { Optimizer } from '../nn/optimizers/optimizer.ts';
import type { Feed, FeedSpec } from './feed.ts';
import type { Goals } from './goals.ts';
import type { ModelParts } from './model-parts.ts';
import { StepProgram } from './step-program.ts';
import type { DeviceGroup, WeightStore } from './weight-store.ts';

/** What a compiled model trains with. */
export interface Compiled {
  readonly goals: Goals;
  readonly optimizer: Optimizer;
}

export interface TrainingContext {
  readonly backend: Backend;
  readonly parts: ModelParts;
  readonly store: WeightStore;
}

/** The same with the weights' buffers. */
export interface Context extends TrainingContext {
  readonly groups: readonly DeviceGroup[];
}

/** The layers with their weights on `backend`; slots of `optimizer` are made when it is given. */
export async function trainingContext(
  backend: Backend,
  model: Omit<ModelParts, 'groups'>,
  store: WeightStore,
  optimizer?: Optimizer,
): Promise<Context> {
  const groups = await store.onBackend(backend);
  if (optimizer !== undefined) store.addSlots(optimizer);
  return { backend, parts: { ...model, groups }, store, groups };
}

/** Every buffer that a step can bind, by input name. */
export function stepBuffers(groups: readonly DeviceGroup[], feed: Pick<Feed, 'buffers'>): Map<string, BackendBuffer> {
  const buffers = new Map(feed.buffers);
  for (const { name, buffer, slots } of groups) {
    buffers.set(name, buffer);
    for (const [slot, slotBuffer] of slots) buffers.set(`${name}.${slot}`, slotBuffer);
  }
  return buffers;
}

/**
 * The programs of one pass over a feed: one for full batches and, where the rows do not divide, one for the last. The
 * second is built while the first one already runs.
 */
export class PassPrograms {
  readonly steps: number;
  readonly fullCount: number;
  private readonly lastCount: number;
  private last: Promise<StepProgram> | undefined;

  private constructor(
    readonly full: StepProgram,
    rows: number,
    batchSize: number,
    private readonly load: (count: number) => Promise<StepProgram>,
  ) {
    this.fullCount = Math.min(batchSize, rows);
    this.steps = Math.ceil(rows / this.fullCount);
    this.lastCount = rows - (this.steps - 1) * this.fullCount;
  }

  static async create(
    backend: Backend,
    groups: readonly DeviceGroup[],
    feed: Feed,
    batchSize: number,
    graph: (spec: FeedSpec) => GraphSpec,
    onProgress?: (built: number, total: number) => void,
  ): Promise<PassPrograms> {
    const buffers = stepBuffers(groups, feed);
    const load = (count: number, progress?: typeof onProgress): Promise<StepProgram> =>
      StepProgram.load(backend, graph(feed.spec(count)), buffers, progress);
    return new PassPrograms(await load(Math.min(batchSize, feed.rows), onProgress), feed.rows, batchSize, load);
  }

  /** Rows of step `step`. */
  count(step: number): number {
    return step === this.steps - 1 ? this.lastCount : this.fullCount;
  }

  /** The program of step `step`; a promise only for the last, smaller batch. */
  program(step: number): StepProgram | Promise<StepProgram> {
    return this.count(step) === this.fullCount ? this.full : this.prepareLast();
  }

  /** Starts to build the last batch's program, if it needs one of its own. */
  prepareLast(): Promise<StepProgram> {
    if (this.lastCount === this.fullCount) return Promise.resolve(this.full);
    if (this.last === undefined) {
      this.last = this.load(this.lastCount);
      // Awaited when the epoch's last step comes; a failure before that must not count as unhandled.
      this.last.catch(() => undefined);
    }
    return this.last;
  }

  /** Distinct kernels of the programs built so far. */
  async pipelines(): Promise<number> {
    const programs = [this.full, ...(this.last === undefined ? [] : [await this.last])];
    return new Set(programs.flatMap(({ plan }) => plan.kernels.map(({ wgsl }) => wgsl))).size;
  }

  async dispose(): Promise<void> {
    this.full.dispose();
    await this.last?.then((program) => program.dispose()).catch(() => undefined);
  }
}

/** Keeps the keys of a step's random numbers apart from those of the shuffles, which count epochs. */
const RANDOM_KEY = 0x5bd1e995;

/** The scalars of update `iteration` (from 1), but for those that choose the batch. */
export function stepScalars(
  optimizer: Optimizer,
  iteration: number,
  seed: number,
  into: Map<string, readonly number[]> = new Map(),
): Map<string, readonly number[]> {
  into.set('random', [(seed ^ RANDOM_KEY) >>> 0, iteration >>> 0]);
  const values = optimizer.scalarValues(iteration);
  optimizer.scalars.forEach((name, k) => {
    into.set(name, [values[k]]);
  });
  return into;
}
