/**
 * Trainer: a training that someone watches and that nothing takes away. It runs `fit`, can be paused, stopped and looked
 * into between two steps, keeps a snapshot every few seconds, and goes on from it on a new device when the device is lost.
 *
 * Invariants: everything that is asked of the model meanwhile happens between two steps, so it sees the weights after a
 * whole number of them; a snapshot names that number. What is lost with a device are the steps since the last snapshot,
 * and they are taken again, to the same bits on the same adapter. While the steps hold, for a task or for a callback, what
 * is asked begins at once: a task may `peek` itself.
 */

import type { Backend } from '../../backend/backend.ts';
import type { ArrayDataset } from '../../data/dataset.ts';
import { checkKnownOptions } from '../../nn/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { type Callback, isPromise, type Logs } from '../callbacks/callback.ts';
import { HOOKS } from '../callbacks/lambda-callback.ts';
import type { Model } from '../model/model.ts';
import type { History } from './history.ts';
import { checkSnapshot, restoreSnapshot, type TrainingSnapshot, takeSnapshot } from './snapshot.ts';
import type { FitOptions } from './training-options.ts';

export interface TrainerOptions extends Omit<FitOptions, 'initialEpoch' | 'initialStep' | 'verbose'> {
  /** The compiled model, made anew after a loss of the device; the same each time. */
  readonly model: () => Model;
  readonly data: ArrayDataset;
  /**
   * A new backend: called at the start and after each loss. The model runs on it, whatever the current backend is, which
   * stays what it was; the trainer disposes it.
   */
  readonly openBackend: () => Promise<Backend>;
  /** Milliseconds between two snapshots; 2000 when left out. More where taking one is slow: at most a tenth of the time. */
  readonly snapshotInterval?: number;
  /** Where to go on. */
  readonly resume?: TrainingSnapshot;
  /** May be async; what it throws ends the training with that error. */
  readonly onEvent?: (event: TrainerEvent) => void;
}

/** `step` counts from 0 within its epoch; `index` counts the steps of the whole training. */
export type TrainerEvent =
  | { readonly type: 'begin'; readonly stepsPerEpoch: number; readonly backend: string; readonly from: Position }
  | { readonly type: 'compile'; readonly built: number; readonly total: number }
  | (Position & { readonly type: 'step'; readonly index: number; readonly logs: Logs; readonly running: Logs })
  | { readonly type: 'epoch'; readonly epoch: number; readonly logs: Logs }
  | { readonly type: 'snapshot'; readonly snapshot: TrainingSnapshot; readonly ms: number }
  /**
   * The device is gone; training goes on at `from`, and `steps` steps are taken again, those that were only sent included:
   * the work of `ms` milliseconds since the snapshot.
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

/** Thrown through `fit` by `stop`. */
const STOPPED = new Error('stopped');

/** Losses in a row, without a snapshot in between, after which it is no use to go on. */
const MAX_LOSSES = 3;
const SNAPSHOT_INTERVAL = 2000;
const SNAPSHOT_SHARE = 0.1;

interface Task {
  run(model: Model): Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export class Trainer {
  private current: Model | undefined;
  private backend: Backend | undefined;
  private phase: TrainerState = 'new';
  private paused = false;
  private stopping = false;
  /** Tasks that have not begun, and those that have, on the present device. */
  private tasks: Task[] = [];
  private active = new Set<Promise<void>>();
  /** True while no step is sent, so that tasks may begin. */
  private holding = false;
  /** Rejects when a task finds that the present device is lost; tells what waits for a task that goes on elsewhere. */
  private cut = cutOff();
  /** What `onEvent` is still doing, and what it threw. */
  private readonly heard = new Set<Promise<void>>();
  private failure: { readonly error: unknown } | undefined;
  /** Tasks of an ended training that are under way. */
  private readonly late = new Set<Promise<unknown>>();
  private wake: (() => void) | undefined;
  /** The next step to be sent. */
  private position: Position = { epoch: 0, step: 0 };
  private stepsPerEpoch = 1;
  private lastSnapshot: TrainingSnapshot | undefined;
  private snapshotDue = 0;
  /** When the state of the last snapshot was the present one; that of the start without any. */
  private safeAt = 0;

  constructor(private readonly options: TrainerOptions) {
    checkKnownOptions('Trainer', options, TRAINER_OPTIONS);
    this.lastSnapshot = options.resume === undefined ? undefined : checkSnapshot(options.resume);
  }

  get state(): TrainerState {
    return this.phase;
  }

  /** The model as it is being trained; another object after a loss of the device. Undefined before `run`. */
  get model(): Model | undefined {
    return this.current;
  }

  /** The newest snapshot. */
  get snapshot(): TrainingSnapshot | undefined {
    return this.lastSnapshot;
  }

  /**
   * Trains to the end, or until `stop`; undefined then. The history is that of the last device.
   * @throws DownhillError as `fit`, and `device-lost` when the device is lost again and again.
   */
  async run(): Promise<History | undefined> {
    if (this.phase !== 'new') throw new DownhillError('state', 'Trainer: run() was called before; make a new Trainer');
    try {
      for (let losses = 0; ; losses++) {
        const before = this.lastSnapshot;
        try {
          return await this.attempt();
        } catch (error) {
          if (!isLoss(error) || this.stopping) throw error;
          if (this.lastSnapshot !== before) losses = 0;
          if (losses + 1 >= MAX_LOSSES) throw error;
          this.recover(error);
        }
      }
    } finally {
      this.phase = 'ended';
      await this.runTasks();
    }
  }

  /** Holds before the next step; `peek` still works. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.wake?.();
  }

  /** Ends the training before the next step, in the middle of an epoch or of its validation; `run` resolves. */
  stop(): void {
    this.stopping = true;
    this.paused = false;
    this.wake?.();
  }

  /**
   * Runs `task` with the model between two steps, and holds the training until it is done; after the training, and from
   * another task or a callback, at once.
   * A task that a loss of the device cuts off is run again on the next device.
   */
  peek<T>(task: (model: Model) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.phase === 'ended' && this.current !== undefined)
        return this.runLate(task(this.current).then(resolve, reject));
      const asked = { run: task, resolve: resolve as (value: unknown) => void, reject };
      if (this.holding && this.current !== undefined) return this.begin(asked, this.current);
      this.tasks.push(asked);
      if (this.phase === 'ended') void this.runTasks();
      else this.wake?.();
    });
  }

  /** A snapshot as of now. */
  takeSnapshot(): Promise<TrainingSnapshot> {
    return this.peek((model) => this.keepSnapshot(model));
  }

  /** Ends the training and, when what was asked is answered, frees the model and the backend. */
  async dispose(): Promise<void> {
    this.stop();
    while (this.phase !== 'ended' && this.phase !== 'new') await new Promise((resolve) => setTimeout(resolve, 5));
    this.phase = 'ended';
    await Promise.all(this.late);
    await this.release();
  }

  /** Keeps the model alive until `task` has settled. */
  private runLate(task: Promise<unknown>): void {
    this.late.add(task);
    void task.finally(() => this.late.delete(task));
  }

  /** One device's share of the training. */
  private async attempt(): Promise<History | undefined> {
    this.phase = 'starting';
    const { model: build, data, openBackend, snapshotInterval: _, resume: __, onEvent: ___, ...fit } = this.options;
    this.backend = await openBackend();
    const model = build();
    model.runOn(this.backend);
    this.current = model;
    const from = this.lastSnapshot;
    if (from !== undefined) restoreSnapshot(model, from);
    this.position = { epoch: from?.epoch ?? 0, step: from?.step ?? 0 };
    this.safeAt = performance.now();
    const start = { initialEpoch: this.position.epoch, initialStep: this.position.step };
    this.cut = cutOff();
    const callbacks = [...(fit.callbacks ?? []).map((callback) => this.held(callback)), this.hooks(model)];
    const history = await model.fit(data, { ...fit, ...start, verbose: 0, callbacks }).catch((error) => {
      if (error !== STOPPED) throw error;
      return undefined;
    });
    await this.runTasks();
    await this.keepSnapshot(model);
    await Promise.all(this.heard);
    this.checkFailure();
    return history;
  }

  /** `callback`, during whose hooks tasks begin at once: it may wait for one. */
  private held(callback: Callback): Callback {
    const hooks = callback as Readonly<Record<string, ((...given: unknown[]) => unknown) | undefined>>;
    const held = HOOKS.filter((name) => typeof hooks[name] === 'function').map((name) => [
      name,
      (...given: unknown[]) => this.duringHook(() => hooks[name]!(...given)),
    ]);
    return Object.fromEntries(held);
  }

  /** A promise only where something must be waited for: the hook, or a task that it began. */
  private duringHook(hook: () => unknown): unknown {
    const outer = this.holding;
    this.holding = true;
    let pending: unknown;
    try {
      pending = hook();
    } catch (error) {
      this.holding = outer;
      throw error;
    }
    if (!isPromise(pending) && this.active.size === 0) {
      this.holding = outer;
      return pending;
    }
    const waited = async (): Promise<unknown> => {
      try {
        const value = await Promise.race([pending, this.cut.lost]);
        await this.allActive();
        return value;
      } finally {
        this.holding = outer;
      }
    };
    return waited();
  }

  private hooks(model: Model): Callback {
    let epoch = this.position.epoch;
    return {
      onTrainBegin: (params) => {
        // Data in memory: the steps are known.
        this.stepsPerEpoch = params.steps!;
        this.emit({
          type: 'begin',
          stepsPerEpoch: this.stepsPerEpoch,
          backend: this.backend!.description,
          from: this.position,
        });
        this.checkStop();
      },
      onCompile: (built, total) => this.emit({ type: 'compile', built, total }),
      onEpochBegin: (number) => {
        epoch = number;
      },
      onBatchBegin: (step) => {
        this.position = { epoch, step };
        this.checkStop();
        const now = performance.now();
        if (this.snapshotDue === 0) this.snapshotDue = now + this.interval;
        this.phase = 'running';
        if (this.paused || this.tasks.length > 0 || now >= this.snapshotDue) return this.gate(model);
        this.advance();
      },
      onBatchEnd: (step, logs, running) =>
        this.emit({ type: 'step', epoch, step, index: epoch * this.stepsPerEpoch + step, logs, running }),
      onValidationBatchEnd: () => this.checkStop(),
      onEpochEnd: (number, logs) => this.emit({ type: 'epoch', epoch: number, logs }),
    };
  }

  /** Between two steps: what is asked for, a snapshot when one is due, and the pause. */
  private async gate(model: Model): Promise<void> {
    if (performance.now() >= this.snapshotDue || this.paused) await this.keepSnapshot(model);
    await this.runTasks();
    while (this.paused) {
      this.phase = 'paused';
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.wake = undefined;
      await this.runTasks();
    }
    this.phase = 'running';
    this.checkStop();
    this.advance();
  }

  /** Leaves `fit` where it is: what is left of the epoch is not worth waiting for. */
  private checkStop(): void {
    this.checkFailure();
    if (this.stopping) throw STOPPED;
  }

  private checkFailure(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** The step at `position` is about to be sent. */
  private advance(): void {
    const { epoch, step } = this.position;
    this.position = step + 1 < this.stepsPerEpoch ? { epoch, step: step + 1 } : { epoch: epoch + 1, step: 0 };
  }

  /** Runs what was asked, one task after the other. @throws DownhillError `device-lost` when one finds that. */
  private async runTasks(): Promise<void> {
    const outer = this.holding;
    this.holding = true;
    try {
      for (let task = this.tasks.shift(); task !== undefined; task = this.tasks.shift()) {
        if (this.current === undefined) {
          task.reject(new DownhillError('state', 'Trainer: there is no model yet'));
          continue;
        }
        this.begin(task, this.current);
        await this.allActive();
      }
    } finally {
      this.holding = outer;
    }
  }

  /** Until the tasks that have begun, and those that they began, are done. */
  private async allActive(): Promise<void> {
    while (this.active.size > 0) await Promise.race([Promise.all(this.active), this.cut.lost]);
  }

  private begin(task: Task, model: Model): void {
    const { active, cut } = this;
    const failed = (error: unknown): void => {
      const gone = model !== this.current || cut !== this.cut;
      if (this.phase === 'ended' || !(gone || isLoss(error))) {
        task.reject(error);
        return;
      }
      // Kept for the next device; a task that waited for another one fails only when its model is gone.
      this.tasks.push(task);
      if (isLoss(error)) cut.lose(error);
      if (gone) this.wake?.();
    };
    const work = (async () => task.run(model))()
      .then(task.resolve, failed)
      .finally(() => active.delete(work));
    active.add(work);
  }

  private async keepSnapshot(model: Model): Promise<TrainingSnapshot> {
    // The steps under way are not part of what a snapshot costs.
    await this.backend?.finish();
    const started = performance.now();
    const { epoch, step } = this.position;
    const snapshot = await takeSnapshot(model, epoch, step);
    const now = performance.now();
    this.lastSnapshot = snapshot;
    this.safeAt = now;
    this.snapshotDue = now + Math.max(this.interval, (now - started) / SNAPSHOT_SHARE);
    this.emit({ type: 'snapshot', snapshot, ms: now - started });
    return snapshot;
  }

  private recover(error: DownhillError): void {
    const from = { epoch: this.lastSnapshot?.epoch ?? 0, step: this.lastSnapshot?.step ?? 0 };
    const index = ({ epoch, step }: Position): number => epoch * this.stepsPerEpoch + step;
    const steps = Math.max(0, index(this.position) - index(from));
    this.emit({ type: 'lost', message: error.message, from, steps, ms: performance.now() - this.safeAt });
    // Those that are under way come back when they notice.
    this.active = new Set();
    this.current?.dispose();
    this.current = undefined;
    // The device is gone: nothing to wait for, and nothing that could still fail.
    void this.backend?.dispose().catch(() => undefined);
    this.backend = undefined;
    this.snapshotDue = 0;
  }

  private async release(): Promise<void> {
    this.current?.dispose();
    this.current = undefined;
    const backend = this.backend;
    this.backend = undefined;
    await backend?.dispose();
  }

  private get interval(): number {
    return this.options.snapshotInterval ?? SNAPSHOT_INTERVAL;
  }

  private emit(event: TrainerEvent): void {
    const pending: unknown = this.options.onEvent?.(event);
    if (!isPromise(pending)) return;
    const failed = (error: unknown): void => void (this.failure ??= { error });
    const heard = Promise.resolve(pending)
      .then(() => undefined, failed)
      .finally(() => this.heard.delete(heard));
    this.heard.add(heard);
  }
}

/** A promise that only ever rejects, and how. */
function cutOff(): { readonly lost: Promise<never>; lose(error: unknown): void } {
  let lose!: (error: unknown) => void;
  const lost = new Promise<never>((_, reject) => {
    lose = reject;
  });
  lost.catch(() => undefined);
  return { lost, lose };
}

const TRAINER_OPTIONS = [
  ...['model', 'data', 'openBackend', 'snapshotInterval', 'resume', 'onEvent'],
  ...['epochs', 'batchSize', 'validationData', 'validationSplit', 'shuffle', 'seed', 'callbacks', 'sampleWeight'],
  ...['classWeight', 'frameBudget'],
];

function isLoss(error: unknown): error is DownhillError {
  return error instanceof DownhillError && error.code === 'device-lost';
}
