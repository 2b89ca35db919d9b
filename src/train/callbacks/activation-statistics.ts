/**
 * ActivationStatistics: what the layers of a model give while it trains, on one batch that stays the same, at
 * inference: their mean and spread, and the share of zeros, by layer.
 */

import type { TrainedModel } from './callback.ts';
import type { TensorStatistics } from './statistics.ts';
import { StatisticsCallback, type StatisticsOptions } from './statistics-callback.ts';

export interface ActivationStatisticsOptions extends StatisticsOptions<ActivationRecord> {}

export interface ActivationRecord {
  /** Epoch (from 0) after which the batch was run. */
  readonly epoch: number;
  /** By layer, in the order in which they run; a layer used again as `dense:1`. */
  readonly layers: ReadonlyMap<string, TensorStatistics>;
}

export class ActivationStatistics extends StatisticsCallback<ActivationRecord, ActivationStatisticsOptions> {
  /** @throws DownhillError `argument` for an option that is missing or not accepted. */
  constructor(options: ActivationStatisticsOptions) {
    super('activationStatistics', options, ['x']);
  }

  protected override look(model: TrainedModel) {
    return model.activationsOnBatch(this.options.x);
  }

  protected override record(epoch: number, layers: ReadonlyMap<string, TensorStatistics>): ActivationRecord {
    return { epoch, layers };
  }
}

export const activationStatistics = (options: ActivationStatisticsOptions): ActivationStatistics =>
  new ActivationStatistics(options);
