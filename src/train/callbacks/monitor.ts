/**
 * Monitor: the value of the epoch logs that a callback follows, and whether a new one is an improvement.
 *
 * Invariant: NaN is never an improvement and never the best value, whatever came before it.
 * Semantics: keras/src/callbacks/monitor_callback.py (Keras keeps a first NaN as the best value; here it does not
 * count).
 */

import { checkKnownOptions, numberBetween, oneOf } from '../../nn/check-options.ts';
import { DownhillError, nearestName } from '../../util/errors.ts';
import type { Logs, TrainingParams } from './callback.ts';

/** `auto`: `max` for accuracies and scores, `min` for losses and errors; other names need `min` or `max`. */
export type MonitorMode = 'auto' | 'min' | 'max';

export interface MonitorOptions {
  /** Name in the epoch's logs; `valLoss` when left out. */
  readonly monitor?: string;
  /** Smallest change that counts as an improvement. */
  readonly minDelta?: number;
  readonly mode?: MonitorMode;
}

export const MONITOR_OPTIONS = ['monitor', 'minDelta', 'mode'] as const;

const FALLING =
  /loss|error|crossentropy|hinge|poisson|divergence|logcosh|huber|false(positives|negatives)|^(val)?m[as]p?l?e$/i;
const RISING =
  /acc|precision|recall|f1|fbeta|auc|topk|cosinesimilarity|r2|iou|dice|specificity|sensitivity|true(positives|negatives)/i;

export class Monitor {
  readonly name: string;
  /** The best value so far; undefined before the first number. */
  best: number | undefined;
  private readonly minDelta: number;
  private readonly mode: MonitorMode;
  /** 1 when smaller is better, -1 when larger is. */
  private sign = 1;

  /**
   * @param owner the callback, as errors call it. @param known names of all its options. @param minDelta its default.
   * @throws DownhillError `argument` for an option that is not accepted.
   */
  constructor(
    private readonly owner: string,
    options: MonitorOptions,
    known: readonly string[] = [],
    minDelta = 0,
  ) {
    checkKnownOptions(owner, options, [...MONITOR_OPTIONS, ...known]);
    const { monitor = 'valLoss' } = options;
    if (typeof monitor !== 'string') {
      throw new DownhillError('argument', `${owner}: monitor must be a name such as "valLoss", found ${monitor}`);
    }
    this.name = monitor;
    this.minDelta = numberBetween(owner, 'minDelta', options.minDelta ?? minDelta, 0);
    this.mode = oneOf(owner, 'mode', options.mode ?? 'auto', ['auto', 'min', 'max']);
  }

  /** Starts anew. @param best the value to beat, if any. @throws as `check`. */
  start(params: TrainingParams, best?: number): void {
    this.check(params);
    this.best = best;
  }

  /** @throws DownhillError `argument` when the training has no such value, or `auto` does not know its direction. */
  check({ metrics }: TrainingParams): void {
    if (metrics.includes(this.name)) {
      this.sign = this.direction();
      return;
    }
    const near = nearestName(this.name, metrics);
    const hint = near === undefined ? '.' : `; did you mean "${near}"?`;
    const advice = this.name.startsWith('val') ? ' (val… needs validation data)' : '';
    throw new DownhillError(
      'argument',
      `${this.owner}: there is no "${this.name}" to monitor${hint} Known: ${metrics.join(', ')}${advice}`,
    );
  }

  /** The monitored value of `logs`. */
  value(logs: Logs): number {
    return logs[this.name] ?? Number.NaN;
  }

  /**
   * True when `value` is better than `reference` by more than minDelta, and when there is no reference. Compared in
   * f32, as in Keras: a difference of just minDelta is none whatever its last bit.
   */
  improves(value: number, reference: number | undefined): boolean {
    if (Number.isNaN(value)) return false;
    return (
      reference === undefined || Math.fround(this.sign * value + this.minDelta) < Math.fround(this.sign * reference)
    );
  }

  /** Takes `value` as the best one when it is an improvement. @returns whether it was. */
  take(value: number): boolean {
    const better = this.improves(value, this.best);
    if (better) this.best = value;
    return better;
  }

  private direction(): 1 | -1 {
    if (this.mode !== 'auto') return this.mode === 'min' ? 1 : -1;
    if (/loss$/i.test(this.name)) return 1;
    if (RISING.test(this.name)) return -1;
    if (FALLING.test(this.name)) return 1;
    throw new DownhillError(
      'argument',
      `${this.owner}: whether "${this.name}" is better when it falls or rises is not known; ` +
        `say mode: 'min' or mode: 'max'`,
    );
  }
}
