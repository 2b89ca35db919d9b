/**
 * GradientStatistics: how large the gradients of the weights are while a model trains, on one batch that stays the same.
 * Vanishing and exploding gradients show as norms that shrink or grow from layer to layer.
 *
 * Invariant: it looks between epochs and changes nothing: the training takes the same steps to the bit.
 */

import type { DataInput } from '../table.ts';
import type { Callback, TrainedModel, TrainingParams } from './callback.ts';
import { checkBins, checkProbe, type ProbeOptions, type TensorStatistics, tensorStatistics } from './statistics.ts';

export interface GradientStatisticsOptions extends ProbeOptions {
  /** Examples and targets of the batch. */
  readonly x: DataInput;
  readonly y: DataInput;
  /** Bins of each histogram; 30 when left out. */
  readonly bins?: number;
  /** Hears of each record when it is made. */
  readonly onRecord?: (record: GradientRecord) => unknown;
}

export interface GradientRecord {
  /** Epoch (from 0) after which the gradients were taken. */
  readonly epoch: number;
  /** By weight: `dense/kernel`. */
  readonly weights: ReadonlyMap<string, TensorStatistics>;
}

export class GradientStatistics implements Callback {
  /** One for each epoch that was looked at, of the last training. */
  readonly records: GradientRecord[] = [];
  private readonly every: number;
  private readonly bins: number;
  private model: TrainedModel | undefined;

  /** @throws DownhillError `argument` for an option that is missing or not accepted. */
  constructor(private readonly options: GradientStatisticsOptions) {
    this.every = checkProbe('gradientStatistics', options, ['x', 'y'], ['bins', 'onRecord']);
    this.bins = checkBins('gradientStatistics', options.bins);
  }

  /** @throws DownhillError `data` or `shape` when the batch does not fit the model. */
  async onTrainBegin(_params: TrainingParams, model: TrainedModel): Promise<void> {
    this.model = model;
    this.records.length = 0;
    await model.gradientsOnBatch(this.options.x, this.options.y);
  }

  async onEpochEnd(epoch: number): Promise<void> {
    if (this.model === undefined || epoch % this.every !== 0) return;
    const { gradients } = await this.model.gradientsOnBatch(this.options.x, this.options.y);
    const weights = new Map(gradients.map(({ name, data }) => [name, tensorStatistics(data, this.bins)]));
    const record = { epoch, weights };
    this.records.push(record);
    await this.options.onRecord?.(record);
  }
}

export const gradientStatistics = (options: GradientStatisticsOptions): GradientStatistics =>
  new GradientStatistics(options);
