/** What the page and a lane's worker say to each other. A lane is one training on one backend. */

export interface RaceSettings {
  readonly model: 'cnn' | 'lenet' | 'mlpSmall' | 'mlp';
  readonly optimizer: 'adam' | 'sgd' | 'momentum' | 'rmsprop' | 'adagrad';
  readonly learningRate: number;
  readonly batchSize: number;
  /** Training examples. */
  readonly examples: number;
  readonly steps: number;
  readonly seed: number;
}

export type LaneKind = 'gpu' | 'cpu';

/** What happened since the last message. */
export interface LaneProgress {
  /** Losses of the steps that ended, in order. */
  readonly losses: readonly number[];
  /** Steps that ended so far. */
  readonly done: number;
  /** Milliseconds until the loss of the first step was known, everything compiled. */
  readonly firstStepMs: number;
  /** Milliseconds from there to the last step that ended, pauses set aside. */
  readonly steadyMs: number;
  /** Kernels built, of how many, before the first step. */
  readonly compiled: readonly [built: number, total: number];
}

export interface Lane {
  /** Opens the backend. @returns what it runs on, in words. */
  open(kind: LaneKind): Promise<string>;
  /** Trains; resolves when the last step has ended or `stop` was called. */
  run(settings: RaceSettings, report: (progress: LaneProgress) => void): Promise<void>;
  pause(): void;
  resume(): void;
  stop(): void;
}
