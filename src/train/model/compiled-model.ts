/**
 * CompiledModel: a model with what it was compiled for, and how work on it takes turns: one training at a time, one
 * call on single batches after another.
 *
 * Invariants: layers are fixed once weights exist; weights belong to the layers, the optimizer's state to the model;
 * every buffer made here is freed by `dispose`.
 */

import type { Backend } from '../../backend/backend.ts';
import { checkKnownOptions } from '../../nn/check-options.ts';
import { resolveOptimizer } from '../../nn/optimizers/index.ts';
import { getBackend, readableTensors } from '../../runtime/index.ts';
import { refuseSurplus, type Surplus } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { BatchPrograms } from '../step/batch-programs.ts';
import { compileLosses, resolveLosses } from '../step/compile-losses.ts';
import { ModelRate } from '../step/model-rate.ts';
import { checkMultipliers } from '../step/parameter-groups.ts';
import { type Compiled, type Context, trainingContext } from '../step/training-context.ts';
import type { StoreUse } from '../weights/weight-store.ts';
import { innerLayersOf, ModelCore } from './model-core.ts';
import { COMPILE_OPTIONS, type CompileOptions, type CompileState } from './model-options.ts';

export abstract class CompiledModel extends ModelCore implements Disposable {
  protected readonly batchPrograms = new BatchPrograms();
  private backend: Backend | undefined;
  /** The last of the calls that must not overlap. */
  private queue: Promise<unknown> = Promise.resolve();

  /**
   * Says what to train for. A model that is compiled anew starts with fresh optimizer slots and the optimizer's
   * learning rate; `trainable` of its layers takes effect here. Models may share an optimizer object: each has its own
   * slots and steps.
   * @throws DownhillError `argument` for unknown names or options, `state` while the model is being trained.
   */
  compile(options: CompileOptions, ...surplus: Surplus): this {
    refuseSurplus('compile', surplus);
    this.assertNotTraining('compile');
    checkKnownOptions('compile', options, COMPILE_OPTIONS);
    const { outputs } = this.dataNames();
    const layers = this.layers.flatMap((layer) => [layer, ...innerLayersOf(layer)]);
    const optimizer = resolveOptimizer(options.optimizer);
    const state = {
      optimizer,
      rate: new ModelRate(optimizer),
      losses: compileLosses(options, outputs),
      multipliers: checkMultipliers(options.learningRateMultipliers ?? {}),
      frozen: new Set(layers.filter(({ trainable }) => !trainable)),
    };
    if (this.knownShapes() !== undefined) resolveLosses(state.losses, outputs, this.outputShapes);
    if (this.builtState !== undefined) {
      const weights = this.withOptions(this.builtState, state);
      this.builtState = { ...this.builtState, weights };
      this.builtState.store.relayout(weights);
    }
    this.batchPrograms.clear();
    this.compileState = state;
    return this;
  }

  /**
   * The learning rate of the next step of this model. It starts as the optimizer's; a change holds from then on for
   * this model alone, until it is compiled anew or the optimizer's own `learningRate` is set.
   * @throws DownhillError `state` before compile, and to a change under a schedule; `argument` for what is not a rate.
   */
  get learningRate(): number {
    return this.compileStateFor('learningRate').rate.rateAfter(this.iterations);
  }

  set learningRate(value: number) {
    this.compileStateFor('learningRate').rate.set(value);
  }

  /** True when the optimizer's learning rate comes from a schedule. @throws DownhillError `state` before compile. */
  get followsSchedule(): boolean {
    return this.compileStateFor('followsSchedule').optimizer.followsSchedule;
  }

  /** From now on the model runs on `backend`, whatever the current backend is; undefined for the current one. */
  runOn(backend: Backend | undefined): void {
    this.assertNotTraining('runOn');
    readableTensors();
    this.backend = backend;
  }

  /**
   * Frees everything on the device but for weights that another model has too; the model cannot be used afterwards.
   * Calling it twice is harmless.
   * @throws DownhillError `state` while the model is being trained.
   */
  dispose(): void {
    this.assertNotTraining('dispose');
    this.disposed = true;
    this.batchPrograms.clear();
    this.letGo();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  protected compileStateFor(method: string): CompileState {
    this.assertUsable();
    if (this.compileState !== undefined) return this.compileState;
    const example = `model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })`;
    throw new DownhillError('state', `${method}: model "${this.name}" is not compiled; call ${example} first`);
  }

  protected compiled(): Compiled {
    const { optimizer, rate, losses } = this.compileState!;
    return { optimizer, rates: rate, losses: resolveLosses(losses, this.dataNames().outputs, this.outputShapes) };
  }

  /** Runs `work` with the weights on the current backend, where they stay until it is done. */
  protected async withContext<T>(use: StoreUse, work: (context: Context) => Promise<T>): Promise<T> {
    const { graph, inputShapes, store } = this.built();
    const { frozen } = this.compileState ?? {};
    const parts = { name: this.name, graph, inputShapes, ...(frozen && { frozen }) };
    const context = await trainingContext(this.backend ?? getBackend(), parts, store, use);
    try {
      return await work(context);
    } finally {
      context.release();
    }
  }

  /** Runs `work` when the calls before it are done: they share programs and buffers. */
  protected inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.queue.then(work);
    this.queue = result.catch(() => undefined);
    return result;
  }

  /** Runs `work`, which changes the weights. @throws DownhillError `state` when another such call is running. */
  protected async exclusively<T>(method: string, work: () => Promise<T>): Promise<T> {
    this.assertNotTraining(method);
    this.training = true;
    try {
      return await work();
    } finally {
      this.training = false;
      this.callbacks = undefined;
    }
  }
}
