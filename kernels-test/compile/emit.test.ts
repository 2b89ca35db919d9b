/**
 * emit: every shader file stands by itself; texts depend on the structure of a
 * graph and not on its sizes; plans that do not fit a device are refused by name; folded grids reach every element.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import type { WebGPUBackend } from '../../src/backend/webgpu/backend.ts';
import { createDawnNullBackend, createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { compileGraph } from '../../src/compile/index.ts';
import { gridOf } from '../../src/compile/lower/emit.ts';
import { DEFAULT_TARGET, type Target } from '../../src/compile/target.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { conv2d } from '../../src/ops/convolution/conv.ts';
import { relu } from '../../src/ops/elementwise/activations.ts';
import { add, div, mul, sub } from '../../src/ops/elementwise/binary.ts';
import { cast } from '../../src/ops/elementwise/cast.ts';
import { greater } from '../../src/ops/elementwise/compare.ts';
import { neg } from '../../src/ops/elementwise/neg.ts';
import { exp, log, square } from '../../src/ops/elementwise/unary.ts';
import { reshape } from '../../src/ops/layout/shape.ts';
import { pad, slice } from '../../src/ops/layout/slice.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { maxPool2d } from '../../src/ops/pooling/pool.ts';
import { max, mean, sum } from '../../src/ops/reduction/reduce.ts';
import { shaders } from '../../src/shaders.gen.ts';
import { gradients } from '../../src/transform/grad.ts';
import type { DownhillError } from '../../src/util/errors.ts';
import { divergenceOf, evaluateArithmeticSamples } from '../support/arithmetic-samples.ts';
import { input, planned, type Roots, SOFTWARE_TARGET, specOf } from '../support/graphs.ts';
import { textOf } from '../support/kernels.ts';
import { runPlan } from '../support/run-plan.ts';
import { drawInput } from '../support/sample-values.ts';

describe('every file of shaders/', () => {
  let device: WebGPUBackend;
  beforeAll(async () => {
    device = await createDawnNullBackend({ defaultLimits: true });
  });
  afterAll(async () => {
    await device.dispose();
  });

  test.each(Object.entries(shaders))('%s compiles alone, without a warning', async (name, code) => {
    const module = device.device.createShaderModule({ label: name, code });
    const { messages } = await module.getCompilationInfo();
    expect(messages.map(({ lineNum, message }) => `${name}.wgsl:${lineNum}: ${message}`)).toEqual([]);
  });
});

/** Two convolutions, a dense layer, softmax cross-entropy and a step of descent, on a batch of `n`. */
function smallNet(n: number): Roots {
  const x = input('x', [n, 12, 12, 1]);
  const labels = input('labels', [n, 10]);
  const rate = input('rate', []);
  const weights = [
    input('k1', [3, 3, 1, 4]),
    input('b1', [4]),
    input('k2', [3, 3, 4, 5]),
    input('w', [45, 10]),
    input('b', [10]),
  ];
  const [k1, b1, k2, w, b] = weights;
  const first = maxPool2d(relu(add(conv2d(x, k1, { padding: 'same' }), b1)), { poolSize: 2 });
  const second = maxPool2d(relu(conv2d(first, k2, { padding: 'same' })), { poolSize: 2 });
  const logits = add(matmul(reshape(second, [n, 45]), w), b);
  const shifted = sub(logits, max(logits, { axes: 1, keepDims: true }));
  const logTotal = log(sum(exp(shifted), { axes: 1, keepDims: true }));
  const loss = neg(mean(sum(mul(labels, sub(shifted, logTotal)), { axes: 1 })));
  const slopes = gradients(loss, weights);
  return {
    outputs: [loss],
    updates: weights.map((weight, k) => [weight, sub(weight, mul(rate, slopes[k]))]),
    scalars: [rate],
  };
}

describe('texts', () => {
  const texts = (roots: Roots, limits?: Target) => planned(roots, {}, limits).kernels.map(textOf);

  test.each([
    ['cpu', SOFTWARE_TARGET],
    ['gpu', DEFAULT_TARGET],
  ])('a second batch size needs no new kernel (%s)', (_title, limits) => {
    const [large, small] = [texts(smallNet(64), limits), texts(smallNet(32), limits)];
    expect(small.filter((text) => !large.includes(text)).length).toBe(0);
    expect(new Set([...large, ...small]).size).toBe(large.length);
  });

  test('constants and labels do not show', () => {
    const x = input('x', [30]);
    const named = mul(x, 3);
    named.label = 'dense "fc1"';
    expect(texts({ outputs: [named] })).toEqual(texts({ outputs: [mul(input('other', [70]), 0.1)] }));
  });

  /** A convolution and its gradients over `lines` × `lines` pixels. */
  function convolution(lines: number, channels: number): Roots {
    const x = input('x', [4, lines, lines, channels]);
    const kernel = input('k', [3, 3, channels, 24]);
    const y = conv2d(x, kernel, { padding: 'same' });
    return { outputs: [y, ...gradients(sum(square(y)), [x, kernel])] };
  }

  test.each([
    ['software adapters', { ...SOFTWARE_TARGET, subgroupSize: 8 }, true],
    ['GPUs', DEFAULT_TARGET, false],
  ])('convolutions that differ in sizes alone, on %s', (_title, limits, shared) => {
    const [small, large] = [texts(convolution(28, 24), limits), texts(convolution(20, 24), limits)];
    expect(large.filter((text) => text.includes('fn a_run')).every((text) => small.includes(text))).toBe(shared);
    expect(large.some((text) => text.includes('= 20u;'))).toBe(!shared);
  });

  test('software adapters read uniforms once, where main begins', () => {
    for (const text of texts(smallNet(8), SOFTWARE_TARGET)) {
      const reads = text.match(/\bparams\[[^\n]*/g) ?? [];
      expect(reads.length).toBeGreaterThan(0);
      expect(reads).toEqual(Array.from(reads, (_, k) => `params[${k}];`));
      expect(text).toMatch(/fn main\([^{]*\{\n\s*params_0 = params\[0\];\n/);
    }
    for (const text of texts(smallNet(8), DEFAULT_TARGET)) expect(text).not.toContain('params_0');
  });

  test('what a column shares is loaded once a column, not once a value', () => {
    const product = matmul(input('a', [40, 30]), input('b', [30, 20]));
    const [text] = texts({ outputs: [relu(add(product, input('bias', [20])))] });
    expect(text).toMatch(/fn column\(n: u32\) \{\n {2}(column\d+) = b\d\[n[^\]]*\];\n\}/);
    const store = /fn store\([\s\S]*?\n\}/.exec(text)?.[0] ?? '';
    expect(store).toMatch(/value \+ column\d+/);
    expect(store.match(/b\d\[/g)).toHaveLength(1);
  });

  test.each([[[2, 12]], [[8, 3]]])(
    'a bias of a product that was reshaped to %j is no value of its columns',
    async (shape) => {
      const [a, b, bias] = [input('a', [4, 5]), input('b', [5, 6]), input('bias', shape.slice(1))];
      const outputs = [relu(add(reshape(matmul(a, b), shape), bias))];
      const gpu = await createNodeWebGPUBackend();
      const spec = specOf('reshaped', { outputs });
      const bindings = new Map(spec.inputs.map(({ tensor }, k) => [tensor, drawInput({ shape: tensor.shape }, [k])]));
      const [run] = await runPlan(gpu, compileGraph(spec, gpu.target), spec, bindings);
      expect(divergenceOf(run.outputs, evaluateArithmeticSamples(outputs, bindings))).toBeUndefined();
      await gpu.dispose();
    },
  );

  test('two kernels of one text are one pipeline', () => {
    // Four kernels at most share one dispatch.
    const outputs = Array.from({ length: 8 }, (_, k) => exp(input(`x${k}`, [10 + 500 * k])));
    const plan = planned({ outputs });
    expect(plan.dispatches).toHaveLength(2);
    expect(plan.kernels).toHaveLength(1);
  });
});

describe('limits', () => {
  const refused = (roots: Roots, limits: Partial<Target>) => {
    try {
      compileGraph(specOf('step', roots), { ...SOFTWARE_TARGET, ...limits });
    } catch (error) {
      expect(error).toMatchObject({ name: 'DownhillError', code: 'device' });
      return (error as DownhillError).message;
    }
    return 'nothing was refused';
  };
  const x = input('activations', [64, 64]);

  test('a buffer that cannot be bound is refused with its name, its size and what would help', () => {
    const message = refused({ outputs: [exp(x)] }, { maxStorageBufferBindingSize: 8192 });
    expect(message).toBe(
      'step: "activations" takes 16.0 KiB; this device binds at most 8.00 KiB at once. A smaller batch size or a smaller layer fits',
    );
    expect(refused({ outputs: [sum(x)] }, { maxBufferSize: 8192 })).toMatch(/"activations" takes 16\.0 KiB/);
    expect(refused({ outputs: [exp(x)] }, { maxStorageBufferBindingSize: 16384 })).toBe('nothing was refused');
  });

  test('a kernel that cannot do with fewer bindings is refused with its name', () => {
    const y = input('y', [64, 64]);
    expect(refused({ outputs: [matmul(x, y)] }, { maxStorageBuffersPerShaderStage: 2 })).toMatch(
      /kernel matmul.* binds 3 storage buffers; this device allows 2/,
    );
  });

  test.each([
    [1, [1, 1, 1]],
    [7, [7, 1, 1]],
    [8, [4, 2, 1]],
    [15, [5, 3, 1]],
    [49, [7, 7, 1]],
  ])('a grid of %i workgroups over at most 7 a dimension is %j', (groups, grid) => {
    expect(gridOf(groups, { ...DEFAULT_TARGET, maxComputeWorkgroupsPerDimension: 7 })).toEqual(grid);
  });
});

describe('folded grids', () => {
  let gpu: Backend;
  beforeAll(async () => {
    gpu = await createNodeWebGPUBackend({ defaultLimits: true });
  });
  afterAll(async () => {
    await gpu.dispose();
  });

  const [x, y] = [input('x', [400, 30]), input('y', [30, 90])];
  const image = input('image', [3, 12, 12, 2]);
  test.each<[string, Tensor[], number]>([
    ['elementwise', [add(square(x), 1)], 14],
    ['folds', [div(sum(x, { axes: 0 }), 2), sum(x, { axes: 1 }), sum(x)], 3],
    ['products', [matmul(x, y)], 9],
    ['convolutions and pools', [maxPool2d(conv2d(image, input('k', [3, 3, 2, 4])), { poolSize: 2 })], 4],
  ])('%s', async (_title, outputs, most) => {
    const limits: Target = { ...gpu.target, maxComputeWorkgroupsPerDimension: most };
    const spec = specOf('folded', { outputs });
    const plan = compileGraph(spec, limits);
    const grids = plan.dispatches.map(({ workgroups }) => workgroups);
    expect(Math.max(...grids.flat())).toBeLessThanOrEqual(most);
    expect(grids.some(([, rows]) => rows > 1)).toBe(true);
    const bindings = new Map(spec.inputs.map(({ tensor }, k) => [tensor, drawInput({ shape: tensor.shape }, [k])]));
    const [run] = await runPlan(gpu, plan, spec, bindings);
    expect(divergenceOf(run.outputs, evaluateArithmeticSamples(outputs, bindings))).toBeUndefined();
  });
});

test('a mask of what rows give is computed after their fold, in the same kernel', () => {
  const x = input('x', [5, 4]);
  // The mask has no memory: its reader computes it, which must not happen in the loop that still folds.
  const isLargest = cast(greater(sub(x, max(x, { axes: -1, keepDims: true })), -1), 'f32');
  const { kernels } = planned({ outputs: [isLargest] });
  expect(kernels).toHaveLength(1);
  const loops = textOf(kernels[0]).split('for (var r');
  expect(loops).toHaveLength(3);
  expect(loops[1]).not.toContain('select');
});

test('no function is named as a type of WGSL is', () => {
  const x = input('x', [6, 5]);
  let value = x;
  // Each slice is a function of its own, called at another index.
  for (let k = 0; k < 40; k++)
    value = add(
      value,
      slice(
        pad(x, [
          [0, 0],
          [k, 0],
        ]),
        [0, k],
        [6, 5],
      ),
    );
  const text = planned({ outputs: [value] })
    .kernels.map(textOf)
    .join('\n');
  expect(text).not.toMatch(/fn (f16|f32)\(/);
  expect(text).toMatch(/fn f3\d\(/);
});
