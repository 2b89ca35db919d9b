/**
 * ModelCore: what a model is, apart from training: its layers, shapes and weights, its JSON and its files.
 *
 * Invariant: layers are fixed once weights exist, and have the same weights in every model that they are part of.
 */

import { checkKnownOptions } from '../../nn/check-options.ts';
import type { SymbolicTensor } from '../../nn/layer.ts';
import { checkName, type Layer } from '../../nn/layer.ts';
import { checkExampleShape } from '../../nn/layers/core/input.ts';
import { Callable } from '../../util/callable.ts';
import { refuseSurplus, type Surplus } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape, sameShape, sizeOf } from '../../util/shape.ts';
import type { CallbackList } from '../callbacks/callback.ts';
import type { DataNames } from '../data/labelled-data.ts';
import { checkSeed } from '../loop/training-options.ts';
import { withGroupOptions } from '../step/parameter-groups.ts';
import { type Variable, variablesOf } from '../weights/variable.ts';
import { encodeWeights, matchWeights, restoreWeights } from '../weights/weight-file.ts';
import type { Weight } from '../weights/weight-layout.ts';
import { WeightStore, type WeightValue } from '../weights/weight-store.ts';
import { type BuiltLayers, buildLayers, markFrozen } from './build-layers.ts';
import type { LayerGraph } from './layer-graph.ts';
import { compiledJson, MODEL_FORMAT, MODEL_VERSION, type ModelJson } from './model-json.ts';
import type { CompileState, SavedModel } from './model-options.ts';
import { NestedModel } from './nested-model.ts';
import { sharedPaths } from './shared-layers.ts';

export interface Built extends BuiltLayers {
  readonly store: WeightStore;
}

export abstract class ModelCore extends Callable<[SymbolicTensor | readonly SymbolicTensor[]], SymbolicTensor> {
  /** `Sequential` or `Functional`, as JSON names it. */
  abstract readonly className: 'Sequential' | 'Functional';
  abstract readonly layers: readonly Layer[];
  override readonly name: string;
  /** The name that the user gave, if any. */
  readonly givenName: string | undefined;
  readonly seed: number;
  protected builtState: Built | undefined;
  protected compileState: CompileState | undefined;
  protected training = false;
  /** Of the running `fit`. */
  protected callbacks: CallbackList | undefined;
  protected disposed = false;
  private nested: NestedModel | undefined;
  /** Weights that the layers had before the model was built. */
  private readonly kept = new Set<Variable>();

  /** @param given the user's options. @throws DownhillError `argument`. */
  constructor(owner: string, given: { readonly name?: string; readonly seed?: number }, fallbackName: string) {
    super();
    this.givenName = given.name === undefined ? undefined : checkName(owner, given.name);
    this.name = this.givenName ?? fallbackName;
    this.seed = checkSeed(owner, given.seed ?? 0);
  }

  /** The layers and how values flow through them. */
  protected abstract graph(): LayerGraph;
  /** Shapes of one example of each input, as far as they are known. */
  protected abstract knownShapes(): readonly Shape[] | undefined;
  /** Names of the inputs and outputs: those of their layers. */
  protected abstract dataNames(): DataNames;
  /** What only this kind of model says in JSON. */
  protected abstract structureJson(): Pick<ModelJson, 'layers' | 'inputShape' | 'graph'>;

  /**
   * Fixes shapes and weights. Called by itself when data comes; twice with one shape is harmless.
   * @param inputShape of one example (of each input, for several); may be left out when the model knows it.
   * @throws DownhillError `shape` naming the layer that does not accept its input, `state` without any shape.
   */
  build(inputShape?: Shape | readonly Shape[]): this {
    this.assertUsable();
    const given = inputShape === undefined ? undefined : shapesOf(inputShape);
    const shapes = given ?? this.knownShapes();
    if (shapes === undefined) {
      throw new DownhillError(
        'state',
        `model "${this.name}" does not know its input shape: pass it to build([…]), or start with layers.input({ ` +
          'shape })',
      );
    }
    const checked = shapes.map((shape) => checkExampleShape(`build of model "${this.name}"`, shape));
    const known = this.builtState?.inputShapes ?? (given && this.fixedShapes());
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(checked)) {
      const list = (of: readonly Shape[]) => of.map(formatShape).join(' and ');
      throw new DownhillError(
        'state',
        `model "${this.name}" is built for examples ${list(known)}; found ${list(checked)}`,
      );
    }
    if (this.builtState !== undefined) return this;
    const graph = this.graph();
    const built = buildLayers(this.name, graph, checked, this.seed);
    const weights = this.withOptions(built, this.compileState);
    const store = new WeightStore(weights, this.name);
    store.compiled = this.compileState !== undefined;
    this.builtState = { ...built, weights, store };
    return this;
  }

  /** Shapes that `build` must not contradict. */
  protected fixedShapes(): readonly Shape[] | undefined {
    return undefined;
  }

  /** Uses the model as a layer: `const features = base(x)`. Both models have the same weights from then on. */
  protected override invoke(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor {
    return this.asLayer()(inputs);
  }

  /** As a call, for models of several outputs. @throws as `Layer.symbols`. */
  symbols(inputs: SymbolicTensor | readonly SymbolicTensor[]): readonly SymbolicTensor[] {
    return this.asLayer().symbols(inputs);
  }

  /** This model as a layer of others; the same object at each call. */
  asLayer(): NestedModel {
    this.nested ??= new NestedModel(this);
    return this.nested;
  }

  /** False freezes every layer, from the next `compile` of a model that has them on, as in Keras. */
  get trainable(): boolean {
    return this.asLayer().trainable;
  }

  set trainable(value: boolean) {
    this.asLayer().trainable = value;
  }

  /** What a model that has this one as a layer needs to know. */
  structure(inputShapes: readonly Shape[]): BuiltLayers {
    if (this.builtState === undefined && this.knownShapes() === undefined) this.build(inputShapes);
    return this.built();
  }

  /** Shape of one example of each input, as far as it is known. */
  get inputShapes(): readonly Shape[] | undefined {
    return this.knownShapes();
  }

  /** Shape of one output example. @throws as `build`. */
  get outputShape(): Shape {
    return this.built().outputShapes[0];
  }

  /** Shape of one example of each output. @throws as `build`. */
  get outputShapes(): readonly Shape[] {
    return this.built().outputShapes;
  }

  /** Count of all weight values. @throws as `build`. */
  countParams(): number {
    return this.built().weights.reduce((sum, { spec }) => sum + sizeOf(spec.shape), 0);
  }

  /** Updates of the weights so far, over all trainings, as the optimizer counts them; files with its state hold it. */
  get iterations(): number {
    return this.builtState?.store.iterations ?? 0;
  }

  /** The values of all weights, in the order of the layers. @throws as `build`. */
  getWeights(...surplus: Surplus): Promise<WeightValue[]> {
    refuseSurplus('getWeights', surplus);
    return this.built().store.read();
  }

  /**
   * Replaces all weights, matched by name; the order does not matter.
   * @throws DownhillError `argument` for a weight that is missing, unknown, of another shape or no numbers, `state`
   *   while the model is being trained; nothing is changed then.
   */
  setWeights(values: readonly WeightValue[], ...surplus: Surplus): void {
    refuseSurplus('setWeights', surplus);
    this.assertNotTraining('setWeights');
    this.writeWeights('setWeights', values);
  }

  /** `setWeights` or `loadWeights` for callbacks. @throws as they do, and `state` while steps are under way. */
  restoreWeights(values: readonly WeightValue[] | Uint8Array, file = 'weights'): void {
    if (!this.callbacks?.betweenSteps) this.assertNotTraining('restoreWeights');
    if (values instanceof Uint8Array) this.writeFile(values, file);
    else this.writeWeights('restoreWeights', values);
  }

  /**
   * Takes over the values of those weights of `other` that have a name and a shape of ours. @returns their names.
   * @throws DownhillError `argument` when there is none, `state` while the model is being trained.
   */
  async copyWeightsFrom(other: ModelCore, ...surplus: Surplus): Promise<string[]> {
    refuseSurplus('copyWeightsFrom', surplus);
    const { store, weights } = this.built();
    const shapes = new Map(weights.map(({ path, spec }) => [path, spec.shape]));
    const values = (await other.getWeights()).filter(({ name, shape }) => {
      const mine = shapes.get(name);
      return mine !== undefined && sameShape(mine, shape);
    });
    this.assertNotTraining('copyWeightsFrom');
    if (values.length === 0) {
      const [mine, theirs] = [this, other].map(({ layers }) => layers.map(({ name }) => name).join(', '));
      throw new DownhillError(
        'argument',
        `copyWeightsFrom: models "${this.name}" (${mine}) and "${other.name}" (${theirs}) have no weight in common`,
      );
    }
    store.write(new Map(values.map(({ name, data }) => [name, data])));
    return values.map(({ name }) => name);
  }

  /** The model without its weights; functions of the user are stored by name. */
  toJSON(): ModelJson {
    const { compileState } = this;
    const shared = sharedPaths(this.layers);
    return {
      format: MODEL_FORMAT,
      version: MODEL_VERSION,
      className: this.className,
      name: this.name,
      seed: this.seed,
      ...this.structureJson(),
      ...(shared.length > 0 && { shared }),
      compiled: compileState === undefined ? null : compiledJson(compileState),
    };
  }

  /** The model as two files. @param options.optimizer true to include the optimizer's state. */
  async save(options: { readonly optimizer?: boolean } = {}, ...surplus: Surplus): Promise<SavedModel> {
    refuseSurplus('save', surplus);
    checkKnownOptions('save', options, ['optimizer']);
    const { store } = this.built();
    const json = `${JSON.stringify(this.toJSON(), null, 2)}\n`;
    const state = options.optimizer ? { slots: await store.readSlots(), iterations: store.iterations } : undefined;
    return { json, weights: encodeWeights(await store.read(), state) };
  }

  /**
   * Replaces the weights, and the optimizer's state where the file has it, by those of a safetensors file.
   * @throws DownhillError `file` for a corrupt file or weights that do not fit, `state` while the model is being
   *   trained; nothing is changed then.
   */
  loadWeights(bytes: Uint8Array, file = 'weights'): void {
    this.assertNotTraining('loadWeights');
    this.writeFile(bytes, file);
  }

  private writeWeights(method: string, values: readonly WeightValue[]): void {
    const { store, weights } = this.built();
    const expected = weights.map(({ path, spec }) => ({ name: path, shape: spec.shape }));
    store.write(matchWeights(`${method} of model "${this.name}"`, expected, values, 'argument'));
  }

  private writeFile(bytes: Uint8Array, file: string): void {
    const { store, weights } = this.built();
    restoreWeights(store, weights, this.compileState?.optimizer, bytes, file);
  }

  protected built(dataShape?: Shape): Built {
    this.assertUsable();
    if (this.builtState === undefined) this.build(this.knownShapes() ?? (dataShape && [dataShape]));
    return this.builtState!;
  }

  /** Keeps the weights that `layer` has already, until this model is disposed. */
  protected keep(layer: Layer): void {
    for (const one of [layer, ...innerLayersOf(layer)]) {
      for (const variable of variablesOf(one) ?? []) {
        if (this.kept.has(variable)) continue;
        this.kept.add(variable);
        variable.hold();
      }
    }
  }

  protected letGo(): void {
    this.builtState?.store.dispose();
    for (const variable of this.kept) variable.letGo();
    this.kept.clear();
  }

  /** The weights with their parameter-group options. */
  protected withOptions({ weights, graph }: BuiltLayers, state: CompileState | undefined): Weight[] {
    if (state === undefined) return markFrozen(weights, graph.layers);
    return withGroupOptions(weights, graph.layers, state.optimizer, state.multipliers);
  }

  protected assertNotTraining(method: string): void {
    if (!this.training) return;
    throw new DownhillError('state', `${method}: model "${this.name}" is being trained already; await that call first`);
  }

  protected assertUsable(): void {
    if (this.disposed) throw new DownhillError('state', `model "${this.name}" was used after dispose()`);
  }
}

/** The layers inside of `layer`, and inside of those. */
export function innerLayersOf(layer: Layer): Layer[] {
  return layer.innerLayers.flatMap((inner) => [inner, ...innerLayersOf(inner)]);
}

/** One shape, or one for each input. */
function shapesOf(given: Shape | readonly Shape[]): readonly Shape[] {
  return given.length > 0 && given.every((entry) => Array.isArray(entry))
    ? (given as readonly Shape[])
    : [given as Shape];
}
