/**
 * LayerCase: what the conformance tests try a layer on. Each layer's file ends with its cases, so a new layer is tested
 * for shape, parameter count, saving and loading, CPU = GPU and a falling loss without a test of its own.
 */

import type { Shape } from '../util/shape.ts';
import type { Layer } from './layer.ts';

export interface LayerCase {
  readonly title: string;
  /** A new layer at each call. */
  readonly make: () => Layer;
  /** Shape of one example. */
  readonly inputShape: Shape;
  /** What the layer must give. */
  readonly outputShape: Shape;
  /** Count of its weight values. */
  readonly parameters: number;
}
