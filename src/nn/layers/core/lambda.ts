/**
 * Lambda: a function of the user as a layer without weights. It is traced like any layer: written in ops, it has a
 * gradient and runs on every backend. JSON holds it by name: that of `registerFunction('halve', (x) => mul(x, 0.5))`,
 * with which `lambda({ function: 'halve' })` makes it, too, or its own, which `customObjects` must have when the model
 * is loaded.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { mul } from '../../../ops/elementwise/binary.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { DownhillError, unknownName } from '../../../util/errors.ts';
import { checkKnownOptions, show } from '../../check-options.ts';
import { type CustomJson, customObject, isCustomJson, missingObject } from '../../custom-objects.ts';
import { checkName, LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

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
  readonly function: ((x: Tensor) => Tensor) | string | CustomJson;
}

/** x [B, …] → function(x); no weights. */
export class Lambda extends Layer {
  override readonly className = 'Lambda';
  private readonly transform: (x: Tensor) => Tensor;
  private readonly function: string | undefined;
  /** Under which JSON named it. */
  private readonly ownName: string | undefined;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: LambdaOptions) {
    checkKnownOptions('lambda', options, [...LAYER_OPTIONS, 'function']);
    super(options);
    const { function: given } = options;
    if (isCustomJson(given) && customObject(given.custom) === undefined) {
      throw missingObject(`lambda${options.name === undefined ? '' : ` "${options.name}"`}`, 'function', given.custom);
    }
    const named =
      typeof given === 'string' ? registered.get(given) : isCustomJson(given) ? customObject(given.custom) : given;
    if (typeof given === 'string' && named === undefined) {
      throw unknownName('function of lambda:', given, [...registered.keys()]);
    }
    if (typeof named !== 'function') {
      const rule = 'a function of a tensor, or the name of one that registerFunction knows';
      throw new DownhillError('argument', `lambda: function must be ${rule}, found ${show(given)}`);
    }
    this.transform = named as (x: Tensor) => Tensor;
    this.function = typeof given === 'string' ? given : nameOf(this.transform);
    if (isCustomJson(given)) this.ownName = given.custom;
  }

  override get config(): LayerConfig {
    return { function: this.function ?? { custom: this.functionName() } };
  }

  override call(x: Tensor): Tensor {
    return this.transform(x);
  }

  /** One that was written down as the option itself is called `function`, as all such are. */
  private functionName(): string {
    const own = this.ownName ?? this.transform.name;
    return own === '' || own === 'function' ? (this.name ?? 'lambda') : own;
  }
}

/** A function as a layer: `lambda({ function: (x) => mul(x, 0.5) })`. */
export const lambda = (options: LambdaOptions, ...surplus: Surplus): Lambda =>
  sole('lambda', surplus, new Lambda(options));

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
