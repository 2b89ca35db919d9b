/**
 * Variable: the one value of a layer's weight, wherever the layer is used. Models refer to variables; a variable
 * knows its value on the host or the place of it in a shared buffer, and how many models hold it.
 *
 * Invariant: a value is in one of three states: on the host (drawn when first asked for), in one range of one buffer,
 * or gone, and then `gone` says why. Layers hold no values themselves: the table below does, for as long as the layer
 * lives.
 */

import type { Backend, BackendBuffer } from '../../backend/backend.ts';
import type { Layer, WeightSpec } from '../../nn/layer.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape, sameShape, sizeOf } from '../../util/shape.ts';

/** f32 values; Float64Array when they come from the f64 reference backend. */
export type WeightArray = Float32Array | Float64Array;

/** Where a value is on a device; `offset` counts elements. */
export interface Place {
  readonly group: SharedGroup;
  readonly offset: number;
}

export class Variable {
  place: Place | undefined;
  /** Counts the writes of the host. */
  version = 0;
  private gone: 'disposed' | 'lost' | undefined;
  private host: WeightArray | undefined;
  private holders = 0;

  /**
   * @param path what the first model that has it calls it. @param seed and @param stream of the draw.
   */
  constructor(
    readonly path: string,
    readonly spec: WeightSpec,
    readonly seed: number,
    readonly stream: number,
  ) {}

  get size(): number {
    return sizeOf(this.spec.shape);
  }

  /** True while a model that uses it has not been disposed. */
  get held(): boolean {
    return this.holders > 0;
  }

  /** True while nobody has used it: another layer shape may still take its place. */
  get idle(): boolean {
    return !this.held && this.host === undefined && this.place === undefined && this.gone === undefined;
  }

  get isGone(): boolean {
    return this.gone !== undefined;
  }

  hold(): void {
    this.holders++;
  }

  /** The last one to let go frees the memory on the device, and the value with it. */
  letGo(): void {
    if (--this.holders > 0 || this.place === undefined) return;
    this.leave();
    this.gone = 'disposed';
  }

  /** The value, which is not on a device. @throws DownhillError `state` or `device-lost` when it is gone. */
  hostValue(): WeightArray {
    this.assertThere();
    if (this.host !== undefined) return this.host;
    const { initializer, shape } = this.spec;
    const drawn = initializer.values(shape, this.seed, this.stream);
    if (drawn.length !== this.size) {
      throw new DownhillError(
        'shape',
        `initializer "${initializer.name}" gave ${drawn.length} values for "${this.path}" ${formatShape(shape)}`,
      );
    }
    this.host = drawn;
    return drawn;
  }

  /**
   * @throws DownhillError `state` after the last model that had it was disposed, `device-lost` after its device was
   * lost.
   */
  assertThere(): void {
    if (this.gone === 'disposed') {
      throw new DownhillError(
        'state',
        `weight "${this.path}" was freed when the last model that used its layer was disposed; ` +
          'make the model that goes on with a layer before that, or set its weights with setWeights or loadWeights',
      );
    }
    if (this.gone === 'lost') {
      throw new DownhillError(
        'device-lost',
        `the value of weight "${this.path}" was lost with its device; ` +
          'load the last checkpoint with loadWeights, or set the weights with setWeights',
      );
    }
  }

  /** Takes `value`, from now on on the host. */
  toHost(value: WeightArray): void {
    this.leave();
    this.host = value;
    this.gone = undefined;
    this.version++;
  }

  /** Its value is from now on in `place`, which has been filled. */
  toPlace(place: Place): void {
    this.leave();
    this.host = undefined;
    this.place = place;
    place.group.enter();
  }

  /** The device with its value is gone. */
  lose(): void {
    this.leave();
    this.host = undefined;
    this.gone = 'lost';
  }

  private leave(): void {
    const { place } = this;
    this.place = undefined;
    place?.group.exit();
  }
}

/** A part of a shared buffer. */
export interface Range {
  readonly variable: Variable;
  readonly offset: number;
}

/** A flat buffer of several variables. It is freed when none is in it and no work that began with it is under way. */
export class SharedGroup {
  /** The models that are being trained on it. */
  readonly trainers: string[] = [];
  private inside = 0;
  private users = 0;

  constructor(
    readonly backend: Backend,
    readonly buffer: BackendBuffer,
    /** What it was made for; some may have left since. */
    readonly ranges: readonly Range[],
  ) {}

  get elements(): number {
    return this.buffer.elements;
  }

  /** The ranges whose variables are in it now. */
  present(): Range[] {
    return this.ranges.filter(({ variable }) => variable.place?.group === this);
  }

  enter(): void {
    this.inside++;
  }

  exit(): void {
    this.inside--;
    this.freeIfUnused();
  }

  /**
   * Keeps the buffer alive, and where it is if `trainer` is being trained on it, until the returned function is
   * called.
   */
  use(trainer?: string): () => void {
    this.users++;
    if (trainer !== undefined) this.trainers.push(trainer);
    return () => {
      this.users--;
      if (trainer !== undefined) this.trainers.splice(this.trainers.indexOf(trainer), 1);
      this.freeIfUnused();
    };
  }

  private freeIfUnused(): void {
    if (this.inside === 0 && this.users === 0) this.buffer.dispose();
  }
}

const ofLayers = new WeakMap<Layer, readonly Variable[]>();

/** The variables of `layer`, in the order of its weights; undefined before a model was built with it. */
export function variablesOf(layer: Layer): readonly Variable[] | undefined {
  return ofLayers.get(layer);
}

/** From now on `variables` are those of `layer`. */
export function giveVariables(layer: Layer, variables: readonly Variable[]): void {
  ofLayers.set(layer, variables);
}

/**
 * The variables that `layer` has already, for `specs`; undefined when it has none that anybody has used.
 * @throws DownhillError `shape` when `specs` ask for others than it has.
 */
export function knownVariables(layer: Layer, specs: readonly WeightSpec[]): readonly Variable[] | undefined {
  const known = variablesOf(layer);
  if (known === undefined) return undefined;
  const fits = specs.length === known.length && specs.every((spec, k) => sameSpec(spec, known[k].spec));
  if (fits) return known;
  if (known.every(({ idle }) => idle)) return undefined;
  const list = (all: readonly { readonly name: string; readonly shape: Shape }[]) =>
    all.map(({ name, shape }) => `${name} ${formatShape(shape)}`).join(', ') || 'none';
  const found = `it has ${list(known.map(({ spec }) => spec))}; here it would need ${list(specs)}`;
  throw new DownhillError(
    'shape',
    `${layer.label} is in another model, and layers share their weights wherever they are used: ${found}`,
  );
}

function sameSpec(a: WeightSpec, b: WeightSpec): boolean {
  // A nested model calls the weights of its layers by longer names.
  return a.trainable === b.trainable && sameShape(a.shape, b.shape);
}
