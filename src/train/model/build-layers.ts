/**
 * From layers to a built model: names, shapes and the list of weights. Shapes are found by tracing; nothing is drawn or
 * allocated.
 */

import { type Layer, snakeCase, type WeightSpec } from '../../nn/layer.ts';
import { InputLayer } from '../../nn/layers/core/input.ts';
import { noteInUse } from '../../nn/layers-in-use.ts';
import { DownhillError } from '../../util/errors.ts';
import { checkShape, formatShape, type Shape, sameShape } from '../../util/shape.ts';
import { giveVariables, knownVariables, Variable } from '../weights/variable.ts';
import type { Weight, WeightUse } from '../weights/weight-layout.ts';
import type { LayerGraph } from './layer-graph.ts';

export interface BuiltLayers {
  readonly graph: LayerGraph;
  /** Of one example, for each input and each output of the model. */
  readonly inputShapes: readonly Shape[];
  readonly outputShapes: readonly Shape[];
  /** Shape of one example of each layer's first output at its first use. */
  readonly layerShapes: readonly (Shape | undefined)[];
  /** Each once, in the order of the layers. */
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
 * Shapes and weights of the graph's layers for examples of `inputShapes`. A layer has its weights once, however often
 * and in however many models it is used; those that it does not have yet are drawn with `seed`.
 * @throws DownhillError `shape` naming the layer that does not accept its input.
 */
export function buildLayers(
  model: string,
  graph: LayerGraph,
  inputShapes: readonly Shape[],
  seed: number,
): BuiltLayers {
  const { layers, calls, inputs, outputs } = graph;
  if (layers.every((layer) => layer instanceof InputLayer)) {
    throw new DownhillError('state', `model "${model}" has no layers; add some before it is built`);
  }
  const shapes = new Map<number, Shape>(inputs.map((value, k) => [value, inputShapes[k]]));
  const layerShapes: (Shape | undefined)[] = layers.map(() => undefined);
  const specsOf = new Map<number, readonly WeightSpec[]>();
  for (const call of calls) {
    const layer = layers[call.layer];
    const found = call.inputs.map((value) => shapes.get(value)!);
    if (layer instanceof InputLayer && !sameShape(layer.shape, found[0])) {
      throw new DownhillError(
        'shape',
        `${layer.label} of model "${model}": says [${layer.shape}], but its input has shape [${found[0]}]`,
      );
    }
    const specs = layer.buildAll(found);
    const known = specsOf.get(call.layer);
    if (known === undefined) specsOf.set(call.layer, checkSpecs(layer, specs));
    else checkShared(layer, known, specs);
    const results = layer.outputShapes(found);
    call.outputs.forEach((value, k) => {
      shapes.set(value, results[k]);
    });
    layerShapes[call.layer] ??= results[0];
  }
  layers.forEach((layer, k) => {
    if (layer instanceof InputLayer) layerShapes[k] ??= layer.shape;
  });
  const weights = weightsOf(layers, specsOf, seed);
  for (const layer of layers) noteInUse(layer);
  return { graph, inputShapes, outputShapes: outputs.map((value) => shapes.get(value)!), layerShapes, weights };
}

function checkSpecs(layer: Layer, specs: readonly WeightSpec[]): readonly WeightSpec[] {
  specs.forEach((spec, index) => {
    checkShape(`${layer.label}: weight "${spec.name}"`, spec.shape);
    if (specs.findIndex(({ name }) => name === spec.name) === index) return;
    throw new DownhillError('argument', `${layer.label}: two weights are named "${spec.name}"`);
  });
  return specs;
}

/** The weights of `layers`, whose specs are given by position; layers that had none before have theirs from now on. */
function weightsOf(
  layers: readonly Layer[],
  specsOf: ReadonlyMap<number, readonly WeightSpec[]>,
  seed: number,
): readonly Weight[] {
  const known = new Map([...specsOf].map(([position, specs]) => [position, knownVariables(layers[position], specs)]));
  const draw = freeStreams(
    [...known.values()].flatMap((variables) => variables ?? []),
    seed,
  );
  const weights = new Map<Variable, Weight & { readonly uses: WeightUse[] }>();
  for (const [position, specs] of specsOf) {
    const { name: layerName } = layers[position];
    const variables =
      known.get(position) ??
      specs.map((spec, k) => new Variable(`${layerName}/${spec.name}`, spec, seed, draw(weights.size + k)));
    specs.forEach((spec, index) => {
      const variable = variables[index];
      const use = { layer: position, index, name: spec.name };
      const weight = weights.get(variable);
      if (weight !== undefined) weight.uses.push(use);
      else weights.set(variable, { path: `${layerName}/${spec.name}`, variable, spec, uses: [use] });
    });
    giveVariables(layers[position], variables);
  }
  return [...weights.values()];
}

/** Streams from here on are for weights whose own number is taken. */
const SPARE_STREAMS = 1 << 20;

/** Numbers the random streams of new weights by their position, unless a weight of `known` was drawn from that one. */
function freeStreams(known: readonly Variable[], seed: number): (position: number) => number {
  const taken = new Set(known.filter((variable) => variable.seed === seed).map(({ stream }) => stream));
  let spare = SPARE_STREAMS;
  return (position) => {
    if (!taken.has(position)) return position;
    while (taken.has(spare)) spare++;
    return spare++;
  };
}

/** @throws DownhillError `shape` when a shared layer would need other weights at its second use. */
function checkShared(layer: Layer, known: readonly WeightSpec[], specs: readonly WeightSpec[]): void {
  specs.forEach((spec, k) => {
    if (sameShape(spec.shape, known[k].shape)) return;
    const found = `${formatShape(known[k].shape)} at its first use, ${formatShape(spec.shape)} at another`;
    throw new DownhillError('shape', `${layer.label} is shared, but its weight "${spec.name}" would be ${found}`);
  });
}

/**
 * `weights` with those marked that the gradient must not change: `trainable` of their layers as it is now. One that
 * is used in several places is trained when one of them says so, as in Keras.
 */
export function markFrozen(weights: readonly Weight[], layers: readonly Layer[]): Weight[] {
  return weights.map((weight) => {
    return { ...weight, frozen: weight.uses.every(({ layer, index }) => layers[layer].frozen(index)) };
  });
}
