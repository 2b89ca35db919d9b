/**
 * Layer: a named piece of a model that turns one tensor into another with the weights it is given. SymbolicTensor: what
 * it gives when it is called on symbols instead, which is how functional models are written.
 *
 * Invariants: a layer holds only its configuration (plain data), never weight values or device memory; those are in
 * train/weights/variable.ts, once for each layer. `new LayerClass(layer.config)` is the same layer again, so a model is
 * its JSON and its weights. Shapes here are those of one example: the batch axis comes first in `call` and is left out
 * elsewhere. A layer that a user writes extends this class and has the same rights; `registerLayer` lets JSON name it.
 */

import { withScope } from '../core/scope.ts';
import { describe, Tensor } from '../core/tensor.ts';
import { Callable } from '../util/callable.ts';
import { DownhillError, unknownName } from '../util/errors.ts';
import { formatShape, type Shape } from '../util/shape.ts';
import { show, trueOrFalse } from './check-options.ts';
import type { Constraint } from './constraints.ts';
import { customObject } from './custom-objects.ts';
import type { Initializer } from './initializers.ts';
import type { Regularizer } from './regularizers.ts';

/** A weight that a layer asks for. */
export interface WeightSpec {
  /** Name within the layer: `kernel`, `bias`. */
  readonly name: string;
  readonly shape: Shape;
  readonly initializer: Initializer;
  /** False for values that the gradient must not change (moving averages). */
  readonly trainable: boolean;
  /** Its penalty is added to the loss while the weight is trained. */
  readonly regularizer?: Regularizer;
  /** The weight is projected by it after each update. */
  readonly constraint?: Constraint;
}

/** What a layer may ask while it is traced. */
export interface CallContext {
  /** True in a training step; dropout and its like act only then. */
  readonly training: boolean;
  /** The layers that were frozen when the model was compiled; as they are now where it is left out. */
  readonly frozen?: ReadonlySet<Layer>;
  /** u32[2] key of this step's random numbers, [seed, step]; undefined at inference. */
  readonly key: Tensor | undefined;
  /** Number of this call's first random stream; streams `stream` … `stream + layer.streams - 1` are its own. */
  readonly stream: number;
  /** After this training step, the non-trainable weight `name` holds `value`. */
  assign(name: string, value: Tensor): void;
  /** Adds `value`, f32 [], to the loss: what activity regularisers do. */
  addLoss(value: Tensor): void;
}

/** Plain JSON data that makes the layer again. */
export type LayerConfig = Readonly<Record<string, unknown>>;

/** Options that every layer takes. */
export interface LayerOptions {
  /** Name in the summary, in weight names and in errors; numbered by the model when left out (`dense`, `dense_1`). */
  readonly name?: string;
  /** False keeps the layer's weights as they are in training; true when left out. Takes effect at `compile`. */
  readonly trainable?: boolean;
}

/** The names of LayerOptions, for checks of known options. */
export const LAYER_OPTIONS: readonly string[] = ['name', 'trainable'];

/** Any size that is not 1, so that a layer that broadcasts over the batch by mistake is noticed. */
const TRACED_BATCH = 2;

/** Random streams that one call of a layer may use. */
const STREAMS = 16;

export abstract class Layer extends Callable<[SymbolicTensor | readonly SymbolicTensor[]], SymbolicTensor> {
  /** The class as JSON and the summary name it, e.g. `Dense`. */
  abstract readonly className: string;
  /** Set by the user or, when the layer joins a model, by the model. */
  override name: string | undefined;
  private isTrainable: boolean;

  constructor(options: LayerOptions = {}) {
    super();
    this.name = options.name === undefined ? undefined : checkName('layer', options.name);
    this.isTrainable = trueOrFalse('layer', 'trainable', options.trainable ?? true);
  }

  /**
   * False keeps the layer's weights as they are in training. A change takes effect at the next `compile`, as in Keras.
   */
  get trainable(): boolean {
    return this.isTrainable;
  }

  set trainable(value: boolean) {
    this.isTrainable = trueOrFalse(this.label, 'trainable', value);
  }

  /** The options that make this layer again, without the name. */
  abstract get config(): LayerConfig;

  /** Count of random streams that one call may use. */
  get streams(): number {
    return STREAMS;
  }

  /**
   * True when training must leave weight `index` alone, because the layer (of a nested model: its own layer) is frozen.
   */
  frozen(_index: number): boolean {
    return !this.trainable;
  }

  /** True when outputs are exactly 0, with slope 0, on a whole range of inputs, whatever the activation does: as ReLU. */
  get rectifies(): boolean {
    return false;
  }

  /** The layers inside: those of a nested model. */
  get innerLayers(): readonly Layer[] {
    return [];
  }

  /** The weights for examples of `inputShape`, in the order in which `call` receives them. */
  build(_inputShape: Shape): readonly WeightSpec[] {
    return [];
  }

  /** The same for a layer of several inputs. @throws DownhillError `argument` when it takes one input only. */
  buildAll(inputShapes: readonly Shape[]): readonly WeightSpec[] {
    return this.build(this.onlyInput(inputShapes));
  }

  /** The layer's output for a batch `x` of shape [B, ...inputShape]; traced once for each program. */
  abstract override call(x: Tensor, weights: readonly Tensor[], context: CallContext): Tensor;

  /** The same for a layer of several inputs or outputs. */
  callAll(inputs: readonly Tensor[], weights: readonly Tensor[], context: CallContext): readonly Tensor[] {
    return [this.call(this.onlyInput(inputs), weights, context)];
  }

  /**
   * Shape of one output example. Found by tracing `call`, so there is no second shape rule to keep in step.
   * @throws DownhillError `shape` when `inputShape` does not fit.
   */
  outputShape(inputShape: Shape): Shape {
    return this.outputShapes([inputShape])[0];
  }

  /** The shape of one example of each output. @throws DownhillError `shape` when the shapes do not fit. */
  outputShapes(inputShapes: readonly Shape[]): Shape[] {
    const placeholder = (name: string, shape: Shape) => Tensor.placeholder(name, { shape, dtype: 'f32' });
    const weights = this.buildAll(inputShapes).map(({ name, shape }) => placeholder(name, shape));
    const nothing = () => {};
    const context: CallContext = { training: false, key: undefined, stream: 0, assign: nothing, addLoss: nothing };
    const inputs = inputShapes.map((shape) => placeholder('x', [TRACED_BATCH, ...shape]));
    return this.apply(inputs, weights, context).map(({ shape }) => shape.slice(1));
  }

  /**
   * `callAll`, held to its promise; errors inside name this layer.
   * @throws DownhillError `argument`, `dtype` or `shape` unless each result is a batch of as many f32 examples as the
   *   inputs.
   */
  override apply(inputs: readonly Tensor[], weights: readonly Tensor[], context: CallContext): readonly Tensor[] {
    const results: readonly unknown[] = withScope(this.label, () => this.callAll(inputs, weights, context));
    return results.map((values) => this.checkResult(values, inputs[0].shape[0]));
  }

  /**
   * Uses the layer on symbols: `const y = dense(x)`; a merging layer takes a list, `add([x, y])`.
   * @throws DownhillError `argument` for what is not a symbol, `shape` naming the layers when shapes do not fit.
   */
  protected override invoke(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor {
    const outputs = this.symbols(inputs);
    if (outputs.length === 1) return outputs[0];
    throw new DownhillError('argument', `${this.label} gives ${outputs.length} outputs; take them from symbols([…])`);
  }

  /** As a call, for layers (nested models) with several outputs. @throws as a call. */
  symbols(inputs: SymbolicTensor | readonly SymbolicTensor[]): readonly SymbolicTensor[] {
    const list: readonly unknown[] = Array.isArray(inputs) ? inputs : [inputs];
    for (const input of list) {
      if (input instanceof SymbolicTensor) continue;
      const hint = 'start with input({ shape: […] }); layers are called on what it gives';
      throw new DownhillError('argument', `${this.label}: called on ${show(input)}, which is not a symbol; ${hint}`);
    }
    const known = list as readonly SymbolicTensor[];
    try {
      return recordCall(this, known, this.outputShapes(known.map(({ shape }) => shape))).outputs;
    } catch (error) {
      if (!(error instanceof DownhillError)) throw error;
      throw new DownhillError(error.code, `${error.message}; called on ${known.join(' and ')}`, { cause: error });
    }
  }

  private checkResult(values: unknown, batch: number): Tensor {
    if (!(values instanceof Tensor)) {
      throw new DownhillError('argument', `${this.label}: call must return a tensor, it returned ${show(values)}`);
    }
    if (values.dtype !== 'f32') {
      throw new DownhillError('dtype', `${this.label}: call must return f32, it returned ${describe(values)}`);
    }
    if (values.rank === 0 || values.shape[0] !== batch) {
      const found = `it returned ${describe(values)} for a batch of ${batch}`;
      throw new DownhillError('shape', `${this.label}: call must keep the batch axis first; ${found}`);
    }
    return values;
  }

  private onlyInput<T>(inputs: readonly T[]): T {
    if (inputs.length === 1) return inputs[0];
    const hint = 'put a merging layer such as layers.concatenate() in front';
    throw new DownhillError('argument', `${this.label}: takes one input, found ${inputs.length}; ${hint}`);
  }

  /** What errors call this layer: `dense "fc1"`. */
  get label(): string {
    return this.name === undefined ? this.className : `${snakeCase(this.className)} "${this.name}"`;
  }
}

/** One use of a layer. A shared layer has several. */
export interface LayerCall {
  readonly id: number;
  readonly layer: Layer;
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
}

/**
 * What a layer gives when it is called on symbols, before there is any data: a shape and the call that it comes from.
 * Functional models are graphs of such calls, as with Keras' KerasTensor. Symbols and calls are immutable; a call's
 * inputs were made before it, so ids are a topological order.
 */
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

/** A class whose instances are made from their config. */
export interface LayerClass {
  // biome-ignore lint/suspicious/noExplicitAny: each class has its own options
  new (options: any): Layer;
}

/** `name` when it can be part of the names of weights and files. @throws DownhillError `argument`. */
export function checkName(owner: string, name: unknown): string {
  if (typeof name === 'string' && /^[\w.-]+$/.test(name)) return name;
  const rule = 'letters, digits, "_", "-" and "."';
  throw new DownhillError('argument', `${owner}: name must be a word of ${rule}, found ${show(name)}`);
}

const registered = new Map<string, LayerClass>();

/** Makes a user's layer known to `Sequential.fromJSON` under its class name (or `className`). */
export function registerLayer(layerClass: LayerClass, className: string = layerClass.name): void {
  registered.set(className, layerClass);
}

/**
 * The layer that JSON describes: a registered class, or one of `builtIn`.
 * @throws DownhillError `argument` for a class name that nobody knows, with the nearest one.
 */
export function layerFromConfig(
  className: unknown,
  config: LayerConfig,
  builtIn: Readonly<Record<string, LayerClass>>,
): Layer {
  const known =
    typeof className === 'string'
      ? ((customObject(className) as LayerClass | undefined) ??
        registered.get(className) ??
        (Object.hasOwn(builtIn, className) ? builtIn[className] : undefined))
      : undefined;
  if (known === undefined) throw unknownName('layer', className, [...Object.keys(builtIn), ...registered.keys()]);
  return new known(config);
}

/** `MaxPooling2D` → `max_pooling2d`, as Keras derives the default names of layers. */
export function snakeCase(className: string): string {
  return className
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
