/**
 * What the page and the engine in its worker say to each other. Plain data only: everything here crosses threads and,
 * as a saved run, IndexedDB.
 */

import type { TrainingSnapshot } from '../../../src/index.ts';
import type { BackendName, EngineEvent } from '../worker/run-protocol.ts';

export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Where examples come from. */
export type DataSource =
  | { readonly kind: 'digits'; readonly train: number; readonly test: number }
  /** The embedded colour shapes. */
  | { readonly kind: 'shapes'; readonly train: number; readonly test: number }
  /** Files that were dropped: IDX (MNIST, Fashion-MNIST) or CIFAR-10's binary batches, gzipped or plain. */
  | { readonly kind: 'files'; readonly files: readonly NamedBytes[] }
  /** A folder on the web with the four IDX files; without one, the data set's own mirrors. */
  | { readonly kind: 'url'; readonly name: 'mnist' | 'fashion-mnist'; readonly folder?: string };

export const MODELS = {
  lenet: 'LeNet-5',
  mlp: 'MLP 784–512–128–10',
  cnn: 'Small CNN, batch norm',
  vgg: 'VGG-small',
  resnet: 'ResNet-8',
} as const;

export type ModelName = keyof typeof MODELS;

export const OPTIMIZERS = ['adam', 'sgd', 'momentum', 'rmsprop', 'adamW', 'lion'] as const;

export type OptimizerName = (typeof OPTIMIZERS)[number];

/** Random changes to training images, made on the device. */
export interface Augmentation {
  readonly flip: boolean;
  /** Largest shift, as a share of the width. */
  readonly shift: number;
  /** Largest turn, in degrees. */
  readonly rotation: number;
  /** Largest zoom, as a share. */
  readonly zoom: number;
}

export interface RunSpec {
  readonly model: ModelName;
  readonly optimizer: OptimizerName;
  readonly learningRate: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly seed: number;
  readonly augmentation?: Augmentation;
}

export interface DataInfo {
  readonly name: string;
  readonly train: number;
  readonly test: number;
  /** [height, width, channels]. */
  readonly shape: readonly number[];
  readonly classNames: readonly string[];
}

export interface RunInfo {
  readonly parameters: number;
  readonly stepsPerEpoch: number;
  /** Keras' table of layers. */
  readonly summary: string;
}

/** One step of the curve. */
export interface StepPoint {
  readonly index: number;
  readonly loss: number;
  readonly accuracy: number;
}

export interface EpochPoint {
  readonly epoch: number;
  /** Steps made when it ended. */
  readonly index: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly valLoss: number;
  readonly valAccuracy: number;
}

export type RunEvent =
  | { readonly type: 'data'; readonly text: string; readonly done?: number; readonly total?: number }
  | Extract<EngineEvent, { type: 'compile' }>
  | { readonly type: 'begin'; readonly info: RunInfo; readonly fromIndex: number }
  | {
      readonly type: 'steps';
      readonly points: readonly StepPoint[];
      readonly stepsPerSecond: number;
      readonly live: LiveFigures;
    }
  | { readonly type: 'epoch'; readonly point: EpochPoint }
  /** The run is kept in this browser as of step `index`. */
  | { readonly type: 'saved'; readonly index: number }
  | { readonly type: 'unsaved'; readonly reason: string }
  | {
      readonly type: 'lost';
      readonly message: string;
      readonly fromIndex: number;
      readonly steps: number;
      readonly ms: number;
    }
  | { readonly type: 'end'; readonly reason: 'finished' | 'stopped' | 'failed'; readonly message?: string };

export interface LiveFigures {
  /** Bytes on the device now, and at most so far. */
  readonly liveBytes: number;
  readonly peakBytes: number;
  readonly examplesPerSecond: number;
}

/** What is kept of a run between visits. */
export interface SavedRun {
  readonly version: 1;
  readonly savedAt: number;
  readonly spec: RunSpec;
  readonly source: DataSource;
  readonly index: number;
  readonly snapshot: TrainingSnapshot;
  readonly points: readonly StepPoint[];
  readonly epochs: readonly EpochPoint[];
}

export interface SavedRunSummary {
  readonly savedAt: number;
  readonly spec: RunSpec;
  readonly index: number;
}

/** Predictions for the held-out examples, or the first of them. */
export interface Insight {
  readonly examples: number;
  /** [truth][answer]. */
  readonly confusion: readonly (readonly number[])[];
  readonly accuracy: number;
  /** The most confident mistakes, most confident first. */
  readonly mistakes: readonly Mistake[];
}

export interface Mistake {
  readonly example: number;
  readonly truth: number;
  readonly answer: number;
  readonly probability: number;
}

/** Images of what a layer sees: `channels` planes of height × width, one after the other. */
export interface Planes {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Float32Array;
}

export interface KernelTime {
  readonly label: string;
  readonly microseconds: number;
}

export interface DeviceReport {
  readonly description: string;
  readonly kind: BackendName;
}
