/**
 * Functional: a model of layers that were called on symbols, with any number of inputs and outputs, shared layers and
 * branches, as Keras' functional API makes it:
 *
 *   const x = input({ shape: [32, 32, 3] });
 *   const net = model({ inputs: x, outputs: layers.dense({ units: 10 })(layers.flatten()(x)) });
 */

import { checkKnownOptions, show } from '../../nn/check-options.ts';
import type { Layer } from '../../nn/layer.ts';
import { SymbolicTensor } from '../../nn/layer.ts';
import { refuseSurplus, type Surplus } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import type { Shape } from '../../util/shape.ts';
import type { DataNames } from '../data/labelled-data.ts';
import { nameLayer } from './build-layers.ts';
import { type LayerGraph, symbolGraph } from './layer-graph.ts';
import { Model } from './model.ts';
import { layerJson, type ModelJson } from './model-json.ts';

export interface FunctionalOptions {
  /** What `input` gave, one or several. */
  readonly inputs: SymbolicTensor | readonly SymbolicTensor[];
  /** What the last layers gave, one or several. */
  readonly outputs: SymbolicTensor | readonly SymbolicTensor[];
  /** `functional` when left out. */
  readonly name?: string;
  /** Seeds the initial weights; a whole number below 2³², 0 when left out. */
  readonly seed?: number;
}

export class Functional extends Model {
  override readonly className = 'Functional';
  override readonly layers: readonly Layer[];
  private readonly structureOfLayers: LayerGraph;
  private readonly names: DataNames;
  private readonly shapes: readonly Shape[];

  /**
   * @throws DownhillError `argument` for what is not a symbol, inputs that are missing or lead nowhere, names that come
   *   twice; `shape` for shapes that do not fit.
   */
  constructor(options: FunctionalOptions) {
    checkKnownOptions('model', options, ['inputs', 'outputs', 'name', 'seed']);
    super('model', options, 'functional');
    const inputs = symbolsOf('inputs', options.inputs);
    const outputs = symbolsOf('outputs', options.outputs);
    const { graph, inputLayers } = symbolGraph(this.name, inputs, outputs);
    this.structureOfLayers = graph;
    this.layers = graph.layers;
    this.shapes = inputs.map(({ shape }) => shape);
    // Names that were given come first, so that numbered ones make way for them.
    const named = this.layers.filter(({ name }) => name !== undefined);
    named.forEach((layer, k) => {
      nameLayer(this.name, layer, named.slice(0, k));
    });
    this.layers.forEach((layer) => {
      if (layer.name === undefined) nameLayer(this.name, layer, this.layers);
    });
    this.names = { inputs: inputLayers.map(({ name }) => name!), outputs: outputNames(outputs) };
    this.build();
  }

  protected override graph(): LayerGraph {
    return this.structureOfLayers;
  }

  protected override knownShapes(): readonly Shape[] {
    return this.shapes;
  }

  protected override fixedShapes(): readonly Shape[] {
    return this.shapes;
  }

  protected override dataNames(): DataNames {
    return this.names;
  }

  protected override structureJson(): Pick<ModelJson, 'layers' | 'inputShape' | 'graph'> {
    const { calls, inputs, outputs } = this.structureOfLayers;
    const named = calls.map((call) => ({ ...call, layer: this.layers[call.layer].name! }));
    const sources = inputs.map((value, k) => ({ layer: this.names.inputs[k], value }));
    return { inputShape: null, layers: this.layers.map(layerJson), graph: { inputs: sources, calls: named, outputs } };
  }
}

function symbolsOf(option: string, given: unknown): SymbolicTensor[] {
  const list: unknown[] = Array.isArray(given) ? given : [given];
  const wrong = list.find((entry) => !(entry instanceof SymbolicTensor));
  if (list.length > 0 && wrong === undefined) return list as SymbolicTensor[];
  const hint = 'start with input({ shape: […] }) and call layers on what it gives';
  throw new DownhillError('argument', `model: ${option} must be symbols, found ${show(wrong ?? given)}; ${hint}`);
}

/** Names of the layers that give the outputs, numbered where one gives several. */
function outputNames(outputs: readonly SymbolicTensor[]): string[] {
  const names: string[] = [];
  for (const { call } of outputs) {
    const base = call.layer.name!;
    let name = base;
    for (let k = 1; names.includes(name); k++) name = `${base}_${k}`;
    names.push(name);
  }
  return names;
}

/** A model from its inputs to its outputs: `model({ inputs: x, outputs: y })`. */
export function model(options: FunctionalOptions, ...surplus: Surplus): Functional {
  refuseSurplus('model', surplus);
  return new Functional(options);
}
