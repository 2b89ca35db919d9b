/**
 * Input: says the shape of one example, so that a model can be built before it sees data. It has no weights and
 * computes nothing; the summary leaves it out, as Keras' does.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { DownhillError } from '../../../util/errors.ts';
import { checkShape, type Shape } from '../../../util/shape.ts';
import { checkKnownOptions, show } from '../../check-options.ts';
import {
  LAYER_OPTIONS,
  Layer,
  type LayerConfig,
  type LayerOptions,
  recordCall,
  type SymbolicTensor,
} from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

export interface InputOptions extends LayerOptions {
  /** Shape of one example, without the batch axis: `[28, 28, 1]`. */
  readonly shape: Shape;
}

export class InputLayer extends Layer {
  override readonly className = 'InputLayer';
  readonly shape: Shape;

  /** @throws DownhillError `argument` or `shape` unless `shape` lists whole sizes of at least 1. */
  constructor(options: InputOptions) {
    checkKnownOptions('input', options, [...LAYER_OPTIONS, 'shape']);
    super(options);
    this.shape = checkExampleShape('input', options.shape);
  }

  override get config(): LayerConfig {
    return { shape: [...this.shape] };
  }

  override call(x: Tensor): Tensor {
    return x;
  }
}

/** `shape` as the shape of one example. @throws DownhillError `argument` or `shape`. */
export function checkExampleShape(owner: string, shape: unknown): Shape {
  if (!Array.isArray(shape)) {
    const found = show(shape);
    throw new DownhillError(
      'argument',
      `${owner}: shape must list the sizes of one example, such as [28, 28, 1], found ${found}`,
    );
  }
  checkShape(owner, shape);
  if (shape.some((d) => d < 1)) {
    throw new DownhillError('shape', `${owner}: ${show(shape)} has an empty axis; sizes of an example are at least 1`);
  }
  return [...shape];
}

/** The input of a model: `input({ shape: [28, 28, 1] })`. */
export const input = (options: InputOptions, ...surplus: Surplus): InputLayer =>
  sole('input', surplus, new InputLayer(options));

/**
 * The start of a functional model: `const x = input({ shape: [28, 28, 1] })`; layers are called on it.
 * @throws as `InputLayer`.
 */
export function inputSymbol(options: InputOptions): SymbolicTensor {
  const layer = new InputLayer(options);
  return recordCall(layer, [], [layer.shape]).outputs[0];
}

/** For the conformance tests. */
export const inputCases: readonly LayerCase[] = [
  { title: 'input', make: () => input({ shape: [4, 2] }), inputShape: [4, 2], outputShape: [4, 2], parameters: 0 },
];
