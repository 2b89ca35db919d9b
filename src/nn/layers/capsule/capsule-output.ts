/**
 * What is read off the last capsules of a network: their lengths, which are the probabilities of the classes, and, for
 * the reconstruction of the input, the values of one capsule with all others masked.
 * Source: Sabour, Frosst, Hinton, "Dynamic routing between capsules", NeurIPS 2017, sections 3 and 4.1.
 */

import { Tensor } from '../../../core/tensor.ts';
import { mul } from '../../../ops/elementwise/binary.ts';
import { oneHot } from '../../../ops/layout/gather.ts';
import { reshape } from '../../../ops/layout/shape.ts';
import { argMax } from '../../../ops/reduction/arg-reduce.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { DownhillError } from '../../../util/errors.ts';
import { formatShape, type Shape } from '../../../util/shape.ts';
import { checkKnownOptions } from '../../check-options.ts';
import {
  type CallContext,
  LAYER_OPTIONS,
  Layer,
  type LayerConfig,
  type LayerOptions,
  type WeightSpec,
} from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { lengths } from '../../squash.ts';

/** v [B, …, D] → [B, …], the length of each capsule, 1e-7 being added below the root; no weights. */
export class CapsuleLength extends Layer {
  override readonly className = 'CapsuleLength';

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: LayerOptions = {}) {
    checkKnownOptions('capsuleLength', options, LAYER_OPTIONS);
    super(options);
  }

  override get config(): LayerConfig {
    return {};
  }

  /** @throws DownhillError `shape` for examples of a single number. */
  override build(inputShape: Shape): readonly WeightSpec[] {
    if (inputShape.length > 0) return [];
    throw new DownhillError('shape', `${this.label}: takes vectors, found numbers`);
  }

  override call(v: Tensor): Tensor {
    return lengths(v);
  }
}

/**
 * v [B, J, D] → [B, J · D], zero but for the longest capsule; no weights. With a second input, labels [B, J] (one-hot
 * rows), what is left in training is the capsule of the label: outside of training nobody knows it.
 */
export class CapsuleMask extends Layer {
  override readonly className = 'CapsuleMask';

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: LayerOptions = {}) {
    checkKnownOptions('capsuleMask', options, LAYER_OPTIONS);
    super(options);
  }

  override get config(): LayerConfig {
    return {};
  }

  override buildAll(inputShapes: readonly Shape[]): readonly WeightSpec[] {
    this.checkInputs(inputShapes);
    return [];
  }

  override callAll(inputs: readonly Tensor[], _weights: readonly Tensor[], context: CallContext): readonly Tensor[] {
    this.checkInputs(inputs.map(({ shape }) => shape.slice(1)));
    const [v, labels] = inputs;
    const [B, J, D] = v.shape;
    const mask = context.training && labels !== undefined ? labels : oneHot(argMax(lengths(v), { axis: -1 }), J);
    return [reshape(mul(v, reshape(mask, [B, J, 1])), [B, J * D])];
  }

  override call(v: Tensor, weights: readonly Tensor[], context: CallContext): Tensor {
    return this.callAll(v instanceof Tensor ? [v] : [], weights, context)[0];
  }

  /** @throws DownhillError `argument` unless there are one or two inputs, `shape` unless they fit. */
  private checkInputs(shapes: readonly Shape[]): void {
    if (shapes.length !== 1 && shapes.length !== 2) {
      throw new DownhillError(
        'argument',
        `${this.label}: takes capsules or [capsules, labels], found ${shapes.length} inputs`,
      );
    }
    const [capsules, labels] = shapes;
    if (capsules.length !== 2) {
      throw new DownhillError(
        'shape',
        `${this.label}: takes capsules [count, dimension], found ${formatShape(capsules)}`,
      );
    }
    if (labels === undefined || (labels.length === 1 && labels[0] === capsules[0])) return;
    const expected = `labels of ${formatShape(capsules)} capsules are one-hot rows [${capsules[0]}]`;
    throw new DownhillError('shape', `${this.label}: ${expected}, found ${formatShape(labels)}`);
  }
}

/** The lengths of capsules: `capsuleLength()`. */
export const capsuleLength = (options: LayerOptions = {}, ...surplus: Surplus): CapsuleLength =>
  sole('capsuleLength', surplus, new CapsuleLength(options));

/** The values of one capsule: `capsuleMask()([capsules, labels])`. */
export const capsuleMask = (options: LayerOptions = {}, ...surplus: Surplus): CapsuleMask =>
  sole('capsuleMask', surplus, new CapsuleMask(options));

/** For the conformance tests. */
export const capsuleOutputCases: readonly LayerCase[] = [
  { title: 'lengths', make: () => capsuleLength(), inputShape: [4, 3], outputShape: [4], parameters: 0 },
  { title: 'the longest capsule', make: () => capsuleMask(), inputShape: [4, 3], outputShape: [12], parameters: 0 },
];
