/**
 * Where the weights of a model lie: trained ones end to end in few flat f32 groups, so that the optimizer updates a
 * whole group in one dispatch; frozen ones and the layers' own (moving averages) in groups of their own. Pure
 * arithmetic, no device.
 *
 * Invariant: every weight lies in exactly one group, the weights of a group are treated alike and keep the order of the
 * layers, and no group is larger than the limit unless one weight alone is.
 */

import { type Constraint, constraints } from '../nn/constraints.ts';
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
  /** What its layer multiplies the learning rate by; 1 when left out. */
  readonly rate?: number;
  /** False when the optimizer's weight decay leaves it out; true when left out. */
  readonly decay?: boolean;
  /** Which of the optimizer's rules updates it; '' when left out. */
  readonly rule?: string;
}

/** True when the gradient changes `weight`. */
export function isTrained({ spec, frozen }: Weight): boolean {
  return spec.trainable && frozen !== true;
}

/** A weight and its place in a group; `offset` and `size` count elements. */
export interface PlacedWeight extends Weight {
  readonly offset: number;
  readonly size: number;
}

/** Weights side by side in one buffer. */
export interface WeightGroup {
  /** `parameters`, `parameters_1` …, `frozen` or `state`: the buffer's name in graphs and reports. */
  readonly name: string;
  /** True when the gradient changes its weights. */
  readonly trainable: boolean;
  readonly elements: number;
  /** The learning rate is multiplied by it. */
  readonly rate: number;
  /** Whether weight decay acts on it. */
  readonly decay: boolean;
  /** Which of the optimizer's rules updates it. */
  readonly rule: string;
  /** Projects each weight after an update. */
  readonly constraint?: Constraint;
  readonly weights: readonly PlacedWeight[];
}

/** `weights` in groups of at most `maxElements` elements each. */
export function layoutWeights(weights: readonly Weight[], maxElements: number): WeightGroup[] {
  const treatments = new Map<string, Weight[]>();
  for (const weight of weights.filter(isTrained)) {
    const key = treatment(weight);
    treatments.set(key, [...(treatments.get(key) ?? []), weight]);
  }
  const packed = (members: readonly Weight[]) => pack(members, maxElements);
  const trained = [...treatments.values()].flatMap(packed);
  const frozen = packed(weights.filter((weight) => weight.spec.trainable && !isTrained(weight)));
  const state = packed(weights.filter(({ spec }) => !spec.trainable));
  return [
    ...trained.map((members, k) => group(numbered('parameters', k), true, members)),
    ...frozen.map((members, k) => group(numbered('frozen', k), false, members)),
    ...state.map((members, k) => group(numbered('state', k), false, members)),
  ];
}

/** Weights with the same text can be updated together. */
function treatment({ rate = 1, decay = true, rule = '', spec: { constraint } }: Weight): string {
  return JSON.stringify([rate, decay, rule, constraint === undefined ? null : constraintKey(constraint)]);
}

const customConstraints = new WeakMap<Constraint, number>();
let customCount = 0;

/** One key for constraints that do the same: ours are their name and config, a user's is itself. */
function constraintKey(constraint: Constraint): unknown {
  const { name, config } = constraint;
  if (Object.hasOwn(constraints, name)) return [name, config];
  const known = customConstraints.get(constraint) ?? customCount++;
  customConstraints.set(constraint, known);
  return known;
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
  const [{ rate = 1, decay = true, rule = '', spec }] = weights;
  const elements = weights.reduce((sum, { size }) => sum + size, 0);
  const constraint = spec.constraint && { constraint: spec.constraint };
  return { name, trainable, elements, rate, decay, rule, ...constraint, weights };
}

function numbered(name: string, k: number): string {
  return k === 0 ? name : `${name}_${k}`;
}
