/**
 * TrainingSnapshot: the whole state of a training: weights, optimizer state, learning rate and the position in the
 * data. Plain data, so that it can be kept in IndexedDB or sent to another thread. Since the order of an epoch and the
 * random numbers of a step follow from the seed and their number, a training that goes on from a snapshot takes the
 * same steps, to the bit on one adapter, as one that was never cut off.
 */

import { DownhillError } from '../../util/errors.ts';
import { show } from '../../util/show.ts';
import type { Model } from '../model/model.ts';
import type { SavedModel } from '../model/model-options.ts';

export interface TrainingSnapshot {
  readonly format: 'downhill-snapshot';
  readonly version: 1;
  /** Whole epochs made. */
  readonly epoch: number;
  /** Steps made of epoch `epoch`. */
  readonly step: number;
  /** Undefined when the optimizer follows a schedule. */
  readonly learningRate: number | undefined;
  /** The model's two files, the optimizer's state included. */
  readonly files: SavedModel;
}

/** The snapshot of `model` after `step` steps of epoch `epoch`. */
export async function takeSnapshot(model: Model, epoch: number, step: number): Promise<TrainingSnapshot> {
  const learningRate = model.followsSchedule ? undefined : model.learningRate;
  const files = await model.save({ optimizer: true });
  return { format: 'downhill-snapshot', version: 1, epoch, step, learningRate, files };
}

/**
 * Puts the weights, the optimizer's state and the learning rate into `model`.
 * @throws DownhillError `file` for what is not a snapshot of this model; nothing is changed then.
 */
export function restoreSnapshot(model: Model, snapshot: TrainingSnapshot): void {
  const { epoch, step, learningRate, files } = checkSnapshot(snapshot);
  model.loadWeights(files.weights, `snapshot of epoch ${epoch}, step ${step}`);
  if (learningRate !== undefined && !model.followsSchedule) model.learningRate = learningRate;
}

/** @throws DownhillError `file` for what is not a snapshot. */
export function checkSnapshot(value: unknown): TrainingSnapshot {
  const found = (value ?? {}) as Partial<TrainingSnapshot>;
  const counts = [found.epoch, found.step].every((count) => Number.isSafeInteger(count) && count! >= 0);
  if (found.format !== 'downhill-snapshot' || found.version !== 1 || !counts) {
    const shown = show(found.format === undefined ? value : { format: found.format, version: found.version });
    throw new DownhillError(
      'file',
      `snapshot: expected { format: "downhill-snapshot", version: 1, … }, found ${shown}`,
    );
  }
  if (typeof found.files?.json !== 'string' || !(found.files.weights instanceof Uint8Array)) {
    throw new DownhillError('file', "snapshot: the model's files are missing");
  }
  return found as TrainingSnapshot;
}
