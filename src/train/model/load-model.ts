/**
 * Models from their JSON and from the two files that `save` gives: Sequential and functional ones, nested ones
 * included.
 */

import { checkKnownOptions } from '../../nn/check-options.ts';
import { type CustomObjects, withCustomObjects } from '../../nn/custom-objects.ts';
import type { Layer } from '../../nn/layer.ts';
import { recordCall, type SymbolicTensor } from '../../nn/layer.ts';
import { InputLayer } from '../../nn/layers/core/input.ts';
import { makeLayer } from '../../nn/layers/index.ts';
import { refuseSurplus, type Surplus } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { Functional } from './functional.ts';
import type { Model } from './model.ts';
import {
  type CompiledJson,
  checkModelJson,
  compileOptions,
  type GraphJson,
  isRecord,
  type ModelJson,
  naming,
} from './model-json.ts';
import type { SavedModel } from './model-options.ts';
import { SharedLayers } from './shared-layers.ts';
import { Stack } from './stack.ts';

export interface LoadOptions {
  /**
   * Losses, metrics, layer classes, activations and functions of lambda layers of the user, by the names under which
   * the file has them. A loss that is missing leaves the model without `compile`, a metric is left out, each with a
   * warning.
   */
  readonly customObjects?: CustomObjects;
}

/**
 * The model that `toJSON` described (text or parsed), with fresh weights, compiled if it was.
 * @param file what errors call the JSON.
 * @throws DownhillError `file` for text that is not a model, `argument` for unknown layers, optimizers, losses and
 *   options; each names `file`.
 */
export function modelFromJSON(
  json: unknown,
  file = 'model JSON',
  options: LoadOptions = {},
  ...surplus: Surplus
): Model {
  refuseSurplus('modelFromJSON', surplus);
  checkKnownOptions('modelFromJSON', options, ['customObjects']);
  return withCustomObjects(options.customObjects, () => readWhole(json, file));
}

function readWhole(json: unknown, file: string): Model {
  const data = checkModelJson(json, file);
  const shared = SharedLayers.read(data.shared, file);
  const model = readModel(data, file, shared, '');
  shared.assertAllFound();
  return model;
}

/** @param prefix the path of the model within the outermost one, with a stroke behind it. */
function readModel(data: ModelJson, file: string, shared: SharedLayers, prefix: string): Model {
  const { name, seed, inputShape, compiled } = data;
  const layers = data.layers.map(({ className, config }) => {
    const path = `${prefix}${config.name}`;
    const make = () => shared.layer(path, className, () => layerOf(className, config, file, shared, `${path}/`));
    return naming(file, make);
  });
  const model =
    data.className === 'Functional'
      ? functional(data, layers, file)
      : new Stack(layers, { name, seed, ...(inputShape !== null && { inputShape }) });
  if (compiled !== null) naming(file, () => compileAs(model, compiled, file));
  return model;
}

function compileAs(model: Model, compiled: CompiledJson, file: string): void {
  const { options, missing } = compileOptions(compiled);
  if (missing.length > 0) {
    const done =
      options === undefined
        ? 'the model is not compiled, and the state of its optimizer is not read'
        : 'they are left out';
    const example = '{ customObjects: { name: function } }';
    console.warn(`downhill: ${file}: ${missing.join(', ')} is not part of the file: ${done}; load it with ${example}`);
  }
  if (options !== undefined) model.compile(options);
}

/**
 * The model that `save` gave. @param names what errors call the two files.
 * @throws DownhillError `file` for corrupt files or weights that do not fit the model.
 */
export function loadModelFiles(
  { json, weights }: SavedModel,
  names: { readonly json: string; readonly weights: string } = { json: 'model JSON', weights: 'weights' },
  options: LoadOptions = {},
): Model {
  const model = modelFromJSON(json, names.json, options);
  model.loadWeights(weights, names.weights);
  return model;
}

function layerOf(
  className: unknown,
  config: Readonly<Record<string, unknown>>,
  file: string,
  shared: SharedLayers,
  prefix: string,
): Layer {
  if (className !== 'Sequential' && className !== 'Functional') return makeLayer(className, config);
  const { name, trainable, model } = config;
  if (!isRecord(model)) throw new DownhillError('file', `${file}: a nested ${className} has no "model"`);
  const layer = readModel(checkModelJson(model, file), file, shared, prefix).asLayer();
  layer.name = String(name);
  if (trainable === false) layer.trainable = false;
  return layer;
}

function functional({ name, seed, graph }: ModelJson, layers: readonly Layer[], file: string): Functional {
  const { inputs, calls, outputs } = graph as GraphJson;
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const layerNamed = (wanted: string): Layer => {
    const layer = byName.get(wanted);
    if (layer !== undefined) return layer;
    throw new DownhillError('file', `${file}: "graph" names a layer "${wanted}" that is not among the layers`);
  };
  const symbols = new Map<number, SymbolicTensor>();
  const symbol = (value: number): SymbolicTensor => {
    const found = symbols.get(value);
    if (found !== undefined) return found;
    throw new DownhillError('file', `${file}: "graph" reads value ${value} before any layer gives it`);
  };
  for (const { layer: wanted, value } of inputs) {
    const layer = layerNamed(wanted);
    if (!(layer instanceof InputLayer)) {
      throw new DownhillError('file', `${file}: input "${wanted}" is a ${layer.className}; expected an InputLayer`);
    }
    symbols.set(value, recordCall(layer, [], [layer.shape]).outputs[0]);
  }
  for (const call of calls) {
    const given = naming(file, () => layerNamed(call.layer).symbols(call.inputs.map(symbol)));
    call.outputs.forEach((value, k) => {
      symbols.set(value, given[k]);
    });
  }
  const sources = inputs.map(({ value }) => symbol(value));
  return naming(file, () => new Functional({ inputs: sources, outputs: outputs.map(symbol), name, seed }));
}
