/**
 * Regularizer and constraint of one weight as options of a layer: `gammaRegularizer`, `gammaConstraint`. Both may be left
 * out, and then stand neither in the weight's spec nor in the layer's config.
 */

import { type Constraint, type ConstraintLike, resolveConstraint } from './constraints.ts';
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
