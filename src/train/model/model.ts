/**
 * Model: what can be trained. This file is the public face, as in Keras: it checks what it is given and hands the work
 * to the training loop. `Sequential` and `Functional` say which layers there are.
 *
 * Invariant: what a `fit` or an `evaluate` made on the device is freed when it ends.
 */

import type { DispatchTime } from '../../backend/profile.ts';
import { Tensor } from '../../core/tensor.ts';
import type { ArrayDataset } from '../../data/dataset.ts';
import type { DatasetStream } from '../../data/stream.ts';
import { checkKnownOptions, trueOrFalse, wholeNumber } from '../../nn/check-options.ts';
import { refuseSurplus, type Surplus } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { CallbackList, type Logs, type TrainedModel } from '../callbacks/callback.ts';
import { ProgressBar } from '../callbacks/progress-bar.ts';
import type { Tables } from '../data/feed.ts';
import { type DataRules, type ModelData, modelTables, readArguments } from '../data/labelled-data.ts';
import { eachBatch } from '../data/stream-data.ts';
import { datasetTable, isDataset, isStream } from '../data/table.ts';
import { checkCounts, checkExamples } from '../data/targets.ts';
import { batchTables, evaluationData, needsStream, trainingData } from '../data/training-data.ts';
import { Evaluator } from '../loop/evaluate-run.ts';
import { type FitJob, runFit } from '../loop/fit-run.ts';
import type { History } from '../loop/history.ts';
import {
  activationsOnBatch,
  batchesOfTables,
  gradientsOnBatch,
  type LayerOutput,
  predictBatches,
  profileOnBatch,
  trainOnBatch,
} from '../loop/single-batches.ts';
import {
  checkBatchSize,
  checkFitOptions,
  checkSeed,
  type EvaluateOptions,
  type FitOptions,
  type PredictOptions,
  type TrainOnBatchOptions,
  wholeOption,
} from '../loop/training-options.ts';
import { type TuningGraphs, tuningGraphs } from '../loop/tuning-graphs.ts';
import { inputName } from '../step/step-graph.ts';
import type { Compiled } from '../step/training-context.ts';
import type { StoreUse, WeightValue } from '../weights/weight-store.ts';
import { CompiledModel } from './compiled-model.ts';
import { formatSummary, summaryOf } from './summary.ts';

/** Examples with their targets, in memory or batch by batch. */
type Dataset = ArrayDataset | DatasetStream;

/** Examples as `tune` takes them: a data set, or its two sides. */
export type TuningData = Dataset | { readonly x: ModelData; readonly y: ModelData };

export abstract class Model extends CompiledModel implements TrainedModel {
  /** True ends a running `fit` after the current step. */
  stopTraining = false;

  /** Keras' table of layers, as text. Shapes are shown as soon as the input's shape is known. */
  summary(...surplus: Surplus): string {
    refuseSurplus('summary', surplus);
    const built = this.knownShapes() === undefined && this.builtState === undefined ? undefined : this.built();
    const links = this.className === 'Functional' ? this.graph() : undefined;
    const optimizer = built?.store.iterations ? this.compileState?.optimizer : undefined;
    return formatSummary(summaryOf(this.name, this.layers, built, optimizer, links));
  }

  /**
   * Trains on x and y, on a data set or on a stream, as Keras' `fit` does: the last, smaller batch of an epoch counts
   * too, and logged values are means over the examples of the epoch.
   * @throws DownhillError `state` before compile, `argument` for options, `data`, `shape` or `dtype` for data that does
   *   not fit the model.
   */
  fit(dataset: Dataset, options?: FitOptions): Promise<History>;
  fit(x: ModelData, y: ModelData, options?: FitOptions): Promise<History>;
  async fit(...given: readonly unknown[]): Promise<History> {
    this.compileStateFor('fit');
    const job = await this.fitJob(given);
    return this.exclusively('fit', async () => {
      const compiled = this.compiled();
      return this.withContext(trainingWith(compiled), (context) => {
        this.callbacks = job.callbacks;
        return runFit({ ...job, context, compiled, model: this });
      });
    });
  }

  /** The data and the options of `fit`, read and checked. Here, so that `fit` does not hold what it does not need. */
  private async fitJob(given: readonly unknown[]): Promise<Omit<FitJob, 'context' | 'compiled' | 'model'>> {
    const read = readArguments<FitOptions>('fit', this.dataNames(), given);
    const options = checkFitOptions(read.options, this.seed);
    const askedToShuffle = read.options.shuffle === true;
    const data = await trainingData(this.dataRules(), read.data, { ...options, askedToShuffle });
    const callbacks = new CallbackList([...(options.verbose ? [new ProgressBar()] : []), ...options.callbacks]);
    const { epochs, initialEpoch, initialStep, frameBudget, shuffle, seed } = options;
    const loop = {
      epochs,
      initialEpoch,
      initialStep,
      shuffle,
      seed,
      ...(frameBudget !== undefined && { frameBudget }),
    };
    return { ...data, ...loop, callbacks };
  }

  /**
   * Loss and metrics over x and y, a data set or a stream, at inference, by name.
   * @throws DownhillError as `fit`.
   */
  evaluate(dataset: Dataset, options?: EvaluateOptions): Promise<Record<string, number>>;
  evaluate(x: ModelData, y: ModelData, options?: EvaluateOptions): Promise<Record<string, number>>;
  async evaluate(...given: readonly unknown[]): Promise<Record<string, number>> {
    this.compileStateFor('evaluate');
    const read = readArguments<EvaluateOptions>('evaluate', this.dataNames(), given);
    const data = await evaluationData(this.dataRules(), read.data, read.options);
    const compiled = this.compiled();
    return this.withContext({}, async ({ backend, parts, groups }) => {
      const evaluator = await Evaluator.create(backend, parts, groups, compiled.losses, data);
      try {
        return await evaluator.run();
      } finally {
        await evaluator.dispose();
      }
    });
  }

  /**
   * The outputs for x, or for the examples of a stream, f32 [N, …outputShape], in host memory.
   * @throws DownhillError as `fit`; `state` when the model has several outputs (`predictAll` gives them).
   */
  async predict(x: ModelData | DatasetStream, options?: PredictOptions, ...surplus: Surplus): Promise<Tensor> {
    refuseSurplus('predict', surplus);
    const { outputs } = this.dataNames();
    if (outputs.length === 1) return (await this.predictAll(x, options))[0];
    const found = `${outputs.length} outputs (${outputs.join(', ')})`;
    throw new DownhillError('state', `predict: model "${this.name}" has ${found}; predictAll gives one tensor each`);
  }

  /** Each output for x, f32 [N, …], in host memory. @throws DownhillError as `fit`. */
  async predictAll(x: ModelData | DatasetStream, options: PredictOptions = {}, ...surplus: Surplus): Promise<Tensor[]> {
    refuseSurplus('predict', surplus);
    checkKnownOptions('predict', options, ['batchSize', 'steps', 'training', 'seed']);
    const batchSize = checkBatchSize('predict', options.batchSize);
    const training = trueOrFalse('predict', 'training', options.training ?? false);
    const seed = training ? checkSeed('predict', options.seed ?? this.seed) : undefined;
    const { steps } = wholeOption('predict', 'steps', options.steps);
    if (steps !== undefined && !isStream(x)) throw needsStream('steps', 'predict');
    const batches = isStream(x)
      ? this.exampleBatches(x, batchSize, steps)
      : batchesOfTables(await this.examples(x), batchSize);
    const { rows, outputs } = await this.inTurn(() =>
      this.withContext({}, (context) => predictBatches(context, this.batchPrograms, batches, seed)),
    );
    return this.outputShapes.map((shape, k) => Tensor.host({ shape: [rows, ...shape], dtype: 'f32' }, outputs[k]));
  }

  /**
   * One update on the batch x, y; its loss and metrics by name. Classes may be missing in the batch.
   * @throws DownhillError as `fit`.
   */
  async trainOnBatch(
    x: ModelData,
    y: ModelData,
    options: TrainOnBatchOptions = {},
    ...surplus: Surplus
  ): Promise<Logs> {
    this.compileStateFor('trainOnBatch');
    checkKnownOptions('trainOnBatch', options, ['sampleWeight', 'classWeight']);
    refuseSurplus('trainOnBatch', surplus);
    const tables = await batchTables(this.dataRules(), x, y, options);
    return this.exclusively('trainOnBatch', () =>
      this.inTurn(() => {
        const compiled = this.compiled();
        return this.withContext(trainingWith(compiled), (context) =>
          trainOnBatch(context, this.batchPrograms, compiled, tables, this.seed),
        );
      }),
    );
  }

  /**
   * The gradient of the loss at the present weights for the batch x, y, one entry a trainable weight; nothing is
   * updated.
   * @throws DownhillError as `fit`.
   */
  async gradientsOnBatch(
    x: ModelData,
    y: ModelData,
    options: TrainOnBatchOptions = {},
    ...surplus: Surplus
  ): Promise<{ logs: Logs; gradients: WeightValue[] }> {
    this.compileStateFor('gradientsOnBatch');
    checkKnownOptions('gradientsOnBatch', options, ['sampleWeight', 'classWeight']);
    refuseSurplus('gradientsOnBatch', surplus);
    const tables = await batchTables(this.dataRules(), x, y, options);
    return this.inTurn(() =>
      this.withContext({ gradients: true }, (context) =>
        gradientsOnBatch(context, this.batchPrograms, this.compiled(), tables, this.seed),
      ),
    );
  }

  /**
   * How long each kernel of one update on the batch x, y takes on the GPU, with its rates, in the order in which they
   * run. The weights and the optimizer are as before afterwards. Browsers round to about 65 or 100 µs.
   * @throws DownhillError as `fit`; `device` where the adapter has no timestamps or the backend is no GPU.
   */
  async profileOnBatch(
    x: ModelData,
    y: ModelData,
    options: { readonly runs?: number } = {},
    ...surplus: Surplus
  ): Promise<DispatchTime[]> {
    this.compileStateFor('profileOnBatch');
    checkKnownOptions('profileOnBatch', options, ['runs']);
    refuseSurplus('profileOnBatch', surplus);
    const runs = wholeNumber('profileOnBatch', 'runs', options.runs ?? 3, 1);
    if (!this.callbacks?.betweenSteps) this.assertNotTraining('profileOnBatch');
    const tables = await batchTables(this.dataRules(), x, y);
    return this.inTurn(async () => {
      const compiled = this.compiled();
      return this.withContext(trainingWith(compiled), (context) =>
        profileOnBatch(context, this.batchPrograms, compiled, tables, { seed: this.seed, runs }),
      );
    });
  }

  /**
   * The graphs of a step and of an evaluation on batches of these examples, for `tune`.
   * @throws DownhillError as `fit`.
   */
  async tuningGraphs(given: TuningData, size?: number): Promise<TuningGraphs> {
    this.compileStateFor('tune');
    const batchSize = checkBatchSize('tune', size);
    const whole = isDataset(given) || isStream(given);
    const read = readArguments<object>('tune', this.dataNames(), whole ? [given] : [given.x, given.y]);
    const { data } = await trainingData(this.dataRules(), read.data, { batchSize, validationSplit: 0 });
    return this.inTurn(() => {
      const compiled = this.compiled();
      const use = { gradients: true, optimizer: compiled.optimizer };
      return this.withContext(use, async (context) => tuningGraphs(context, compiled, data));
    });
  }

  /**
   * What each layer gives for the batch `x` at inference, f32, in the order in which the layers run.
   * @throws DownhillError as `predict`.
   */
  async activationsOnBatch(x: ModelData, ...surplus: Surplus): Promise<LayerOutput[]> {
    refuseSurplus('activationsOnBatch', surplus);
    const examples = await this.examples(x);
    return this.inTurn(() =>
      this.withContext({}, (context) => activationsOnBatch(context, this.batchPrograms, examples)),
    );
  }

  /** `x` as checked tables by input name. */
  private async examples(x: ModelData): Promise<Tables> {
    const tables = await modelTables('x', x, this.dataNames().inputs);
    const { inputShapes } = this.built(tables[0].shape);
    tables.forEach((table) => {
      checkCounts(tables[0], table);
    });
    return new Map(tables.map((table, k) => [inputName(k), checkExamples(this.name, table, inputShapes[k])]));
  }

  /** The examples of a pass of `stream`, or of its first batches. */
  private exampleBatches(stream: DatasetStream, batchSize: number, steps: number | undefined): AsyncIterable<Tables> {
    const { inputs } = this.dataNames();
    const check = async (batch: ArrayDataset) => {
      const table = await datasetTable(batch, 'x', true);
      return new Map([[inputName(0), checkExamples(this.name, table, this.built(table.shape).inputShapes[0])]]);
    };
    if (inputs.length === 1) return eachBatch(stream, batchSize, check, steps);
    const found = `the model has ${inputs.length} inputs`;
    throw new DownhillError('argument', `predict: data set "${stream.name}" has one x; ${found}`);
  }

  /** How data is checked for this model, which data may build. */
  private dataRules(): DataRules {
    return {
      model: this.name,
      ...this.dataNames(),
      losses: this.compileState!.losses.map(({ loss }) => loss),
      metrics: () =>
        this.compiled().losses.map(({ metrics, weightedMetrics = [] }) => [...metrics, ...weightedMetrics]),
      shapes: (dataShape) => {
        const { inputShapes, outputShapes } = this.built(dataShape);
        return { inputs: inputShapes, outputs: outputShapes };
      },
    };
  }
}

function trainingWith({ optimizer }: Compiled): StoreUse {
  return { training: true, optimizer };
}
