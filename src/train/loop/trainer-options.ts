/** What a Trainer is made with, and what it tells while it trains. */

import type { Backend } from '../../backend/backend.ts';
import type { ArrayDataset } from '../../data/dataset.ts';
import type { Logs } from '../callbacks/callback.ts';
import type { Model } from '../model/model.ts';
import type { TrainingSnapshot } from './snapshot.ts';
import type { FitOptions } from './training-options.ts';

export interface TrainerOptions extends Omit<FitOptions, 'initialEpoch' | 'initialStep' | 'verbose'> {
  /** The compiled model, made anew after a loss of the device; the same each time. */
  readonly model: () => Model;
  readonly data: ArrayDataset;
  /**
   * A new backend: called at the start and after each loss. The model runs on it, whatever the current backend is,
   * which stays what it was; the trainer disposes it.
   */
  readonly openBackend: () => Promise<Backend>;
  /**
   * Milliseconds between two snapshots; 2000 when left out. More where taking one is slow: at most a tenth of the time.
   */
  readonly snapshotInterval?: number;
  /** Where to go on. */
  readonly resume?: TrainingSnapshot;
  /** May be async; what it throws ends the training with that error. */
  readonly onEvent?: (event: TrainerEvent) => void;
}

/** Names of TrainerOptions. */
export const TRAINER_OPTIONS = [
  ...['model', 'data', 'openBackend', 'snapshotInterval', 'resume', 'onEvent'],
  ...['epochs', 'batchSize', 'validationData', 'validationSplit', 'shuffle', 'seed', 'callbacks', 'sampleWeight'],
  ...['classWeight', 'frameBudget'],
];

/** `step` counts from 0 within its epoch; `index` counts the steps of the whole training. */
export type TrainerEvent =
  | { readonly type: 'begin'; readonly stepsPerEpoch: number; readonly backend: string; readonly from: Position }
  | { readonly type: 'compile'; readonly built: number; readonly total: number }
  | (Position & { readonly type: 'step'; readonly index: number; readonly logs: Logs; readonly running: Logs })
  | { readonly type: 'epoch'; readonly epoch: number; readonly logs: Logs }
  | { readonly type: 'snapshot'; readonly snapshot: TrainingSnapshot; readonly ms: number }
  /**
   * The device is gone; training goes on at `from`, and `steps` steps are taken again, those that were only sent
   * included: the work of `ms` milliseconds since the snapshot.
   */
  | {
      readonly type: 'lost';
      readonly message: string;
      readonly from: Position;
      readonly steps: number;
      readonly ms: number;
    };

export interface Position {
  readonly epoch: number;
  readonly step: number;
}

export type TrainerState = 'new' | 'starting' | 'running' | 'paused' | 'ended';
