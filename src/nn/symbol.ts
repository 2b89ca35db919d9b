/**
 * SymbolicTensor: what a layer gives when it is called on symbols, before there is any data: a shape and the call that
 * it comes from. Functional models are graphs of such calls, as with Keras' KerasTensor.
 *
 * Invariant: symbols and calls are immutable; a call's inputs were made before it, so ids are a topological order.
 */

import type { Shape } from '../util/shape.ts';
import { formatShape } from '../util/shape.ts';
import type { Layer } from './layer.ts';

/** One use of a layer. A shared layer has several. */
export interface LayerCall {
  readonly id: number;
  readonly layer: Layer;
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
}

export class SymbolicTensor {
  constructor(
    /** Of one example, without the batch axis. */
    readonly shape: Shape,
    readonly call: LayerCall,
    /** Which of the call's outputs. */
    readonly index: number,
  ) {}

  /** `dense "fc1" [10]`. */
  toString(): string {
    return `${this.call.layer.label} ${formatShape(this.shape)}`;
  }
}

let nextId = 0;

/** Records the use of `layer` on `inputs`; one output a shape. */
export function recordCall(layer: Layer, inputs: readonly SymbolicTensor[], shapes: readonly Shape[]): LayerCall {
  const outputs: SymbolicTensor[] = [];
  const call: LayerCall = { id: nextId++, layer, inputs, outputs };
  outputs.push(...shapes.map((shape, index) => new SymbolicTensor(shape, call, index)));
  return call;
}
