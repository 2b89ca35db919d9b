/**
 * LayerCase: what the conformance tests try a layer on. Each layer's file ends with its cases, so a new layer is tested
 * for shape, parameter count, saving and loading, CPU = GPU and a falling loss without a test of its own.
 */

import type { Shape } from '../util/shape.ts';
import type { Layer } from './layer.ts';

interface CommonCase {
  readonly title: string;
  /** A new layer at each call. */
  readonly make: () => Layer;
  /** What the layer must give. */
  readonly outputShape: Shape;
  /** Count of its weight values. */
  readonly parameters: number;
}

/** A layer with the shape of one example, or of one example of each of its inputs. */
export type LayerCase = CommonCase &
  (
    | { readonly inputShape: Shape; readonly inputShapes?: never }
    | { readonly inputShapes: readonly Shape[]; readonly inputShape?: never }
  );
