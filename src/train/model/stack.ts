/**
 * Stack: a model whose layers run one after another, what Keras calls Sequential. Layers may be added until the weights
 * are in use; the input's shape may come from an input layer, from the options, from `build`, or from the first data.
 *
 * `Sequential` (sequential.ts) is the same with functions that read saved models, for which every layer must be at
 * hand: pages that call `sequential([…])` alone are spared them. An instance of the one is an instance of the other.
 */

import { checkKnownOptions, show } from '../../nn/check-options.ts';
import { Layer } from '../../nn/layer.ts';
import { checkExampleShape, InputLayer } from '../../nn/layers/core/input.ts';
import { type Surplus, sole } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import type { Shape } from '../../util/shape.ts';
import type { DataNames } from '../data/labelled-data.ts';
import { nameLayer } from './build-layers.ts';
import { chainGraph, type LayerGraph } from './layer-graph.ts';
import { Model } from './model.ts';
import { layerJson, type ModelJson } from './model-json.ts';
import type { SequentialOptions } from './model-options.ts';

/** What a stack is made of: layers, and models used as layers. */
export type Stackable = Layer | Model;

export class Stack extends Model {
  override readonly className = 'Sequential';
  override readonly layers: readonly Layer[] = [];
  private inputShape: Shape | undefined;

  /** @throws DownhillError `argument` for an option or a layer that is not accepted. */
  constructor(layers: readonly Stackable[] = [], options: SequentialOptions = {}) {
    checkKnownOptions('sequential', options, ['name', 'seed', 'inputShape']);
    if (!Array.isArray(layers)) {
      throw new DownhillError('argument', `sequential: expected an array of layers, found ${show(layers)}`);
    }
    super('sequential', options, 'sequential');
    if (options.inputShape !== undefined) this.inputShape = checkExampleShape('sequential', options.inputShape);
    for (const layer of layers) this.add(layer);
  }

  /**
   * Puts `layer` (or a whole model) on top. @returns the model.
   * @throws DownhillError `argument` for something else or a name that is taken, `state` once the weights are in use.
   */
  add(given: Stackable): this {
    const layer = given instanceof Model ? given.asLayer() : given;
    if (!(layer instanceof Layer)) {
      const hint = 'make one with layers.dense({ … }) and the like';
      throw new DownhillError('argument', `model "${this.name}": add takes a layer, found ${show(layer)}; ${hint}`);
    }
    if (this.layers.includes(layer)) {
      throw new DownhillError('argument', `model "${this.name}": ${layer.label} is already in it; make another layer`);
    }
    if (this.builtState !== undefined && !this.builtState.store.untouched) {
      throw new DownhillError('state', `model "${this.name}" has its weights already; add ${layer.label} before that`);
    }
    nameLayer(this.name, layer, this.layers);
    (this.layers as Layer[]).push(layer);
    if (this.layers.length === 1) this.inputShape ??= firstShape(given);
    this.keep(layer);
    this.builtState?.store.dispose();
    this.builtState = undefined;
    return this;
  }

  protected override graph(): LayerGraph {
    return chainGraph([...this.layers]);
  }

  protected override knownShapes(): readonly Shape[] | undefined {
    return this.builtState?.inputShapes ?? (this.inputShape && [this.inputShape]);
  }

  protected override dataNames(): DataNames {
    return { inputs: [this.layers[0]?.name ?? 'input'], outputs: [this.layers.at(-1)?.name ?? 'output'] };
  }

  protected override structureJson(): Pick<ModelJson, 'layers' | 'inputShape'> {
    return { inputShape: this.knownShapes()?.[0] ?? null, layers: this.layers.map(layerJson) };
  }
}

/** The input's shape as far as the first of a stack says it. */
function firstShape(given: Stackable): Shape | undefined {
  if (given instanceof InputLayer) return given.shape;
  return given instanceof Model ? given.inputShapes?.[0] : undefined;
}

/** A stack of layers: `sequential([layers.dense({ units: 10 })])`. */
export const sequential = (
  layers: readonly Stackable[] = [],
  options: SequentialOptions = {},
  ...surplus: Surplus
): Stack => sole('sequential', surplus, new Stack(layers, options));
