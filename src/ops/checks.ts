/**
 * Checks that the operand-shaped ops (matmul, convolution, pooling) share. Each names the op, what was found and what
 * would fit, and throws while tracing, so that the caller's line is on the stack.
 */

import type { Aval } from '../core/tensor.ts';
import { describe } from '../core/tensor.ts';
import { DownhillError } from '../util/errors.ts';
import { checkShape, type Shape } from '../util/shape.ts';

/** @throws DownhillError `dtype` unless every operand is f32; `names` are the parameter names, in order. */
export function requireFloat(op: string, names: readonly string[], inputs: readonly Aval[]): void {
  inputs.forEach((input, k) => {
    if (input.dtype !== 'f32') {
      throw new DownhillError(
        'dtype',
        `${op}: ${names[k]} must be f32, got ${describe(input)}; convert it with cast(${names[k]}, 'f32')`,
      );
    }
  });
}

/**
 * @param layout the axes by name, e.g. `[N,H,W,C]`.
 * @throws DownhillError `shape` unless `input` has exactly the axes of `layout`.
 */
export function requireRank(op: string, name: string, input: Aval, layout: string): void {
  const rank = layout.split(',').length;
  if (input.shape.length !== rank) {
    throw new DownhillError(
      'shape',
      `${op}: ${name} needs ${rank} axes ${layout}, got ${describe(input)} with ${input.shape.length}`,
    );
  }
}

/**
 * A shape that the caller gave as an option, as an f32 tensor of that shape.
 * @throws DownhillError `argument` when it is missing, `shape` unless it has exactly the axes of `layout`.
 */
export function requireShapeOption(op: string, option: string, shape: Shape, layout: string): Aval {
  if (!Array.isArray(shape)) throw new DownhillError('argument', `${op}: option ${option} ${layout} is missing`);
  checkShape(`${op}: ${option}`, shape);
  const aval: Aval = { shape, dtype: 'f32' };
  requireRank(op, option, aval, layout);
  return aval;
}
