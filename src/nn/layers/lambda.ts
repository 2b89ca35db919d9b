/**
 * Lambda: a function of the user as a layer without weights. It is traced like any layer: written in ops, it has a gradient
 * and runs on every backend. JSON can hold it only by name: `registerFunction('halve', (x) => mul(x, 0.5))`, then
 * `lambda({ function: 'halve' })`, on the side that saves as on the one that loads.
 */

import type { Tensor } from '../../core/tensor.ts';
import { mul } from '../../ops/binary.ts';
import { DownhillError, unknownName } from '../../util/errors.ts';
import { checkKnownOptions, show } from '../check-options.ts';
import { checkName, LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../layer.ts';
import type { LayerCase } from '../layer-case.ts';

const registered = new Map<string, (x: Tensor) => Tensor>();

/** Gives a function the name under which JSON holds a Lambda layer of it. @throws DownhillError `argument`. */
export function registerFunction(name: string, transform: (x: Tensor) => Tensor): void {
  if (typeof transform !== 'function') {
    throw new DownhillError('argument', `registerFunction: "${name}" must be a function, found ${show(transform)}`);
  }
  registered.set(checkName('registerFunction', name), transform);
}

function nameOf(transform: (x: Tensor) => Tensor): string | undefined {
  return [...registered].find(([, known]) => known === transform)?.[0];
}

export interface LambdaOptions extends LayerOptions {
  /** Gives a batch [B, …] for a batch [B, …]; or the name of a registered function. */
  readonly function: ((x: Tensor) => Tensor) | string;
}

/** x [B, …] → function(x); no weights. */
export class Lambda extends Layer {
  override readonly className = 'Lambda';
  private readonly transform: (x: Tensor) => Tensor;
  private readonly function: string | undefined;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: LambdaOptions) {
    checkKnownOptions('lambda', options, [...LAYER_OPTIONS, 'function']);
    super(options);
    const { function: given } = options;
    const named = typeof given === 'string' ? registered.get(given) : given;
    if (typeof given === 'string' && named === undefined) {
      throw unknownName('function of lambda:', given, [...registered.keys()]);
    }
    if (typeof named !== 'function') {
      const rule = 'a function of a tensor, or the name of one that registerFunction knows';
      throw new DownhillError('argument', `lambda: function must be ${rule}, found ${show(given)}`);
    }
    this.transform = named;
    this.function = typeof given === 'string' ? given : nameOf(named);
  }

  override get config(): LayerConfig {
    return { function: this.functionName() };
  }

  override call(x: Tensor): Tensor {
    return this.transform(x);
  }

  /** @throws DownhillError `argument` for a function without a name in the registry. */
  private functionName(): string {
    if (this.function !== undefined) return this.function;
    throw new DownhillError(
      'argument',
      `${this.label}: its function has no name that JSON could hold; give it one with registerFunction('name', function)`,
    );
  }
}

/** A function as a layer: `lambda({ function: (x) => mul(x, 0.5) })`. */
export const lambda = (options: LambdaOptions): Lambda => new Lambda(options);

const halve = (x: Tensor) => mul(x, 0.5);

/** For the conformance tests. */
export const lambdaCases: readonly LayerCase[] = [
  {
    title: 'lambda',
    make: () => {
      registerFunction('halve', halve);
      return lambda({ function: 'halve' });
    },
    inputShape: [3, 4],
    outputShape: [3, 4],
    parameters: 0,
  },
];
