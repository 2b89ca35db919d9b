/**
 * Regularizer and constraint of one weight as options of a layer: `gammaRegularizer`, `gammaConstraint`. Both may be
 * left out, and then appear neither in the weight's spec nor in the layer's config. The same for the layer's output:
 * `activityRegularizer`, whose penalty over the size of the batch is added to the loss, as in Keras.
 */

import type { Tensor } from '../core/tensor.ts';
import { div } from '../ops/elementwise/binary.ts';
import { type Constraint, type ConstraintLike, resolveConstraint } from './constraints.ts';
import type { CallContext } from './layer.ts';
import { type Regularizer, type RegularizerLike, resolveRegularizer } from './regularizers.ts';

/** What a WeightSpec takes over by spreading. */
export interface WeightRules {
  readonly regularizer?: Regularizer;
  readonly constraint?: Constraint;
}

/** The two options of each weight of `Names`. */
export type WeightRuleOptions<Names extends string> = {
  readonly [K in Names as `${K}Regularizer`]?: RegularizerLike;
} & { readonly [K in Names as `${K}Constraint`]?: ConstraintLike };

/** The names of these options. */
export function weightRuleNames(...weights: readonly string[]): string[] {
  return weights.flatMap((weight) => [`${weight}Regularizer`, `${weight}Constraint`]);
}

/** The rules that `options` give for `weight`. @throws DownhillError `argument` for an unknown name. */
export function resolveRules(owner: string, weight: string, options: object): WeightRules {
  const given = options as Readonly<Record<string, unknown>>;
  const [regularizer, constraint] = weightRuleNames(weight).map((name) => given[name] ?? undefined);
  return {
    ...(regularizer !== undefined && { regularizer: resolveRegularizer(owner, regularizer) }),
    ...(constraint !== undefined && { constraint: resolveConstraint(owner, constraint) }),
  };
}

/** The rules as options, in plain data. */
export function describeRules(weight: string, { regularizer, constraint }: WeightRules): Record<string, unknown> {
  const plain = ({ name, config }: Regularizer | Constraint) => ({ name, config });
  return {
    ...(regularizer !== undefined && { [`${weight}Regularizer`]: plain(regularizer) }),
    ...(constraint !== undefined && { [`${weight}Constraint`]: plain(constraint) }),
  };
}

/** The penalty of a layer's output. */
export interface ActivityOptions {
  /** Its penalty on the layer's output, over the size of the batch, is added to the loss; none when left out. */
  readonly activityRegularizer?: RegularizerLike;
}

/** @throws DownhillError `argument` for an unknown name. */
export function resolveActivity(owner: string, { activityRegularizer }: ActivityOptions): Regularizer | undefined {
  return activityRegularizer ? resolveRegularizer(owner, activityRegularizer) : undefined;
}

/** The penalty as an option, in plain data. */
export function describeActivity(activity: Regularizer | undefined): Record<string, unknown> {
  return activity === undefined ? {} : { activityRegularizer: { name: activity.name, config: activity.config } };
}

/** `output`; its penalty is added to the loss. */
export function penalized(activity: Regularizer | undefined, output: Tensor, context: CallContext): Tensor {
  if (activity !== undefined) context.addLoss(div(activity.penalty(output), output.shape[0]));
  return output;
}
