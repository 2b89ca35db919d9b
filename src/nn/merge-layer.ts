/**
 * MergeLayer: a layer of several inputs and one output, such as Add or Concatenate. It has no weights.
 */

import { Tensor } from '../core/tensor.ts';
import { DownhillError } from '../util/errors.ts';
import type { Shape } from '../util/shape.ts';
import { type CallContext, Layer, type WeightSpec } from './layer.ts';

export abstract class MergeLayer extends Layer {
  /** Least count of inputs. */
  protected readonly leastInputs: number = 2;

  /** The output [B, …] for the inputs [B, …]; traced once for each program. */
  abstract merge(inputs: readonly Tensor[]): Tensor;

  override buildAll(inputShapes: readonly Shape[]): readonly WeightSpec[] {
    this.checkCount(inputShapes.length);
    return [];
  }

  override callAll(inputs: readonly Tensor[], _weights: readonly Tensor[], _context: CallContext): readonly Tensor[] {
    this.checkCount(inputs.length);
    return [this.merge(inputs)];
  }

  override call(x: Tensor): Tensor {
    this.checkCount(x instanceof Tensor ? 1 : 0);
    return this.merge([x]);
  }

  private checkCount(count: number): void {
    if (count >= this.leastInputs) return;
    throw new DownhillError(
      'argument',
      `${this.label}: merges at least ${this.leastInputs} inputs, found ${count}; call it on a list: layer([a, b])`,
    );
  }
}
