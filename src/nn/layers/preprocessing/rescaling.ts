/**
 * Rescaling: x · scale + offset, in training and at inference. It is arithmetic of the kernel that reads x, so it costs
 * nothing where something follows. Source: Keras 3, Rescaling.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { add, mul } from '../../../ops/elementwise/binary.ts';
import { tensor } from '../../../runtime/tensor.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { DownhillError } from '../../../util/errors.ts';
import { formatShape } from '../../../util/shape.ts';
import { checkKnownOptions, show } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

export interface RescalingOptions extends LayerOptions {
  /** Factor: a number, or one for each element of the last axis. */
  readonly scale: number | readonly number[];
  /** Added after it: a number, or one for each element of the last axis; 0 when left out. */
  readonly offset?: number | readonly number[];
}

/** x [B, …, C] → the same shape; no weights. */
export class Rescaling extends Layer {
  override readonly className = 'Rescaling';
  private readonly options: { readonly scale: number | number[]; readonly offset: number | number[] };

  /** @throws DownhillError `argument` for a scale or offset that is not a finite number or list of them. */
  constructor(options: RescalingOptions) {
    checkKnownOptions('rescaling', options, ['scale', 'offset', ...LAYER_OPTIONS]);
    super(options);
    this.options = { scale: factor('scale', options.scale), offset: factor('offset', options.offset ?? 0) };
  }

  override get config(): LayerConfig {
    return this.options;
  }

  override call(x: Tensor): Tensor {
    const { scale, offset } = this.options;
    const scaled = mul(x, this.operand(x, 'scale', scale));
    return offset === 0 ? scaled : add(scaled, this.operand(x, 'offset', offset));
  }

  private operand(x: Tensor, option: string, value: number | readonly number[]): number | Tensor {
    if (typeof value === 'number') return value;
    if (value.length !== x.shape.at(-1) || x.rank < 2) {
      throw new DownhillError(
        'shape',
        `${this.label}: ${option} has ${value.length} values; the last axis of examples ${formatShape(x.shape.slice(1))} must have as many`,
      );
    }
    return tensor(value);
  }
}

/** x · scale + offset: `rescaling({ scale: 1 / 127.5, offset: -1 })`. */
export const rescaling = (options: RescalingOptions, ...surplus: Surplus): Rescaling =>
  sole('rescaling', surplus, new Rescaling(options));

/** For the conformance tests. */
export const rescalingCases: readonly LayerCase[] = [
  {
    title: 'rescaling',
    make: () => rescaling({ scale: 0.5, offset: -1 }),
    inputShape: [2, 3, 2],
    outputShape: [2, 3, 2],
    parameters: 0,
  },
  {
    title: 'rescaling of channels',
    make: () => rescaling({ scale: [0.5, 2, -1], offset: [0, 1, -0.5] }),
    inputShape: [2, 2, 3],
    outputShape: [2, 2, 3],
    parameters: 0,
  },
];

function factor(option: string, value: unknown): number | number[] {
  const isNumber = (entry: unknown): entry is number => typeof entry === 'number' && Number.isFinite(entry);
  if (isNumber(value)) return value;
  if (Array.isArray(value) && value.length > 0 && value.every(isNumber)) return [...value];
  throw new DownhillError(
    'argument',
    `rescaling: ${option} must be a finite number or a list of them, found ${show(value)}`,
  );
}
