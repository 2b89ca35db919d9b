/**
 * The end of a training step's graph: from the loss to the new values of the weights and of the optimizer's slots.
 *
 * Invariant: a group's gradient, parameters and slots are flat tensors of one layout, so its update is one dispatch.
 */

import type { GraphUpdate } from '../core/graph.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Optimizer } from '../nn/optimizers/optimizer.ts';
import { pack } from '../ops/shape.ts';
import { gradients } from '../transform/grad.ts';
import type { TracedGroup } from './model-parts.ts';
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
  return flatGradients(groups, loss).flatMap(({ group, gradient }) => {
    const { placeholder: parameters } = group;
    const slots = Object.fromEntries(
      optimizer.slots.map((slot) => [slot, inputs.add('bound', `${group.group.name}.${slot}`, parameters)]),
    );
    const updated = optimizer.update({ parameters, gradient, slots, scalars });
    return [
      { target: parameters, value: updated.parameters },
      ...optimizer.slots.map((slot) => ({ target: slots[slot], value: updated.slots[slot] })),
    ];
  });
}
