/**
 * Reverse-mode differentiation: the vjp rules of the op records, applied from an output back to its inputs.
 *
 * The result is ordinary tensors built from ordinary ops, appended to the same graph; so a gradient can be
 * differentiated again, and forward and backward are scheduled and fused as one.
 */

import { isFloat } from '../core/dtype.ts';
import { withScope } from '../core/scope.ts';
import { describe, differentiableOrder, historyOf, Tensor } from '../core/tensor.ts';
import { ledTo } from '../core/traces.ts';
import { ones, zeros } from '../ops/create.ts';
import { add } from '../ops/elementwise/binary.ts';
import { reshape } from '../ops/layout/shape.ts';
import { DownhillError, invariant } from '../util/errors.ts';
import { formatShape, sameShape } from '../util/shape.ts';
import { show } from '../util/show.ts';

/**
 * Gradients of `y` with respect to each tensor of `wrt`, which may be inputs or values on the way to `y`.
 * @param dy cotangent of y's shape; left out, y must have one element and the cotangent is 1.
 * Whether any of them was read before makes no difference, up to the limits that `Tensor.data` states.
 * @returns one tensor per entry of `wrt`, of its shape; zeros where y does not depend on it.
 * @throws DownhillError `shape` when y has more than one element and no cotangent is given, `dtype` for non-floats,
 *   `state` when the way from y to one of `wrt` was let go or disposed.
 */
export function gradients(y: Tensor, wrt: readonly Tensor[], dy?: Tensor): Tensor[] {
  for (const tensor of [y, ...wrt, ...(dy === undefined ? [] : [dy])]) {
    if (tensor instanceof Tensor) continue;
    throw new DownhillError('argument', `gradients: expected tensors (y, [x, …], dy?), found ${show(tensor)}`);
  }
  if (!isFloat(y.dtype)) throw new DownhillError('dtype', `grad: the output is ${describe(y)}; only f32 has gradients`);
  for (const x of wrt) {
    if (!isFloat(x.dtype)) {
      throw new DownhillError('dtype', `grad: cannot differentiate with respect to ${x}; only f32 has gradients`);
    }
  }
  if (dy === undefined && y.size !== 1) {
    throw new DownhillError(
      'shape',
      `grad: the output has shape ${formatShape(y.shape)}; it must have one element (take a sum or a mean), or pass a cotangent`,
    );
  }
  if (dy !== undefined && !sameShape(dy.shape, y.shape)) {
    throw new DownhillError(
      'shape',
      `grad: the cotangent has shape ${formatShape(dy.shape)}, the output ${formatShape(y.shape)}; they must be equal`,
    );
  }

  // Nothing that is older than all targets depends on one.
  const order = differentiableOrder(
    y,
    wrt.reduce((least, { id }) => Math.min(least, id), Number.POSITIVE_INFINITY),
  );
  const onPath = new Set<Tensor>(wrt);
  for (const node of order) {
    refuseLostPath(node, wrt);
    if (historyOf(node)?.inputs.some((input) => onPath.has(input))) onPath.add(node);
  }

  const cotangents = new Map<Tensor, Tensor>([[y, dy ?? ones(y.shape)]]);
  for (let k = order.length - 1; k >= 0; k--) {
    const node = order[k];
    const cotangent = cotangents.get(node);
    const history = historyOf(node);
    if (cotangent === undefined || history === null || !onPath.has(node)) continue;
    // A target's own history is not differentiated unless another target is behind it.
    if (!history.inputs.some((input) => onPath.has(input))) continue;
    const { op, inputs, attrs } = history;
    const backward = () => op.vjp?.(cotangent, inputs, node, attrs) ?? [];
    const contributions = node.label === undefined ? backward() : withScope(node.label, backward);
    inputs.forEach((input, position) => {
      const contribution = contributions[position];
      if (!contribution || !onPath.has(input)) return;
      invariant(
        sameShape(contribution.shape, input.shape),
        `vjp of ${op.name}: gradient ${describe(contribution)} for input ${position}, which is ${describe(input)}`,
      );
      const sum = cotangents.get(input);
      cotangents.set(input, sum === undefined ? contribution : add(sum, contribution));
    });
  }
  return wrt.map((x) => cotangents.get(x) ?? zeros(x.shape));
}

/** @throws DownhillError `state` when the history of `node` was let go and led to one of `targets`. */
function refuseLostPath(node: Tensor, targets: readonly Tensor[]): void {
  if (node.lost === null) return;
  const target = targets.find((each) => ledTo(node, each));
  if (target === undefined) return;
  const why =
    node.leaf?.kind === 'disposed'
      ? 'was disposed; keep it until the gradients are made'
      : 'was read too long ago for its history to be kept; make the gradients before so much else is read';
  throw new DownhillError(
    'state',
    `grad: ${node}, through which the output depends on ${target}, ${why}, or say stopGradient(…) if it is meant as a constant`,
  );
}

type TensorFunction<A extends readonly Tensor[]> = (...args: A) => Tensor;

/** A free view of `x`: the same value under a new identity, so that only paths through this argument count. */
function alias(x: Tensor): Tensor {
  return reshape(x, x.shape);
}

/**
 * The function that gives the gradient of `f` with respect to its first argument (or `argument`).
 * `f` must return a tensor with one element. `grad(grad(f))` works.
 */
export function grad<A extends readonly Tensor[]>(f: TensorFunction<A>, argument = 0): (...args: A) => Tensor {
  const both = valueAndGrad(f, argument);
  return (...args) => both(...args).gradient;
}

/** As `grad`, with the value of `f` beside its gradient. */
export function valueAndGrad<A extends readonly Tensor[]>(
  f: TensorFunction<A>,
  argument = 0,
): (...args: A) => { value: Tensor; gradient: Tensor } {
  if (typeof f !== 'function') {
    throw new DownhillError('argument', `grad: expected a function of tensors, found ${show(f)}`);
  }
  return (...args) => {
    const x = args[argument];
    if (!(x instanceof Tensor)) {
      throw new DownhillError('argument', `grad: argument ${argument} is not a tensor; ${args.length} arguments given`);
    }
    const aliased = alias(x);
    const value = f(...(args.map((arg, k) => (k === argument ? aliased : arg)) as unknown as A));
    if (!(value instanceof Tensor)) {
      const found = `the function returned ${show(value)}`;
      throw new DownhillError('argument', `grad: ${found}; it must return a tensor with one element, such as mean(x)`);
    }
    const [gradient] = gradients(value, [aliased]);
    return { value, gradient };
  };
}
