/**
 * ActivationStatistics: what the layers of a model give while it trains, on one batch that stays the same: their mean and
 * spread, and the share of zeros, by layer.
 *
 * Invariant: it looks between epochs, at inference, and changes nothing: the training takes the same steps to the bit.
 */

import type { DataInput } from '../table.ts';
import type { Callback, TrainedModel, TrainingParams } from './callback.ts';
import { checkBins, checkProbe, type ProbeOptions, type TensorStatistics, tensorStatistics } from './statistics.ts';

export interface ActivationStatisticsOptions extends ProbeOptions {
  /** Examples of the batch. */
  readonly x: DataInput;
  /** Bins of each histogram; 30 when left out. */
  readonly bins?: number;
  /** Hears of each record when it is made. */
  readonly onRecord?: (record: ActivationRecord) => unknown;
}

export interface ActivationRecord {
  /** Epoch (from 0) after which the batch was run. */
  readonly epoch: number;
  /** By layer, in the order in which they run; a layer used again as `dense:1`. */
  readonly layers: ReadonlyMap<string, TensorStatistics>;
}

export class ActivationStatistics implements Callback {
  /** One for each epoch that was looked at, of the last training. */
  readonly records: ActivationRecord[] = [];
  private readonly every: number;
  private readonly bins: number;
  private model: TrainedModel | undefined;

  /** @throws DownhillError `argument` for an option that is missing or not accepted. */
  constructor(private readonly options: ActivationStatisticsOptions) {
    this.every = checkProbe('activationStatistics', options, ['x'], ['bins', 'onRecord']);
    this.bins = checkBins('activationStatistics', options.bins);
  }

  /** @throws DownhillError `data` or `shape` when the batch does not fit the model. */
  async onTrainBegin(_params: TrainingParams, model: TrainedModel): Promise<void> {
    this.model = model;
    this.records.length = 0;
    await model.activationsOnBatch(this.options.x);
  }

  async onEpochEnd(epoch: number): Promise<void> {
    if (this.model === undefined || epoch % this.every !== 0) return;
    const outputs = await this.model.activationsOnBatch(this.options.x);
    const layers = new Map(outputs.map(({ name, data }) => [name, tensorStatistics(data, this.bins)]));
    const record = { epoch, layers };
    this.records.push(record);
    await this.options.onRecord?.(record);
  }
}

export const activationStatistics = (options: ActivationStatisticsOptions): ActivationStatistics =>
  new ActivationStatistics(options);
