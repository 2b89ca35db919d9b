/**
 * BackupAndRestore: a training that was cut off goes on where its last whole epoch ended. After each epoch the weights,
 * the optimizer's state and the learning rate are kept in a folder; a later `fit` with the same folder finds them.
 *
 * Invariants: the folder always leads to one whole state: weights are written under a new name, then `state.json`, which
 * names them, is replaced atomically, then older weights go. Only whole epochs are kept. Since the order of an epoch and
 * the random numbers of a step follow from the seed and their number, a training that goes on takes the same steps, to
 * the bit, as one that was never cut off.
 * Semantics: keras/src/callbacks/backup_and_restore.py, with whole epochs only. As there, what other callbacks counted
 * (a patience) starts anew.
 */

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkKnownOptions, trueOrFalse, wholeNumber } from '../../nn/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { readFileBytes, systemCode, systemReason, writeFileAtomic } from '../../util/files.node.ts';
import type { Callback, TrainedModel, TrainingParams } from './callback.ts';
import { checkPath } from './log-file.node.ts';

export interface BackupAndRestoreOptions {
  /** Keeps the state after every so many epochs; 1 when left out. */
  readonly every?: number;
  /** False to leave the folder when the training has ended; true when left out. */
  readonly deleteCheckpoint?: boolean;
}

interface State {
  readonly format: typeof FORMAT;
  readonly model: string;
  /** Whole epochs so far: the number of the next one. */
  readonly epoch: number;
  readonly weights: string;
  /** Undefined when the optimizer follows a schedule. */
  readonly learningRate?: number;
}

const FORMAT = 'downhill-backup';
const STATE_FILE = 'state.json';
const WEIGHTS_NAME = /^weights-\d+\.safetensors$/;

export class BackupAndRestore implements Callback {
  /** Epoch at which the last training went on; undefined when it began at the beginning. */
  resumedEpoch: number | undefined;
  private readonly every: number;
  private readonly deleteCheckpoint: boolean;
  private model: TrainedModel | undefined;
  private steps: number | undefined;
  /** True when the training was to end before the last values of the epoch came. */
  private stopping = false;
  private batches = 0;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(
    private readonly folder: string,
    options: BackupAndRestoreOptions = {},
  ) {
    checkPath('backupAndRestore', folder);
    checkKnownOptions('backupAndRestore', options, ['every', 'deleteCheckpoint']);
    this.every = wholeNumber('backupAndRestore', 'every', options.every ?? 1, 1);
    this.deleteCheckpoint = trueOrFalse('backupAndRestore', 'deleteCheckpoint', options.deleteCheckpoint ?? true);
  }

  /** @throws DownhillError `file` for a state that is corrupt or of another model; nothing is changed then. */
  async onResume(_params: TrainingParams, model: TrainedModel): Promise<number | undefined> {
    this.resumedEpoch = undefined;
    const state = await this.readState(model.name);
    if (state === undefined) return undefined;
    const path = join(this.folder, state.weights);
    model.restoreWeights(await readFileBytes(path, 'weights'), path);
    if (state.learningRate !== undefined) model.learningRate = state.learningRate;
    this.resumedEpoch = state.epoch;
    return state.epoch;
  }

  onTrainBegin({ steps }: TrainingParams, model: TrainedModel): void {
    this.model = model;
    this.steps = steps;
    this.batches = steps ?? 0;
    this.stopping = false;
  }

  onEpochBegin(): void {
    this.batches = 0;
  }

  onBatchBegin(): void {
    this.batches++;
  }

  onBatchEnd(): void {
    this.stopping = this.model?.stopTraining ?? false;
  }

  async onEpochEnd(epoch: number): Promise<void> {
    if (this.cutShort || (epoch + 1) % this.every !== 0) return;
    await this.writeState(this.model!, epoch + 1);
  }

  async onTrainEnd(): Promise<void> {
    if (this.deleteCheckpoint && !this.cutShort) await this.remove([STATE_FILE, ...(await this.weightFiles())]);
  }

  /** True when the last epoch did not take all its steps: it was interrupted. */
  private get cutShort(): boolean {
    if (this.steps === undefined) return this.stopping;
    // A stream that ran out made the epoch short, too, but nobody stopped it.
    return this.batches < this.steps && this.model!.stopTraining;
  }

  private async writeState(model: TrainedModel, epoch: number): Promise<void> {
    const weights = `weights-${epoch}.safetensors`;
    await writeFileAtomic(join(this.folder, weights), (await model.save({ optimizer: true })).weights);
    const learningRate = settableRate(model);
    const state: State = {
      format: FORMAT,
      model: model.name,
      epoch,
      weights,
      ...(learningRate !== undefined && { learningRate }),
    };
    await writeFileAtomic(join(this.folder, STATE_FILE), `${JSON.stringify(state)}\n`);
    await this.remove((await this.weightFiles()).filter((name) => name !== weights));
  }

  private async readState(model: string): Promise<State | undefined> {
    const path = join(this.folder, STATE_FILE);
    let text: string;
    try {
      text = new TextDecoder().decode(await readFileBytes(path, 'backup'));
    } catch (error) {
      if (error instanceof DownhillError && systemCode(error.cause) === 'ENOENT') return undefined;
      throw error;
    }
    const state = parseState(text);
    if (state === undefined) {
      throw new DownhillError('file', `backupAndRestore: ${path} is no backup of a training; remove it to start anew`);
    }
    if (state.model !== model) {
      const found = `${path} is of model "${state.model}"`;
      throw new DownhillError('file', `backupAndRestore: ${found}, this one is "${model}"; give each its own folder`);
    }
    return state;
  }

  private async weightFiles(): Promise<string[]> {
    try {
      return (await readdir(this.folder)).filter((name) => WEIGHTS_NAME.test(name));
    } catch (cause) {
      if (systemCode(cause) === 'ENOENT') return [];
      throw this.failed('read', cause);
    }
  }

  private async remove(names: readonly string[]): Promise<void> {
    try {
      for (const name of names) await rm(join(this.folder, name), { force: true });
    } catch (cause) {
      throw this.failed('clear', cause);
    }
  }

  private failed(verb: string, cause: unknown): DownhillError {
    const reason = systemReason(cause);
    return new DownhillError('file', `backupAndRestore: cannot ${verb} ${this.folder}: ${reason}`, { cause });
  }
}

/** The learning rate; undefined when it follows a schedule, which the count of updates brings back. */
function settableRate(model: TrainedModel): number | undefined {
  const rate = model.learningRate;
  try {
    model.learningRate = rate;
    return rate;
  } catch (error) {
    if (error instanceof DownhillError && error.code === 'state') return undefined;
    throw error;
  }
}

function parseState(text: string): State | undefined {
  let state: Partial<State> | null;
  try {
    state = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { format, model, epoch, weights, learningRate } = state ?? {};
  const known = format === FORMAT && typeof model === 'string' && Number.isSafeInteger(epoch) && epoch! > 0;
  const rated = learningRate === undefined || (Number.isFinite(learningRate) && learningRate >= 0);
  return known && rated && typeof weights === 'string' && WEIGHTS_NAME.test(weights) ? (state as State) : undefined;
}

/** Keeps the state of a training in `folder`, and goes on from there when a training was cut off. */
export const backupAndRestore = (folder: string, options: BackupAndRestoreOptions = {}): BackupAndRestore =>
  new BackupAndRestore(folder, options);
