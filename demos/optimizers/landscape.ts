/**
 * Surfaces as functions of tensors, and a model whose only weights are a place on one of them: its loss is the height
 * above the lowest point, so that training it is going downhill. Used in the worker.
 */

import {
  add,
  cos,
  evaluate,
  initializers,
  Layer,
  type LayerConfig,
  layers,
  mul,
  optimizers,
  registerFunction,
  type Sequential,
  sequential,
  slice,
  square,
  sub,
  type Tensor,
  tensor,
  type WeightSpec,
} from '../../src/index.ts';
import { contourSegments } from './contours.ts';
import { GRID, type Relief } from './protocol.ts';
import { type OptimizerName, type Place, type SurfaceName, surfaceOf } from './surfaces.ts';

/** x and y of any one shape → heights of that shape. */
type Height = (x: Tensor, y: Tensor) => Tensor;

/** (target − x + x · power)², a term of Beale's function. */
const bealeTerm = (target: number, x: Tensor, power: Tensor): Tensor => square(add(sub(target, x), mul(x, power)));
const dimples = (x: Tensor): Tensor => sub(square(x), mul(10, cos(mul(2 * Math.PI, x))));

const HEIGHTS: Readonly<Record<SurfaceName, Height>> = {
  rosenbrock: (x, y) => add(square(sub(1, x)), mul(100, square(sub(y, square(x))))),
  beale: (x, y) =>
    add(bealeTerm(1.5, x, y), add(bealeTerm(2.25, x, square(y)), bealeTerm(2.625, x, mul(square(y), y)))),
  himmelblau: (x, y) => add(square(sub(add(square(x), y), 11)), square(sub(add(x, square(y)), 7))),
  saddle: (x, y) => add(sub(square(x), square(y)), mul(square(square(y)), 1 / 8)),
  ravine: (x, y) => add(mul(square(x), 1 / 20), mul(square(y), 5)),
  rastrigin: (x, y) => add(20, add(dimples(x), dimples(y))),
};

// By name, so that a model can be kept: `lambda({ function: 'saddle' })` takes places [B, 2] to heights [B, 1].
for (const [name, height] of Object.entries(HEIGHTS)) {
  registerFunction(name, (places) => {
    const coordinate = (axis: number) => slice(places, [0, axis], [places.shape[0], 1]);
    return height(coordinate(0), coordinate(1));
  });
}

/** Two weights, a place: what is given [B, 2] is moved by it. */
class Shift extends Layer {
  override readonly className = 'Shift';

  override get config(): LayerConfig {
    return {};
  }

  override build(): readonly WeightSpec[] {
    return [{ name: 'place', shape: [2], initializer: initializers.zeros(), trainable: true }];
  }

  override call(x: Tensor, [place]: readonly Tensor[]): Tensor {
    return add(x, place);
  }
}

const MOMENTUM = 0.9;

export function makeOptimizer(name: OptimizerName, learningRate: number) {
  if (name === 'momentum') return optimizers.sgd({ learningRate, momentum: MOMENTUM });
  if (name === 'nesterov') return optimizers.sgd({ learningRate, momentum: MOMENTUM, nesterov: true });
  return optimizers[name]({ learningRate });
}

/** A model that starts at `start` and goes down `surface`: for the input (0, 0) it gives the height of its position. */
export function makeClimber(surface: SurfaceName, name: OptimizerName, rate: number, start: Place): Sequential {
  const model = sequential([
    layers.input({ shape: [2] }),
    new Shift({ name: 'shift' }),
    layers.lambda({ function: surface }),
  ]);
  // With the lowest height as target, the error is the height above it.
  model.compile({ optimizer: makeOptimizer(name, rate), loss: 'meanAbsoluteError' }).build();
  model.setWeights([{ name: 'shift/place', shape: [2], data: Float64Array.from(start) }]);
  return model;
}

/** Heights over the surface's rectangle, and contours at heights that are evenly spaced in their logarithm. */
export async function relief(name: SurfaceName): Promise<Relief> {
  const surface = surfaceOf(name);
  const at = ([low, high]: readonly [number, number], k: number): number => low + ((high - low) * k) / (GRID - 1);
  const xs = Float32Array.from({ length: GRID * GRID }, (_, k) => at(surface.x, k % GRID));
  const ys = Float32Array.from({ length: GRID * GRID }, (_, k) => at(surface.y, GRID - 1 - Math.floor(k / GRID)));
  const result = HEIGHTS[name](tensor(xs), tensor(ys));
  await evaluate([result]);
  const heights = Float32Array.from(await result.data());
  return { heights, contours: contourSegments(heights, surface) };
}
