/**
 * The update of weights against Keras 3 (golden/make/make-updates.py), on the CPU and on the GPU: 20 steps of every
 * optimizer and of what all optimizers can do; penalties with their gradients; projections.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { Tensor } from '../../src/core/tensor.ts';
import { constraints } from '../../src/nn/constraints.ts';
import { initializers } from '../../src/nn/initializers.ts';
import { applyUpdates, type ParameterGroup } from '../../src/nn/optimizers/apply.ts';
import { type OptimizerName, optimizers, resolveOptimizer } from '../../src/nn/optimizers/index.ts';
import { AVERAGE } from '../../src/nn/optimizers/optimizer.ts';
import { regularizers } from '../../src/nn/regularizers.ts';
import { compile } from '../../src/runtime/compile-function.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { Variable } from '../../src/train/weights/variable.ts';
import { layoutShared, viewGroups } from '../../src/train/weights/weight-layout.ts';
import { valueAndGrad } from '../../src/transform/grad.ts';
import type { Shape } from '../../src/util/shape.ts';
import { golden, type Nested, tensorOf } from './golden-values.ts';

interface OptimizerFile {
  readonly names: string[];
  readonly shapes: number[][];
  readonly start: number[][];
  /** By step and weight. */
  readonly gradients: number[][][];
  /** The steps that `path` tells of. */
  readonly steps: number[];
  readonly cases: {
    readonly name: OptimizerName;
    readonly config: { readonly excludeFromWeightDecay?: string[] };
    readonly path: number[][][];
    /** With moving averages in the place of the weights, where there are any. */
    readonly final: number[][];
  }[];
}

/** The second has weights of all sorts, for the optimizer to which they are not all alike. */
const FILES = [golden<OptimizerFile>('optimizers.json'), golden<OptimizerFile>('optimizers-matrices.json')];

const backends: readonly [string, () => Promise<Backend>][] = [
  ['cpu', async () => createCpuBackend()],
  ['webgpu', () => createNodeWebGPUBackend()],
];

describe.each(backends)('updates on %s', (_kind, create) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  beforeEach(() => setBackend(backend));
  afterAll(async () => {
    setBackend(undefined);
    await backend.dispose();
  });

  const told = FILES.flatMap((file) => file.cases.map((c) => [c.name, c.config, { ...c, file }] as const));
  test.each(told)('%s %j', async (name, config, { path, final, file }) => {
    const optimizer = optimizers[name](config);
    const weights = file.names.map((weight, index) => {
      const spec = { name: weight, shape: file.shapes[index], initializer: initializers.zeros(), trainable: true };
      return {
        path: `dense/${weight}`,
        variable: new Variable(`dense/${weight}`, spec, 0, index),
        uses: [{ layer: 0, index, name: weight }],
        decay: !config.excludeFromWeightDecay?.includes(weight),
        rule: optimizer.ruleOf(weight, file.shapes[index]),
        spec,
      };
    });
    const buffers = layoutShared([{ weights, compiled: true }], 1000).map((placed) => {
      return { placed, elements: placed.reduce((sum, { size }) => sum + size, 0) };
    });
    const groups = viewGroups(weights, ({ path: wanted }) => {
      const group = buffers.find(({ placed }) => placed.some((weight) => weight.path === wanted))!;
      return { group, offset: group.placed.find((weight) => weight.path === wanted)!.offset };
    });
    const joined = (values: readonly number[][]) =>
      groups.map((group) => vector(group.weights.flatMap(({ uses }) => values[uses[0].index])));
    const split = (tensors: readonly (readonly number[])[]) =>
      weights.map(({ path: wanted }) => {
        const g = groups.findIndex((group) => group.weights.some((weight) => weight.path === wanted));
        const { offset, size } = groups[g].weights.find((weight) => weight.path === wanted)!;
        return tensors[g].slice(offset, offset + size);
      });

    const { scalars } = optimizer;
    const slots = groups.flatMap(({ rule }, g) => optimizer.slotsOf(rule).map((slot) => ({ g, slot, rule })));
    const step = compile((...all: Tensor[]) => {
      const [parameters, gradients] = [all.slice(0, groups.length), all.slice(groups.length, 2 * groups.length)];
      const rest = all.slice(2 * groups.length);
      const inputs = groups.map((group, g): ParameterGroup => {
        const own = Object.fromEntries(
          slots.flatMap(({ slot, g: of }, k) => (of === g ? [[slot, rest[k]] as const] : [])),
        );
        const shapes = group.weights.map(({ spec }) => spec.shape as Shape);
        const { decay, rule } = group;
        return { parameters: parameters[g], gradient: gradients[g], slots: own, shapes, decay, rule };
      });
      const values = rest.slice(slots.length);
      const updated = applyUpdates(optimizer, inputs, Object.fromEntries(scalars.map((s, k) => [s, values[k]])));
      return [...updated.map(({ parameters }) => parameters), ...slots.map(({ g, slot }) => updated[g].slots[slot])];
    });

    let parameters = joined(file.start);
    let state = slots.map(({ g, slot, rule }) =>
      vector(new Array(groups[g].elements).fill(optimizer.slotStartsOf(rule)[slot])),
    );
    for (const [k, gradients] of file.gradients.entries()) {
      const values = optimizer.scalarValues(k + 1).map((value) => tensorOf(value));
      const next = await step(...parameters, ...joined(gradients), ...state, ...values);
      parameters = next.slice(0, groups.length);
      state = next.slice(groups.length);
      const row = file.steps.indexOf(k + 1);
      if (row < 0) continue;
      const found = await Promise.all(parameters.map(async (tensor) => [...(await tensor.data())]));
      expect(distance(split(found).flat(), path[row].flat()), `step ${k + 1}`).toBeLessThan(1e-4);
    }
    const last = optimizer.common.useEma
      ? groups.map((_, g) => state[slots.findIndex(({ g: of, slot }) => of === g && slot === AVERAGE)])
      : parameters;
    const found = await Promise.all(last.map(async (tensor) => [...(await tensor.data())]));
    expect(distance(split(found).flat(), final.flat()), 'final').toBeLessThan(1e-4);
    step.dispose();
  });

  interface RegularizerCase {
    readonly name: keyof typeof regularizers;
    readonly config: object;
    readonly weight: Nested;
    readonly penalty: number;
    readonly gradient: number[];
  }
  test.each(golden<RegularizerCase[]>('regularizers.json').map((c) => [c.name, c.config, c] as const))(
    '%s %j',
    async (name, config, { weight, penalty, gradient }) => {
      const regularizer = regularizers[name](config);
      const { value, gradient: grad } = valueAndGrad((w: Tensor) => regularizer.penalty(w))(tensorOf(weight));
      expect(distance([...(await value.data())], [penalty])).toBeLessThan(1e-5);
      expect(distance([...(await grad.data())], gradient)).toBeLessThan(1e-4);
    },
  );

  interface ConstraintCase {
    readonly name: keyof typeof constraints;
    readonly config: object;
    readonly weight: Nested;
    readonly projected: number[];
  }
  test.each(golden<ConstraintCase[]>('constraints.json').map((c) => [c.name, c.config, c] as const))(
    '%s %j',
    async (name, config, { weight, projected }) => {
      const found = constraints[name](config).project(tensorOf(weight));
      expect(distance([...(await found.data())], projected)).toBeLessThan(1e-5);
    },
  );
});

test('every optimizer has a trajectory, and is its name and config', () => {
  const cases = FILES.flatMap((file) => file.cases);
  expect(new Set(cases.map(({ name }) => name))).toEqual(new Set(Object.keys(optimizers)));
  for (const { name, config } of cases) {
    const made = optimizers[name](config);
    expect(made.name).toBe(name);
    expect(made.config).toMatchObject(config);
    const again = resolveOptimizer(name, JSON.parse(JSON.stringify(made.config)));
    expect(again.config).toEqual(made.config);
    for (const shape of [[2], [2, 3]]) {
      const rule = made.ruleOf('dense/kernel', shape);
      expect(again.ruleOf('dense/kernel', shape)).toBe(rule);
      expect(again.slotStartsOf(rule)).toEqual(made.slotStartsOf(rule));
    }
    expect(again.scalarValues(7)).toEqual(made.scalarValues(7));
  }
});

function vector(values: readonly number[]): Tensor {
  return Tensor.host({ shape: [values.length], dtype: 'f32' }, Float32Array.from(values));
}

/** Largest |found − expected| / max(0.1, |expected|): the values are of the order of 1. */
function distance(found: readonly number[], expected: readonly number[]): number {
  expect(found.length).toBe(expected.length);
  return Math.max(0, ...expected.map((value, k) => Math.abs(found[k] - value) / Math.max(0.1, Math.abs(value))));
}
