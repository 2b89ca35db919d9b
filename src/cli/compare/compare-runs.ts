/**
 * How far two recorded trainings are from each other.
 */

import type { WeightValue } from '../../train/weights/weight-store.ts';
import { invariant } from '../../util/errors.ts';
import type { GradientPoint, TrainingTrace } from './trace-training.ts';

/** Largest accepted relative difference of a step's loss. */
export const LOSS_TOLERANCE = 1e-3;
/** Largest accepted difference of a gradient's element, relative to the gradient's largest element. */
export const GRADIENT_TOLERANCE = 1e-4;

export interface Comparison {
  readonly ok: boolean;
  readonly lossTolerance: number;
  readonly gradientTolerance: number;
  readonly maxLossDifference: number;
  readonly maxGradientDifference: number;
  readonly losses: readonly {
    /** From 1. */
    readonly step: number;
    readonly reference: number;
    readonly device: number;
    readonly difference: number;
  }[];
  /** Both gradients of a pair are at the same weights: around the initial ones, and the device's after step 1. */
  readonly gradients: readonly { readonly name: string; readonly atStep1: number; readonly afterStep1: number }[];
  /** The point that `gradients` tells of, from 0, the weights themselves: the first where all agree, or 0. */
  readonly gradientPoints: { readonly atStep1: number; readonly afterStep1: number };
}

export function compareRuns(reference: TrainingTrace, device: TrainingTrace): Comparison {
  invariant(reference.losses.length === device.losses.length, 'compare: the runs have different numbers of steps');
  const losses = reference.losses.map((loss, k) => {
    const difference = Math.abs(device.losses[k] - loss) / Math.abs(loss);
    return { step: k + 1, reference: loss, device: device.losses[k], difference };
  });
  const before = comparePoints(reference.atStep1, device.atStep1);
  const after = comparePoints(reference.afterStep1, device.afterStep1);
  const gradients = [...before.differences].map(([name, atStep1]) => {
    return { name, atStep1, afterStep1: after.differences.get(name) ?? Number.NaN };
  });
  const maxLossDifference = largest(losses.map(({ difference }) => difference));
  const maxGradientDifference = largest(gradients.flatMap(({ atStep1, afterStep1 }) => [atStep1, afterStep1]));
  return {
    // Written so that NaN does not pass.
    ok: maxLossDifference <= LOSS_TOLERANCE && maxGradientDifference <= GRADIENT_TOLERANCE,
    lossTolerance: LOSS_TOLERANCE,
    gradientTolerance: GRADIENT_TOLERANCE,
    maxLossDifference,
    maxGradientDifference,
    losses,
    gradients,
    gradientPoints: { atStep1: before.point, afterStep1: after.point },
  };
}

/** The first point where the gradients agree; the first of all where they agree nowhere. */
function comparePoints(
  reference: readonly GradientPoint[],
  device: readonly GradientPoint[],
): { point: number; differences: Map<string, number> } {
  const all = reference.map(({ weights, gradients }, k) => {
    invariant(weights === device[k].weights, 'compare: the gradients are at different weights');
    return gradientDifferences(gradients, device[k].gradients);
  });
  const agreeing = all.findIndex((differences) => largest([...differences.values()]) <= GRADIENT_TOLERANCE);
  const point = Math.max(0, agreeing);
  return { point, differences: all[point] };
}

/** max |Δ| / max |g| of each parameter; 0 where both gradients vanish. */
function gradientDifferences(reference: readonly WeightValue[], device: readonly WeightValue[]): Map<string, number> {
  const others = new Map(device.map((value) => [value.name, value.data]));
  return new Map(
    reference.map(({ name, data }) => {
      const other = others.get(name);
      invariant(other?.length === data.length, `compare: gradient of "${name}" is missing on the device`);
      const difference = largest(Array.from(data, (value, k) => Math.abs(other[k] - value)));
      return [name, difference === 0 ? 0 : difference / largest(Array.from(data, Math.abs))];
    }),
  );
}

/** NaN when any value is: `Math.max` of very many arguments overflows the stack. */
function largest(values: readonly number[]): number {
  return values.reduce((max, value) => (value <= max ? max : value > max ? value : Number.NaN), 0);
}
