/**
 * Sequential: a stack of layers that can be trained, as in Keras. This file is the public face: it checks what it is
 * given, keeps the weights and hands the work to the training loop.
 *
 * Invariants: layers are fixed once weights exist; the values of weights live in one WeightStore; every buffer made here
 * is freed by `dispose`, and what a `fit` or an `evaluate` made is freed when it ends.
 */

import { Tensor } from '../core/tensor.ts';
import type { ArrayDataset } from '../data/dataset.ts';
import { checkKnownOptions, show } from '../nn/check-options.ts';
import { checkName, Layer } from '../nn/layer.ts';
import { checkExampleShape, InputLayer } from '../nn/layers/input.ts';
import { type Loss, resolveLoss } from '../nn/losses/index.ts';
import { type CheckedMetric, checkMetrics, type MetricLike, resolveMetric } from '../nn/metrics/index.ts';
import { resolveOptimizer } from '../nn/optimizers/index.ts';
import type { Optimizer } from '../nn/optimizers/optimizer.ts';
import { getBackend } from '../runtime/index.ts';
import { DownhillError } from '../util/errors.ts';
import { type Shape, sizeOf } from '../util/shape.ts';
import { BatchPrograms } from './batch-programs.ts';
import { type BuiltLayers, buildLayers, nameLayer } from './build-layers.ts';
import { CallbackList, type Logs, type TrainedModel } from './callbacks/callback.ts';
import { ProgressBar } from './callbacks/progress-bar.ts';
import { Evaluator } from './evaluate-run.ts';
import { runFit } from './fit-run.ts';
import type { History } from './history.ts';
import { chainGraph } from './layer-graph.ts';
import { compiledJson, layerJson, MODEL_FORMAT, MODEL_VERSION, type ModelJson, parseModelJson } from './model-json.ts';
import type { CompileOptions, SavedModel, SequentialOptions } from './model-options.ts';
import {
  activationsOnBatch,
  gradientsOnBatch,
  type LayerOutput,
  predictTable,
  trainOnBatch,
} from './single-batches.ts';
import { formatSummary, summaryOf } from './summary.ts';
import { type DataInput, toTable } from './table.ts';
import { checkExamples } from './targets.ts';
import { type Compiled, trainingContext } from './training-context.ts';
import { checkTables, type DataRules, labelledTables, readArguments, trainingData } from './training-data.ts';
import { type BatchOptions, checkBatchSize, checkFitOptions, checkSeed, type FitOptions } from './training-options.ts';
import { checkMultipliers, type LearningRateMultipliers, treatWeights } from './treatments.ts';
import { encodeWeights, matchWeights, restoreWeights } from './weight-file.ts';
import type { Weight } from './weight-layout.ts';
import { WeightStore, type WeightValue } from './weight-store.ts';

interface Built extends BuiltLayers {
  readonly store: WeightStore;
}

interface CompileState {
  readonly optimizer: Optimizer;
  readonly loss: Loss;
  readonly metrics: readonly CheckedMetric[];
  readonly multipliers: LearningRateMultipliers;
}

export class Sequential implements TrainedModel, Disposable {
  readonly name: string;
  readonly seed: number;
  readonly layers: readonly Layer[] = [];
  /** True ends a running `fit` after the current step. */
  stopTraining = false;
  private inputShape: Shape | undefined;
  private builtState: Built | undefined;
  private compileState: CompileState | undefined;
  private readonly batchPrograms = new BatchPrograms();
  /** The last of the calls that must not overlap. */
  private queue: Promise<unknown> = Promise.resolve();
  private training = false;
  /** Of the running `fit`. */
  private callbacks: CallbackList | undefined;
  private disposed = false;

  /** @throws DownhillError `argument` for an option or a layer that is not accepted. */
  constructor(layers: readonly Layer[] = [], options: SequentialOptions = {}) {
    checkKnownOptions('sequential', options, ['name', 'seed', 'inputShape']);
    if (!Array.isArray(layers)) {
      throw new DownhillError('argument', `sequential: expected an array of layers, found ${show(layers)}`);
    }
    this.name = checkName('sequential', options.name ?? 'sequential');
    this.seed = checkSeed('sequential', options.seed ?? 0);
    if (options.inputShape !== undefined) this.inputShape = checkExampleShape('sequential', options.inputShape);
    for (const layer of layers) this.add(layer);
  }

  /**
   * Puts `layer` on top. @returns the model.
   * @throws DownhillError `argument` for something else or a name that is taken, `state` once the weights are in use.
   */
  add(layer: Layer): this {
    if (!(layer instanceof Layer)) {
      const hint = 'make one with layers.dense({ … }) and the like';
      throw new DownhillError('argument', `model "${this.name}": add takes a layer, found ${show(layer)}; ${hint}`);
    }
    if (this.layers.includes(layer)) {
      throw new DownhillError('argument', `model "${this.name}": ${layer.label} is already in it; make another layer`);
    }
    if (this.builtState !== undefined && !this.builtState.store.untouched) {
      throw new DownhillError('state', `model "${this.name}" has its weights already; add ${layer.label} before that`);
    }
    nameLayer(this.name, layer, this.layers);
    (this.layers as Layer[]).push(layer);
    if (layer instanceof InputLayer && this.layers.length === 1) this.inputShape ??= layer.shape;
    this.builtState = undefined;
    return this;
  }

  /**
   * Fixes shapes and weights. Called by itself when data comes; twice with one shape is harmless.
   * @param inputShape of one example; may be left out when an input layer or the model's options say it.
   * @throws DownhillError `shape` naming the layer that does not accept its input, `state` without any shape.
   */
  build(inputShape: Shape | undefined = this.inputShape): this {
    this.assertUsable();
    if (inputShape === undefined) {
      throw new DownhillError(
        'state',
        `model "${this.name}" does not know its input shape: pass it to build([…]), or start with layers.input({ shape })`,
      );
    }
    const shape = checkExampleShape(`build of model "${this.name}"`, inputShape);
    if (this.builtState !== undefined) {
      const [known] = this.builtState.inputShapes;
      if (String(known) === String(shape)) return this;
      throw new DownhillError('state', `model "${this.name}" is built for examples [${known}]; found [${shape}]`);
    }
    const built = buildLayers(this.name, chainGraph(this.layers), [shape]);
    this.inputShape = shape;
    const weights = this.compileState === undefined ? built.weights : this.treated(built, this.compileState);
    this.builtState = { ...built, store: new WeightStore(weights, this.seed) };
    return this;
  }

  /** Shape of one output example. @throws as `build`. */
  get outputShape(): Shape {
    return this.built().outputShapes[0];
  }

  /** Count of all weight values. @throws as `build`. */
  countParams(): number {
    return this.built().weights.reduce((sum, { spec }) => sum + sizeOf(spec.shape), 0);
  }

  /** Keras' table of layers, as text. Shapes are shown as soon as the input's shape is known. */
  summary(): string {
    const built = this.inputShape === undefined ? undefined : this.built();
    const slots = this.compileState?.optimizer.slots.length ?? 0;
    return formatSummary(summaryOf(this.name, this.layers, built, built?.store.iterations ? slots : undefined));
  }

  /**
   * Says what to train for. A model that is compiled anew starts with fresh optimizer slots.
   * @throws DownhillError `argument` for unknown names or options, `state` while the model is being trained.
   */
  compile(options: CompileOptions): this {
    this.assertNotTraining('compile');
    checkKnownOptions('compile', options, ['optimizer', 'loss', 'metrics', 'learningRateMultipliers']);
    const state = {
      optimizer: resolveOptimizer(options.optimizer),
      loss: resolveLoss(options.loss),
      metrics: checkMetrics(options.metrics ?? []),
      multipliers: checkMultipliers(options.learningRateMultipliers ?? {}),
    };
    if (this.inputShape !== undefined) {
      for (const metric of state.metrics) resolveMetric(metric, state.loss, this.outputShape);
    }
    this.builtState?.store.relayout(this.treated(this.builtState, state));
    this.batchPrograms.clear();
    this.compileState = state;
    return this;
  }

  /** The optimizer's learning rate; a change holds from the next step on. @throws DownhillError `state` before compile. */
  get learningRate(): number {
    return this.compileStateFor('learningRate').optimizer.learningRate;
  }

  set learningRate(value: number) {
    this.compileStateFor('learningRate').optimizer.learningRate = value;
  }

  /**
   * Trains on x and y, or on a data set, as Keras' `fit` does: the last, smaller batch of an epoch counts too, and
   * logged values are means over the examples of the epoch.
   * @throws DownhillError `state` before compile, `argument` for options, `data`, `shape` or `dtype` for data that does
   *   not fit the model.
   */
  fit(dataset: ArrayDataset, options?: FitOptions): Promise<History>;
  fit(x: DataInput, y: DataInput, options?: FitOptions): Promise<History>;
  async fit(first: DataInput | ArrayDataset, second?: DataInput | FitOptions, third?: FitOptions): Promise<History> {
    this.compileStateFor('fit');
    const { tables, options: given } = await readArguments('fit', first, second, third);
    const options = checkFitOptions(given, this.seed);
    const { data, validation } = await trainingData(this.dataRules(), tables, options);
    return this.exclusively('fit', async () => {
      const compiled = this.compiled();
      const context = await this.context(compiled.optimizer);
      const callbacks = new CallbackList([...(options.verbose ? [new ProgressBar()] : []), ...options.callbacks]);
      this.callbacks = callbacks;
      return runFit({ ...options, context, compiled, data, validation, callbacks, model: this });
    });
  }

  /**
   * Loss and metrics over x and y, or over a data set, at inference, by name.
   * @throws DownhillError as `fit`.
   */
  evaluate(dataset: ArrayDataset, options?: BatchOptions): Promise<Record<string, number>>;
  evaluate(x: DataInput, y: DataInput, options?: BatchOptions): Promise<Record<string, number>>;
  async evaluate(
    first: DataInput | ArrayDataset,
    second?: DataInput | BatchOptions,
    third?: BatchOptions,
  ): Promise<Record<string, number>> {
    this.compileStateFor('evaluate');
    const { tables, options } = await readArguments<BatchOptions>('evaluate', first, second, third);
    checkKnownOptions('evaluate', options, ['batchSize']);
    const batchSize = checkBatchSize('evaluate', options.batchSize);
    const data = { ...checkTables(this.dataRules(), tables), batchSize };
    const compiled = this.compiled();
    const { backend, parts, groups } = await this.context();
    const evaluator = await Evaluator.create(backend, parts, groups, compiled, data);
    try {
      return await evaluator.run();
    } finally {
      await evaluator.dispose();
    }
  }

  /** The outputs for x, f32 [N, …outputShape], in host memory. @throws DownhillError as `fit`. */
  async predict(x: DataInput, options: BatchOptions = {}): Promise<Tensor> {
    checkKnownOptions('predict', options, ['batchSize']);
    const batchSize = checkBatchSize('predict', options.batchSize);
    const table = await toTable('x', x);
    const built = this.built(table.shape);
    const examples = checkExamples(this.name, table, built.inputShapes[0]);
    const data = await this.inTurn(async () =>
      predictTable(await this.context(), this.batchPrograms, examples, batchSize),
    );
    return Tensor.host({ shape: [examples.rows, ...this.outputShape], dtype: 'f32' }, data);
  }

  /** One update on the batch x, y; its loss and metrics by name. @throws DownhillError as `fit`. */
  async trainOnBatch(x: DataInput, y: DataInput): Promise<Logs> {
    this.compileStateFor('trainOnBatch');
    const tables = checkTables(this.dataRules(), await labelledTables('x', x, 'y', y));
    return this.exclusively('trainOnBatch', () =>
      this.inTurn(async () => {
        const compiled = this.compiled();
        return trainOnBatch(await this.context(compiled.optimizer), this.batchPrograms, compiled, tables, this.seed);
      }),
    );
  }

  /**
   * The gradient of the loss at the present weights for the batch x, y, one entry a trainable weight; nothing is updated.
   * @throws DownhillError as `fit`.
   */
  async gradientsOnBatch(x: DataInput, y: DataInput): Promise<{ logs: Logs; gradients: WeightValue[] }> {
    this.compileStateFor('gradientsOnBatch');
    const tables = checkTables(this.dataRules(), await labelledTables('x', x, 'y', y));
    return this.inTurn(async () =>
      gradientsOnBatch(await this.context(), this.batchPrograms, this.compiled(), tables, this.seed),
    );
  }

  /**
   * What each layer gives for the batch `x` at inference, f32, in the order in which the layers run.
   * @throws DownhillError as `predict`.
   */
  async activationsOnBatch(x: DataInput): Promise<LayerOutput[]> {
    const table = await toTable('x', x);
    const examples = checkExamples(this.name, table, this.built(table.shape).inputShapes[0]);
    return this.inTurn(async () => activationsOnBatch(await this.context(), this.batchPrograms, examples));
  }

  /** The values of all weights, in the order of the layers. @throws as `build`. */
  getWeights(): Promise<WeightValue[]> {
    return this.built().store.read();
  }

  /**
   * Replaces all weights, matched by name; the order does not matter.
   * @throws DownhillError `argument` for a weight that is missing, unknown, of another shape or no numbers, `state` while
   *   the model is being trained; nothing is changed then.
   */
  setWeights(values: readonly WeightValue[]): void {
    this.assertNotTraining('setWeights');
    this.writeWeights('setWeights', values);
  }

  /** `setWeights` or `loadWeights` for callbacks. @throws as they do, and `state` while steps are under way. */
  restoreWeights(values: readonly WeightValue[] | Uint8Array, file = 'weights'): void {
    if (!this.callbacks?.betweenSteps) this.assertNotTraining('restoreWeights');
    if (values instanceof Uint8Array) this.writeFile(values, file);
    else this.writeWeights('restoreWeights', values);
  }

  /** The model without its weights. @throws DownhillError `argument` for functions of the user that JSON cannot hold. */
  toJSON(): ModelJson {
    const { compileState } = this;
    return {
      format: MODEL_FORMAT,
      version: MODEL_VERSION,
      className: 'Sequential',
      name: this.name,
      seed: this.seed,
      inputShape: this.inputShape ?? null,
      layers: this.layers.map(layerJson),
      compiled:
        compileState === undefined
          ? null
          : compiledJson(compileState.optimizer, compileState.loss, compileState.metrics, compileState.multipliers),
    };
  }

  /**
   * The model that `toJSON` described (text or parsed), with fresh weights, compiled if it was.
   * @param file what errors call the JSON. @throws DownhillError `file` or `argument`.
   */
  static fromJSON(json: unknown, file?: string): Sequential {
    const { data, layers } = parseModelJson(json, file);
    const { name, seed, inputShape, compiled } = data;
    const model = new Sequential(layers, { name, seed, ...(inputShape !== null && { inputShape }) });
    if (compiled !== null) {
      model.compile({
        optimizer: resolveOptimizer(compiled.optimizer.name, compiled.optimizer.config),
        loss: resolveLoss(compiled.loss.name, compiled.loss.config),
        metrics: compiled.metrics as MetricLike[],
        learningRateMultipliers: compiled.learningRateMultipliers ?? {},
      });
    }
    return model;
  }

  /** The model as two files. @param options.optimizer true to include the optimizer's state. */
  async save(options: { readonly optimizer?: boolean } = {}): Promise<SavedModel> {
    checkKnownOptions('save', options, ['optimizer']);
    const { store } = this.built();
    const json = `${JSON.stringify(this.toJSON(), null, 2)}\n`;
    const state = options.optimizer ? { slots: await store.readSlots(), iterations: store.iterations } : undefined;
    return { json, weights: encodeWeights(await store.read(), state) };
  }

  /**
   * The model that `save` gave. @param names what errors call the two files.
   * @throws DownhillError `file` for corrupt files or weights that do not fit the model.
   */
  static load(
    { json, weights }: SavedModel,
    names: { readonly json: string; readonly weights: string } = { json: 'model JSON', weights: 'weights' },
  ): Sequential {
    const model = Sequential.fromJSON(json, names.json);
    model.loadWeights(weights, names.weights);
    return model;
  }

  /**
   * Replaces the weights, and the optimizer's state where the file has it, by those of a safetensors file.
   * @throws DownhillError `file` for a corrupt file or weights that do not fit, `state` while the model is being trained;
   *   nothing is changed then.
   */
  loadWeights(bytes: Uint8Array, file = 'weights'): void {
    this.assertNotTraining('loadWeights');
    this.writeFile(bytes, file);
  }

  /**
   * Frees everything on the device; the model cannot be used afterwards. Calling it twice is harmless.
   * @throws DownhillError `state` while the model is being trained.
   */
  dispose(): void {
    this.assertNotTraining('dispose');
    this.disposed = true;
    this.batchPrograms.clear();
    this.builtState?.store.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private writeWeights(method: string, values: readonly WeightValue[]): void {
    const { store, weights } = this.built();
    const expected = weights.map(({ path, spec }) => ({ name: path, shape: spec.shape }));
    store.write(matchWeights(`${method} of model "${this.name}"`, expected, values, 'argument'));
  }

  private writeFile(bytes: Uint8Array, file: string): void {
    const { store, weights } = this.built();
    restoreWeights(store, weights, this.compileState?.optimizer.slots, bytes, file);
  }

  private built(dataShape?: Shape): Built {
    this.assertUsable();
    if (this.builtState === undefined) this.build(this.inputShape ?? dataShape);
    return this.builtState!;
  }

  private compileStateFor(method: string): CompileState {
    this.assertUsable();
    if (this.compileState !== undefined) return this.compileState;
    const example = `model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })`;
    throw new DownhillError('state', `${method}: model "${this.name}" is not compiled; call ${example} first`);
  }

  /** The weights as training treats them. */
  private treated({ weights, graph }: BuiltLayers, { optimizer, multipliers }: CompileState): Weight[] {
    return treatWeights(weights, graph.layers, optimizer, multipliers);
  }

  private compiled(): Compiled {
    const { optimizer, loss, metrics } = this.compileState!;
    return { optimizer, loss, metrics: metrics.map((metric) => resolveMetric(metric, loss, this.outputShape)) };
  }

  private context(optimizer?: Optimizer): ReturnType<typeof trainingContext> {
    const { graph, inputShapes, store } = this.built();
    return trainingContext(getBackend(), { name: this.name, graph, inputShapes }, store, optimizer);
  }

  /** How data is checked for this model, which data may build. */
  private dataRules(): DataRules {
    return {
      model: this.name,
      loss: this.compileState!.loss,
      shapes: (dataShape) => {
        const { inputShapes, outputShapes } = this.built(dataShape);
        return { input: inputShapes[0], output: outputShapes[0] };
      },
    };
  }

  /** Runs `work` when the calls before it are done: they share programs and buffers. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.queue.then(work);
    this.queue = result.catch(() => undefined);
    return result;
  }

  /** Runs `work`, which changes the weights. @throws DownhillError `state` when another such call is running. */
  private async exclusively<T>(method: string, work: () => Promise<T>): Promise<T> {
    this.assertNotTraining(method);
    this.training = true;
    try {
      return await work();
    } finally {
      this.training = false;
      this.callbacks = undefined;
    }
  }

  private assertNotTraining(method: string): void {
    if (!this.training) return;
    throw new DownhillError('state', `${method}: model "${this.name}" is being trained already; await that call first`);
  }

  private assertUsable(): void {
    if (this.disposed) throw new DownhillError('state', `model "${this.name}" was used after dispose()`);
  }
}

export type { CompileOptions, SavedModel, SequentialOptions };

/** A stack of layers: `sequential([layers.dense({ units: 10 })])`. */
export const sequential = (layers: readonly Layer[] = [], options: SequentialOptions = {}): Sequential =>
  new Sequential(layers, options);
