/**
 * The end of a training step's graph: from the loss to the new values of the weights and of the optimizer's slots.
 *
 * Invariant: a group's gradient, parameters and slots are flat tensors of one layout, so its update is one dispatch.
 */

import type { GraphUpdate } from '../../core/graph.ts';
import { withScope } from '../../core/scope.ts';
import type { Tensor } from '../../core/tensor.ts';
import { applyUpdates } from '../../nn/optimizers/apply.ts';
import type { Optimizer } from '../../nn/optimizers/optimizer.ts';
import { add } from '../../ops/elementwise/binary.ts';
import { pack } from '../../ops/layout/concat.ts';
import { gradients } from '../../transform/grad.ts';
import type { TracedGroup } from '../model/model-parts.ts';
import { isTrained } from '../weights/weight-layout.ts';
import type { Inputs } from './step-inputs.ts';

/** The gradient of `loss` at each trainable group, packed in the order of its weights. */
export function flatGradients(
  groups: readonly TracedGroup[],
  loss: Tensor,
): { group: TracedGroup; gradient: Tensor }[] {
  const trainable = groups.filter(({ group }) => group.trainable);
  const all = gradients(
    loss,
    trainable.flatMap(({ views }) => views),
  );
  let from = 0;
  return trainable.map((group) => {
    const mine = all.slice(from, from + group.views.length);
    from += group.views.length;
    return { group, gradient: pack(mine) };
  });
}

/** The updates of all trainable groups and of their slots. */
export function traceUpdates(
  inputs: Inputs,
  optimizer: Optimizer,
  groups: readonly TracedGroup[],
  loss: Tensor,
): GraphUpdate[] {
  const scalars = Object.fromEntries(optimizer.scalars.map((name) => [name, inputs.scalar(name)]));
  const updated = flatGradients(groups, loss).map(({ group: { group, placeholder, views }, gradient }) => ({
    parameters: placeholder,
    gradient,
    slots: Object.fromEntries(
      optimizer.slotsOf(group.rule).map((slot) => [slot, inputs.add('bound', `${group.name}.${slot}`, placeholder)]),
    ),
    shapes: views.map(({ shape }) => shape),
    rule: group.rule,
    rate: group.rate,
    decay: group.decay,
    ...(group.constraint && { constraint: group.constraint }),
  }));
  return applyUpdates(optimizer, updated, scalars).flatMap((fresh, k) => [
    { target: updated[k].parameters, value: fresh.parameters },
    ...Object.entries(updated[k].slots).map(([slot, target]) => ({ target, value: fresh.slots[slot] })),
  ]);
}

/** What the regularizers of the trained weights add to the loss, f32 []; undefined when there are none. */
export function regularization(groups: readonly TracedGroup[]): Tensor | undefined {
  const penalties = groups.flatMap(({ group, views }) =>
    group.weights.flatMap((weight, k) => {
      const { regularizer } = weight.spec;
      if (regularizer === undefined || !isTrained(weight)) return [];
      return [withScope(weight.path, () => regularizer.penalty(views[k]))];
    }),
  );
  return penalties.length === 0 ? undefined : penalties.reduce((a, b) => add(a, b));
}
