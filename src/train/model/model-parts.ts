/**
 * ModelParts: a built model as the tracer sees it, and the forward pass over flat weight groups.
 *
 * Invariant: each weight is a view (slice and reshape) of its group's placeholder. Gradients are taken with respect to
 * the views and put together in the same order, so that a group and its gradient match element by element.
 */

import { withScope } from '../../core/scope.ts';
import { describe, Tensor } from '../../core/tensor.ts';
import type { CallContext, Layer } from '../../nn/layer.ts';
import { type ModelOutput, modelOutput } from '../../nn/output.ts';
import { reshape } from '../../ops/layout/shape.ts';
import { slice } from '../../ops/layout/slice.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape, sameShape } from '../../util/shape.ts';
import type { Weight, WeightGroup } from '../weights/weight-layout.ts';
import type { LayerGraph } from './layer-graph.ts';

/** What tracing needs of a built model. */
export interface ModelParts {
  readonly name: string;
  readonly graph: LayerGraph;
  /** Of one example of each input. */
  readonly inputShapes: readonly Shape[];
  readonly groups: readonly WeightGroup[];
  /** As `CallContext` has it. */
  readonly frozen?: ReadonlySet<Layer>;
}

/** A group's placeholder and the views of its weights. */
export interface TracedGroup {
  readonly group: WeightGroup;
  readonly placeholder: Tensor;
  readonly views: readonly Tensor[];
}

/** The result of a forward pass. */
export interface Forward {
  /** One for each output of the model. */
  readonly outputs: readonly ModelOutput[];
  /** New values of non-trainable weights, by path. */
  readonly assigned: ReadonlyMap<string, Tensor>;
  /** f32 [] each, added to the loss. */
  readonly penalties: readonly Tensor[];
}

/** Hears of each use of a layer: its outputs, batches of f32. */
export type LayerObserver = (layer: Layer, outputs: readonly Tensor[]) => void;

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
 * The model's outputs for batches `inputs` [B, …].
 * @param random u32[2] [seed, step] in training, undefined at inference. @param observe hears of every layer's outputs.
 * @throws DownhillError `shape` or `dtype`, naming the layer, when one gives something else than a batch of floats.
 */
export function traceForward(
  { graph, frozen }: ModelParts,
  groups: readonly TracedGroup[],
  inputs: readonly Tensor[],
  random: Tensor | undefined,
  observe?: LayerObserver,
): Forward {
  const weights = graph.layers.map(() => [] as Tensor[]);
  const assignable = graph.layers.map(() => new Map<string, Weight>());
  const put = ({ uses }: Weight, value: Tensor): void => {
    for (const { layer, index } of uses) weights[layer][index] = value;
  };
  for (const { group, views } of groups) {
    group.weights.forEach((weight, k) => {
      put(weight, views[k]);
      if (!weight.spec.trainable) for (const { layer, name } of weight.uses) assignable[layer].set(name, weight);
    });
  }
  const assigned = new Map<string, Tensor>();
  const penalties: Tensor[] = [];
  const outputs = runLayers(
    graph,
    weights,
    inputs,
    { training: random !== undefined, key: random, ...(frozen && { frozen }) },
    {
      stream: 0,
      assign(layer, name, value) {
        const target = assignable[layer].get(name);
        if (target === undefined) {
          const known = [...assignable[layer].keys()].join(', ') || 'none';
          throw new DownhillError(
            'argument',
            `${graph.layers[layer].label}: cannot assign to "${name}"; its non-trainable weights: ${known}`,
          );
        }
        assigned.set(target.path, value);
        // A shared layer's next use sees the new value, as when the uses run one after another.
        put(target, value);
      },
      addLoss: (value) => penalties.push(value),
      ...(observe && { observe }),
    },
  );
  return { outputs: outputs.map(modelOutput), assigned, penalties };
}

/** How a graph's layers reach what is around it. */
interface Surroundings {
  /** The first random stream of the graph. */
  readonly stream: number;
  assign(layer: number, name: string, value: Tensor): void;
  addLoss(value: Tensor): void;
  readonly observe?: LayerObserver;
}

/** Runs every call of `graph` on `inputs`; `weights` by layer. */
export function runLayers(
  { layers, calls, inputs: sources, outputs }: LayerGraph,
  weights: readonly (readonly Tensor[])[],
  inputs: readonly Tensor[],
  mode: Pick<CallContext, 'training' | 'key' | 'frozen'>,
  { stream: first, assign, addLoss, observe }: Surroundings,
): readonly Tensor[] {
  const values = new Map<number, Tensor>(sources.map((value, k) => [value, inputs[k]]));
  let stream = first;
  for (const call of calls) {
    const layer = layers[call.layer];
    const context: CallContext = {
      ...mode,
      stream,
      assign: (name, value) => assign(call.layer, name, value),
      addLoss: (value) => addLoss(checkPenalty(layer, value)),
    };
    stream += layer.streams;
    const results = layer.apply(
      call.inputs.map((value) => values.get(value)!),
      weights[call.layer],
      context,
    );
    call.outputs.forEach((value, k) => {
      values.set(value, results[k]);
    });
    observe?.(layer, results);
  }
  return outputs.map((value) => values.get(value)!);
}

function checkPenalty(layer: Layer, value: Tensor): Tensor {
  if (value instanceof Tensor && value.rank === 0 && value.dtype === 'f32') return value;
  throw new DownhillError('argument', `${layer.label}: addLoss takes an f32 tensor of shape [], found ${value}`);
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
