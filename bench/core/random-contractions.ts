/**
 * Products and convolutions of random sizes, forward and backward, as networks have them: what the tuner is judged on.
 */

import { type IsolatedContraction, isolateContractions } from '../../src/compile/isolate.ts';
import type { Target } from '../../src/compile/target.ts';
import { Tensor } from '../../src/core/tensor.ts';
import { conv2d } from '../../src/ops/convolution/conv.ts';
import { relu } from '../../src/ops/elementwise/activations.ts';
import { add, mul } from '../../src/ops/elementwise/binary.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { sum } from '../../src/ops/reduction/reduce.ts';
import { gradients } from '../../src/transform/grad.ts';
import type { Prng } from '../../src/util/prng.ts';
import type { Shape } from '../../src/util/shape.ts';

/**
 * Operations of a contraction that is drawn: enough to be timed, and done in some milliseconds on a software adapter.
 */
const LEAST_FLOPS = 2e6;
const MOST_FLOPS = 3e8;

/** One contraction of a layer of random sizes: its product, the gradient of its input, or that of its weights. */
export function drawContraction(random: Prng, limits: Target): IsolatedContraction {
  for (;;) {
    const all = isolateContractions(random.chance(0.5) ? drawDense(random) : drawConv(random), limits);
    const fitting = all.filter(({ flops }) => flops >= LEAST_FLOPS && flops <= MOST_FLOPS);
    if (fitting.length > 0) return fitting[random.int(fitting.length)];
  }
}

function drawDense(random: Prng) {
  const size = () => spread(random, 8, 800);
  const [m, k, n] = [size(), size(), size()];
  const [transposeA, transposeB] = [random.chance(0.3), random.chance(0.3)];
  const product = (x: Tensor, w: Tensor) => matmul(x, w, { transposeA, transposeB });
  return layer(product, transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]);
}

function drawConv(random: Prng) {
  const window = [1, 3, 5][random.int(3)];
  const side = spread(random, window + 1, 33);
  const [cin, cout] = [spread(random, 1, 65), spread(random, 3, 65)];
  const options = {
    strides: random.chance(0.25) ? 2 : 1,
    padding: random.chance(0.5) ? ('same' as const) : ('valid' as const),
  };
  const product = (x: Tensor, w: Tensor) => conv2d(x, w, options);
  return layer(product, [spread(random, 4, 65), side, side, cin], [window, window, cin, cout]);
}

/** A whole number in [low, high), small ones as likely as large ones by their logarithm. */
function spread(random: Prng, low: number, high: number): number {
  return Math.floor(Math.exp(random.between(Math.log(low), Math.log(high))));
}

/** relu(product + bias) with its gradients by input, weights and bias. */
function layer(product: (x: Tensor, w: Tensor) => Tensor, xShape: Shape, wShape: Shape) {
  const input = (name: string, shape: Shape) => Tensor.placeholder(name, { shape, dtype: 'f32' });
  const [x, w] = [input('x', xShape), input('w', wShape)];
  const plain = product(x, w);
  const bias = input('bias', plain.shape.slice(-1));
  const y = relu(add(plain, bias));
  const dy = input('dy', y.shape);
  const slopes = gradients(sum(mul(y, dy)), [x, w, bias]);
  return {
    name: 'layer',
    inputs: [x, w, bias, dy].map((tensor, k) => ({ name: `in${k}`, kind: 'bound' as const, tensor })),
    outputs: [y, ...slopes].map((tensor, k) => ({ name: `out${k}`, tensor })),
  };
}
