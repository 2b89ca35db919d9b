/**
 * Trainer: a training that someone watches and that nothing takes away. It runs `fit`, can be paused, stopped and
 * looked into between two steps, keeps a snapshot every few seconds, and goes on from it on a new device when the
 * device is lost.
 *
 * Invariants: everything that is asked of the model meanwhile happens between two steps, so it sees the weights after a
 * whole number of them; a snapshot names that number. What is lost with a device are the steps since the last snapshot,
 * and they are taken again, to the same bits on the same adapter. While the steps hold, for a task or for a callback,
 * what is asked begins at once: a task may `peek` itself (trainer-tasks.ts).
 */

import type { Backend } from '../../backend/backend.ts';
import { checkKnownOptions } from '../../nn/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { type Callback, isPromise } from '../callbacks/callback.ts';
import type { Model } from '../model/model.ts';
import type { History } from './history.ts';
import { checkSnapshot, restoreSnapshot, type TrainingSnapshot, takeSnapshot } from './snapshot.ts';
import {
  type Position,
  TRAINER_OPTIONS,
  type TrainerEvent,
  type TrainerOptions,
  type TrainerState,
} from './trainer-options.ts';
import { isLoss, TrainerTasks } from './trainer-tasks.ts';

/** Thrown through `fit` by `stop`. */
const STOPPED = new Error('stopped');

/** Losses in a row, without a snapshot in between, after which the training gives up. */
const MAX_LOSSES = 3;
const SNAPSHOT_INTERVAL = 2000;
const SNAPSHOT_SHARE = 0.1;

export class Trainer {
  private readonly tasks = new TrainerTasks(() => this.wake?.());
  private backend: Backend | undefined;
  private phase: TrainerState = 'new';
  private paused = false;
  private stopping = false;
  /** What `onEvent` is still doing, and what it threw. */
  private readonly heard = new Set<Promise<void>>();
  private failure: { readonly error: unknown } | undefined;
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
    return this.tasks.model;
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
      this.end();
      await this.tasks.run();
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
    return this.tasks.ask(task);
  }

  /** A snapshot as of now. */
  takeSnapshot(): Promise<TrainingSnapshot> {
    return this.peek((model) => this.keepSnapshot(model));
  }

  /** Ends the training and, when what was asked is answered, frees the model and the backend. */
  async dispose(): Promise<void> {
    this.stop();
    while (this.phase !== 'ended' && this.phase !== 'new') await new Promise((resolve) => setTimeout(resolve, 5));
    this.end();
    await this.tasks.settled();
    const { backend } = this;
    this.dropModel();
    await backend?.dispose();
  }

  /** One device's share of the training. */
  private async attempt(): Promise<History | undefined> {
    this.phase = 'starting';
    const { model: build, data, openBackend, snapshotInterval: _, resume: __, onEvent: ___, ...fit } = this.options;
    this.backend = await openBackend();
    const model = build();
    model.runOn(this.backend);
    this.tasks.start(model);
    const from = this.lastSnapshot;
    if (from !== undefined) restoreSnapshot(model, from);
    this.position = { epoch: from?.epoch ?? 0, step: from?.step ?? 0 };
    this.safeAt = performance.now();
    const start = { initialEpoch: this.position.epoch, initialStep: this.position.step };
    const callbacks = [...(fit.callbacks ?? []).map((callback) => this.tasks.during(callback)), this.hooks(model)];
    const history = await model.fit(data, { ...fit, ...start, verbose: 0, callbacks }).catch((error) => {
      if (error !== STOPPED) throw error;
      return undefined;
    });
    await this.tasks.run();
    await this.keepSnapshot(model);
    await Promise.all(this.heard);
    this.checkFailure();
    return history;
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
        if (this.paused || this.tasks.areWaiting || now >= this.snapshotDue) return this.gate(model);
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
    await this.tasks.run();
    while (this.paused) {
      this.phase = 'paused';
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.wake = undefined;
      await this.tasks.run();
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
    const { backend } = this;
    this.dropModel();
    // The device is gone: nothing to wait for, and nothing that could still fail.
    void backend?.dispose().catch(() => undefined);
    this.snapshotDue = 0;
  }

  private end(): void {
    this.phase = 'ended';
    this.tasks.end();
  }

  private dropModel(): void {
    this.model?.dispose();
    this.tasks.stop();
    this.backend = undefined;
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
