/**
 * Where the weights of a model lie: trainable ones end to end in few flat f32 groups, so that the optimizer updates a
 * whole group in one dispatch; the others in a group of their own. Pure arithmetic, no device.
 *
 * Invariant: every weight lies in exactly one group, groups keep the order of the layers, and no group is larger than
 * the limit unless one weight alone is.
 */

import type { WeightSource, WeightSpec } from '../nn/layer.ts';
import { sizeOf } from '../util/shape.ts';

/** A weight of a model. */
export interface Weight {
  /** `dense_1/kernel`: the layer's name and the weight's. */
  readonly path: string;
  /** Position of its layer in the model. */
  readonly layer: number;
  /** Position among the weights of its layer. */
  readonly index: number;
  readonly spec: WeightSpec;
  /** Number of its random stream: its position among all weights of the model. */
  readonly stream: number;
  /** Where its first value comes from, if not from the initializer. */
  readonly source?: WeightSource;
  /** True when its layer is frozen (`trainable: false`): training leaves it as it is. */
  readonly frozen?: boolean;
}

/** A weight and its place in a group; `offset` and `size` count elements. */
export interface PlacedWeight extends Weight {
  readonly offset: number;
  readonly size: number;
}

/** Weights side by side in one buffer. */
export interface WeightGroup {
  /** `parameters`, `parameters_1` … or `state`: the buffer's name in graphs and reports. */
  readonly name: string;
  readonly trainable: boolean;
  readonly elements: number;
  readonly weights: readonly PlacedWeight[];
}

/** `weights` in groups of at most `maxElements` elements each. */
export function layoutWeights(weights: readonly Weight[], maxElements: number): WeightGroup[] {
  const trainable = pack(
    weights.filter(({ spec }) => spec.trainable),
    maxElements,
  );
  const frozen = pack(
    weights.filter(({ spec }) => !spec.trainable),
    maxElements,
  );
  return [
    ...trainable.map((members, k) => group(numbered('parameters', k), true, members)),
    ...frozen.map((members, k) => group(numbered('state', k), false, members)),
  ];
}

function pack(weights: readonly Weight[], maxElements: number): PlacedWeight[][] {
  const groups: PlacedWeight[][] = [];
  let end = Number.POSITIVE_INFINITY;
  for (const weight of weights) {
    const size = sizeOf(weight.spec.shape);
    if (end + size > maxElements) {
      groups.push([]);
      end = 0;
    }
    groups[groups.length - 1].push({ ...weight, offset: end, size });
    end += size;
  }
  return groups;
}

function group(name: string, trainable: boolean, weights: readonly PlacedWeight[]): WeightGroup {
  return { name, trainable, elements: weights.reduce((sum, { size }) => sum + size, 0), weights };
}

function numbered(name: string, k: number): string {
  return k === 0 ? name : `${name}_${k}`;
}
