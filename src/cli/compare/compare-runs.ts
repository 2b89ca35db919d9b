/**
 * How far two recorded trainings are from each other.
 */

import type { WeightValue } from '../../train/weight-store.ts';
import { invariant } from '../../util/errors.ts';
import type { TrainingTrace } from './trace-training.ts';

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
  readonly gradients: readonly { readonly name: string; readonly atStep1: number; readonly afterStep1: number }[];
}

export function compareRuns(reference: TrainingTrace, device: TrainingTrace): Comparison {
  invariant(reference.losses.length === device.losses.length, 'compare: the runs have different numbers of steps');
  const losses = reference.losses.map((loss, k) => {
    const difference = Math.abs(device.losses[k] - loss) / Math.abs(loss);
    return { step: k + 1, reference: loss, device: device.losses[k], difference };
  });
  const after = gradientDifferences(reference.gradientsAfterStep1, device.gradientsAfterStep1);
  const gradients = [...gradientDifferences(reference.gradientsAtStep1, device.gradientsAtStep1)].map(
    ([name, atStep1]) => ({ name, atStep1, afterStep1: after.get(name) ?? Number.NaN }),
  );
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
  };
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
