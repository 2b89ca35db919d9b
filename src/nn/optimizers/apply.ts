/**
 * One training step's change of all weights: accumulated gradients, clipping, decay, the optimizer's rule, moving
 * averages and constraints, in the order of Keras 3 (keras/src/optimizers/base_optimizer.py, `apply`).
 *
 * Invariants: everything is a formula over flat groups, so that a group is updated by one dispatch, or by a few where a
 * norm is folded first; whether a step updates or only accumulates is a
 * scalar, not another program.
 * Source: Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", ICML 2013 (clipping);
 * Polyak and Juditsky 1992 (averages).
 */

import type { Tensor } from '../../core/tensor.ts';
import { add, div, maximum, minimum, mul, sub } from '../../ops/elementwise/binary.ts';
import { greater } from '../../ops/elementwise/compare.ts';
import { clip, where } from '../../ops/elementwise/select.ts';
import { sqrt, square } from '../../ops/elementwise/unary.ts';
import { sum } from '../../ops/reduction/reduce.ts';
import type { Shape } from '../../util/shape.ts';
import type { Constraint } from '../constraints.ts';
import { eachWeight } from './each-weight.ts';
import { AVERAGE, GRADIENT_SUM, type Optimizer, type UpdateOutputs } from './optimizer.ts';

/** Weights side by side that are treated alike; all tensors are f32 [P]. */
export interface ParameterGroup {
  readonly parameters: Tensor;
  readonly gradient: Tensor;
  /** By slot name: all of `optimizer.slotsOf(rule)`. */
  readonly slots: Readonly<Record<string, Tensor>>;
  /** The weights in the group's order. */
  readonly shapes: readonly Shape[];
  /** What `optimizer.ruleOf` says of each of them. */
  readonly rule: string;
  /** The learning rate is multiplied by it; 1 when left out. */
  readonly rate?: number;
  /** False for weights that do not decay; true when left out. */
  readonly decay?: boolean;
  readonly constraint?: Constraint;
}

/**
 * The new parameters and slots of each group.
 * @param scalars by name, f32 [] each: those of `optimizer.scalars`, with `scalarValues(step)`.
 */
export function applyUpdates(
  optimizer: Optimizer,
  groups: readonly ParameterGroup[],
  scalars: Readonly<Record<string, Tensor>>,
): UpdateOutputs[] {
  const { gradientAccumulationSteps: steps } = optimizer.common;
  const due = steps > 1 ? greater(scalars.apply, 0.5) : undefined;
  const sums = groups.map(({ gradient, slots }) => (due === undefined ? gradient : add(gradient, slots[GRADIENT_SUM])));
  const means = due === undefined ? sums : sums.map((total) => div(total, steps));
  const gradients = clipped(optimizer, groups, means);
  return groups.map((group, k) => {
    const { parameters, slots } = update(optimizer, group, gradients[k], scalars);
    const keep = (fresh: Tensor, old: Tensor): Tensor => (due === undefined ? fresh : where(due, fresh, old));
    const kept = Object.fromEntries(
      Object.entries(slots).map(([name, value]) => [name, keep(value, group.slots[name])]),
    );
    const sum: Record<string, Tensor> = due === undefined ? {} : { [GRADIENT_SUM]: where(due, 0, sums[k]) };
    const averaged = average(optimizer, keep(parameters, group.parameters), group, scalars);
    return {
      parameters: constrained(averaged.parameters, group),
      slots: { ...kept, ...sum, ...averaged.slots },
    };
  });
}

/** The gradients, each value, each weight's or all together held in bounds. */
function clipped(optimizer: Optimizer, groups: readonly ParameterGroup[], gradients: readonly Tensor[]): Tensor[] {
  const { clipValue, clipNorm, globalClipNorm } = optimizer.common;
  if (clipValue !== undefined) return gradients.map((gradient) => clip(gradient, -clipValue, clipValue));
  if (clipNorm !== undefined) {
    return gradients.map((gradient, k) =>
      eachWeight(gradient, groups[k].shapes, (part) => {
        const norm = sqrt(sum(square(part)));
        return div(mul(part, clipNorm), maximum(norm, clipNorm));
      }),
    );
  }
  if (globalClipNorm !== undefined && gradients.length > 0) {
    const norm = sqrt(gradients.map((gradient) => sum(square(gradient))).reduce((a, b) => add(a, b)));
    // A norm of 0 gives 1/0, of which the minimum is 1/globalClipNorm, as in Keras.
    const scale = mul(minimum(div(1, norm), 1 / globalClipNorm), globalClipNorm);
    return gradients.map((gradient) => mul(gradient, scale));
  }
  return [...gradients];
}

function update(
  optimizer: Optimizer,
  { parameters, slots, shapes, rule, rate = 1, decay = true }: ParameterGroup,
  gradient: Tensor,
  scalars: Readonly<Record<string, Tensor>>,
): UpdateOutputs {
  const scaled =
    rate === 1
      ? scalars
      : Object.fromEntries(
          Object.entries(scalars).map(([name, value]) => [
            name,
            optimizer.rateScalars.includes(name) ? mul(value, rate) : value,
          ]),
        );
  const by = decay ? optimizer.decayOf(rule) : undefined;
  const decayed = by === undefined ? parameters : sub(parameters, mul(parameters, scaled[by]));
  return optimizer.update({ parameters: decayed, gradient, slots, scalars: scaled, shapes, rule });
}

/** The moving average of the weights, and the weights, which it may replace. */
function average(
  { common: { useEma, emaOverwriteFrequency } }: Optimizer,
  parameters: Tensor,
  { slots }: ParameterGroup,
  { emaMomentum, emaOverwrite }: Readonly<Record<string, Tensor>>,
): UpdateOutputs {
  if (!useEma) return { parameters, slots: {} };
  const mean = add(mul(slots[AVERAGE], emaMomentum), mul(parameters, sub(1, emaMomentum)));
  const replaced =
    emaOverwriteFrequency === undefined ? parameters : where(greater(emaOverwrite, 0.5), mean, parameters);
  return { parameters: replaced, slots: { [AVERAGE]: mean } };
}

function constrained(parameters: Tensor, { constraint, shapes }: ParameterGroup): Tensor {
  if (constraint === undefined) return parameters;
  return constraint.elementwise
    ? constraint.project(parameters)
    : eachWeight(parameters, shapes, (weight) => constraint.project(weight));
}
