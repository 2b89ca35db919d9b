/**
 * Layer: a named piece of a model that turns one tensor into another with the weights it is given.
 *
 * Invariants: a layer holds only its configuration (plain data), never weight values or device memory; the model owns
 * those. `new LayerClass(layer.config)` is the same layer again, so a model is its JSON and its weights. Shapes here
 * are those of one example: the batch axis comes first in `call` and is left out everywhere else.
 * A layer that a user writes extends this class and has the same rights; `registerLayer` lets JSON name it.
 */

import { withScope } from '../core/scope.ts';
import { describe, Tensor } from '../core/tensor.ts';
import { DownhillError, unknownName } from '../util/errors.ts';
import type { Shape } from '../util/shape.ts';
import { show } from './check-options.ts';
import type { Initializer } from './initializers.ts';

/** A weight that a layer asks for. */
export interface WeightSpec {
  /** Name within the layer: `kernel`, `bias`. */
  readonly name: string;
  readonly shape: Shape;
  readonly initializer: Initializer;
  /** False for values that the gradient must not change (moving averages). */
  readonly trainable: boolean;
}

/** What a layer may ask while it is traced. */
export interface CallContext {
  /** True in a training step; dropout and its like act only then. */
  readonly training: boolean;
  /** u32[2] key of this step's random numbers, [seed, step]; undefined at inference. */
  readonly key: Tensor | undefined;
  /** Number of this layer's random stream, different for each layer of a model. */
  readonly stream: number;
  /** After this training step, the non-trainable weight `name` holds `value`. */
  assign(name: string, value: Tensor): void;
}

/** Plain JSON data that makes the layer again. */
export type LayerConfig = Readonly<Record<string, unknown>>;

/** Options that every layer takes. */
export interface LayerOptions {
  /** Name in the summary, in weight names and in errors; numbered by the model when left out (`dense`, `dense_1`). */
  readonly name?: string;
}

/** Any size that is not 1, so that a layer that broadcasts over the batch by mistake is noticed. */
const TRACED_BATCH = 2;

export abstract class Layer {
  /** The class as JSON and the summary name it, e.g. `Dense`. */
  abstract readonly className: string;
  /** Set by the user or, when the layer joins a model, by the model. */
  name: string | undefined;

  constructor(options: LayerOptions = {}) {
    this.name = options.name === undefined ? undefined : checkName('layer', options.name);
  }

  /** The options that make this layer again, without the name. */
  abstract get config(): LayerConfig;

  /** The weights for examples of `inputShape`, in the order in which `call` receives them. */
  build(_inputShape: Shape): readonly WeightSpec[] {
    return [];
  }

  /**
   * Shape of one output example. Found by tracing `call`, so there is no second shape rule to keep in step.
   * @throws DownhillError `shape` when `inputShape` does not fit.
   */
  outputShape(inputShape: Shape): Shape {
    const placeholder = (name: string, shape: Shape) => Tensor.placeholder(name, { shape, dtype: 'f32' });
    const weights = this.build(inputShape).map(({ name, shape }) => placeholder(name, shape));
    const context: CallContext = { training: false, key: undefined, stream: 0, assign: () => {} };
    return this.apply(placeholder('x', [TRACED_BATCH, ...inputShape]), weights, context).shape.slice(1);
  }

  /**
   * `call`, held to its promise; errors inside name this layer.
   * @throws DownhillError `argument`, `dtype` or `shape` unless the result is a batch of as many f32 examples as `x`.
   */
  apply(x: Tensor, weights: readonly Tensor[], context: CallContext): Tensor {
    const values: unknown = withScope(this.label, () => this.call(x, weights, context));
    if (!(values instanceof Tensor)) {
      throw new DownhillError('argument', `${this.label}: call must return a tensor, it returned ${show(values)}`);
    }
    if (values.dtype !== 'f32') {
      throw new DownhillError('dtype', `${this.label}: call must return f32, it returned ${describe(values)}`);
    }
    if (values.rank === 0 || values.shape[0] !== x.shape[0]) {
      const found = `it returned ${describe(values)} for a batch of ${x.shape[0]}`;
      throw new DownhillError('shape', `${this.label}: call must keep the batch axis first; ${found}`);
    }
    return values;
  }

  /** The layer's output for a batch `x` of shape [B, ...inputShape]; traced once for each program. */
  abstract call(x: Tensor, weights: readonly Tensor[], context: CallContext): Tensor;

  /** What errors call this layer: `dense "fc1"`. */
  get label(): string {
    return this.name === undefined ? this.className : `${snakeCase(this.className)} "${this.name}"`;
  }
}

/** A class whose instances are made from their config. */
export interface LayerClass {
  // biome-ignore lint/suspicious/noExplicitAny: each class has its own options
  new (options: any): Layer;
}

/** `name` when it can stand in the names of weights and files. @throws DownhillError `argument`. */
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
      ? (registered.get(className) ?? (Object.hasOwn(builtIn, className) ? builtIn[className] : undefined))
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
