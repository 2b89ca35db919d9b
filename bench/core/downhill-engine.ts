/**
 * downhill as an Engine: the program that `model.fit` runs on resident data in order, with the loss read after every
 * step, as the other engines do it. `fit` itself does not wait for single steps and is faster; `bench steps` shows it.
 */

import type { Backend, Program } from '../../src/backend/backend.ts';
import { type DispatchTime, profileProgram } from '../../src/backend/profile.ts';
import type { GraphSpec } from '../../src/core/graph.ts';
import { resolveLoss } from '../../src/nn/losses/index.ts';
import type { Optimizer } from '../../src/nn/optimizers/optimizer.ts';
import { createFeed, type Feed } from '../../src/train/data/feed.ts';
import { toTable } from '../../src/train/data/table.ts';
import { buildLayers } from '../../src/train/model/build-layers.ts';
import type { LayerGraph } from '../../src/train/model/layer-graph.ts';
import { trainGraph } from '../../src/train/step/step-graph.ts';
import { StepProgram } from '../../src/train/step/step-program.ts';
import { type Context, stepBuffers, stepScalars, trainingContext } from '../../src/train/step/training-context.ts';
import { WeightStore } from '../../src/train/weights/weight-store.ts';
import { type TuneOptions, type TuneReport, tuneGraphs } from '../../src/tune/tune.ts';
import { applyTuning, type Tuning } from '../../src/tune/tuning.ts';
import type { Engine } from './engine.ts';
import { optimizerOf, WORKLOADS, type Workload } from './workloads.ts';

export class DownhillEngine implements Engine {
  readonly name: string;
  private optimizer!: Optimizer;
  private workload!: Workload;
  private context!: Context;
  private feed!: Feed;
  private program: StepProgram | undefined;

  /** @param tuning what the tuner found on this adapter before; the defaults without it. */
  constructor(
    readonly backend: Backend,
    readonly version: string,
    tuning?: Tuning,
  ) {
    this.name = tuning === undefined ? 'downhill' : 'downhill tuned';
    if (tuning !== undefined) applyTuning(backend, tuning);
  }

  async prepare(workload: Workload): Promise<void> {
    const { inputShape } = WORKLOADS[workload.name];
    const model = WORKLOADS[workload.name].model(true);
    const { name } = model;
    // What a model keeps to itself: nobody else runs one step by step and waits for it.
    const built = buildLayers(name, (model as unknown as { graph(): LayerGraph }).graph(), [inputShape], 0);
    this.optimizer = optimizerOf(workload.name);
    const store = new WeightStore(built.weights, name);
    store.compiled = true;
    store.write(new Map(workload.weights.map(({ name: path, data }) => [path, data])));
    this.workload = workload;
    this.context = await trainingContext(this.backend, { name, graph: built.graph, inputShapes: [inputShape] }, store, {
      training: true,
      optimizer: this.optimizer,
    });
    const rows = workload.y.length;
    const x = await toTable('x', { data: workload.x, shape: [rows, ...inputShape] });
    const y = await toTable('y', { data: workload.y, shape: [rows] });
    this.feed = createFeed(
      this.backend,
      new Map([
        ['x', x],
        ['y', y],
      ]),
      workload.batch,
      false,
    );
  }

  async step(k: number, t: number): Promise<number> {
    this.program ??= await this.load();
    this.program.run(this.scalars(k, t));
    const [loss] = await this.program.read(['loss']);
    return loss[0];
  }

  /** Median device time of each dispatch. @throws DownhillError `device` without timestamps. */
  async profile(runs: number): Promise<DispatchTime[]> {
    await this.step(0, 1);
    // What StepProgram keeps to itself: nobody else has to profile it.
    const { program, block } = this.program as unknown as { program: Program; block: Uint32Array | undefined };
    return profileProgram(program, { runs, ...(block && { scalars: block }) });
  }

  /** Tunes the step that `step` runs; the engine is prepared. */
  tune(options: TuneOptions): Promise<TuneReport> {
    return tuneGraphs(this.backend, [this.graph()], options);
  }

  dispose(): void {
    this.program?.dispose();
    this.feed.dispose();
    this.context.release();
    this.context.store.dispose();
  }

  private load(): Promise<StepProgram> {
    return StepProgram.load(this.backend, this.graph(), stepBuffers(this.context.groups, this.feed));
  }

  private graph(): GraphSpec {
    const loss = resolveLoss('sparseCategoricalCrossentropy');
    const losses = [{ output: 'output', weight: 1, loss, metrics: [] }];
    return trainGraph(this.context.parts, losses, this.optimizer, this.feed.spec(this.workload.batch));
  }

  private scalars(k: number, t: number): Map<string, readonly number[]> {
    return stepScalars({ optimizer: this.optimizer, rates: this.optimizer }, t, 0).set('offset', [
      k * this.workload.batch,
    ]);
  }
}
