/**
 * What a model is made with, what it is compiled with, and what it is saved as.
 */

import type { Layer } from '../../nn/layer.ts';
import type { OptimizerLike } from '../../nn/optimizers/index.ts';
import type { Optimizer } from '../../nn/optimizers/optimizer.ts';
import type { Shape } from '../../util/shape.ts';
import type { CompiledLoss, LossOptions } from '../step/compile-losses.ts';
import type { ModelRate } from '../step/model-rate.ts';
import type { LearningRateMultipliers } from '../step/parameter-groups.ts';

export interface SequentialOptions {
  /** `sequential` when left out. */
  readonly name?: string;
  /** Seeds the initial weights; a whole number below 2³², 0 when left out. */
  readonly seed?: number;
  /** Shape of one example; left out, it comes from an input layer or from the first data. */
  readonly inputShape?: Shape;
}

export interface CompileOptions extends LossOptions {
  readonly optimizer: OptimizerLike;
  /**
   * What layers multiply the learning rate by: `{ dense_1: 0.1 }`, or `{ '/^block1/': 0.1 }` for a pattern of paths.
   */
  readonly learningRateMultipliers?: LearningRateMultipliers;
}

/** Names of CompileOptions. */
export const COMPILE_OPTIONS = [
  'optimizer',
  'loss',
  'lossWeights',
  'metrics',
  'weightedMetrics',
  'learningRateMultipliers',
];

/** What `compile` was told, checked. */
export interface CompileState {
  readonly optimizer: Optimizer;
  readonly rate: ModelRate;
  /** One for each output. */
  readonly losses: readonly CompiledLoss[];
  readonly multipliers: LearningRateMultipliers;
  /** The layers that were frozen then. */
  readonly frozen: ReadonlySet<Layer>;
}

/** A model as two files. */
export interface SavedModel {
  /** The text of model.json. */
  readonly json: string;
  /** The bytes of weights.safetensors. */
  readonly weights: Uint8Array;
}
