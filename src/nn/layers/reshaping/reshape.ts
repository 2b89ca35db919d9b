/**
 * Reshape: the values of each example under another shape, row-major. It costs nothing.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { reshape as reshapeOp } from '../../../ops/layout/shape.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { DownhillError } from '../../../util/errors.ts';
import { formatShape, type Shape, sizeOf } from '../../../util/shape.ts';
import { checkKnownOptions, show } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

export interface ReshapeOptions extends LayerOptions {
  /** Shape of one output example; one size may be -1 and follows from the others. */
  readonly targetShape: readonly number[];
}

/** x [B, …] → [B, ...targetShape]; no weights. */
export class Reshape extends Layer {
  override readonly className = 'Reshape';
  private readonly targetShape: readonly number[];

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: ReshapeOptions) {
    checkKnownOptions('reshape', options, [...LAYER_OPTIONS, 'targetShape']);
    super(options);
    this.targetShape = checkTarget(options.targetShape);
  }

  override get config(): LayerConfig {
    return { targetShape: [...this.targetShape] };
  }

  override call(x: Tensor): Tensor {
    return reshapeOp(x, [x.shape[0], ...this.resolve(x.shape.slice(1))]);
  }

  /** The target with -1 filled in. @throws DownhillError `shape` when the counts of values differ. */
  private resolve(inputShape: Shape): Shape {
    const size = sizeOf(inputShape);
    const known = this.targetShape.filter((one) => one !== -1).reduce((a, b) => a * b, 1);
    const fits = this.targetShape.includes(-1) ? size % known === 0 : size === known;
    if (fits) return this.targetShape.map((one) => (one === -1 ? size / known : one));
    throw new DownhillError(
      'shape',
      `${this.label}: examples ${formatShape(inputShape)} have ${size} values, which do not fit ${formatShape(this.targetShape)}`,
    );
  }
}

function checkTarget(value: unknown): readonly number[] {
  const sizes: readonly unknown[] | undefined = Array.isArray(value) ? value : undefined;
  const whole = sizes?.every((size) => Number.isSafeInteger(size) && ((size as number) >= 1 || size === -1));
  if (sizes !== undefined && whole && sizes.filter((size) => size === -1).length <= 1) return [...sizes] as number[];
  const rule = 'whole sizes of at least 1, at most one of them -1, such as [7, -1]';
  throw new DownhillError('argument', `reshape: targetShape must list ${rule}, found ${show(value)}`);
}

/** Another shape for each example: `reshape({ targetShape: [7, -1] })`. */
export const reshape = (options: ReshapeOptions, ...surplus: Surplus): Reshape =>
  sole('reshape', surplus, new Reshape(options));

/** For the conformance tests. */
export const reshapeCases: readonly LayerCase[] = [
  {
    title: 'reshape',
    make: () => reshape({ targetShape: [4, 3] }),
    inputShape: [2, 6],
    outputShape: [4, 3],
    parameters: 0,
  },
  {
    title: 'reshape with a size left open',
    make: () => reshape({ targetShape: [-1, 2, 2] }),
    inputShape: [12],
    outputShape: [3, 2, 2],
    parameters: 0,
  },
];
