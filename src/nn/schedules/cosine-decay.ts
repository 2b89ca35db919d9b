/**
 * Cosine decay by Keras 3's formulas (keras/src/optimizers/schedules/learning_rate_schedule.py, CosineDecay), with its
 * linear warm-up.
 * Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.
 */

import { type Surplus, sole } from '../../util/check-options.ts';
import { checkKnownOptions, numberBetween } from '../check-options.ts';
import type { LearningRateSchedule } from './schedule.ts';

export interface CosineDecayOptions {
  /** The rate at step 0, or where the warm-up starts. */
  readonly initialLearningRate: number;
  /** Steps from the start of the decay to its end. */
  readonly decaySteps: number;
  /** The last rate as a fraction of the first (of the target, with a warm-up); 0 when left out. */
  readonly alpha?: number;
  /** The rate that the warm-up reaches; no warm-up when left out. */
  readonly warmupTarget?: number;
  /** Steps of the warm-up; 0 when left out. */
  readonly warmupSteps?: number;
}

export class CosineDecay implements LearningRateSchedule {
  readonly name = 'cosineDecay';
  readonly config: Readonly<Record<string, number>>;
  private readonly initial: number;
  private readonly decaySteps: number;
  private readonly alpha: number;
  private readonly warmupTarget: number | undefined;
  private readonly warmupSteps: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: CosineDecayOptions) {
    const known = ['initialLearningRate', 'decaySteps', 'alpha', 'warmupTarget', 'warmupSteps'];
    checkKnownOptions('cosineDecay', options, known);
    const option = (name: keyof CosineDecayOptions, fallback: number | undefined, low: number) =>
      numberBetween('cosineDecay', name, options[name] ?? fallback, low);
    this.initial = option('initialLearningRate', undefined, 0);
    this.decaySteps = option('decaySteps', undefined, 1);
    this.alpha = option('alpha', 0, 0);
    this.warmupSteps = option('warmupSteps', 0, 0);
    this.warmupTarget = options.warmupTarget === undefined ? undefined : option('warmupTarget', undefined, 0);
    this.config = {
      initialLearningRate: this.initial,
      decaySteps: this.decaySteps,
      alpha: this.alpha,
      warmupSteps: this.warmupSteps,
      ...(this.warmupTarget !== undefined && { warmupTarget: this.warmupTarget }),
    };
  }

  at(step: number): number {
    const { warmupTarget, warmupSteps, initial } = this;
    if (warmupTarget === undefined) return this.decayed(step, initial);
    if (step < warmupSteps) return initial + (warmupTarget - initial) * (step / warmupSteps);
    return this.decayed(step - warmupSteps, warmupTarget);
  }

  private decayed(step: number, from: number): number {
    const done = Math.min(step, this.decaySteps) / this.decaySteps;
    const cosine = 0.5 * (1 + Math.cos(Math.PI * done));
    return from * ((1 - this.alpha) * cosine + this.alpha);
  }
}

/** Cosine decay: `cosineDecay({ initialLearningRate: 0.002, decaySteps: 1876 })`. */
export const cosineDecay = (options: CosineDecayOptions, ...surplus: Surplus): CosineDecay =>
  sole('cosineDecay', surplus, new CosineDecay(options));
