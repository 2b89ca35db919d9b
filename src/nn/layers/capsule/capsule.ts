/**
 * Capsule: capsules that are fed by all capsules of the layer below, by agreement. Each capsule i below predicts each
 * capsule j above, û = u_i W_ij; how much of i goes to j, a softmax over j, is found in a few rounds: what agrees with
 * the sum that it went into is sent there more.
 *
 * Invariant: the rounds are part of the graph, and the gradient goes through them.
 * Source: Sabour, Frosst, Hinton, "Dynamic routing between capsules", NeurIPS 2017, equations 2 and 3, procedure 1.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { add, mul } from '../../../ops/elementwise/binary.ts';
import { reshape } from '../../../ops/layout/shape.ts';
import { transpose } from '../../../ops/layout/transpose.ts';
import { matmul } from '../../../ops/matmul/matmul.ts';
import { sum } from '../../../ops/reduction/reduce.ts';
import { softmax } from '../../../ops/reduction/softmax.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { DownhillError } from '../../../util/errors.ts';
import { formatShape, type Shape } from '../../../util/shape.ts';
import { checkKnownOptions, wholeNumber } from '../../check-options.ts';
import {
  describeInitializer,
  type Initializer,
  type InitializerLike,
  initializers,
  resolveInitializer,
} from '../../initializers.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions, type WeightSpec } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { squash } from '../../squash.ts';
import {
  describeRules,
  resolveRules,
  type WeightRuleOptions,
  type WeightRules,
  weightRuleNames,
} from '../../weight-rules.ts';

export interface CapsuleOptions extends LayerOptions, WeightRuleOptions<'kernel'> {
  /** Count of capsules. */
  readonly capsules: number;
  /** Values of a capsule. */
  readonly dimension: number;
  /** Rounds of routing; 3 when left out. With 1, everything goes everywhere alike. */
  readonly routings?: number;
  /** A truncated normal distribution of standard deviation 0.1 when left out, as in the authors' program. */
  readonly kernelInitializer?: InitializerLike;
}

/** u [B, I, D] → [B, capsules, dimension], each shorter than 1; weight: kernel [I, D, capsules, dimension]. */
export class Capsule extends Layer {
  override readonly className = 'Capsule';
  private readonly capsules: number;
  private readonly dimension: number;
  private readonly routings: number;
  private readonly kernelInitializer: Initializer;
  private readonly kernelRules: WeightRules;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: CapsuleOptions) {
    const known = ['capsules', 'dimension', 'routings', 'kernelInitializer', ...weightRuleNames('kernel')];
    checkKnownOptions('capsule', options, [...LAYER_OPTIONS, ...known]);
    super(options);
    this.capsules = wholeNumber('capsule', 'capsules', options.capsules);
    this.dimension = wholeNumber('capsule', 'dimension', options.dimension);
    this.routings = wholeNumber('capsule', 'routings', options.routings ?? 3);
    const initializer = options.kernelInitializer ?? initializers.truncatedNormal({ stddev: 0.1 });
    this.kernelInitializer = resolveInitializer('capsule', initializer);
    this.kernelRules = resolveRules('capsule', 'kernel', options);
  }

  override get config(): LayerConfig {
    const { capsules, dimension, routings, kernelInitializer, kernelRules } = this;
    const initializer = describeInitializer(kernelInitializer);
    return { capsules, dimension, routings, kernelInitializer: initializer, ...describeRules('kernel', kernelRules) };
  }

  /** @throws DownhillError `shape` unless examples are lists of capsules. */
  override build(inputShape: Shape): readonly WeightSpec[] {
    if (inputShape.length !== 2) {
      const found = `found ${formatShape(inputShape)}; put primaryCapsules or a reshape in front`;
      throw new DownhillError('shape', `${this.label}: takes capsules [count, dimension], ${found}`);
    }
    const shape = [...inputShape, this.capsules, this.dimension];
    return [{ name: 'kernel', shape, initializer: this.kernelInitializer, trainable: true, ...this.kernelRules }];
  }

  override call(u: Tensor, [kernel]: readonly Tensor[]): Tensor {
    const [B, I, D] = u.shape;
    const { capsules: J, dimension: E } = this;
    // One product for each capsule below: [I, B, D] @ [I, D, J·E].
    const products = matmul(transpose(u, [1, 0, 2]), reshape(kernel, [I, D, J * E]));
    const predictions = reshape(products, [I, B, J, E]);
    let output = squash(mul(sum(predictions, { axes: 0 }), 1 / J));
    let logits: Tensor | undefined;
    for (let round = 1; round < this.routings; round++) {
      const agreement = sum(mul(predictions, reshape(output, [1, B, J, E])), { axes: -1 });
      logits = logits === undefined ? agreement : add(logits, agreement);
      const shares = reshape(softmax(logits, { axis: -1 }), [I, B, J, 1]);
      output = squash(sum(mul(predictions, shares), { axes: 0 }));
    }
    return output;
  }
}

/** Capsules that are routed to by agreement: `capsule({ capsules: 10, dimension: 16 })`. */
export const capsule = (options: CapsuleOptions, ...surplus: Surplus): Capsule =>
  sole('capsule', surplus, new Capsule(options));

/** For the conformance tests. */
export const capsuleCases: readonly LayerCase[] = [
  {
    title: 'capsules',
    make: () => capsule({ capsules: 3, dimension: 4 }),
    inputShape: [5, 2],
    outputShape: [3, 4],
    parameters: 120,
  },
  {
    title: 'capsules without routing, with a penalty',
    make: () =>
      capsule({ capsules: 2, dimension: 3, routings: 1, kernelInitializer: 'glorotUniform', kernelRegularizer: 'l2' }),
    inputShape: [4, 3],
    outputShape: [2, 3],
    parameters: 72,
  },
];
