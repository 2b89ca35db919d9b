/**
 * TrainerTasks: what is asked of the model while it is being trained. A task begins between two steps, or at once while
 * no step is sent: during another task, during a callback's hook, and after the training.
 *
 * Invariants: a task that a loss of the device cuts off is run again on the next device; what waits for such a task
 * does not wait for ever, but learns of the loss.
 */

import { DownhillError } from '../../util/errors.ts';
import { type Callback, isPromise } from '../callbacks/callback.ts';
import { HOOKS } from '../callbacks/lambda-callback.ts';
import type { Model } from '../model/model.ts';

interface Task {
  run(model: Model): Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export class TrainerTasks {
  /** The model on the present device. */
  private current: Model | undefined;
  /** Tasks that have not begun, and those that have, on the present device. */
  private waiting: Task[] = [];
  private active = new Set<Promise<void>>();
  /** True while no step is sent, so that tasks may begin. */
  private holding = false;
  private ended = false;
  /** Rejects when a task finds that the present device is lost; tells what waits for a task that goes on elsewhere. */
  private cut = cutOff();
  /** Tasks of an ended training that are under way. */
  private readonly late = new Set<Promise<unknown>>();

  /** @param onWaiting called when a task begins to wait: a paused training can run it. */
  constructor(private readonly onWaiting: () => void) {}

  /** True when a task waits for the end of a step. */
  get areWaiting(): boolean {
    return this.waiting.length > 0;
  }

  get model(): Model | undefined {
    return this.current;
  }

  /** From now on tasks get `model`, on a new device. */
  start(model: Model): void {
    this.current = model;
    this.cut = cutOff();
  }

  /** The model is gone. Tasks that are under way come back when they notice. */
  stop(): void {
    this.active = new Set();
    this.current = undefined;
  }

  /** The training has ended: from now on tasks begin at once. */
  end(): void {
    this.ended = true;
  }

  /** What `task` gives for the model. */
  ask<T>(task: (model: Model) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.ended && this.current !== undefined) return this.runLate(task(this.current).then(resolve, reject));
      const asked = { run: task, resolve: resolve as (value: unknown) => void, reject };
      if (this.holding && this.current !== undefined) return this.begin(asked, this.current);
      this.waiting.push(asked);
      if (this.ended) void this.run();
      else this.onWaiting();
    });
  }

  /** Runs what was asked, one task after the other. @throws DownhillError `device-lost` when one finds that. */
  async run(): Promise<void> {
    const outer = this.holding;
    this.holding = true;
    try {
      for (let task = this.waiting.shift(); task !== undefined; task = this.waiting.shift()) {
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

  /** When the tasks that were asked after the end are done. */
  async settled(): Promise<void> {
    await Promise.all(this.late);
  }

  /** `callback`, during whose hooks tasks begin at once: it may wait for one. */
  during(callback: Callback): Callback {
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

  /** Keeps the model alive until `task` has settled. */
  private runLate(task: Promise<unknown>): void {
    this.late.add(task);
    void task.finally(() => this.late.delete(task));
  }

  /** Until the tasks that have begun, and those that they began, are done. */
  private async allActive(): Promise<void> {
    while (this.active.size > 0) await Promise.race([Promise.all(this.active), this.cut.lost]);
  }

  private begin(task: Task, model: Model): void {
    const { active, cut } = this;
    const failed = (error: unknown): void => {
      const gone = model !== this.current || cut !== this.cut;
      if (this.ended || !(gone || isLoss(error))) {
        task.reject(error);
        return;
      }
      // Kept for the next device; a task that waited for another one fails only when its model is gone.
      this.waiting.push(task);
      if (isLoss(error)) cut.lose(error);
      if (gone) this.onWaiting();
    };
    const work = (async () => task.run(model))()
      .then(task.resolve, failed)
      .finally(() => active.delete(work));
    active.add(work);
  }
}

/** True for the loss of a device. */
export function isLoss(error: unknown): error is DownhillError {
  return error instanceof DownhillError && error.code === 'device-lost';
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
