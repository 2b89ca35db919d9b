/**
 * DeadUnitMonitor: how many units of each rectifying layer give zero for every example of a batch. Such a unit gets no
 * gradient from them; a large share of dead units is the sign of a learning rate that was too large.
 *
 * Invariants: a unit is an index of the last axis (a channel of an image); it is dead when it is zero for all examples
 * and at all positions. It looks between epochs and changes nothing.
 */

import { activations, rectifies } from '../../nn/activations.ts';
import { numberBetween, show } from '../../nn/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import type { DataInput } from '../data/table.ts';
import type { LayerOutput } from '../loop/single-batches.ts';
import type { Callback, TrainedModel, TrainingParams } from './callback.ts';
import { checkProbe, type ProbeOptions } from './statistics.ts';

export interface DeadUnitMonitorOptions extends ProbeOptions {
  /** Examples of the batch; the more examples, the more certain the finding. */
  readonly x: DataInput;
  /** Share of dead units in a layer, in (0, 1], from which to warn; 0.5 when left out. */
  readonly threshold?: number;
  /** Takes the warning, once a layer and training; `console.warn` when left out. */
  readonly warn?: (message: string) => unknown;
}

export interface DeadUnitRecord {
  /** Epoch (from 0) after which the batch was run. */
  readonly epoch: number;
  /** Share of dead units by layer, in [0, 1]. */
  readonly layers: ReadonlyMap<string, number>;
}

export class DeadUnitMonitor implements Callback {
  /** One for each epoch that was looked at, of the last training. */
  readonly records: DeadUnitRecord[] = [];
  private readonly every: number;
  private readonly threshold: number;
  private readonly warned = new Set<string>();
  private model: TrainedModel | undefined;

  /** @throws DownhillError `argument` for an option that is missing or not accepted. */
  constructor(private readonly options: DeadUnitMonitorOptions) {
    this.every = checkProbe('deadUnitMonitor', options, ['x'], ['threshold', 'warn']);
    this.threshold = numberBetween('deadUnitMonitor', 'threshold', options.threshold ?? 0.5, 0, 1);
    if (this.threshold === 0) {
      throw new DownhillError('argument', 'deadUnitMonitor: threshold must be above 0, found 0');
    }
    if (options.warn !== undefined && typeof options.warn !== 'function') {
      throw new DownhillError('argument', `deadUnitMonitor: warn must be a function, found ${show(options.warn)}`);
    }
  }

  /** @throws DownhillError `data` or `shape` when the batch does not fit, `argument` when no layer rectifies. */
  async onCheck(_params: TrainingParams, model: TrainedModel): Promise<void> {
    const outputs = await model.activationsOnBatch(this.options.x);
    if (outputs.some(canDie)) return;
    throw new DownhillError(
      'argument',
      `deadUnitMonitor: model "${model.name}" has no layer that rectifies; ` +
        `such have activation ${Object.keys(activations).filter(rectifies).join(', ')}`,
    );
  }

  onTrainBegin(_params: TrainingParams, model: TrainedModel): void {
    this.model = model;
    this.records.length = 0;
    this.warned.clear();
  }

  async onEpochEnd(epoch: number): Promise<void> {
    if (this.model === undefined || epoch % this.every !== 0) return;
    const outputs = (await this.model.activationsOnBatch(this.options.x)).filter(canDie);
    this.records.push({ epoch, layers: new Map(outputs.map((output) => [output.name, deadShare(output)])) });
    for (const output of outputs) await this.warnOf(output, epoch);
  }

  private async warnOf(output: LayerOutput, epoch: number): Promise<void> {
    const share = deadShare(output);
    if (share < this.threshold || this.warned.has(output.name)) return;
    this.warned.add(output.name);
    const warn = this.options.warn ?? ((message: string) => console.warn(message));
    const units = output.shape.at(-1)!;
    await warn(
      `deadUnitMonitor: ${output.layer.label}: ${Math.round(share * units)} of ${units} units are zero for all ` +
        `${output.shape[0]} examples after epoch ${epoch + 1}; a smaller learning rate or heNormal weights may help`,
    );
  }
}

export const deadUnitMonitor = (options: DeadUnitMonitorOptions): DeadUnitMonitor => new DeadUnitMonitor(options);

function canDie({ layer }: LayerOutput): boolean {
  return layer.rectifies || rectifies(layer.config.activation);
}

/** Share of the units that are zero throughout. */
function deadShare({ data, shape }: LayerOutput): number {
  const units = shape.at(-1)!;
  const alive = new Uint8Array(units);
  for (let k = 0; k < data.length; k++) if (data[k] !== 0) alive[k % units] = 1;
  return 1 - alive.reduce((sum, one) => sum + one, 0) / units;
}
