/**
 * What the callbacks that watch statistics share: one batch that stays the same, a schedule of epochs, a list of
 * records.
 *
 * Invariant: they look between epochs and change nothing: the training takes the same steps to the bit. A batch that
 * does not fit is found before the first step, by looking once.
 */

import type { DataInput } from '../data/table.ts';
import type { Callback, TrainedModel, TrainingParams } from './callback.ts';
import { checkBins, checkProbe, type ProbeOptions, type TensorStatistics, tensorStatistics } from './statistics.ts';

export interface StatisticsOptions<R> extends ProbeOptions {
  /** Examples of the batch. */
  readonly x: DataInput;
  /** Bins of each histogram; 30 when left out. */
  readonly bins?: number;
  /** Hears of each record when it is made. */
  readonly onRecord?: (record: R) => unknown;
}

/** Values by name, as the model gives them. */
type Watched = readonly { readonly name: string; readonly data: ArrayLike<number> }[];

export abstract class StatisticsCallback<R, O extends StatisticsOptions<R>> implements Callback {
  /** One for each epoch that was looked at, of the last training. */
  readonly records: R[] = [];
  private readonly every: number;
  private readonly bins: number;
  private model: TrainedModel | undefined;

  /** @throws DownhillError `argument` for an option that is not accepted, or one of `required` that is missing. */
  constructor(
    owner: string,
    protected readonly options: O,
    required: readonly (keyof O & string)[],
  ) {
    this.every = checkProbe(owner, options, required, ['bins', 'onRecord']);
    this.bins = checkBins(owner, options.bins);
  }

  /** The values on the batch, in order. */
  protected abstract look(model: TrainedModel): Promise<Watched>;

  protected abstract record(epoch: number, statistics: ReadonlyMap<string, TensorStatistics>): R;

  /** @throws DownhillError `data` or `shape` when the batch does not fit the model. */
  async onCheck(_params: TrainingParams, model: TrainedModel): Promise<void> {
    await this.look(model);
  }

  onTrainBegin(_params: TrainingParams, model: TrainedModel): void {
    this.model = model;
    this.records.length = 0;
  }

  async onEpochEnd(epoch: number): Promise<void> {
    if (this.model === undefined || epoch % this.every !== 0) return;
    const watched = await this.look(this.model);
    const statistics = new Map(watched.map(({ name, data }) => [name, tensorStatistics(data, this.bins)]));
    const record = this.record(epoch, statistics);
    this.records.push(record);
    await this.options.onRecord?.(record);
  }
}
