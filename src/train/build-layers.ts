/**
 * From layers to a built model: names, shapes and the list of weights. Shapes are found by tracing; nothing is drawn or
 * allocated.
 */

import { type Layer, snakeCase } from '../nn/layer.ts';
import { InputLayer } from '../nn/layers/input.ts';
import { DownhillError } from '../util/errors.ts';
import { checkShape, type Shape, sameShape } from '../util/shape.ts';
import type { Weight } from './weight-layout.ts';

export interface BuiltLayers {
  readonly inputShape: Shape;
  /** Shape of one output example of each layer. */
  readonly shapes: readonly Shape[];
  readonly weights: readonly Weight[];
}

/** Gives `layer` a name that no layer of `others` has, numbered as Keras numbers them: `dense`, `dense_1`. */
export function nameLayer(model: string, layer: Layer, others: readonly Layer[]): void {
  const taken = new Set(others.map(({ name }) => name));
  if (layer.name === undefined) {
    const base = snakeCase(layer.className);
    let name = base;
    for (let k = 1; taken.has(name); k++) name = `${base}_${k}`;
    layer.name = name;
  } else if (taken.has(layer.name)) {
    const known = [...taken].join(', ');
    throw new DownhillError(
      'argument',
      `model "${model}": two layers are named "${layer.name}"; names so far: ${known}`,
    );
  }
}

/**
 * Shapes and weights of `layers` for examples of `inputShape`.
 * @throws DownhillError `shape` naming the layer that does not accept its input.
 */
export function buildLayers(model: string, layers: readonly Layer[], inputShape: Shape): BuiltLayers {
  const computing = layers.filter((layer) => !(layer instanceof InputLayer));
  if (computing.length === 0) {
    throw new DownhillError('state', `model "${model}" has no layers; add some before it is built`);
  }
  const shapes: Shape[] = [];
  const weights: Weight[] = [];
  let shape = inputShape;
  layers.forEach((layer, position) => {
    if (layer instanceof InputLayer && !sameShape(layer.shape, shape)) {
      throw new DownhillError(
        'shape',
        `${layer.label} of model "${model}": says [${layer.shape}], but its input has shape [${shape}]`,
      );
    }
    const specs = layer.build(shape);
    specs.forEach((spec, index) => {
      checkShape(`${layer.label}: weight "${spec.name}"`, spec.shape);
      const path = `${layer.name}/${spec.name}`;
      if (weights.some((weight) => weight.path === path)) {
        throw new DownhillError('argument', `${layer.label}: two weights are named "${spec.name}"`);
      }
      weights.push({ path, layer: position, index, spec, stream: weights.length });
    });
    shape = layer.outputShape(shape);
    shapes.push(shape);
  });
  return { inputShape, shapes, weights };
}
