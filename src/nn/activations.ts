/**
 * Activations by Keras' names (softmax and logSoftmax work on the last axis). Each is one elementwise op or a short
 * formula, so a layer's activation fuses into the kernel before it.
 */

import type { Tensor } from '../core/tensor.ts';
import {
  elu,
  hardSigmoid,
  leakyRelu,
  relu,
  selu,
  sigmoid,
  softplus,
  softsign,
  tanh,
} from '../ops/elementwise/activations.ts';
import { mul } from '../ops/elementwise/binary.ts';
import { cast } from '../ops/elementwise/cast.ts';
import { greater } from '../ops/elementwise/compare.ts';
import { gelu, mish, silu } from '../ops/elementwise/gated.ts';
import { clip } from '../ops/elementwise/select.ts';
import { exp } from '../ops/elementwise/unary.ts';
import { logSoftmax, softmax } from '../ops/reduction/softmax.ts';
import { unknownName } from '../util/errors.ts';
import { type CustomJson, customName, customObject, isCustomJson, missingObject } from './custom-objects.ts';

/** Marks an activation that is exactly 0, with slope 0, on a whole range: a unit that stays there gets no gradient. */
function rectifier<F extends (x: Tensor) => Tensor>(activation: F): F & { readonly rectifies: true } {
  return Object.assign(activation, { rectifies: true } as const);
}

export const activations = {
  linear: (x: Tensor) => x,
  relu: /* @__PURE__ */ rectifier((x: Tensor) => relu(x)),
  relu6: /* @__PURE__ */ rectifier((x: Tensor) => clip(x, 0, 6)),
  leakyRelu: (x: Tensor) => leakyRelu(x),
  elu: (x: Tensor) => elu(x),
  selu: (x: Tensor) => selu(x),
  gelu: (x: Tensor) => gelu(x),
  silu: (x: Tensor) => silu(x),
  swish: (x: Tensor) => silu(x),
  mish: (x: Tensor) => mish(x),
  sigmoid: (x: Tensor) => sigmoid(x),
  hardSigmoid: /* @__PURE__ */ rectifier((x: Tensor) => hardSigmoid(x)),
  hardSilu: /* @__PURE__ */ rectifier((x: Tensor) => mul(x, hardSigmoid(x))),
  hardSwish: /* @__PURE__ */ rectifier((x: Tensor) => mul(x, hardSigmoid(x))),
  tanh: (x: Tensor) => tanh(x),
  softplus: (x: Tensor) => softplus(x),
  softsign: (x: Tensor) => softsign(x),
  exponential: (x: Tensor) => exp(x),
  softmax: (x: Tensor) => softmax(x),
  logSoftmax: (x: Tensor) => logSoftmax(x),
  /** Heaviside: 1 above 0, else 0. Its gradient is 0: only rules that need none, such as the perceptron's, train it. */
  step: (x: Tensor) => cast(greater(x, 0), 'f32'),
} as const;

export type ActivationName = keyof typeof activations;

/** The name of an activation, or a function of the user, which JSON holds by its name (custom-objects.ts). */
export type ActivationLike = ActivationName | ((x: Tensor) => Tensor);

export interface ResolvedActivation {
  /** Undefined for a function of the user. */
  readonly name: ActivationName | undefined;
  /** [B, …] → the same shape. */
  apply(x: Tensor): Tensor;
}

/** @throws DownhillError `argument` for an unknown name, with the nearest one. */
export function resolveActivation(owner: string, value: unknown): ResolvedActivation {
  const own = isCustomJson(value) ? customObject(value.custom) : value;
  if (typeof own === 'function') return { name: undefined, apply: own as (x: Tensor) => Tensor };
  if (isCustomJson(value)) throw missingObject(owner, 'activation', value.custom);
  if (typeof value !== 'string' || !Object.hasOwn(activations, value)) {
    throw unknownName(`activation of ${owner}:`, value, Object.keys(activations));
  }
  const name = value as ActivationName;
  return { name, apply: activations[name] };
}

/** True for the name of an activation that is exactly 0, with slope 0, on a whole range. */
export function rectifies(name: unknown): boolean {
  return (
    typeof name === 'string' && Object.hasOwn(activations, name) && 'rectifies' in activations[name as ActivationName]
  );
}

/** How an activation is written in JSON: by its name. */
export function describeActivation({ name, apply }: ResolvedActivation): ActivationName | CustomJson {
  return name ?? { custom: customName(apply, 'activation') };
}
