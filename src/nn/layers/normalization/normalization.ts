/**
 * Normalization: (x − mean) / √variance, with statistics that are given or taken once from the training set by `adapt`.
 *
 * Invariant: statistics are configuration, not weights: they go into the model's JSON and no training step changes them.
 * Only `adapt` sets them, before a model is built with the layer, as in Keras; building and tracing change nothing.
 * A layer without statistics is refused where it is used (Keras 3, the source, would go on with mean 0 and variance 1).
 */

import type { Tensor } from '../../../core/tensor.ts';
import { add, div, mul, sub } from '../../../ops/elementwise/binary.ts';
import { tensor } from '../../../runtime/tensor.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { DownhillError } from '../../../util/errors.ts';
import { broadcastShapes, formatShape, type Shape, sameShape } from '../../../util/shape.ts';
import { checkKnownOptions, show, trueOrFalse } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { isInUse } from '../../layers-in-use.ts';
import {
  type HostDataset,
  type HostExamples,
  hostExamples,
  keptAxes,
  type NestedNumbers,
  nest,
  statisticsOf,
} from '../../statistics.ts';

export interface NormalizationOptions extends LayerOptions {
  /** Axes with statistics of their own, counted with the batch axis as axis 0; -1 when left out, null for none. */
  readonly axis?: number | readonly number[] | null;
  /** A number, or arrays of the sizes of the axes; give both or neither. */
  readonly mean?: NestedNumbers;
  readonly variance?: NestedNumbers;
  /** True turns normalised values back: x · √variance + mean. */
  readonly invert?: boolean;
}

/** Keras' backend.epsilon(): the least standard deviation. */
const EPSILON = 1e-7;

/** x [B, …] → the same shape; no weights. */
export class Normalization extends Layer {
  override readonly className = 'Normalization';
  private readonly axis: readonly number[];
  private readonly invert: boolean;
  private statistics: { readonly mean: NestedNumbers; readonly variance: NestedNumbers } | undefined;

  /** @throws DownhillError `argument` for a mean without a variance, or statistics that are no finite numbers. */
  constructor(options: NormalizationOptions = {}) {
    checkKnownOptions('normalization', options, ['axis', 'mean', 'variance', 'invert', ...LAYER_OPTIONS]);
    super(options);
    const { axis = -1, mean, variance, invert = false } = options;
    this.axis = axis === null ? [] : typeof axis === 'number' ? [axis] : [...axis];
    if (!this.axis.every(Number.isInteger)) {
      throw new DownhillError('argument', `normalization: axis must be whole numbers or null, found ${show(axis)}`);
    }
    this.invert = trueOrFalse('normalization', 'invert', invert);
    if ((mean === undefined) !== (variance === undefined)) {
      const [given, missing] = mean === undefined ? ['variance', 'mean'] : ['mean', 'variance'];
      throw new DownhillError('argument', `normalization: ${given} is given without ${missing}; give both or neither`);
    }
    if (mean !== undefined && variance !== undefined) this.statistics = checkStatistics(mean, variance, this.axis);
  }

  override get config(): LayerConfig {
    return { axis: this.axis, invert: this.invert, ...this.statistics };
  }

  /**
   * Takes mean and population variance from `data`, examples first: nested arrays, `{ data, shape }` or a data set (its x;
   * bytes count as they do in `fit`: those of images [N, height, width, channels] as value / 255). Call it before a
   * model is built with the layer.
   * @throws DownhillError `state` when a model uses the layer already, `argument`, `data` or `shape` for other data.
   */
  adapt(data: NestedNumbers | HostExamples | HostDataset): this {
    if (isInUse(this)) {
      throw new DownhillError('state', `${this.label}: adapt comes before the layer is used; a model has it already`);
    }
    const owner = `${this.label}: adapt`;
    const examples = hostExamples(owner, data);
    const { mean, variance, shape } = statisticsOf(owner, examples, keptAxes(owner, this.axis, examples.shape));
    this.statistics = { mean: nest(mean, shape), variance: nest(variance, shape) };
    return this;
  }

  override call(x: Tensor): Tensor {
    if (this.statistics === undefined) {
      throw new DownhillError(
        'state',
        `${this.label}: has no statistics; call adapt(data) first, or give the options mean and variance`,
      );
    }
    const shape = this.alignedShape(x.shape);
    const operand = (values: NestedNumbers, f: (value: number) => number): number | Tensor =>
      typeof values === 'number' ? f(values) : tensor(flatten(values).map(f), { shape });
    const mean = operand(this.statistics.mean, (value) => value);
    const deviation = operand(this.statistics.variance, (value) => Math.max(Math.sqrt(value), EPSILON));
    return this.invert ? add(mul(x, deviation), mean) : div(sub(x, mean), deviation);
  }

  /** The shape under which the statistics broadcast to x: its axes are the last kept ones, as in Keras. */
  private alignedShape(shape: Shape): Shape {
    const kept = keptAxes(this.label, this.axis, shape);
    const found = shapeOf(this.statistics?.mean ?? 0);
    const aligned = shape.map(() => 1);
    found.forEach((size, k) => {
      aligned[kept[kept.length - found.length + k]] = size;
    });
    if (!sameShape(broadcastShapes(this.label, aligned, shape), shape)) {
      const wanted = formatShape(kept.map((axis) => shape[axis]));
      throw new DownhillError(
        'shape',
        `${this.label}: statistics of shape ${formatShape(found)} for axes of sizes ${wanted}`,
      );
    }
    return aligned;
  }
}

/** Mean 0 and variance 1 by fixed statistics: `normalization().adapt(train)`. */
export const normalization = (options: NormalizationOptions = {}, ...surplus: Surplus): Normalization =>
  sole('normalization', surplus, new Normalization(options));

/** For the conformance tests. */
export const normalizationCases: readonly LayerCase[] = [
  {
    title: 'normalization',
    make: () => normalization({ mean: [0.5, -1], variance: [4, 0.25] }),
    inputShape: [3, 2],
    outputShape: [3, 2],
    parameters: 0,
  },
  {
    title: 'normalization, adapted, inverse, of one number',
    make: () => normalization({ axis: null, invert: true }).adapt([[1, 2, 4]]),
    inputShape: [3],
    outputShape: [3],
    parameters: 0,
  },
  {
    title: 'normalization of pixels',
    make: () => normalization({ axis: [1, 2], mean: [[0], [1], [2]], variance: [[1], [2], [3]] }),
    inputShape: [3, 2, 2],
    outputShape: [3, 2, 2],
    parameters: 0,
  },
];

function flatten(values: NestedNumbers): number[] {
  return typeof values === 'number' ? [values] : values.flatMap(flatten);
}

function shapeOf(values: NestedNumbers): number[] {
  return typeof values === 'number' ? [] : [values.length, ...shapeOf(values[0])];
}

function checkStatistics(mean: NestedNumbers, variance: NestedNumbers, axis: readonly number[]) {
  for (const [option, values] of Object.entries({ mean, variance })) {
    const isList = Array.isArray(values) && values.length > 0;
    const flat = isList || typeof values === 'number' ? flatten(values as NestedNumbers) : [Number.NaN];
    if (!flat.every((value) => Number.isFinite(value) && (option === 'mean' || value >= 0))) {
      const kind = option === 'mean' ? 'finite numbers' : 'finite numbers of at least 0';
      throw new DownhillError('argument', `normalization: ${option} must be ${kind}, found ${show(values)}`);
    }
  }
  const [of, other] = [shapeOf(mean), shapeOf(variance)];
  if (!sameShape(of, other)) {
    throw new DownhillError(
      'argument',
      `normalization: mean has shape ${formatShape(of)} and variance ${formatShape(other)}; they must be equal`,
    );
  }
  if (of.length > axis.length) {
    throw new DownhillError(
      'argument',
      `normalization: statistics of shape ${formatShape(of)} have more axes than axis ${formatShape(axis)} names`,
    );
  }
  return { mean, variance };
}
