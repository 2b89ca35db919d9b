/**
 * GradientStatistics: how large the gradients of the weights are while a model trains, on one batch that stays the
 * same. Vanishing and exploding gradients show as norms that shrink or grow from layer to layer.
 */

import type { DataInput } from '../data/table.ts';
import type { TrainedModel } from './callback.ts';
import type { TensorStatistics } from './statistics.ts';
import { StatisticsCallback, type StatisticsOptions } from './statistics-callback.ts';

export interface GradientStatisticsOptions extends StatisticsOptions<GradientRecord> {
  /** Targets of the batch. */
  readonly y: DataInput;
}

export interface GradientRecord {
  /** Epoch (from 0) after which the gradients were taken. */
  readonly epoch: number;
  /** By weight: `dense/kernel`. */
  readonly weights: ReadonlyMap<string, TensorStatistics>;
}

export class GradientStatistics extends StatisticsCallback<GradientRecord, GradientStatisticsOptions> {
  /** @throws DownhillError `argument` for an option that is missing or not accepted. */
  constructor(options: GradientStatisticsOptions) {
    super('gradientStatistics', options, ['x', 'y']);
  }

  protected override async look(model: TrainedModel) {
    return (await model.gradientsOnBatch(this.options.x, this.options.y)).gradients;
  }

  protected override record(epoch: number, weights: ReadonlyMap<string, TensorStatistics>): GradientRecord {
    return { epoch, weights };
  }
}

export const gradientStatistics = (options: GradientStatisticsOptions): GradientStatistics =>
  new GradientStatistics(options);
