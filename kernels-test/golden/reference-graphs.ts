/**
 * The plans that are kept as text: whole training steps as the engine makes them, and small graphs that show one way of
 * fusing, chunking, placing or updating each. Pure compiling, at WebGPU's default limits, for a software adapter.
 */

import type { Backend } from '../../src/backend/backend.ts';
import { createNullBackend } from '../../src/backend/null.ts';
import { compileGraph } from '../../src/compile/index.ts';
import type { Plan } from '../../src/compile/plan.ts';
import { cpuArray, isFloat } from '../../src/core/dtype.ts';
import type { CpuTensor } from '../../src/core/op.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { arrayDataset } from '../../src/data/dataset.ts';
import { digits } from '../../src/data/sets/digits.ts';
import { conv2d } from '../../src/ops/convolution/conv.ts';
import { relu } from '../../src/ops/elementwise/activations.ts';
import { add, div, mul, sub } from '../../src/ops/elementwise/binary.ts';
import { sqrt, square } from '../../src/ops/elementwise/unary.ts';
import { pack } from '../../src/ops/layout/concat.ts';
import { gather } from '../../src/ops/layout/gather.ts';
import { reshape } from '../../src/ops/layout/shape.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { maxPool2d } from '../../src/ops/pooling/pool.ts';
import { softmaxCrossEntropy } from '../../src/ops/reduction/cross-entropy.ts';
import { max, mean, sum } from '../../src/ops/reduction/reduce.ts';
import { variance } from '../../src/ops/reduction/reduce-composite.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { Sequential } from '../../src/train/model/sequential.ts';
import { gradients } from '../../src/transform/grad.ts';
import { Prng } from '../../src/util/prng.ts';
import { sizeOf } from '../../src/util/shape.ts';
import { lenet5, mlp } from '../../src/zoo/index.ts';
import { input, type Roots, SOFTWARE_TARGET, specOf } from '../support/graphs.ts';
import { runPlan } from '../support/run-plan.ts';

/** A graph of the list, compiled when asked for. */
export interface ReferenceGraph {
  readonly name: string;
  /** False leaves the kernels out: they are those of another golden. */
  readonly kernels?: boolean;
  plan(): Plan | Promise<Plan>;
  /** Runs the graph on `backend`, as it plans for it, over values that the graph can take. */
  run(backend: Backend): Promise<void>;
}

const graph = (name: string, roots: () => Roots): ReferenceGraph => ({
  name,
  plan: () => compileGraph(specOf(name, roots()), SOFTWARE_TARGET, { fusion: true, reuse: true }),
  async run(backend) {
    const spec = specOf(name, roots());
    const values = spec.inputs.map(({ tensor }, k) => [tensor, drawValue(tensor, k)] as const);
    await runPlan(backend, compileGraph(spec, backend.target, { fusion: true, reuse: true }), spec, new Map(values));
  },
});

/** Normal numbers; of whole ones those below 5, which every index of these graphs may be. */
function drawValue({ shape, dtype }: Tensor, seed: number): CpuTensor {
  const random = new Prng(seed, 0x90d);
  const data = cpuArray(dtype, sizeOf(shape), 'f64').map(() => (isFloat(dtype) ? random.bell() : random.int(5)));
  return { shape, dtype, data };
}

const training = (name: string, model: () => Sequential, optimizer: 'adam' | 'sgd', examples: number, which = 0) => ({
  name,
  plan: () => trainingStep(model(), optimizer, examples, which),
  async run(backend: Backend) {
    const fitted = model();
    setBackend(backend);
    try {
      fitted.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
      await fitted.fit(digits({ train: 32, test: 10 }).train, { batchSize: 32, verbose: 0 });
    } finally {
      fitted.dispose();
      setBackend(undefined);
    }
  },
});

export const referenceGraphs: readonly ReferenceGraph[] = [
  training('lenet5-adam-b64', lenet5, 'adam', 128),
  { ...training('lenet5-adam-b64-last-32', lenet5, 'adam', 96, 1), kernels: false },
  training('mlp-sgd-b64', mlp, 'sgd', 128),
  graph('softmax-cross-entropy', softmaxLoss),
  graph('dense', dense),
  graph('convolution', convolution),
  graph('batched-matmul', batchedMatmul),
  graph('folds', folds),
  graph('places', places),
  graph('updates', updates),
  graph('second-derivative', secondDerivative),
];

/** The plan of one step of `fit`, as the backend gets it: batches of 64, 28 × 28 images as bytes. */
async function trainingStep(model: Sequential, optimizer: 'adam' | 'sgd', examples: number, which = 0): Promise<Plan> {
  const plans: Plan[] = [];
  const backend = recording(createNullBackend(SOFTWARE_TARGET), plans);
  const images = { x: new Uint8Array(examples * 784), xShape: [28, 28, 1], y: new Int32Array(examples) };
  const classNames = Array.from({ length: 10 }, (_, k) => String(k));
  setBackend(backend);
  try {
    model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
    await model.fit(arrayDataset({ name: 'zeros', ...images, classNames }), { batchSize: 64, verbose: 0 });
  } finally {
    model.dispose();
    setBackend(undefined);
  }
  return plans.filter(({ name }) => name.startsWith('train'))[which];
}

/** `backend`, keeping the plans that it loads. */
function recording(backend: Backend, plans: Plan[]): Backend {
  const load: Backend['load'] = (plan, ...rest) => {
    plans.push(plan);
    return backend.load(plan, ...rest);
  };
  return new Proxy(backend, {
    get(target, property) {
      if (property === 'load') return load;
      const value = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Loss and gradient in one kernel: a softmax row is folded, used and differentiated where it is. */
function softmaxLoss(): Roots {
  const logits = input('logits', [64, 10]);
  const loss = mean(softmaxCrossEntropy(logits, input('labels', [64], 'i32')));
  return { outputs: [loss, ...gradients(loss, [logits])] };
}

/** Bias and activation in the epilogue; the bias's gradient beside the weight's. */
function dense(): Roots {
  const [x, w, b] = [input('x', [64, 120]), input('w', [120, 84]), input('b', [84])];
  const y = relu(add(matmul(x, w), b));
  return { outputs: [y, ...gradients(sum(mul(y, input('dy', [64, 84]))), [x, w, b])] };
}

/** Implicit im2col; pooling keeps its own kernel; the weight's gradient in chunks. */
function convolution(): Roots {
  const [x, k, b] = [input('x', [16, 14, 14, 6]), input('k', [5, 5, 6, 16]), input('b', [16])];
  const y = maxPool2d(relu(add(conv2d(x, k), b)), { poolSize: 2 });
  return { outputs: [y, ...gradients(sum(mul(y, input('dy', y.shape))), [x, k, b])] };
}

/** Batch axes that broadcast, and a transposed operand. */
function batchedMatmul(): Roots {
  const [q, k] = [input('q', [2, 4, 10, 8]), input('k', [2, 1, 12, 8])];
  return { outputs: [matmul(q, k, { transposeB: true })] };
}

/** Few long folds in chunks, folds of rows in sequence, folds of columns. */
function folds(): Roots {
  const x = input('x', [300, 70]);
  const centred = sub(x, mean(x, { axes: 1, keepDims: true }));
  const scaled = div(centred, sqrt(add(mean(square(centred), { axes: 1, keepDims: true }), 1e-5)));
  return { outputs: [sum(x), max(x), scaled, variance(x, { axes: 0 })] };
}

/** Values written side by side, read as views. */
function places(): Roots {
  const [a, b] = [input('a', [20, 3]), input('b', [30])];
  const packed = pack([mul(a, 2), sub(b, 1), gather(a, input('rows', [5], 'u32'))]);
  return { outputs: [packed, sum(square(reshape(packed, [3, 35])), { axes: 0 })] };
}

/** Adam over a flat buffer in place, a swap that needs a copy, a rate from the scalar block. */
function updates(): Roots {
  const [p, g, m, v] = ['p', 'g', 'm', 'v'].map((name) => input(name, [1000]));
  const [a, b] = [input('a', [8]), input('b', [8])];
  const rate = input('rate', []);
  const ema = (old: Tensor, value: Tensor, decay: number) => add(old, mul(sub(value, old), 1 - decay));
  const [m2, v2] = [ema(m, g, 0.9), ema(v, square(g), 0.999)];
  const step = div(mul(m2, rate), add(sqrt(v2), 1e-7));
  return {
    updates: [
      [p, sub(p, step)],
      [m, m2],
      [v, v2],
      [a, b],
      [b, a],
    ],
    scalars: [rate],
  };
}

/** A gradient of a gradient: what vjp rules give when they are themselves differentiated. */
function secondDerivative(): Roots {
  const [x, w] = [input('x', [8, 6]), input('w', [6, 4])];
  const loss = sum(square(relu(matmul(x, w))));
  const [slope] = gradients(loss, [w]);
  return { outputs: gradients(sum(square(slope)), [w, x]) };
}
