/**
 * Sampling: the step of a variational autoencoder from the mean and the logarithm of the variance of a normal
 * distribution to a draw from it, z = mean + exp(logVariance / 2) · ε, through which the gradient reaches both.
 *
 * Invariant: ε is a function of (seed, step, layer), the same bits on CPU and GPU; outside of training z is the mean.
 * The distance from the standard normal distribution is added to the loss in both.
 * Source: Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014, sections 2.4 and 3, appendix B.
 */

import { Tensor } from '../../core/tensor.ts';
import { add, div, mul, sub } from '../../ops/elementwise/binary.ts';
import { exp, square } from '../../ops/elementwise/unary.ts';
import { randomNormal } from '../../ops/random/random.ts';
import { sum } from '../../ops/reduction/reduce.ts';
import { type Surplus, sole } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape, sameShape } from '../../util/shape.ts';
import { checkKnownOptions, numberBetween } from '../check-options.ts';
import {
  type CallContext,
  LAYER_OPTIONS,
  Layer,
  type LayerConfig,
  type LayerOptions,
  type WeightSpec,
} from '../layer.ts';
import type { LayerCase } from '../layer-case.ts';

export interface SamplingOptions extends LayerOptions {
  /**
   * What the Kullback–Leibler divergence from the standard normal distribution, in nats, summed over the values of an
   * example and averaged over the batch, is multiplied by before it is added to the loss; 1 when left out, 0 for none.
   */
  readonly klWeight?: number;
}

/**
 * mean [B, …], logVariance [B, …] → a draw [B, …]; no weights. A third input [B, …], if there is one, is the noise ε,
 * in training and outside of it: for draws that the caller chooses.
 */
export class Sampling extends Layer {
  override readonly className = 'Sampling';
  private readonly klWeight: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: SamplingOptions = {}) {
    checkKnownOptions('sampling', options, [...LAYER_OPTIONS, 'klWeight']);
    super(options);
    this.klWeight = numberBetween('sampling', 'klWeight', options.klWeight ?? 1, 0);
  }

  override get config(): LayerConfig {
    return { klWeight: this.klWeight };
  }

  override buildAll(inputShapes: readonly Shape[]): readonly WeightSpec[] {
    this.checkInputs(inputShapes);
    return [];
  }

  override callAll(inputs: readonly Tensor[], _weights: readonly Tensor[], context: CallContext): readonly Tensor[] {
    this.checkInputs(inputs.map(({ shape }) => shape.slice(1)));
    const [mean, logVariance, given] = inputs;
    if (this.klWeight > 0) context.addLoss(mul(klDivergence(mean, logVariance), this.klWeight));
    const { training, key, stream } = context;
    const drawn = training && key !== undefined ? randomNormal(key, { shape: mean.shape, stream }) : undefined;
    const noise = given ?? drawn;
    return [noise === undefined ? mean : add(mean, mul(exp(mul(logVariance, 0.5)), noise))];
  }

  override call(x: Tensor): Tensor {
    this.checkInputs(x instanceof Tensor ? [x.shape.slice(1)] : []);
    return x;
  }

  /** @throws DownhillError `argument` unless there are two or three inputs, `shape` unless their shapes are equal. */
  private checkInputs(shapes: readonly Shape[]): void {
    if (shapes.length !== 2 && shapes.length !== 3) {
      const takes = 'takes [mean, logVariance] or [mean, logVariance, noise]';
      throw new DownhillError('argument', `${this.label}: ${takes}, found ${shapes.length} inputs`);
    }
    if (shapes.every((shape) => sameShape(shape, shapes[0]))) return;
    const found = shapes.map(formatShape).join(', ');
    throw new DownhillError('shape', `${this.label}: mean, logVariance and noise must have one shape, found ${found}`);
  }
}

/**
 * ½ Σ (mean² + e^logVariance − logVariance − 1) over an example, averaged over the batch, f32 []: the divergence of a
 * diagonal normal distribution from the standard one.
 */
function klDivergence(mean: Tensor, logVariance: Tensor): Tensor {
  const term = sub(sub(add(square(mean), exp(logVariance)), logVariance), 1);
  return div(sum(term), 2 * mean.shape[0]);
}

/** A draw from a normal distribution: `sampling({ klWeight: 1 / 784 })([mean, logVariance])`. */
export const sampling = (options: SamplingOptions = {}, ...surplus: Surplus): Sampling =>
  sole('sampling', surplus, new Sampling(options));

/** For the conformance tests. */
export const samplingCases: readonly LayerCase[] = [
  {
    title: 'sampling',
    make: () => sampling({ klWeight: 0.1 }),
    inputShapes: [[3], [3]],
    outputShape: [3],
    parameters: 0,
  },
  {
    title: 'sampling with given noise',
    make: () => sampling({ klWeight: 0 }),
    inputShapes: [
      [2, 2],
      [2, 2],
      [2, 2],
    ],
    outputShape: [2, 2],
    parameters: 0,
  },
];
