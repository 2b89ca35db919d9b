/**
 * Where weights are stored: end to end in few flat f32 buffers, so that an optimizer updates a whole buffer in one
 * dispatch. Models that share weights are laid out together: weights share a buffer where their parameter-group options
 * are equal in every model, so a model that trains some of them still updates whole buffers. Pure arithmetic, no
 * device.
 *
 * Invariant: every weight is in exactly one buffer; each compiled model updates all weights of a buffer alike, or
 * none; no buffer is larger than the limit unless one weight alone is.
 */

import { type Constraint, constraints } from '../../nn/constraints.ts';
import type { WeightSpec } from '../../nn/layer.ts';
import { sizeOf } from '../../util/shape.ts';
import type { Variable } from './variable.ts';

/** Which weight of which layer of a model. */
export interface WeightUse {
  /** Position of the layer in the model. */
  readonly layer: number;
  /** Position among the weights of the layer. */
  readonly index: number;
  /** What the layer calls it: `kernel`; of a nested model `dense/kernel`. */
  readonly name: string;
}

/** A weight of a model. */
export interface Weight {
  /** `dense_1/kernel`: the layer's name and the weight's. */
  readonly path: string;
  readonly variable: Variable;
  /** What the layer of the first use asks for. */
  readonly spec: WeightSpec;
  /** Where it is used: of a layer that is also part of a nested model, the first use gives the path. */
  readonly uses: readonly WeightUse[];
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

/** Weights side by side in one buffer, as one model sees it. */
export interface WeightGroup {
  /** `parameters`, `parameters_1` …, `frozen` or `state`: the buffer's name in graphs and reports. */
  readonly name: string;
  /** True when the gradient changes its weights, which are then all that the buffer holds. */
  readonly trainable: boolean;
  /** Of the whole buffer. */
  readonly elements: number;
  /** The learning rate is multiplied by it. */
  readonly rate: number;
  /** Whether weight decay acts on it. */
  readonly decay: boolean;
  /** Which of the optimizer's rules updates it. */
  readonly rule: string;
  /** Projects each weight after an update. */
  readonly constraint?: Constraint;
  /** Those of the model, by offset. */
  readonly weights: readonly PlacedWeight[];
}

/** A model that shares its weights with others. */
export interface Sharer {
  readonly weights: readonly Weight[];
  /** Whether it will train them. */
  readonly compiled: boolean;
}

/** The weights of all `sharers`, each once, by buffers of at most `maxElements` elements. */
export function layoutShared(sharers: readonly Sharer[], maxElements: number): PlacedWeight[][] {
  // The order within a buffer is that of a model that trains, so that such a model alone is laid out in its own order.
  const ordered = [...sharers.filter(({ compiled }) => compiled), ...sharers.filter(({ compiled }) => !compiled)];
  const users = new Map<Variable, { readonly sharer: number; readonly weight: Weight }[]>();
  ordered.forEach(({ weights }, sharer) => {
    for (const weight of weights) {
      const known = users.get(weight.variable);
      if (known === undefined) users.set(weight.variable, [{ sharer, weight }]);
      else known.push({ sharer, weight });
    }
  });
  const alike = new Map<string, Weight[]>();
  for (const uses of users.values()) {
    const trained = uses.filter(({ sharer, weight }) => ordered[sharer].compiled && isTrained(weight));
    const moved = uses.filter(({ sharer, weight }) => ordered[sharer].compiled && !weight.spec.trainable);
    const [{ sharer, weight }] = uses;
    const key =
      trained.length > 0
        ? ['trained', ...trained.map((use) => [use.sharer, groupKey(use.weight)])]
        : moved.length > 0
          ? ['state', ...moved.map((use) => use.sharer)]
          : [isTrained(weight) ? groupKey(weight) : weight.spec.trainable, 'of', sharer];
    const text = JSON.stringify(key);
    alike.set(text, [...(alike.get(text) ?? []), weight]);
  }
  return [...alike.values()].flatMap((members) => pack(members, maxElements));
}

/** A buffer on a device or planned. */
interface Stored {
  readonly elements: number;
}

/** The buffers that hold `weights`, as their model sees them. */
export function viewGroups<G extends Stored>(
  weights: readonly Weight[],
  placeOf: (weight: Weight) => { readonly group: G; readonly offset: number },
): (WeightGroup & { readonly stored: G })[] {
  const inside = new Map<G, PlacedWeight[]>();
  for (const weight of weights) {
    const { group, offset } = placeOf(weight);
    inside.set(group, [...(inside.get(group) ?? []), { ...weight, offset, size: sizeOf(weight.spec.shape) }]);
  }
  const views = [...inside].map(([stored, members]) => ({ stored, members, kind: kindOf(members) }));
  return KINDS.flatMap((wanted) =>
    views
      .filter(({ kind }) => kind === wanted)
      .map(({ stored, members }, k) => ({ ...view(numbered(wanted, k), stored, members), stored })),
  );
}

/** True when `groups`, the view of a compiled model, let it train: it updates whole buffers only. */
export function canTrain(groups: readonly WeightGroup[]): boolean {
  return groups.every((group) =>
    group.weights.some(isTrained)
      ? group.trainable
      : group.weights.every(({ spec }) => spec.trainable) || isFull(group),
  );
}

const KINDS = ['parameters', 'frozen', 'state'] as const;

function kindOf(members: readonly Weight[]): (typeof KINDS)[number] {
  if (members.every(isTrained)) return 'parameters';
  return members.some(({ spec }) => spec.trainable) ? 'frozen' : 'state';
}

function view(name: string, { elements }: Stored, members: readonly PlacedWeight[]): WeightGroup {
  const weights = [...members].sort((a, b) => a.offset - b.offset);
  const [{ rate = 1, decay = true, rule = '', spec }] = weights;
  const constraint = spec.constraint && { constraint: spec.constraint };
  const trainable =
    weights.every(isTrained) && isFull({ elements, weights }) && new Set(weights.map(groupKey)).size === 1;
  return { name, trainable, elements, rate, decay, rule, ...constraint, weights };
}

/** True when the model has all that the buffer holds. */
function isFull({ elements, weights }: Pick<WeightGroup, 'elements' | 'weights'>): boolean {
  return weights.reduce((sum, { size }) => sum + size, 0) === elements;
}

/** Weights with the same text can be updated together. */
function groupKey({ rate = 1, decay = true, rule = '', spec: { constraint } }: Weight): string {
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

function numbered(name: string, k: number): string {
  return k === 0 ? name : `${name}_${k}`;
}
