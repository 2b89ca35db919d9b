/**
 * NestedModel: a model as a layer of another. Both refer to the same weights (docs/adr/0019), so training either
 * moves the other.
 *
 * Invariant: weights of the inner model keep its order, under `<model>/<layer>/<weight>`.
 */

import type { Tensor } from '../../core/tensor.ts';
import { type CallContext, Layer, type LayerConfig, type WeightSpec } from '../../nn/layer.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape, sameShape } from '../../util/shape.ts';
import { giveVariables } from '../weights/variable.ts';
import type { Weight } from '../weights/weight-layout.ts';
import type { BuiltLayers } from './build-layers.ts';
import type { ModelJson } from './model-json.ts';
import { runLayers } from './model-parts.ts';

/** What a nested model must tell of itself. */
export interface InnerModel {
  readonly className: string;
  /** Undefined when the user gave none. */
  readonly givenName: string | undefined;
  readonly layers: readonly Layer[];
  structure(inputShapes: readonly Shape[]): BuiltLayers;
  toJSON(): ModelJson;
}

/** The inner model as each was last built: kept beside the layers, which hold their configuration only. */
const builtAs = new WeakMap<NestedModel, BuiltLayers>();

export class NestedModel extends Layer {
  override readonly className: string;

  constructor(readonly model: InnerModel) {
    super(model.givenName === undefined ? {} : { name: model.givenName });
    this.className = model.className;
  }

  override get trainable(): boolean {
    return super.trainable;
  }

  /** Holds for every layer of the model, as in Keras. */
  override set trainable(value: boolean) {
    super.trainable = value;
    for (const layer of this.model.layers) layer.trainable = value;
  }

  override get config(): LayerConfig {
    // The outermost model says what is shared, within this one too.
    const { shared: _, ...json } = this.model.toJSON();
    return { model: { ...json, compiled: null } };
  }

  override get streams(): number {
    return this.model.layers.reduce((sum, layer) => sum + layer.streams, super.streams);
  }

  override frozen(index: number): boolean {
    const { layers } = this.model;
    const { uses } = this.known().weights[index];
    return !this.trainable || uses.every(({ layer, index: within }) => layers[layer].frozen(within));
  }

  override get innerLayers(): readonly Layer[] {
    return this.model.layers;
  }

  override buildAll(inputShapes: readonly Shape[]): readonly WeightSpec[] {
    const built = this.model.structure(inputShapes);
    const expected = built.inputShapes;
    const fits =
      expected.length === inputShapes.length && expected.every((shape, k) => sameShape(shape, inputShapes[k]));
    if (!fits) {
      const list = (shapes: readonly Shape[]) => shapes.map(formatShape).join(' and ');
      throw new DownhillError('shape', `${this.label}: takes ${list(expected)}, found ${list(inputShapes)}`);
    }
    builtAs.set(this, built);
    giveVariables(
      this,
      built.weights.map(({ variable }) => variable),
    );
    return built.weights.map(({ path, spec }) => ({ ...spec, name: path }));
  }

  override callAll(inputs: readonly Tensor[], weights: readonly Tensor[], context: CallContext): readonly Tensor[] {
    const { graph, weights: known } = this.known();
    const byLayer = graph.layers.map(() => [] as Tensor[]);
    const put = ({ uses }: Weight, value: Tensor) => {
      for (const { layer, index } of uses) byLayer[layer][index] = value;
    };
    known.forEach((weight, k) => {
      put(weight, weights[k]);
    });
    return runLayers(graph, byLayer, inputs, context, {
      stream: context.stream,
      assign: (layer, name, value) => {
        const weight = known.find(({ uses }) => uses.some((use) => use.layer === layer && use.name === name));
        if (weight !== undefined) put(weight, value);
        context.assign(weight?.path ?? `${graph.layers[layer].name}/${name}`, value);
      },
      addLoss: context.addLoss,
    });
  }

  override call(x: Tensor, weights: readonly Tensor[], context: CallContext): Tensor {
    return this.callAll([x], weights, context)[0];
  }

  private known(): BuiltLayers {
    const built = builtAs.get(this);
    if (built !== undefined) return built;
    throw new DownhillError('internal', `${this.label}: used before it was built`);
  }
}
