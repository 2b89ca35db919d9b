/**
 * Add, Subtract, Multiply, Average, Maximum, Minimum: several inputs in one, element by element.
 *
 * Shapes broadcast as in Keras 3 (base_merge.py): examples of fewer axes get axes of size 1 in front, then sizes must
 * be equal or 1. The batch axis never takes part.
 */

import type { Tensor } from '../../../core/tensor.ts';
import * as binary from '../../../ops/elementwise/binary.ts';
import { reshape } from '../../../ops/layout/shape.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { DownhillError } from '../../../util/errors.ts';
import { formatShape, type Shape } from '../../../util/shape.ts';
import { checkKnownOptions } from '../../check-options.ts';
import { LAYER_OPTIONS, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { MergeLayer } from '../../merge-layer.ts';

/** xs [B, …], of shapes that broadcast → their common shape; no weights. */
abstract class ElementwiseMerge extends MergeLayer {
  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(owner: string, options: LayerOptions) {
    checkKnownOptions(owner, options, LAYER_OPTIONS);
    super(options);
  }

  override get config(): LayerConfig {
    return {};
  }

  /** @throws DownhillError `shape` naming the first input that does not fit those before it. */
  override merge(inputs: readonly Tensor[]): Tensor {
    const rank = Math.max(...inputs.map((x) => x.rank));
    const aligned = inputs.map((x) => {
      const [batch, ...example] = x.shape;
      return reshape(x, [batch, ...new Array<number>(rank - x.rank).fill(1), ...example]);
    });
    this.checkShapes(inputs.map(({ shape }) => shape.slice(1)));
    return this.combine(aligned);
  }

  /** One tensor of several whose shapes broadcast. */
  protected abstract combine(inputs: readonly Tensor[]): Tensor;

  private checkShapes(shapes: readonly Shape[]): void {
    shapes.forEach((later, k) => {
      shapes.slice(0, k).forEach((earlier, j) => {
        const common = Math.min(earlier.length, later.length);
        for (let axis = 1; axis <= common; axis++) {
          const [a, b] = [earlier[earlier.length - axis], later[later.length - axis]];
          if (a === b || a === 1 || b === 1) continue;
          const [first, second] = [`input ${j + 1} ${formatShape(earlier)}`, `input ${k + 1} ${formatShape(later)}`];
          const reason = `they have ${a} and ${b} on an axis where sizes must be equal or 1`;
          throw new DownhillError('shape', `${this.label}: ${first} and ${second} do not fit: ${reason}`);
        }
      });
    });
  }
}

function combine(op: (a: Tensor, b: Tensor) => Tensor, inputs: readonly Tensor[]): Tensor {
  return inputs.reduce((a, b) => op(a, b));
}

/** The sum of its inputs. */
export class Add extends ElementwiseMerge {
  override readonly className = 'Add';

  constructor(options: LayerOptions = {}) {
    super('add', options);
  }

  protected override combine(inputs: readonly Tensor[]): Tensor {
    return combine(binary.add, inputs);
  }
}

/** The first of two inputs less the second. */
export class Subtract extends ElementwiseMerge {
  override readonly className = 'Subtract';

  constructor(options: LayerOptions = {}) {
    super('subtract', options);
  }

  /** @throws DownhillError `argument` for more than two inputs, `shape` when they do not fit. */
  override merge(inputs: readonly Tensor[]): Tensor {
    if (inputs.length === 2) return super.merge(inputs);
    throw new DownhillError('argument', `${this.label}: takes two inputs, found ${inputs.length}`);
  }

  protected override combine([a, b]: readonly Tensor[]): Tensor {
    return binary.sub(a, b);
  }
}

/** The product of its inputs. */
export class Multiply extends ElementwiseMerge {
  override readonly className = 'Multiply';

  constructor(options: LayerOptions = {}) {
    super('multiply', options);
  }

  protected override combine(inputs: readonly Tensor[]): Tensor {
    return combine(binary.mul, inputs);
  }
}

/** The mean of its inputs. */
export class Average extends ElementwiseMerge {
  override readonly className = 'Average';

  constructor(options: LayerOptions = {}) {
    super('average', options);
  }

  protected override combine(inputs: readonly Tensor[]): Tensor {
    return binary.div(combine(binary.add, inputs), inputs.length);
  }
}

/** The largest of its inputs, element by element. */
export class Maximum extends ElementwiseMerge {
  override readonly className = 'Maximum';

  constructor(options: LayerOptions = {}) {
    super('maximum', options);
  }

  protected override combine(inputs: readonly Tensor[]): Tensor {
    return combine(binary.maximum, inputs);
  }
}

/** The smallest of its inputs, element by element. */
export class Minimum extends ElementwiseMerge {
  override readonly className = 'Minimum';

  constructor(options: LayerOptions = {}) {
    super('minimum', options);
  }

  protected override combine(inputs: readonly Tensor[]): Tensor {
    return combine(binary.minimum, inputs);
  }
}

/** The sum of symbols: `add()([x, shortcut])`. */
export const add = (options: LayerOptions = {}, ...surplus: Surplus): Add => sole('add', surplus, new Add(options));

/** A difference: `subtract()([a, b])`. */
export const subtract = (options: LayerOptions = {}, ...surplus: Surplus): Subtract =>
  sole('subtract', surplus, new Subtract(options));

/** A product: `multiply()([x, gate])`. */
export const multiply = (options: LayerOptions = {}, ...surplus: Surplus): Multiply =>
  sole('multiply', surplus, new Multiply(options));

/** A mean: `average()([a, b, c])`. */
export const average = (options: LayerOptions = {}, ...surplus: Surplus): Average =>
  sole('average', surplus, new Average(options));

/** The larger, element by element: `maximum()([a, b])`. */
export const maximum = (options: LayerOptions = {}, ...surplus: Surplus): Maximum =>
  sole('maximum', surplus, new Maximum(options));

/** The smaller, element by element: `minimum()([a, b])`. */
export const minimum = (options: LayerOptions = {}, ...surplus: Surplus): Minimum =>
  sole('minimum', surplus, new Minimum(options));

const MATRIX: Shape = [2, 3];
const MAPS: Shape = [2, 2, 3];

/** For the conformance tests. */
export const elementwiseMergeCases: readonly LayerCase[] = [
  mergeCase('add', add, [MATRIX, MATRIX, MATRIX], MATRIX),
  mergeCase('add of other shapes', add, [[3], [2, 1, 3]], [2, 1, 3]),
  mergeCase('subtract', subtract, [MATRIX, [2, 1]], MATRIX),
  mergeCase('multiply', multiply, [MAPS, [1, 1, 3]], MAPS),
  mergeCase('average', average, [[4], [4], [4]], [4]),
  mergeCase('maximum', maximum, [MATRIX, MATRIX], MATRIX),
  mergeCase('minimum', minimum, [MATRIX, [3]], MATRIX),
];

function mergeCase(
  title: string,
  make: () => MergeLayer,
  inputShapes: readonly Shape[],
  outputShape: Shape,
): LayerCase {
  return { title, make, inputShapes, outputShape, parameters: 0 };
}
