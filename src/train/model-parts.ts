/**
 * ModelParts: a built model as the tracer sees it, and the forward pass over flat weight groups.
 *
 * Invariant: each weight is a view (slice and reshape) of its group's placeholder. Gradients are taken with respect to
 * the views and put together in the same order, so that a group and its gradient match element by element.
 */

import { withScope } from '../core/scope.ts';
import { describe, Tensor } from '../core/tensor.ts';
import type { Layer } from '../nn/layer.ts';
import { type ModelOutput, modelOutput } from '../nn/output.ts';
import { reshape, slice } from '../ops/shape.ts';
import { DownhillError } from '../util/errors.ts';
import { formatShape, type Shape, sameShape } from '../util/shape.ts';
import type { WeightGroup } from './weight-layout.ts';

/** What tracing needs of a built model. */
export interface ModelParts {
  readonly name: string;
  readonly layers: readonly Layer[];
  /** Of one example. */
  readonly inputShape: Shape;
  readonly groups: readonly WeightGroup[];
}

/** A group's placeholder and the views of its weights. */
export interface TracedGroup {
  readonly group: WeightGroup;
  readonly placeholder: Tensor;
  readonly views: readonly Tensor[];
}

/** The result of a forward pass. */
export interface Forward {
  readonly output: ModelOutput;
  /** New values of non-trainable weights, by path. */
  readonly assigned: ReadonlyMap<string, Tensor>;
}

/** Placeholders for the groups, with a view for each weight. */
export function traceGroups(groups: readonly WeightGroup[]): TracedGroup[] {
  return groups.map((group) => {
    const placeholder = Tensor.placeholder(group.name, { shape: [group.elements], dtype: 'f32' });
    const views = group.weights.map(({ path, offset, size, spec }) => {
      return withScope(path, () => reshape(slice(placeholder, [offset], [size]), spec.shape));
    });
    return { group, placeholder, views };
  });
}

/**
 * The layers' outputs for a batch `x` [B, …].
 * @param random u32[2] [seed, step] in training, undefined at inference.
 * @throws DownhillError `shape` or `dtype`, naming the layer, when one gives something else than a batch of floats.
 */
export function traceForward(
  { layers }: ModelParts,
  groups: readonly TracedGroup[],
  x: Tensor,
  random: Tensor | undefined,
): Forward {
  const weights = layers.map(() => [] as Tensor[]);
  const assignable = layers.map(() => new Map<string, string>());
  for (const { group, views } of groups) {
    group.weights.forEach(({ layer, index, spec, path }, k) => {
      weights[layer][index] = views[k];
      if (!spec.trainable) assignable[layer].set(spec.name, path);
    });
  }
  const assigned = new Map<string, Tensor>();
  let values = x;
  layers.forEach((layer, position) => {
    const assign = (name: string, value: Tensor): void => {
      const path = assignable[position].get(name);
      if (path === undefined) {
        const known = [...assignable[position].keys()].join(', ') || 'none';
        throw new DownhillError(
          'argument',
          `${layer.label}: cannot assign to "${name}"; its non-trainable weights: ${known}`,
        );
      }
      assigned.set(path, value);
    };
    const context = { training: random !== undefined, key: random, stream: position, assign };
    values = layer.apply(values, weights[position], context);
  });
  return { output: modelOutput(values), assigned };
}

/** Checks that `assigned` values fit, and gives the group's new value: old views where nothing was assigned. */
export function assignedViews({ group, views }: TracedGroup, assigned: ReadonlyMap<string, Tensor>): readonly Tensor[] {
  return group.weights.map(({ path, spec }, k) => {
    const value = assigned.get(path);
    if (value === undefined) return views[k];
    if (value.dtype === 'f32' && sameShape(value.shape, spec.shape)) return value;
    throw new DownhillError(
      'shape',
      `weight "${path}" is f32${formatShape(spec.shape)}; it was assigned ${describe(value)}`,
    );
  });
}
